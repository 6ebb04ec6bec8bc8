import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { badProofs, goodClaims } from '../../../test/parts/bad_dpop_proofs.ts'
import { makeDpopKey, makeProof } from '../../../test/parts/dpop.ts'
import { DPOP_ALGORITHMS, isSameTarget, isThumbprint, normalizeTarget, readDpopProof } from './dpop.ts'
import { OAuthError } from './errors.ts'

const NOW = 1_800_000_000_000
const target = { method: 'POST', url: 'https://as.example/hub/token', now: NOW }
const nonce = { required: false, current: 'fresh', isRecent: (given: string) => given === 'fresh' }
const key = makeDpopKey()
const read = (dpop: string, more: Partial<Parameters<typeof readDpopProof>[1]> = {}) =>
  readDpopProof(dpop, { ...target, nonce, ...more })
const proof = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
  makeProof(key, { claims: { ...goodClaims(target), ...claims }, header })

function refusalOf(dpop: string, more: Parameters<typeof read>[1] = {}): OAuthError {
  try {
    read(dpop, more)
  } catch (error) {
    assert.ok(error instanceof OAuthError, String(error))
    return error
  }
  assert.fail('the proof was accepted')
}

test('RFC 9449 4.3 a proof of each algorithm is accepted and names its key', () => {
  for (const alg of DPOP_ALGORITHMS) {
    const one = makeDpopKey(alg)
    assert.equal(read(makeProof(one, { claims: goodClaims(target) })).jkt, one.jkt, alg)
  }
})

const access_token = 'token-of-alice'
test('B-12 9.1.2 what is no proof for a request is refused, with a token and without', () => {
  for (const more of [{}, { method: 'GET', access_token }]) {
    const aim = { ...target, ...more }
    assert.equal(read(makeProof(key, { claims: goodClaims(aim) }), more).jkt, key.jkt)
    const bad = badProofs(key, aim)
    assert.ok(bad.length >= 50)
    for (const [what, dpop] of bad) {
      const { error, error_description } = refusalOf(dpop, more)
      assert.equal(error, 'invalid_dpop_proof', what)
      assert.match(error_description, /^The DPoP proof (must|is|has)/, what)
    }
  }
})

test('9.1.1 of 3,000 mutants of a proof none is taken', () => {
  const whole = proof()
  const parts = whole.split('.')
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.from(parts[i % 3]!, 'base64url')
    const at = Math.imul(i, 2_654_435_761) >>> 0
    bytes[at % bytes.length]! ^= 1 << (i % 8)
    const mutant = parts.map((part, n) => (n === i % 3 ? bytes.toString('base64url') : part)).join('.')
    assert.equal(refusalOf(mutant).error, 'invalid_dpop_proof', mutant)
  }
})

test('P-13 an iat up to 10 s ahead and up to a minute old is accepted', () => {
  const now = NOW / 1000
  for (const iat of [now, now + 9, now + 10, now - 59, now - 60]) assert.equal(read(proof({ iat })).jkt, key.jkt)
  for (const iat of [now + 11, now + 61, now - 61]) assert.equal(refusalOf(proof({ iat })).error, 'invalid_dpop_proof')
})

test('a proof is remembered until its age refuses it, by its key and its jti', () => {
  const iat = NOW / 1000 - 20
  const first = read(proof({ jti: 'one', iat }))
  assert.deepEqual(read(proof({ jti: 'one', extra: 1 })).id_hash, first.id_hash)
  assert.notDeepEqual(read(proof({ jti: 'two' })).id_hash, first.id_hash)
  const other = makeProof(makeDpopKey(), { claims: { ...goodClaims(target), jti: 'one' } })
  assert.notDeepEqual(read(other).id_hash, first.id_hash)
  const dpop = proof({ iat })
  assert.equal(refusalOf(dpop, { now: first.expires_at }).error, 'invalid_dpop_proof')
  assert.ok(read(dpop, { now: first.expires_at - 1 }))
})

test('RFC 9449 8 P-10 a nonce that is asked for, or sent without being asked for, must be a recent one', () => {
  const required = { ...nonce, required: true }
  assert.ok(read(proof({ nonce: 'fresh' })))
  assert.ok(read(proof({ nonce: 'fresh' }), { nonce: required }))
  for (const [claims, rule] of [
    [{}, required],
    [{ nonce: 'old' }, required],
    [{ nonce: 'old' }, nonce],
    [{ nonce: '' }, nonce],
    [{ nonce: ['fresh'] }, nonce],
    [{ nonce: null }, nonce],
  ] as const) {
    const { error, headers } = refusalOf(proof(claims), { nonce: rule })
    assert.deepEqual([error, headers['DPoP-Nonce']], ['use_dpop_nonce', 'fresh'], JSON.stringify(claims))
  }
})

