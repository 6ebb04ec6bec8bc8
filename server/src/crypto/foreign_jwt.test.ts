import assert from 'node:assert/strict'
import { createHmac, createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { calculateJwkThumbprint, SignJWT } from 'jose'
import {
  FOREIGN_ALGORITHMS,
  JwtError,
  type JwtProfile,
  readForeignJwt,
  verifyForeignJwt,
  verifyForeignMac,
} from './foreign_jwt.ts'
import { importPublicKey, type Jwk, readPublicJwk, thumbprint } from './public_key.ts'

const PROFILE: JwtProfile = { typ: [null, 'jwt', 'test+jwt'], alg: FOREIGN_ALGORITHMS }
const pairs = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  EdDSA: generateKeyPairSync('ed25519'),
}
const pairOf = (alg: string) =>
  alg === 'ES256' ? pairs.ES256 : alg === 'PS256' || alg === 'RS256' ? pairs.RSA : pairs.EdDSA
const jwkOf = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), ...more }) as Jwk
const sign = (alg: string, header: object = {}, claims: object = { iss: 'a' }) =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg, ...header }).sign(pairOf(alg).privateKey)
const refusedAs = (code: JwtError['code']) => (error: unknown) => error instanceof JwtError && error.code === code
const encode = (text: string | object) =>
  Buffer.from(typeof text === 'string' ? text : JSON.stringify(text)).toString('base64url')

for (const alg of FOREIGN_ALGORITHMS) {
  test(`what others sign by ${alg} is read`, async () => {
    const token = await sign(alg, { kid: 'k', typ: 'application/Test+JWT' })
    const claims = verifyForeignJwt(readForeignJwt(token, PROFILE), [jwkOf(pairOf(alg).publicKey, { kid: 'k', alg })])
    assert.deepEqual(claims, { iss: 'a' })
  })

  test(`9.1.1 of the mutants of a JWT by ${alg} none is taken`, async () => {
    const token = await sign(alg)
    const keys = [jwkOf(pairOf(alg).publicKey)]
    for (let at = 0; at < token.length; at++) {
      for (const put of ['A', 'x', '']) {
        const mutant = token.slice(0, at) + put + token.slice(at + 1)
        if (mutant === token) continue
        assert.throws(() => verifyForeignJwt(readForeignJwt(mutant, PROFILE), keys), JwtError, `${at} ${put}`)
      }
    }
  })

  test(`a key for another algorithm than ${alg} never verifies it`, async () => {
    const jwt = readForeignJwt(await sign(alg), PROFILE)
    const own = jwkOf(pairOf(alg).publicKey)
    const others = Object.values(pairs)
      .map(({ publicKey }) => jwkOf(publicKey))
      .filter(({ kty }) => kty !== own.kty)
    const misnamed = [
      { ...own, alg: 'RS384' },
      { ...own, alg: '' },
      { ...own, use: 'enc' },
    ]
    for (const key of [...others, ...misnamed]) {
      assert.throws(() => verifyForeignJwt(jwt, [key]), refusedAs('unknown_key'), JSON.stringify(key))
    }
    assert.deepEqual(verifyForeignJwt(jwt, [...others, ...misnamed, own]), { iss: 'a' })
  })
}

test('9.1.2 a profile takes its own algorithms alone, spelled as they are', async () => {
  const signed = await sign('RS256')
  const [, payload, signature] = signed.split('.')
  const keys = [jwkOf(pairs.RSA.publicKey)]
  for (const alg of [
    'none',
    'None',
    'nOnE',
    '',
    'HS256',
    'HS384',
    'HS512',
    'rs256',
    'RS384',
    'RS512',
    'PS512',
    'ES384',
    'ES256K',
    'RSA-OAEP',
    null,
    ['RS256'],
    { toString: 'RS256' },
    1,
  ]) {
    for (const end of [signature, '', 'AA']) {
      const token = `${encode({ alg })}.${payload}.${end}`
      assert.throws(
        () => verifyForeignJwt(readForeignJwt(token, PROFILE), keys),
        refusedAs('malformed'),
        JSON.stringify(alg),
      )
    }
  }
  assert.throws(() => readForeignJwt(signed, { ...PROFILE, alg: ['ES256'] }), refusedAs('malformed'))
})

