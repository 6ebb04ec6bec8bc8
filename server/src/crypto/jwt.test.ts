import assert from 'node:assert/strict'
import { constants, createHmac, createPublicKey, sign } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { calculateJwkThumbprint, importJWK, jwtVerify, SignJWT } from 'jose'
import { signJwt, verifyOwnJwt } from './jwt.ts'
import { ALGORITHMS, newSigningKey, readSigningKey, readVerifyingKey, type VerifyingKey } from './signing_keys.ts'

const made = await newSigningKey()
const key = readSigningKey(made.kid, 'ES256', made.pkcs8)
const verifying = readVerifyingKey('ES256', made.public_jwk)
const find = (kid: string): VerifyingKey | undefined => (kid === made.kid ? verifying : undefined)
const claims = { iss: 'https://as.example', sub: 'alice', jti: 'j', exp: 2_000_000_000 }
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token with any header, signed rightly with our key. */
function forge(header: object, payload: unknown = claims): string {
  const input = `${encode(header)}.${typeof payload === 'string' ? payload : encode(payload)}`
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
const header = { alg: 'ES256', typ: 'at+jwt', kid: made.kid }

test('a new key is a P-256 pair whose kid is its RFC 7638 thumbprint, and its JWK holds no private part', async () => {
  const { d: _, ...expected } = key.privateKey.export({ format: 'jwk' })
  assert.deepEqual(made.public_jwk, { ...expected, kid: made.kid, alg: 'ES256', use: 'sig' })
  assert.equal(made.kid, await calculateJwkThumbprint(made.public_jwk as never))
  assert.deepEqual(createPublicKey(key.privateKey).export({ format: 'jwk' }), expected)
  assert.notEqual((await newSigningKey()).kid, made.kid)
})

test('jose verifies 2,000 signatures of ours, those with short integers among them', async () => {
  const jwk = await importJWK(made.public_jwk as never, 'ES256')
  let short = 0
  for (let i = 0; i < 2000; i++) {
    const token = await signJwt(key, 'at+jwt', { ...claims, i })
    const { payload, protectedHeader } = await jwtVerify(token, jwk, { algorithms: ['ES256'], typ: 'at+jwt' })
    assert.equal(payload['i'], i)
    assert.deepEqual(protectedHeader, header)
    const raw = Buffer.from(token.split('.')[2]!, 'base64url')
    if (raw[0] === 0 || raw[32] === 0) short++
    assert.deepEqual(verifyOwnJwt(token, 'at+jwt', find), { ...claims, i })
  }
  // One signature in 128 has a leading zero byte in r or s, which DER leaves out.
  assert.ok(short > 0)
})

test('a token that jose signed with our key verifies', async () => {
  const token = await new SignJWT(claims).setProtectedHeader(header).sign(key.privateKey)
  assert.deepEqual(verifyOwnJwt(token, 'at+jwt', find), claims)
})

test('a token with any character changed does not verify', async () => {
  const token = await signJwt(key, 'at+jwt', claims)
  for (let i = 0; i < token.length; i++) {
    for (const other of ['A', 'B', '.', '=', ' ']) {
      if (token[i] === other) continue
      assert.equal(verifyOwnJwt(token.slice(0, i) + other + token.slice(i + 1), 'at+jwt', find), null, `${i} ${other}`)
    }
  }
})

test('a signature cut, padded, in DER or all zeros does not verify', async () => {
  const token = await signJwt(key, 'at+jwt', claims)
  const input = token.slice(0, token.lastIndexOf('.'))
  const der = sign('sha256', Buffer.from(input), key.privateKey)
  const wrong = [
    der.toString('base64url'),
    Buffer.alloc(64).toString('base64url'),
    Buffer.alloc(64, 255).toString('base64url'),
    '',
    `${token.slice(input.length + 1)}=`,
    `${token.slice(input.length + 1)}AA`,
    token.slice(input.length + 1, -2),
  ]
  for (const signature of wrong) assert.equal(verifyOwnJwt(`${input}.${signature}`, 'at+jwt', find), null)
})

test('CVE-2025-59420 an unsigned token, another algorithm, type, critical header or unknown key is refused', () => {
  assert.deepEqual(verifyOwnJwt(forge(header), 'at+jwt', find), claims)
  const headers: Record<string, unknown>[] = [
    { ...header, alg: 'none' },
    { ...header, alg: 'HS256' },
    { ...header, alg: 'ES384' },
    { ...header, alg: 'es256' },
    { ...header, typ: 'JWT' },
    { ...header, typ: 'AT+JWT' },
    { ...header, crit: ['exp'] },
    { ...header, crit: [] },
    { ...header, kid: 'other' },
    { ...header, kid: 1 },
    { alg: 'ES256', typ: 'at+jwt' },
    { alg: 'ES256', kid: made.kid },
  ]
  for (const wrong of headers) assert.equal(verifyOwnJwt(forge(wrong), 'at+jwt', find), null, JSON.stringify(wrong))
  assert.equal(verifyOwnJwt(`${encode({ ...header, alg: 'none' })}.${encode(claims)}.`, 'at+jwt', find), null)
})

test('the public key as an HMAC secret signs nothing', () => {
  const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
  const pem = verifying.publicKey.export({ format: 'pem', type: 'spki' })
  const token = `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
  assert.equal(verifyOwnJwt(token, 'at+jwt', find), null)
})

test('claims that are no JSON object, however well signed, are refused', () => {
  for (const payload of [[], null, 'text', 1]) {
    assert.equal(verifyOwnJwt(forge(header, encode(payload)), 'at+jwt', find), null)
  }
  assert.equal(verifyOwnJwt(forge(header, Buffer.from('{').toString('base64url')), 'at+jwt', find), null)
})

test('what is no token at all is refused without an exception', () => {
  fc.assert(fc.property(fc.string(), (text) => verifyOwnJwt(text, 'at+jwt', find) === null))
  const part = fc.constantFrom(encode(header), encode(claims), '', '.', 'e30', 'bnVsbA')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), (parts) => verifyOwnJwt(parts.join('.'), 'at+jwt', find) === null),
  )
})

for (const alg of ALGORITHMS) {
  test(`9.1.1 RFC 7518 3 P-27 P-28 ${alg}: jose verifies ours, ours verifies jose's, and its key is its thumbprint`, async () => {
    const pair = await newSigningKey(alg)
    const signing = readSigningKey(pair.kid, alg, pair.pkcs8)
    const only = readVerifyingKey(alg, pair.public_jwk)
    assert.equal(pair.kid, await calculateJwkThumbprint(pair.public_jwk as never))
    assert.deepEqual(
      Object.keys(pair.public_jwk).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'].includes(name)),
      [],
    )
    const details = signing.privateKey.asymmetricKeyDetails
    if (pair.public_jwk.kty === 'RSA') assert.equal(details?.modulusLength, 3072)
    const token = await signJwt(signing, 'at+jwt', claims)
    const jwk = await importJWK(pair.public_jwk as never, alg)
    const { protectedHeader } = await jwtVerify(token, jwk, {
      algorithms: [alg],
      typ: 'at+jwt',
      currentDate: new Date(0),
    })
    assert.deepEqual(protectedHeader, { alg, typ: 'at+jwt', kid: pair.kid })
    assert.deepEqual(
      verifyOwnJwt(token, 'at+jwt', () => only),
      claims,
    )
    const foreign = await new SignJWT(claims).setProtectedHeader(protectedHeader as never).sign(signing.privateKey)
    assert.deepEqual(
      verifyOwnJwt(foreign, 'at+jwt', () => only),
      claims,
    )
  })

  test(`9.1.2 CVE-2026-11800 CVE-2022-23539 CVE-2022-23541 a ${alg} key takes no other alg, typ, signature or spelling`, async () => {
    const pair = await newSigningKey(alg)
    const signing = readSigningKey(pair.kid, alg, pair.pkcs8)
    const only = readVerifyingKey(alg, pair.public_jwk)
    const good = await signJwt(signing, 'at+jwt', claims)
    const [head, payload, signature] = good.split('.') as [string, string, string]
    const verify = (token: string) => verifyOwnJwt(token, 'at+jwt', () => only)
    const pem = only.publicKey.export({ format: 'pem', type: 'spki' })
    const secrets = [pem, only.publicKey.export({ format: 'der', type: 'spki' }), JSON.stringify(pair.public_jwk)]
    const named = [
      'none',
      'None',
      'nOnE',
      '',
      'HS256',
      'HS512',
      'ES256',
      'ES384',
      'ES256K',
      'EdDSA',
      'Ed25519',
      'PS256',
      'PS384',
    ]
    for (const other of [...named, 'RS256', 'RS512', alg.toLowerCase(), `${alg} `]) {
      if (other === alg) continue
      const input = `${encode({ alg: other, typ: 'at+jwt', kid: pair.kid })}.${payload}`
      assert.equal(verify(`${input}.`), null, other)
      assert.equal(verify(`${input}.${signature}`), null, other)
      for (const secret of secrets) {
        const mac = createHmac(other === 'HS512' ? 'sha512' : 'sha256', secret)
          .update(input)
          .digest('base64url')
        assert.equal(verify(`${input}.${mac}`), null, other)
      }
      // Signed rightly by the very key, under a header that names another algorithm.
      const hash = alg === 'EdDSA' ? null : 'sha256'
      const options = {
        key: signing.privateKey,
        ...(alg === 'ES256' && { dsaEncoding: 'ieee-p1363' as const }),
        ...(alg === 'PS256' && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
      }
      assert.equal(verify(`${input}.${sign(hash, Buffer.from(input), options).toString('base64url')}`), null, other)
    }
    for (let i = 0; i < good.length; i += 7) {
      const changed = good.slice(0, i) + (good[i] === 'A' ? 'B' : 'A') + good.slice(i + 1)
      assert.equal(verify(changed), null, String(i))
    }
    for (const bad of ['', signature.slice(0, -4), `${signature}AAAA`, `${signature}=`, 'A'.repeat(signature.length)]) {
      assert.equal(verify(`${head}.${payload}.${bad}`), null)
    }
    assert.equal(
      verifyOwnJwt(good, 'JWT', () => only),
      null,
    )
    assert.equal(
      verifyOwnJwt(good, 'at+jwt', () => undefined),
      null,
    )
  })
}

test('9.1.2 an RSA key of one scheme verifies nothing of the other', async () => {
  const pair = await newSigningKey('PS256')
  const ps = readSigningKey(pair.kid, 'PS256', pair.pkcs8)
  const rs = readSigningKey(pair.kid, 'RS256', pair.pkcs8)
  const as = (alg: 'PS256' | 'RS256') => () => readVerifyingKey(alg, pair.public_jwk)
  assert.deepEqual(verifyOwnJwt(await signJwt(ps, 'at+jwt', claims), 'at+jwt', as('PS256')), claims)
  assert.equal(verifyOwnJwt(await signJwt(ps, 'at+jwt', claims), 'at+jwt', as('RS256')), null)
  assert.equal(verifyOwnJwt(await signJwt(rs, 'at+jwt', claims), 'at+jwt', as('PS256')), null)
})
