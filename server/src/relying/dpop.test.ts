import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { test } from 'node:test'
import { answerJson, type ReceivedRequest } from '../../../test/parts/hostile_provider.ts'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import { newProofKey, readProofKey } from '../crypto/proof_key.ts'
import { SettingError } from '../providers/setting_error.ts'
import { buildAuthorizationUrl, chooseProofKey } from './authorization_url.ts'
import type { RelyingParty } from './context.ts'
import { isNonceChallenge, noteNonce, proveKey } from './dpop.ts'
import { refreshToken } from './token_call.ts'
import { fetchUserinfo } from './userinfo.ts'

const TOKENS = { access_token: 'at', token_type: 'DPoP', expires_in: 60, refresh_token: 'rt2' }

/** What a proof says, once its signature has been checked against the key that it names. */
function readProof({ headers }: ReceivedRequest) {
  const [head = '', body = '', signature = ''] = String(headers['dpop']).split('.')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString())
  const key = { key: createPublicKey({ key: header.jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
  assert.ok(verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url')))
  return { header, claims: JSON.parse(Buffer.from(body, 'base64url').toString()) }
}

test('RFC 9449 4.2 8 a proof is for one request, by the key of the connection, with the nonce that was told', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const proof_key = readProofKey(await newProofKey())
  const nonce = { 'dpop-nonce': 'n-1' }
  const wants = answerJson({ error: 'use_dpop_nonce' }, 400, nonce)
  hostile.answers.set('/token', (response, request) => {
    const answer = readProof(request).claims.nonce === 'n-1' ? answerJson(TOKENS) : wants
    return answer(response, request)
  })
  const outcome = await refreshToken(context, { ...party, proof_key }, { refresh_token: 'rt' })
  assert.ok(outcome.kind === 'tokens' && outcome.token_type === 'DPoP', JSON.stringify(outcome))
  const proofs = hostile.received.filter(({ url }) => url === '/token').map(readProof)
  assert.equal(proofs.length, 2)
  const [first, second] = proofs
  assert.notEqual(first!.claims.jti, second!.claims.jti)
  assert.deepEqual(second!.header, { typ: 'dpop+jwt', alg: 'ES256', jwk: proof_key.public_jwk })
  assert.deepEqual(Object.keys(second!.header.jwk).sort(), ['crv', 'kty', 'x', 'y'], 'no private half')
  const { jti, iat, ...claims } = second!.claims
  assert.deepEqual(claims, { htm: 'POST', htu: `${hostile.issuer}/token`, nonce: 'n-1' })

  const held = { access_token: 'at', token_type: 'DPoP' }
  const challenge = { ...nonce, 'dpop-nonce': 'n-2', 'www-authenticate': 'DPoP error="use_dpop_nonce"' }
  hostile.answers.set('/userinfo', (response, request) => {
    const answer = readProof(request).claims.nonce === 'n-2' ? answerJson({ sub: 'a' }) : answerJson({}, 401, challenge)
    return answer(response, request)
  })
  assert.equal((await fetchUserinfo(context, { ...party, proof_key }, held)).kind, 'claims')
  const used = hostile.received.findLast(({ url }) => url === '/userinfo')!
  assert.equal(used.headers['authorization'], 'DPoP at')
  const asked = readProof(used).claims
  // RFC 9449 section 4.2: the hash of this very token, and the URL without its query.
  assert.equal(asked.ath, createHash('sha256').update('at').digest('base64url'))
  assert.deepEqual([asked.htm, asked.htu], ['GET', `${hostile.issuer}/userinfo`])
  assert.notEqual(asked.iat, undefined)
  const [, body = ''] = proveKey(context, proof_key, { method: 'GET', url: 'https://api.example/a?b=c#d' }).split('.')
  assert.equal(JSON.parse(Buffer.from(body, 'base64url').toString()).htu, 'https://api.example/a')
})

test('RFC 9449 9 a challenge asks for a nonce in whatever way its parameters are written, and by its own scheme alone', () => {
  const asks = (challenge: string, status = 401, headers: Record<string, string> = { 'dpop-nonce': 'n' }) =>
    isNonceChallenge(new Response(null, { status, headers: { ...headers, 'www-authenticate': challenge } }))
  for (const challenge of [
    ...['DPoP error="use_dpop_nonce"', 'DPoP error=use_dpop_nonce', 'dpop algs="ES256", ERROR = "use_dpop_nonce"'],
    ...['Bearer error="invalid_token", DPoP error=use_dpop_nonce', 'DPoP error="use\\_dpop_nonce"'],
    'DPoP realm="a \\"b\\", c", error="use_dpop_nonce", Bearer realm="x"',
  ]) {
    assert.equal(asks(challenge), true, challenge)
  }
  for (const challenge of [
    ...['', 'DPoP', 'DPoP error="invalid_token"', 'Bearer error="use_dpop_nonce"', 'XDPoP error="use_dpop_nonce"'],
    ...['DPoP error="use_dpop_nonce_not"', 'DPoP realm="error=\\"use_dpop_nonce\\""', 'DPoP my-error="use_dpop_nonce"'],
    ...['DPoP error_description="use_dpop_nonce"', 'DPoP algs="ES256", Bearer error="use_dpop_nonce"'],
  ]) {
    assert.equal(asks(challenge), false, challenge)
  }
  assert.equal(asks('DPoP error="use_dpop_nonce"', 400), false)
  assert.equal(asks('DPoP error="use_dpop_nonce"', 401, {}), false)
})

test('RFC 9449 8 a server that asks for ever another nonce is asked twice and no more', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const proof_key = readProofKey(await newProofKey())
  let n = 0
  hostile.answers.set('/token', (response, request) =>
    answerJson({ error: 'use_dpop_nonce' }, 400, { 'dpop-nonce': `n${++n}` })(response, request),
  )
  const outcome = await refreshToken(context, { ...party, proof_key }, { refresh_token: 'rt' })
  assert.ok(outcome.kind === 'unknown' && !outcome.sent, 'no decision, and nothing was used up')
  assert.equal(n, 2)
  // What is no nonce is sent to nobody.
  for (const value of ['', 'a b', '"', 'x'.repeat(513)]) {
    context.nonces.clear()
    noteNonce(context, hostile.issuer, new Response(null, { headers: { 'dpop-nonce': value } }))
    assert.equal(context.nonces.size, 0)
  }
})

test('I12 both tries of a call share one deadline, and a second one that could not wait for its answer is left out', async (t) => {
  const { hostile, context, party, advance } = await startRelyingParty(t)
  const proof_key = readProofKey(await newProofKey())
  const given: (number | undefined)[] = []
  const egress: typeof context.egress = {
    ...context.egress,
    fetch(input, init) {
      if (init.purpose === 'token') given.push(init.timeoutMs)
      return context.egress.fetch(input, init)
    },
  }
  const ask = async (slow_ms: number) => {
    given.length = 0
    hostile.answers.set('/token', (response, request) => {
      advance(slow_ms)
      const wants = answerJson({ error: 'use_dpop_nonce' }, 400, { 'dpop-nonce': 'n' })
      return (given.length === 1 ? wants : answerJson(TOKENS))(response, request)
    })
    const outcome = await refreshToken({ ...context, egress }, { ...party, proof_key }, { refresh_token: 'rt' })
    return outcome.kind === 'unknown' && !outcome.sent ? 'unknown but not sent' : outcome.kind
  }
  assert.deepEqual([await ask(5_000), ...given], ['tokens', 15_000, 10_000])
  assert.deepEqual([await ask(8_000), ...given], ['unknown but not sent', 15_000])
  hostile.answers.set('/.well-known/openid-configuration', (response, request) => {
    advance(16_000)
    return answerJson(hostile.metadata)(response, request)
  })
  context.metadata.clear()
  given.length = 0
  const late = await refreshToken({ ...context, egress }, { ...party, proof_key }, { refresh_token: 'rt' })
  assert.ok(late.kind === 'unknown' && !late.sent, 'nothing is sent after the deadline')
  assert.deepEqual(given, [])
})

test('RFC 9449 5 a token that should have been bound and is not, or claims to be and cannot, is not taken', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const proof_key = readProofKey(await newProofKey())
  const ask = async (dpop: 'required' | 'supported' | 'refused', token_type: string, bound = true) => {
    hostile.answers.set('/token', answerJson({ ...TOKENS, token_type }))
    const provider = { ...party.provider, dpop }
    const asked: RelyingParty = bound ? { ...party, provider, proof_key } : { ...party, provider }
    const outcome = await refreshToken(context, asked, { refresh_token: 'rt' })
    return outcome.kind === 'tokens' ? outcome.token_type : outcome.kind
  }
  assert.equal(await ask('required', 'DPoP'), 'DPoP')
  assert.equal(await ask('required', 'Bearer'), 'unknown')
  assert.equal(await ask('supported', 'bearer'), 'Bearer')
  assert.equal(await ask('refused', 'DPoP', false), 'unknown')
  assert.equal(await ask('required', 'Bearer', false), 'Bearer', 'what came before is renewed as it is')
})

