import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, answerCut, answerEndless, answerJson, answerText } from '../../../test/parts/hostile_provider.ts'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import type { ResolvedProvider } from '../providers/resolve.ts'
import type { RelyingParty } from './context.ts'
import { DiscoveryError, discoverProvider } from './discovery.ts'
import { refreshToken } from './token_call.ts'

async function discoveryFailure(context: Parameters<typeof discoverProvider>[0], party: RelyingParty) {
  const error = await discoverProvider(context, party.provider).catch((error) => error)
  assert.ok(error instanceof DiscoveryError, String(error))
  return error.reason
}

test('10.5.3 metadata whose issuer is not the configured one, to the letter, is refused', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const { port } = new URL(hostile.issuer)
  const others = [`${hostile.issuer}/`, `HTTP://127.0.0.1:${port}`, `http://127.0.0.1:0${port}`, 'https://evil.example']
  others.push(`http://localhost:${port}`, `${hostile.issuer}/tenant`, `${hostile.issuer}?`, `http://0x7f.1:${port}`)
  for (const issuer of others) {
    hostile.metadata['issuer'] = issuer
    assert.equal(await discoveryFailure(context, party), 'issuer_mismatch', issuer)
  }
  for (const issuer of [undefined, null, 1, '', {}]) {
    hostile.metadata['issuer'] = issuer
    assert.equal(await discoveryFailure(context, party), 'invalid', String(issuer))
  }
  hostile.metadata['issuer'] = hostile.issuer
  assert.equal((await discoverProvider(context, party.provider)).issuer, hostile.issuer)
})

test('metadata that is a page, deep, endless, cut, moved or missing is refused, and asked for again', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const path = '/.well-known/openid-configuration'
  const good = hostile.answers.get(path)!
  const cases: Array<[Answer, string]> = [
    [answerText('<html>', 200, { 'content-type': 'text/html' }), 'unreachable'],
    [answerJson(`{"issuer":"${hostile.issuer}","x":${'['.repeat(50)}${']'.repeat(50)}}`), 'unreachable'],
    [answerEndless, 'unreachable'],
    [answerCut('{"issuer"'), 'unreachable'],
    [answerCut(), 'unreachable'],
    [answerText('', 302, { location: `${hostile.issuer}/elsewhere` }), 'invalid'],
    [answerJson({}, 404), 'invalid'],
    [answerJson({}, 503), 'unreachable'],
  ]
  for (const [answer, reason] of cases) {
    hostile.answers.set(path, answer)
    assert.equal(await discoveryFailure(context, party), reason)
  }
  const outcome = await refreshToken(context, party, { refresh_token: 'rt' })
  assert.equal(outcome.kind === 'unknown' && outcome.sent, false, 'nothing was spent')
  hostile.answers.set(path, good)
  assert.equal((await refreshToken(context, party, { refresh_token: 'rt' })).kind, 'tokens')
})

test('metadata is fetched once for many callers, again after an hour, and does without for a day', async (t) => {
  const { hostile, context, party, advance } = await startRelyingParty(t)
  const path = '/.well-known/openid-configuration'
  const asked = () => hostile.received.filter(({ url }) => url === path).length
  await Promise.all(Array.from({ length: 64 }, () => discoverProvider(context, party.provider)))
  await discoverProvider(context, party.provider)
  assert.equal(asked(), 1)
  advance(61 * 60 * 1000)
  await Promise.all(Array.from({ length: 8 }, () => discoverProvider(context, party.provider)))
  assert.equal(asked(), 2)
  hostile.answers.set(path, answerJson({}, 503))
  advance(61 * 60 * 1000)
  await discoverProvider(context, party.provider)
  assert.equal(asked(), 3)
  advance(24 * 60 * 60 * 1000)
  assert.equal(await discoveryFailure(context, party), 'unreachable')
})

test('the record’s own endpoints count more than the metadata’s, and no metadata is needed with them', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const token_endpoint = `${hostile.issuer}/other-token`
  const mixed = { ...party, provider: { ...party.provider, token_endpoint } }
  assert.equal((await discoverProvider(context, mixed.provider)).token_endpoint, token_endpoint)
  hostile.received.length = 0
  const provider = { ...party.provider, token_endpoint, discovery: null }
  assert.equal((await discoverProvider(context, provider)).token_endpoint, token_endpoint)
  assert.deepEqual(hostile.received, [])
})

test('RFC 8705 5 where certificates are shown the aliases for it are called, but for what browsers and keys need', async (t) => {
  const { hostile, context, party, advance } = await startRelyingParty(t)
  const at = (name: string) => `https://mtls.example/${name}`
  hostile.metadata['mtls_endpoint_aliases'] = {
    ...{ token_endpoint: at('token'), userinfo_endpoint: at('userinfo'), authorization_endpoint: at('authorize') },
    ...{ jwks_uri: at('jwks'), revocation_endpoint: 7, other: at('other') },
  }
  advance(2 * 60 * 60 * 1000)
  const find = (fields: Partial<ResolvedProvider>) => discoverProvider(context, { ...party.provider, ...fields })
  const plain = await find({})
  assert.equal(plain.token_endpoint, `${hostile.issuer}/token`)
  const ways = [
    { token_endpoint_auth_method: 'tls_client_auth' },
    { token_endpoint_auth_method: 'self_signed_tls_client_auth' },
    { tls_client_certificate_bound_access_tokens: true },
  ] as const
  for (const fields of ways) {
    const { token_endpoint, userinfo_endpoint, ...rest } = await find(fields)
    assert.deepEqual([token_endpoint, userinfo_endpoint], [at('token'), at('userinfo')])
    const { authorization_endpoint, jwks_uri, revocation_endpoint } = rest
    assert.deepEqual(
      [authorization_endpoint, jwks_uri, revocation_endpoint],
      [`${hostile.issuer}/authorize`, `${hostile.issuer}/jwks`, `${hostile.issuer}/revoke`],
    )
  }
  const own = await find({ ...ways[0], token_endpoint: `${hostile.issuer}/own` })
  assert.equal(own.token_endpoint, `${hostile.issuer}/own`, 'the record says it better')
})
