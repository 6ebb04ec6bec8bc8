import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import {
  type Answer,
  answerCut,
  answerEndless,
  answerJson,
  answerNothing,
  answerText,
} from '../../../test/parts/hostile_provider.ts'
import { redirect_uri, startRelyingParty } from '../../../test/parts/relying_party.ts'
import { verifyOwnJwt } from '../crypto/jwt.ts'
import type { ProviderFields } from '../providers/provider.ts'
import type { RelyingParty } from './context.ts'
import { refreshToken } from './token_call.ts'

test('token requests go out as form, JSON or query, with the credentials where the record wants them', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const send = async (fields: Partial<ProviderFields>, more: Partial<RelyingParty> = {}) => {
    hostile.received.length = 0
    const asked = { ...party, ...more, provider: { ...party.provider, ...fields } } as RelyingParty
    const outcome = await refreshToken(context, asked, { refresh_token: 'rt', access_token: 'old', scope: 'a b' })
    assert.equal(outcome.kind, 'tokens', JSON.stringify(outcome))
    const { method, url, headers, body } = hostile.received.findLast(({ url }) => /token|renew/.test(url))!
    return { method, url, type: headers['content-type'], authorization: headers['authorization'], body, headers }
  }
  const form = await send({})
  assert.deepEqual([form.method, form.url, form.body], ['POST', '/token', 'refresh_token=rt&grant_type=refresh_token'])
  assert.equal(form.authorization, `Basic ${btoa('client:s3cret')}`)
  const post = await send({ token_endpoint_auth_method: 'client_secret_post' })
  assert.match(post.body, /client_id=client&client_secret=s3cret/)
  assert.equal(post.authorization, undefined)
  const json = await send({ token_request: 'json', token_request_headers: { 'x-version': '2' } })
  assert.deepEqual([json.type, json.body], ['application/json', '{"refresh_token":"rt","grant_type":"refresh_token"}'])
  assert.equal(json.headers['x-version'], '2')
  const query = await send({ token_request: 'query', token_endpoint_auth_method: 'client_secret_post' })
  assert.deepEqual([query.method, query.body], ['GET', ''])
  assert.match(query.url, /^\/token\?refresh_token=rt&grant_type=refresh_token&client_id=client&client_secret=s3cret$/)
  const none = await send({}, { client_secret: null })
  assert.deepEqual([none.authorization, none.body.includes('client_id=client')], [undefined, true])
  const more = await send({ refresh_sends: ['scope', 'redirect_uri'], refresh_params: { expiring: '1' } })
  assert.deepEqual(Object.fromEntries(new URLSearchParams(more.body)), {
    ...{ expiring: '1', redirect_uri, scope: 'a b', refresh_token: 'rt', grant_type: 'refresh_token' },
  })
  hostile.answers.set('/renew', hostile.answers.get('/token')!)
  const other = await send({ refresh_endpoint: `${hostile.issuer}/renew` })
  assert.equal(other.url, '/renew')
  const renewal = { grant_type: 'fb_exchange_token', token_param: 'fb_exchange_token', sends: 'access_token' } as const
  assert.match((await send({ refresh_grant: renewal })).body, /fb_exchange_token=old&grant_type=fb_exchange_token/)
})

test('Basic credentials are form-encoded, or raw where the record says so', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const sent = async (basic_credentials: 'encoded' | 'raw') => {
    const asked = {
      ...party,
      client_id: 'a-b.c_d',
      client_secret: 'p+ ss:&%ö',
      provider: { ...party.provider, basic_credentials },
    }
    await refreshToken(context, asked, { refresh_token: 'rt' })
    const { headers } = hostile.received.at(-1)!
    return Buffer.from(String(headers['authorization']).slice(6), 'base64').toString()
  }
  assert.equal(await sent('encoded'), 'a-b.c_d:p%2B+ss%3A%26%25%C3%B6')
  assert.equal(await sent('raw'), 'a-b.c_d:p+ ss:&%ö')
})

test('metadata that takes a secret in one way only is followed', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  hostile.metadata['token_endpoint_auth_methods_supported'] = ['client_secret_post', 'private_key_jwt']
  await refreshToken(context, party, { refresh_token: 'rt' })
  assert.match(hostile.received.at(-1)!.body, /client_secret=s3cret/)
})