test('CVE-2023-48223 CVE-2026-107724 no text of a public key is a shared secret, even where HS256 is the profile', () => {
  const { publicKey } = pairs.RSA
  const jwk = jwkOf(publicKey, { kid: 'k' })
  const texts = [
    publicKey.export({ format: 'pem', type: 'spki' }),
    publicKey.export({ format: 'pem', type: 'pkcs1' }),
    publicKey.export({ format: 'der', type: 'spki' }),
    JSON.stringify(jwk),
    JSON.stringify({ keys: [jwk] }),
    jwk.n!,
    '',
  ]
  const secret = createSecretKey(Buffer.from('the real secret of the client, 256 bits of it'))
  for (const text of texts) {
    const input = `${encode({ alg: 'HS256', kid: 'k' })}.${encode({ iss: 'a' })}`
    const token = `${input}.${createHmac('sha256', text).update(input).digest('base64url')}`
    assert.throws(() => readForeignJwt(token, PROFILE), refusedAs('malformed'))
    const jwt = readForeignJwt(token, { ...PROFILE, alg: ['HS256'] })
    assert.throws(() => verifyForeignJwt(jwt, [jwk]), refusedAs('unknown_key'))
    assert.throws(() => verifyForeignMac(jwt, [secret]), refusedAs('wrong_signature'))
    assert.throws(() => verifyForeignMac(jwt, []), refusedAs('wrong_signature'))
  }
})

test('a shared secret verifies what it signed, the one before it too, and nothing of another algorithm', async () => {
  const secrets = ['one', 'two'].map((text) => createSecretKey(Buffer.from(text.repeat(20))))
  const token = await new SignJWT({ iss: 'a' }).setProtectedHeader({ alg: 'HS256' }).sign(secrets[1]!)
  assert.deepEqual(verifyForeignMac(readForeignJwt(token, { ...PROFILE, alg: ['HS256'] }), secrets), { iss: 'a' })
  const other = readForeignJwt(await sign('ES256'), PROFILE)
  assert.throws(() => verifyForeignMac(other, secrets), refusedAs('wrong_signature'))
})

test('9.1.3 a header that points to a key, or changes what the JWT means, is refused', async () => {
  const jwk = jwkOf(pairs.ES256.publicKey)
  const headers: Record<string, unknown> = {
    jku: 'https://evil.example/jwks',
    x5u: 'https://evil.example/cert',
    x5c: ['MII'],
    jwk,
    crit: ['b64'],
    b64: false,
    zip: 'DEF',
    enc: 'A256GCM',
  }
  for (const [name, value] of Object.entries(headers)) {
    const input = `${encode({ alg: 'ES256', [name]: value })}.${encode({ iss: 'a' })}`
    const jwt = `${input}.${'A'.repeat(86)}`
    assert.throws(() => readForeignJwt(jwt, PROFILE), new RegExp(`must not have ${name} `))
  }
  for (const kid of ['../../etc/passwd', "' or 1=1 --", 'https://evil.example/k', '__proto__', 'constructor']) {
    const jwt = readForeignJwt(await sign('ES256', { kid }), PROFILE)
    assert.throws(() => verifyForeignJwt(jwt, [{ ...jwk, kid: 'k' }]), refusedAs('unknown_key'), kid)
  }
  for (const kid of ['k'.repeat(257), 7, {}, ['k']]) {
    const jwt = `${encode({ alg: 'ES256', kid })}.${encode({})}.AA`
    assert.throws(() => readForeignJwt(jwt, PROFILE), refusedAs('malformed'))
  }
})

test('9.2.2 a JWT of another type is refused, and so is one without a type where a type is asked for', async () => {
  for (const typ of ['at+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt', '', 'jwt ', 'x/jwt', 'application/']) {
    const token = await sign('ES256', { typ })
    assert.throws(() => readForeignJwt(token, PROFILE), refusedAs('malformed'), typ)
  }
  const typed = { ...PROFILE, typ: ['test+jwt'] }
  const untyped = await sign('ES256')
  assert.throws(() => readForeignJwt(untyped, typed), /must have typ test\+jwt/)
  assert.throws(() => readForeignJwt(`${encode({ alg: 'ES256', typ: null })}.${encode({})}.AA`, PROFILE), JwtError)
})

