import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { verifyWebhook, WebhookError, type WebhookOptions, type WebhookRefusal } from './webhook.ts'

// The published test vectors of Standard Webhooks, by HMAC and by Ed25519.
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
const SENT = 1614265330
const BODY = '{"test": 2432232314}'
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const V1 = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const V1A = 'v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=='
const MESSAGE = '{"type":"user.created","timestamp":"2026-01-01T00:00:00.000Z","sequence":7,"data":{"user_id":"u"}}'

const clock = () => SENT * 1000
const headersOf = (signature: string, more: object = {}) => ({
  ...{ 'Webhook-Id': ID, 'webhook-timestamp': String(SENT), 'webhook-signature': signature },
  ...more,
})
const signed = (body: string | Uint8Array = MESSAGE, secret = SECRET, at = SENT, id = ID) => {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${at}.`).update(body).digest('base64')}`
}
const verify = (signature = signed(), more: Partial<WebhookOptions> = {}, body: string | Uint8Array = MESSAGE) =>
  verifyWebhook({ headers: headersOf(signature), body }, { secret: SECRET, clock, ...more })
const refuses = (work: Promise<unknown>, reason: WebhookRefusal) =>
  assert.rejects(work, (error) => error instanceof WebhookError && error.reason === reason)

test('the published vector is genuine as far as its signature goes, by either scheme', async () => {
  // Signed rightly, it is only no message that has a type.
  await refuses(verify(V1, {}, BODY), 'not_a_message')
  const seed = Buffer.from('VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=', 'base64')
  const jwk = { kty: 'OKP', crv: 'Ed25519', d: seed.toString('base64url') }
  const secret = await publicKeyOf(jwk.d)
  await refuses(verify(V1A, { secret }, BODY), 'not_a_message')
  await refuses(verify(V1A, { secret }, `${BODY} `), 'no_matching_signature')
})

async function publicKeyOf(d: string): Promise<string> {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  const { createPrivateKey, createPublicKey } = await import('node:crypto')
  const key = { key: Buffer.concat([prefix, Buffer.from(d, 'base64url')]), format: 'der', type: 'pkcs8' } as const
  const { x } = createPublicKey(createPrivateKey(key)).export({ format: 'jwk' })
  return `whpk_${Buffer.from(x!, 'base64url').toString('base64')}`
}

test('a message is read from a request, or from headers and a body as they came', async () => {
  const expected = {
    ...{ webhook_id: ID, repeated: false, type: 'user.created', timestamp: '2026-01-01T00:00:00.000Z' },
    ...{ sequence: 7, issuer: undefined, data: { user_id: 'u' } },
  }
  assert.deepEqual(await verify(), expected)
  assert.deepEqual(await verify(undefined, {}, Buffer.from(MESSAGE)), expected)
  const request = new Request('https://a.example/', { method: 'POST', body: MESSAGE, headers: headersOf(signed()) })
  assert.deepEqual(await verifyWebhook(request, { secret: SECRET, clock }), expected)
})

test('what was altered, is of another secret, or of another scheme, is refused', async () => {
  await refuses(verify(signed(), {}, `${MESSAGE} `), 'no_matching_signature')
  await refuses(verify(signed(MESSAGE, SECRET, SENT + 1)), 'no_matching_signature')
  await refuses(verify(signed(MESSAGE, SECRET, SENT, 'msg_other')), 'no_matching_signature')
  await refuses(verify(signed(MESSAGE, `whsec_${Buffer.alloc(24, 'x').toString('base64')}`)), 'no_matching_signature')
  for (const signature of [
    'v1,',
    'v2,AAAA',
    signed().slice(3),
    `v1a,${signed().slice(3)}`,
    `${signed().slice(0, 20)}`,
  ]) {
    await refuses(verify(signature), 'no_matching_signature')
  }
  // A public key is no shared secret: whoever knows it signs nothing with it.
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x!, 'base64url').toString('base64')
  const secret = `whpk_${raw}`
  await refuses(verify(signed(MESSAGE, `whsec_${raw}`), { secret }), 'no_matching_signature')
  const text = Buffer.from(`${ID}.${SENT}.${MESSAGE}`)
  const genuine = `v1a,${sign(null, text, privateKey).toString('base64')}`
  assert.equal((await verify(genuine, { secret })).type, 'user.created')
})