test('O-01 an assertion names the issuer as its only audience, also when the metadata names another token endpoint', async (t) => {
  const victim = await startRelyingParty(t)
  const { hostile, context, party } = await startRelyingParty(t, { token_endpoint_auth_method: 'private_key_jwt' })
  hostile.metadata['token_endpoint'] = `${hostile.issuer}/token?as=${victim.hostile.issuer}`
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const asked = { ...party, private_key: { kid: 'me', alg: 'ES256', privateKey } as const }
  await refreshToken(context, asked, { refresh_token: 'rt' })
  const body = new URLSearchParams(hostile.received.at(-1)!.body)
  const assertion = body.get('client_assertion')!
  const claims = verifyOwnJwt(assertion, 'client-authentication+jwt', (kid) =>
    kid === 'me' ? { alg: 'ES256', publicKey } : undefined,
  )!
  const { jti, iat, exp, ...who } = claims
  assert.deepEqual(who, { iss: 'client', sub: 'client', aud: hostile.issuer })
  assert.deepEqual([body.get('client_id'), body.has('client_secret')], ['client', false])
  assert.deepEqual([(exp as number) - (iat as number), Math.abs((iat as number) - Date.now() / 1000) < 60], [60, true])
  await refreshToken(context, asked, { refresh_token: 'rt' })
  const again = new URLSearchParams(hostile.received.at(-1)!.body).get('client_assertion')!
  assert.notEqual(JSON.parse(Buffer.from(again.split('.')[1]!, 'base64url').toString()).jti, jti)
  const keyless = await refreshToken(context, party, { refresh_token: 'rt' })
  assert.equal(keyless.kind, 'client_refused', 'a connector without its key is the administrator’s to repair')
})

const SPOILED: Array<[what: string, answer: Answer]> = [
  ['a page', answerText('<html>Sorry</html>', 200, { 'content-type': 'text/html' })],
  ['a page with 400', answerText('<html>Blocked</html>', 400, { 'content-type': 'text/html' })],
  ['half of the JSON', answerJson('{"access_token":"at"')],
  ['deep JSON', answerJson(`{"access_token":"at","token_type":"Bearer","x":${'['.repeat(60)}${']'.repeat(60)}}`)],
  ['an endless body', answerEndless],
  ['a body cut in the middle', answerCut('{"access_token":"at","token_type":"Bearer",')],
  ['no answer but a closed connection', answerCut()],
  ['silence', answerNothing],
  ['a redirect', answerText('', 307, { location: 'https://evil.example/token' })],
  ['trouble', answerJson({ error: 'invalid_grant' }, 502)],
  ['an error inside of a 200', answerJson({ error: 'invalid_grant' })],
  ['a huge head', answerJson({}, 200, { 'x-large': 'x'.repeat(20_000) })],
]

test('whatever a provider answers instead of tokens, a refresh is unknown and was sent', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  for (const [what, answer] of SPOILED) {
    hostile.answers.set('/token', answer)
    const outcome = await refreshToken(context, party, { refresh_token: 'rt-secret', timeoutMs: 150 })
    assert.equal(outcome.kind, 'unknown', what)
    assert.ok(outcome.kind === 'unknown' && outcome.sent, what)
    assert.doesNotMatch(String(outcome.kind === 'unknown' && outcome.cause.stack), /rt-secret|s3cret/, what)
  }
  assert.ok(!hostile.received.some(({ url }) => url.includes('evil')))
})

test('a provider that cannot be reached is unknown and was not sent', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const closed = { ...party.provider, token_endpoint: 'http://127.0.0.1:1/token', discovery: null }
  const outcome = await refreshToken(context, { ...party, provider: closed }, { refresh_token: 'rt' })
  assert.ok(outcome.kind === 'unknown' && !outcome.sent)
  const blocked = { ...closed, token_endpoint: 'https://169.254.169.254/token' }
  const refused = await refreshToken(context, { ...party, provider: blocked }, { refresh_token: 'rt' })
  assert.ok(refused.kind === 'unknown' && !refused.sent)
  assert.match(refused.cause.message, /blocked_address/)
  assert.equal(hostile.received.length, 0)
})
