import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { answerCut, answerJson, answerText } from '../../../test/parts/hostile_provider.ts'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import { validateIdToken } from './id_token.ts'

test('10.5.1 10.5.2 10.5.4 T-08 CVE-2026-15612 6.8.2 an ID token holds only if signature, issuer, audience, party, times, nonce and user do', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const seconds = Math.floor(Date.now() / 1000)
  const good = { iss: hostile.issuer, sub: 'alice', aud: 'client', exp: seconds + 60, iat: seconds, nonce: 'n' }
  const check = async (id_token: string, nonce: string | null = 'n', sub?: string) =>
    (await validateIdToken(context, party, { id_token, nonce, ...(sub ? { sub } : {}) })).kind
  const claims = (change: object) => check(hostile.signJwt({ ...good, ...change }))
  assert.equal(await claims({}), 'valid')
  assert.equal(await claims({ aud: ['client'] }), 'valid')
  assert.equal(await claims({ aud: ['client', 'other'], azp: 'client' }), 'valid')
  const wrong: object[] = [
    { iss: 'https://evil.example' },
    { iss: `${hostile.issuer}/` },
    { iss: undefined },
    { aud: 'other' },
    { aud: [] },
    { aud: ['other'] },
    { aud: undefined },
    { aud: ['client', 'other'] },
    { aud: ['client', 'other'], azp: 'other' },
    { azp: 'other' },
    { exp: seconds - 120 },
    { exp: undefined },
    { exp: String(seconds + 60) },
    { iat: undefined },
    { nbf: seconds + 600 },
    { nonce: 'other' },
    { nonce: undefined },
    { nonce: ['n'] },
    { sub: undefined },
    { sub: 1 },
  ]
  for (const change of wrong) assert.equal(await claims(change), 'invalid', JSON.stringify(change))
  assert.equal(await check(hostile.signJwt(good), null), 'invalid', 'a nonce that was not asked for')
  assert.equal(await check(hostile.signJwt(good), 'n', 'bob'), 'invalid', 'another user')
  assert.equal(await check(hostile.signJwt(good), 'n', 'alice'), 'valid')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const forged: Array<[string, string]> = [
    ['signed by another key', hostile.signJwt(good, {}, privateKey)],
    ['unsigned', hostile.signJwt(good, { alg: 'none' })],
    ['of an unknown key', hostile.signJwt(good, { kid: 'k2' })],
    ['of another algorithm', hostile.signJwt(good, { alg: 'RS256' })],
    ['symmetric', hostile.signJwt(good, { alg: 'HS256' })],
    ['with a critical extension', hostile.signJwt(good, { crit: ['x'], x: 1 })],
    [
      'with a changed payload',
      hostile
        .signJwt(good)
        .replace(/\.[^.]+\./, `.${Buffer.from(JSON.stringify({ ...good, sub: 'eve' })).toString('base64url')}.`),
    ],
    ['without a signature', hostile.signJwt(good).replace(/[^.]+$/, '')],
    ['encrypted', 'a.b.c.d.e'],
    ['not a JWT', 'x'],
  ]
  for (const [what, id_token] of forged) assert.equal(await check(id_token), 'invalid', what)
})

test('10.5.1 metadata that lists `none` opens no door, and keys that cannot be had are not a verdict', async (t) => {
  const { hostile, context, party, advance } = await startRelyingParty(t)
  const seconds = Math.floor(Date.now() / 1000)
  const good = { iss: hostile.issuer, sub: 'alice', aud: 'client', exp: seconds + 86_400, iat: seconds, nonce: 'n' }
  hostile.metadata['id_token_signing_alg_values_supported'] = ['none', 'HS256', 'ES256']
  for (const alg of ['none', 'HS256']) {
    const outcome = await validateIdToken(context, party, { id_token: hostile.signJwt(good, { alg }), nonce: 'n' })
    assert.equal(outcome.kind, 'invalid', alg)
  }
  for (const answer of [
    answerCut(),
    answerText('<html>'),
    answerJson({ keys: [] }, 500),
    answerJson(`[${'['.repeat(99)}`),
  ]) {
    hostile.answers.set('/jwks', answer)
    advance(2 * 60 * 60 * 1000)
    const outcome = await validateIdToken(context, party, { id_token: hostile.signJwt(good), nonce: 'n' })
    assert.equal(outcome.kind, 'unknown')
  }
})

test('an authority of many tenants is held to the tenant that each token names', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const provider = { ...party.provider, id_token_issuer: `${hostile.issuer}/{tid}/v2.0` }
  const seconds = Math.floor(Date.now() / 1000)
  const check = async (change: object) => {
    const claims = { sub: 'alice', aud: 'client', exp: seconds + 60, iat: seconds, nonce: 'n', ...change }
    const id_token = hostile.signJwt(claims)
    return (await validateIdToken(context, { ...party, provider }, { id_token, nonce: 'n' })).kind
  }
  assert.equal(await check({ iss: `${hostile.issuer}/t-1/v2.0`, tid: 't-1' }), 'valid')
  assert.equal(await check({ iss: `${hostile.issuer}/t-1/v2.0`, tid: 't-2' }), 'invalid')
  assert.equal(await check({ iss: `${hostile.issuer}/t-1/v2.0` }), 'invalid')
  assert.equal(await check({ iss: `${hostile.issuer}/a/../b/v2.0`, tid: 'a/../b' }), 'invalid')
  assert.equal(await check({ iss: hostile.issuer, tid: 't-1' }), 'invalid')
})
