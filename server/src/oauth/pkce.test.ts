import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OAuthError } from './errors.ts'
import { readParams } from './params.ts'
import { checkCodeVerifier, codeVerifierError, hashCodeVerifier, readCodeChallenge } from './pkce.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

// The example of RFC 7636 appendix B.
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const required = { required: true }
const optional = { required: false }
const read = (text: string, options = required) => readCodeChallenge(readParams(text), options)
const refused = (pattern: RegExp) => (error: unknown) =>
  error instanceof OAuthError && error.error === 'invalid_request' && pattern.test(error.error_description)

const legal = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'
const verifier = fc.string({ unit: fc.constantFrom(...legal), minLength: 43, maxLength: 128 })

test('the example of RFC 7636 appendix B matches', () => {
  assert.equal(hashCodeVerifier(VERIFIER), CHALLENGE)
  assert.equal(checkCodeVerifier(VERIFIER, CHALLENGE), 'ok')
})

test('V-01 a challenge with S256 is read', () => {
  assert.deepEqual(read(`code_challenge=${CHALLENGE}&code_challenge_method=S256`), {
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
  })
})

test('10.4.6 a required challenge that is missing or empty is refused', () => {
  assert.throws(() => read(''), refused(/code_challenge is missing/))
  assert.throws(() => read('code_challenge=&code_challenge_method=S256'), refused(/code_challenge is missing/))
})

test('10.4.6 plain PKCE is refused, also when the method is missing', () => {
  for (const options of [required, optional]) {
    for (const method of ['plain', 's256', 'S512', '', 'S256 ']) {
      const text = `code_challenge=${CHALLENGE}&code_challenge_method=${encodeURIComponent(method)}`
      assert.throws(() => read(text, options), refused(/code_challenge_method/), method)
    }
    assert.throws(() => read(`code_challenge=${CHALLENGE}`, options), refused(/code_challenge_method/))
  }
})

test('10.4.6 a challenge of the wrong length or alphabet is refused', () => {
  for (const challenge of [
    CHALLENGE.slice(1),
    `${CHALLENGE}A`,
    `${CHALLENGE}=`,
    `${CHALLENGE.slice(1)}+`,
    'a'.repeat(128),
  ]) {
    const text = `code_challenge=${encodeURIComponent(challenge)}&code_challenge_method=S256`
    assert.throws(() => read(text), refused(/43 characters/), challenge)
    assert.throws(() => read(text, optional), refused(/43 characters/), challenge)
  }
})

test('an exempt client may leave PKCE out, but not half of it', () => {
  assert.equal(read('', optional), undefined)
  assert.throws(() => read('code_challenge_method=S256', optional), refused(/code_challenge is missing/))
})

test('B-10 a verifier without a challenge is refused, and a challenge without a verifier', () => {
  assert.equal(checkCodeVerifier(VERIFIER, undefined), 'unexpected')
  assert.equal(checkCodeVerifier(VERIFIER, null), 'unexpected')
  assert.equal(checkCodeVerifier(undefined, CHALLENGE), 'missing')
  assert.equal(checkCodeVerifier(undefined, undefined), 'ok')
  assert.equal(checkCodeVerifier(undefined, null), 'ok')
})

test('CVE-2026-41213 a verifier that is short, long or has an illegal character is refused', () => {
  for (const bad of [
    '',
    'a'.repeat(42),
    'a'.repeat(129),
    `${VERIFIER} `,
    `${VERIFIER}\n`,
    `${VERIFIER}+`,
    `${VERIFIER}é`,
    `\u0000${VERIFIER}`,
  ]) {
    // Even when the stored challenge is the hash of exactly this text.
    assert.equal(checkCodeVerifier(bad, hashCodeVerifier(bad)), 'malformed', JSON.stringify(bad))
  }
  for (const length of [43, 128]) {
    const good = 'a'.repeat(length)
    assert.equal(checkCodeVerifier(good, hashCodeVerifier(good)), 'ok')
  }
})

test('a verifier matches its own challenge and no other', () => {
  fc.assert(
    fc.property(verifier, verifier, (one, other) => {
      const code_challenge = hashCodeVerifier(one)
      assert.match(code_challenge, /^[A-Za-z0-9_-]{43}$/)
      assert.equal(checkCodeVerifier(one, code_challenge), 'ok')
      if (one !== other) assert.equal(checkCodeVerifier(other, code_challenge), 'mismatch')
    }),
  )
})

test('a challenge is never accepted as its own verifier', () => {
  fc.assert(
    fc.property(verifier, (one) => {
      const code_challenge = hashCodeVerifier(one)
      assert.equal(checkCodeVerifier(code_challenge, code_challenge), 'mismatch')
    }),
  )
})

test('a truncated stored challenge never matches', () => {
  for (let length = 0; length < CHALLENGE.length; length++) {
    assert.equal(checkCodeVerifier(VERIFIER, CHALLENGE.slice(0, length)), 'mismatch')
  }
})

test('each failed verifier is invalid_grant and is not repeated in the description', () => {
  for (const result of ['missing', 'unexpected', 'malformed', 'mismatch'] as const) {
    const error = codeVerifierError(result)
    assert.equal(error.error, 'invalid_grant')
    assert.match(error.error_description, /code_verifier/)
  }
})
