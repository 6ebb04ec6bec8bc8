import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startSallyport, type TestServer } from '../../../../test/parts/sallyport.ts'
import { type Cbor, type Oddity, SELF, SoftKey } from '../../../../test/parts/soft_key.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { PasskeyRecord } from '../../store/verbs/factors.ts'
import { startSessionBy } from '../sessions/sessions.ts'
import { addPasskey, askForPasskey, checkPasskey, offerPasskey, relyingParty } from './passkeys.ts'

let now = Date.UTC(2026, 10, 21)
let server: TestServer
let tenant: Tenant
before(async () => {
  server = await startSallyport({ host: 'localhost', clock: () => now })
  tenant = server.app.tenant
})
after(() => server?.stop())

const BROWSER = 'the browser of somebody'
let users = 0
async function newUser() {
  const user_id = await server.addUser({ username: `alice${users++}`, password: 'correct horse battery' })
  const { password_hash: _, ...user } = (await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id }))!
  return user
}
type User = Awaited<ReturnType<typeof newUser>>

const offer = (user: User, browser = BROWSER, passkeys: PasskeyRecord[] = []) =>
  offerPasskey(tenant, browser, user, { tenant: 'Test', factors: { passkeys } })!
const origin = () => new URL(tenant.issuer).origin

async function add(user: User, key: SoftKey, odd: Oddity = {}): Promise<string> {
  const { sealed, options } = offer(user)
  const answer = { challenge: sealed, credential: key.create(options, odd), name: 'Key' }
  return (await addPasskey(tenant, BROWSER, user.user_id, answer)).kind
}
async function withKey(options: { synced?: boolean } = {}) {
  const user = await newUser()
  const key = new SoftKey(origin(), options)
  assert.equal(await add(user, key), 'added')
  return { user, key }
}
async function use(key: SoftKey, odd: Oddity = {}) {
  const { sealed, options } = askForPasskey(tenant, BROWSER)!
  return checkPasskey(tenant, BROWSER, { challenge: sealed, credential: key.get(options, odd) })
}

test('the relying party of an issuer is its host, where that is a name', () => {
  assert.deepEqual(relyingParty('https://id.example.com/hub'), {
    id: 'id.example.com',
    origin: 'https://id.example.com',
  })
  assert.deepEqual(relyingParty('http://localhost:9400'), { id: 'localhost', origin: 'http://localhost:9400' })
  for (const bare of ['http://127.0.0.1:9400', 'http://[::1]:9400']) assert.equal(relyingParty(bare), null)
})

test('RFC 8176 a passkey says whether it is on one device, and that its owner was verified', async () => {
  const { user, key } = await withKey()
  const given = await use(key)
  assert.equal(given?.user.user_id, user.user_id)
  assert.deepEqual(given?.amr, ['hwk', 'user', 'mfa'])
  const { key: synced } = await withKey({ synced: true })
  assert.deepEqual((await use(synced))?.amr, ['swk', 'user', 'mfa'])
  assert.equal(await use(synced, { flags: 1 | 4 }), null, 'a key that can be copied does not become one that cannot')
  assert.equal(await use(key, { flags: 1 | 4 | 8 }), null)
})

test('WebAuthn 7.2 an assertion of another origin, type, challenge, frame or relying party is refused', async () => {
  const { user, key } = await withKey()
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const other = await withKey()
  const { options } = askForPasskey(tenant, BROWSER)!
  const handle = (JSON.parse(other.key.get(options)) as { response: { userHandle: string } }).response.userHandle
  const odd: [string, Oddity][] = [
    ['another host', { origin: 'http://evil.example' }],
    ['another port', { origin: 'http://localhost:1' }],
    ['another scheme', { origin: origin().replace('http:', 'https:') }],
    ['a path', { origin: `${origin()}/` }],
    ['another relying party', { rp_id: 'evil.example' }],
    ['a registration', { type: 'webauthn.create' }],
    ['a challenge of its own', { challenge: 'AAAA' }],
    ['an inner frame', { crossOrigin: true }],
    ['an outer frame', { topOrigin: 'https://evil.example' }],
    ['nobody present', { flags: 4 }],
    ['nobody verified', { flags: 1 }],
    ['a key of somebody else', { signed_by: privateKey }],
    ['a handle of somebody else', { userHandle: handle }],
    ['no handle of ours', { userHandle: 'AAAA' }],
  ]
  for (const [what, oddity] of odd) assert.equal(await use(key, oddity), null, what)
  assert.equal((await use(key))?.user.user_id, user.user_id)
})