test('RFC 9449 5.1 10 a key is made where the record or the metadata wants one, and the code is for it alone', async (t) => {
  const { hostile, context, party, advance } = await startRelyingParty(t)
  const build = (dpop: 'required' | 'supported' | 'refused') => {
    advance(2 * 3_600_000)
    return buildAuthorizationUrl(context, { ...party, provider: { ...party.provider, dpop } }, { state: 's' })
  }
  for (const dpop of ['refused', 'supported'] as const) {
    const { url, remember } = await build(dpop)
    assert.deepEqual([new URL(url).searchParams.get('dpop_jkt'), remember.proof_key], [null, undefined])
  }
  hostile.metadata['dpop_signing_alg_values_supported'] = ['ES256']
  for (const dpop of ['required', 'supported'] as const) {
    const { url, remember } = await build(dpop)
    assert.equal(new URL(url).searchParams.get('dpop_jkt'), readProofKey(remember.proof_key!).thumbprint)
  }
  const of_others = { issuer: 'x', dpop_signing_alg_values_supported: ['PS256'] }
  await assert.rejects(chooseProofKey({ ...party.provider, dpop: 'required' }, of_others), SettingError)
  assert.equal(await chooseProofKey({ ...party.provider, dpop: 'supported' }, of_others), null)
})