test('5.12 CVE-2016-9122 CVE-2026-9793 what is not a compact JWS of one spelling is refused', async () => {
  const token = await sign('ES256')
  const [header, payload, signature] = token.split('.')
  const wrong = [
    '',
    '..',
    `${header}.${payload}`,
    `${header}.${payload}.${signature}.${signature}.${signature}`,
    `${header}.${payload}.${signature}=`,
    `${header}.${payload}. ${signature}`,
    `${header}\n.${payload}.${signature}`,
    `${header}.${payload}.`,
    JSON.stringify({ protected: header, payload, signature }),
    JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    `${encode('{"alg":"ES256","alg":"none"}')}.${payload}.${signature}`,
    `${header}.${encode('{"iss":"a","iss":"b"}')}.${signature}`,
    `${header}.${encode('["a"]')}.${signature}`,
    `${header}.${encode('null')}.${signature}`,
    `${encode('[]')}.${payload}.${signature}`,
    `${header}.${Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url')}.${signature}`,
    `${header}.${encode(`\ufeff${JSON.stringify({ iss: 'a' })}`)}.${signature}`,
    `${header}.${encode({ iss: 'a'.repeat(16_384) })}.${signature}`,
  ]
  for (const text of wrong)
    assert.throws(() => readForeignJwt(text, PROFILE), refusedAs('malformed'), text.slice(0, 80))
})

test('a JWT without a kid is taken when one key fits it, and refused when several do', async () => {
  const jwt = readForeignJwt(await sign('ES256'), PROFILE)
  const own = jwkOf(pairs.ES256.publicKey, { kid: 'k' })
  const other = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, { kid: 'l' })
  assert.deepEqual(verifyForeignJwt(jwt, [own, jwkOf(pairs.RSA.publicKey)]), { iss: 'a' })
  assert.throws(() => verifyForeignJwt(jwt, [own, other]), /must name one of several keys/)
  assert.throws(() => verifyForeignJwt(jwt, [other]), refusedAs('wrong_signature'))
  assert.throws(() => verifyForeignJwt(jwt, []), refusedAs('unknown_key'))
})

test('a JWT that brings its key along is taken by a profile that asks for one', async () => {
  const jwk = pairs.ES256.publicKey.export({ format: 'jwk' })
  const profile = { ...PROFILE, embedded_jwk: true }
  const jwt = readForeignJwt(await sign('ES256', { jwk }), profile)
  assert.deepEqual(verifyForeignJwt(jwt, [jwt.jwk!]), { iss: 'a' })
  assert.equal(thumbprint(jwt.jwk!), await calculateJwkThumbprint(jwk as never))
  for (const wrong of [
    undefined,
    null,
    'k',
    {},
    pairs.ES256.privateKey.export({ format: 'jwk' }),
    { kty: 'oct', k: 'AA' },
  ]) {
    const token = `${encode({ alg: 'ES256', jwk: wrong })}.${encode({})}.AA`
    assert.throws(() => readForeignJwt(token, profile), /must have a public key as jwk/)
  }
})

test('P-28 keys that are too weak, or too costly, are no keys', () => {
  const rsa = (modulusLength: number, publicExponent = 65_537) =>
    readPublicJwk(generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' }))!
  assert.ok(importPublicKey(rsa(2048)))
  assert.equal(importPublicKey(rsa(1024)), null)
  assert.equal(importPublicKey(rsa(2048, 3)), null)
  const { n } = rsa(2048)
  assert.equal(importPublicKey({ kty: 'RSA', n: n!, e: 'AQ' }), null)
  assert.equal(importPublicKey({ kty: 'RSA', n: n!, e: 'AQAAAAAB' }), null)
  assert.equal(importPublicKey({ kty: 'RSA', n: n!.repeat(5), e: 'AQAB' }), null)
  assert.equal(importPublicKey(jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)), null)
  assert.equal(importPublicKey({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }), null)
})

test('a thumbprint is that of RFC 7638, whatever else the key says', async () => {
  for (const { publicKey } of Object.values(pairs)) {
    const jwk = jwkOf(publicKey, { kid: 'k', use: 'sig' })
    assert.equal(thumbprint(jwk), await calculateJwkThumbprint(jwk as never))
  }
})