test('what costs comes last: a proof that is wrong otherwise is refused before its signature is looked at', () => {
  const unsigned = proof({ htm: 'GET' }).replace(/[^.]*$/, 'AAAA')
  assert.match(refusalOf(unsigned).error_description, /htm/)
  assert.match(refusalOf(proof().replace(/[^.]*$/, 'AAAA')).error_description, /signature/)
})

test('RFC 9449 4.2 a header that names more than the key changes nothing about its thumbprint', () => {
  const jwk = { ...key.jwk, kid: 'mine', use: 'sig', alg: 'ES256', x5u: 'https://evil.example/' }
  assert.equal(read(proof({}, { jwk })).jkt, key.jkt)
})

test('RFC 9449 4.3 htu is compared by its normal form, without query and fragment', () => {
  const url = 'https://as.example/hub/token'
  for (const htu of [
    'https://as.example/hub/token?x=1',
    'https://as.example/hub/token#x',
    'https://as.example:443/hub/token',
    'HTTPS://AS.EXAMPLE/hub/token',
    'https://as.example/hub/./token',
    'https://as.example/x/../hub/token',
    'https://as.example/%68ub/tok%65n',
  ]) {
    assert.equal(isSameTarget(htu, url), true, htu)
  }
  for (const htu of [
    'https://as.example/hub/token/',
    'https://as.example/HUB/token',
    'https://as.example/hub%2Ftoken',
    'https://as.example/hub//token',
    'https://as.example./hub/token',
    'https://as.example/hub/token%00',
    'https:/as.example/hub/token',
    'https:///as.example/hub/token',
    'https://as.example/hub/\ttoken',
    ' https://as.example/hub/token',
    'ftp://as.example/hub/token',
    '//as.example/hub/token',
    'https://as.example:8443/hub/token',
    '',
  ]) {
    assert.equal(isSameTarget(htu, url), false, JSON.stringify(htu))
  }
  assert.equal(isSameTarget('https://as.example', 'https://as.example/'), true)
  assert.equal(isSameTarget('https://as.example/a%2fb', 'https://as.example/a%2Fb'), true)
})

const segment = fc.string({ unit: fc.constantFrom(...'abzAZ09-._~%2F:@!$&()*+,;=é '.split('')), maxLength: 8 })
const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.map(encodeURI).join('/')}`)

test('the normal form of a URL is its own normal form, and whatever has the same one is the same to the other', () => {
  fc.assert(
    fc.property(path, path, (a, b) => {
      const [one, two] = [normalizeTarget(`https://h.example${a}`), normalizeTarget(`https://h.example${b}`)]
      if (one !== null) assert.equal(normalizeTarget(one), one)
      assert.equal(
        isSameTarget(`https://h.example${a}`, `https://h.example${b}`),
        a === b || (one !== null && one === two),
      )
    }),
  )
})

test('case of escapes, escaping of unreserved characters, port, query and fragment never tell two targets apart', () => {
  const escapeAll = (text: string) => text.replace(/[A-Za-z0-9\-_~]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
  const plain = fc
    .array(fc.stringMatching(/^[A-Za-z0-9\-_~]{1,6}$/), { maxLength: 4 })
    .map((parts) => `/${parts.join('/')}`)
  fc.assert(
    fc.property(plain, fc.boolean(), fc.boolean(), (p, port, upper) => {
      const escaped = p.split('/').map(escapeAll).join('/')
      const spelled = upper ? escaped.toUpperCase() : escaped
      const url = `https://H.example${port ? ':443' : ''}${spelled}?q=${spelled}#f`
      assert.equal(isSameTarget(url, `https://h.example${p}`), true, url)
    }),
  )
})

test('no target is taken for another one: changing any one character of a path changes what it names', () => {
  const plain = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/)
  fc.assert(
    fc.property(plain, plain, (a, b) => {
      assert.equal(isSameTarget(`https://h.example/${a}`, `https://h.example/${b}`), a === b)
    }),
  )
})

test('a thumbprint is 256 bits in base64url, spelled in the one way', () => {
  assert.equal(isThumbprint(key.jkt), true)
  for (const text of ['', key.jkt.slice(1), `${key.jkt}A`, `${key.jkt.slice(0, -1)}B`, `${key.jkt.slice(0, -1)}=`]) {
    assert.equal(isThumbprint(text), false, text)
  }
})