test('of several signatures and several secrets one that fits is enough, so that secrets can change', async () => {
  const other = `whsec_${Buffer.from('another secret of thirty-two by.').toString('base64')}`
  const both = `${signed(MESSAGE, other)} ${signed()}`
  for (const secret of [SECRET, other, [other, SECRET]]) assert.equal((await verify(both, { secret })).webhook_id, ID)
  await refuses(verify(`${'v1,AAAA '.repeat(16)}${signed()}`), 'no_matching_signature')
})

test('what was sent too long ago, or will be, is refused', async () => {
  for (const seconds of [-300, 300]) {
    assert.ok(await verify(undefined, { clock: () => (SENT + seconds) * 1000 }))
    await refuses(verify(undefined, { clock: () => (SENT + seconds * 1.01) * 1000 }), 'timestamp_not_now')
  }
  await refuses(verify(undefined, { clock: () => (SENT + 20) * 1000, tolerance_seconds: 10 }), 'timestamp_not_now')
  for (const sent of ['', 'now', `${SENT}.0`, ` ${SENT}`, '-1', '1e9']) {
    const headers = headersOf(signed(), { 'webhook-timestamp': sent })
    const reason = sent === '' ? 'missing_header' : 'timestamp_not_now'
    await refuses(verifyWebhook({ headers, body: MESSAGE }, { secret: SECRET, clock }), reason)
  }
})

test('a header that is missing, or there twice, is refused', async () => {
  for (const name of ['Webhook-Id', 'webhook-timestamp', 'webhook-signature']) {
    for (const value of [undefined, '', ['a', 'b'], 'x'.repeat(5000)]) {
      const headers = headersOf(signed(), { [name]: value })
      await refuses(verifyWebhook({ headers, body: MESSAGE }, { secret: SECRET, clock }), 'missing_header')
    }
  }
})

test('what was seen before is said to be, and only once it is known to be genuine', async () => {
  const asked: string[] = []
  const seen = (id: string) => asked.push(id) > 1
  assert.deepEqual(
    [(await verify(undefined, { seen })).repeated, (await verify(undefined, { seen })).repeated],
    [false, true],
  )
  await refuses(verify(V1, { seen }), 'no_matching_signature')
  assert.deepEqual(asked, [ID, ID])
})

test('a body that is too large or no message is refused, signed or not', async () => {
  for (const body of [
    '',
    '[]',
    'null',
    '{"type":7}',
    '{"type":"x","timestamp":"y","data":null}',
    Buffer.of(0x7b, 0xff),
  ]) {
    await refuses(verify(signed(body), {}, body), 'not_a_message')
  }
  const large = ' '.repeat(262_145)
  await refuses(verify(signed(large), {}, large), 'not_a_message')
  const request = new Request('https://a.example/', { method: 'POST', body: large, headers: headersOf(signed(large)) })
  await refuses(verifyWebhook(request, { secret: SECRET, clock }), 'not_a_message')
})

test('options that cannot be right are thrown as a TypeError, and name no secret', async () => {
  for (const secret of [
    '',
    'hunter2',
    'whsec_',
    'whsec_aGk=',
    [],
    `whsk_${SECRET.slice(6)}`,
    `whpk_${SECRET.slice(6)}`,
  ]) {
    await assert.rejects(verify(undefined, { secret }), (error) => {
      return error instanceof TypeError && !error.message.includes(SECRET.slice(6))
    })
  }
  await assert.rejects(verify(undefined, { tolerance_seconds: -1 }), TypeError)
})