test('an answer that is none is refused, whatever it is', async () => {
  const { key } = await withKey()
  const { sealed, options } = askForPasskey(tenant, BROWSER)!
  const good = JSON.parse(key.get(options)) as Record<string, object>
  const bad = ['', '{', 'null', '7', '[]', '{}', '{"id":7}', '{"id":"\\u0000"}', '{"id":"unknown"}', '"x"']
  const broken = [
    { ...good, response: null },
    { ...good, response: {} },
    { ...good, rawId: 'x' },
    { ...good, type: 'password' },
    { ...good, response: { ...good['response'], signature: 'AA' } },
    { ...good, response: { ...good['response'], authenticatorData: 'AA' } },
    { ...good, response: { ...good['response'], clientDataJSON: Buffer.from('[]').toString('base64url') } },
  ]
  for (const credential of [...bad, ...broken.map((value) => JSON.stringify(value))]) {
    assert.equal(await checkPasskey(tenant, BROWSER, { challenge: sealed, credential }), null, credential)
  }
  for (const challenge of ['', 'x', `${sealed}A`, sealed.slice(1)]) {
    assert.equal(await checkPasskey(tenant, BROWSER, { challenge, credential: JSON.stringify(good) }), null)
  }
})

test('7.2.4 a challenge is good in the browser that it was made for, once, and for an hour', async () => {
  const { user, key } = await withKey()
  const { sealed, options } = askForPasskey(tenant, BROWSER)!
  const answer = { challenge: sealed, credential: key.get(options) }
  assert.equal(await checkPasskey(tenant, 'another browser', answer), null)
  const given = await checkPasskey(tenant, BROWSER, answer)
  const proved = { user_id: user.user_id, user_epoch: 0, amr: given!.amr, former: null, user_agent: null }
  assert.ok(await startSessionBy(tenant, proved, given!.factor))
  const replayed = await checkPasskey(tenant, BROWSER, answer)
  await assert.rejects(startSessionBy(tenant, proved, replayed!.factor), /accepted before/)
  const late = askForPasskey(tenant, BROWSER)!
  now += 3_600_001
  assert.equal(await checkPasskey(tenant, BROWSER, { challenge: late.sealed, credential: key.get(late.options) }), null)
  // What was made to add a key does not sign in.
  const adding = offer(user)
  const crossed = { challenge: adding.sealed, credential: key.get({ ...adding.options, rpId: 'localhost' }) }
  assert.equal(await checkPasskey(tenant, BROWSER, crossed), null)
})

test('6.3.4 a passkey of a disabled user signs nobody in', async () => {
  const { user, key } = await withKey()
  const { tenant_id } = tenant
  const event = { tenant_id, event_id: user.user_id, at: now, type: 'user.disabled', actor: 'test' }
  await tenant.store.setUserDisabled({ tenant_id, user_id: user.user_id, disabled: true, event })
  assert.equal(await use(key), null)
})

test('WebAuthn 7.1 a key is kept for the user, the browser and the challenge that it was made for', async () => {
  const [user, other] = [await newUser(), await newUser()]
  const key = new SoftKey(origin())
  const { sealed, options } = offer(user)
  const answer = { challenge: sealed, credential: key.create(options), name: 'Key' }
  assert.equal((await addPasskey(tenant, BROWSER, other.user_id, answer)).kind, 'wrong')
  assert.equal((await addPasskey(tenant, 'another browser', user.user_id, answer)).kind, 'wrong')
  const signing = askForPasskey(tenant, BROWSER)!
  assert.equal(
    (await addPasskey(tenant, BROWSER, user.user_id, { ...answer, challenge: signing.sealed })).kind,
    'wrong',
  )
  const odd: Oddity[] = [
    { origin: 'http://evil.example' },
    { rp_id: 'evil.example' },
    { type: 'webauthn.get' },
    { crossOrigin: true },
    { flags: 1 },
    { flags: 4 },
  ]
  for (const oddity of odd)
    assert.equal(await add(user, new SoftKey(origin()), oddity), 'wrong', JSON.stringify(oddity))
  const first = await addPasskey(tenant, BROWSER, user.user_id, answer)
  assert.equal(first.kind === 'added' && first.recovery_codes?.length, 10)
  assert.equal((await addPasskey(tenant, BROWSER, user.user_id, answer)).kind, 'known', 'the same once more')
  const fresh = { ...answer, credential: new SoftKey(origin()).create(options) }
  assert.equal(
    (await addPasskey(tenant, BROWSER, user.user_id, fresh)).kind,
    'wrong',
    'another key by the same challenge',
  )
  assert.equal(await add(other, key), 'known', 'the key of somebody else')
})

test('13.2.4 a statement about a key is taken when the key itself made it, and never when it names certificates', async () => {
  const user = await newUser()
  const statement = (fmt: string, ...more: [string, Cbor][]): Oddity => ({
    attestation: { fmt, attStmt: new Map(more) },
  })
  assert.equal(await add(user, new SoftKey(origin()), statement('packed', ['alg', -7], ['sig', SELF])), 'added')
  for (const fmt of ['packed', 'fido-u2f', 'tpm', 'apple', 'android-key', 'android-safetynet', 'none', 'unknown']) {
    const key = new SoftKey(origin())
    const signed = statement(fmt, ['alg', -7], ['sig', SELF], ['x5c', [key.certificate()]])
    assert.equal(await add(user, key, signed), 'wrong', fmt)
  }
})
