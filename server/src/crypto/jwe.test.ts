import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompactEncrypt, compactDecrypt, importJWK } from 'jose'
import { newAgreementSeed, readAgreementKey, readOkpJwk, readSeededSigningKey } from './agreement_keys.ts'
import { openSealed, sealTo } from './jwe.ts'
import { SealError } from './seal.ts'

const TYP = 'test+jwe'
const key = readAgreementKey(newAgreementSeed())

test('what is sealed opens by the key it was sealed to, under its own type, and is never the same twice', () => {
  const sealed = sealTo(key.public_jwk, TYP, 'tokens of Zoë')
  assert.equal(openSealed(key, TYP, sealed), 'tokens of Zoë')
  assert.notEqual(sealTo(key.public_jwk, TYP, 'tokens of Zoë'), sealed)
  assert.throws(() => openSealed(readAgreementKey(newAgreementSeed()), TYP, sealed), SealError)
  assert.throws(() => openSealed(key, 'other+jwe', sealed), SealError)
})

test('RFC 7516 RFC 8037 jose opens what we seal, and we open what jose seals', async () => {
  const { kid, alg, use, ...jwk } = key.public_jwk
  const private_jwk = { ...jwk, d: key.privateKey.export({ format: 'jwk' }).d! }
  const opened = await compactDecrypt(sealTo(key.public_jwk, TYP, 'ours'), await importJWK(private_jwk, 'ECDH-ES'))
  assert.equal(Buffer.from(opened.plaintext).toString(), 'ours')
  assert.deepEqual([alg, use], ['ECDH-ES', 'enc'])
  const sealed = await new CompactEncrypt(Buffer.from('theirs'))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', typ: TYP, kid })
    .encrypt(await importJWK(jwk, 'ECDH-ES'))
  assert.equal(openSealed(key, TYP, sealed), 'theirs')
})

test('an altered part, a missing one, or another way to seal does not open', async () => {
  const parts = sealTo(key.public_jwk, TYP, 'tokens').split('.')
  for (const i of parts.keys()) {
    const altered = parts.with(i, parts[i]!.startsWith('A') ? `B${parts[i]!.slice(1)}` : `A${parts[i]!.slice(1)}`)
    assert.throws(() => openSealed(key, TYP, altered.join('.')), SealError, `part ${i}`)
  }
  for (const text of [
    '',
    '....',
    parts.slice(1).join('.'),
    [...parts, 'A'].join('.'),
    parts.with(4, 'AAAA').join('.'),
  ]) {
    assert.throws(() => openSealed(key, TYP, text), SealError)
  }
  const { kid, alg: _, use: __, ...jwk } = key.public_jwk
  for (const more of [
    { enc: 'A128GCM' },
    { alg: 'ECDH-ES+A256KW' },
    { cty: 'JWT' },
    { kid: 'another' },
    { apu: 'AA' },
  ]) {
    const header = { alg: 'ECDH-ES', enc: 'A256GCM', typ: TYP, kid, ...more }
    const made = new CompactEncrypt(Buffer.from('x')).setProtectedHeader(header)
    const sealed = await made.encrypt(await importJWK(jwk, 'ECDH-ES'))
    assert.throws(() => openSealed(key, TYP, sealed), SealError, JSON.stringify(more))
  }
})

test('a key of small order, with which the secret would be known to all, is refused', () => {
  const zero = { kty: 'OKP', crv: 'X25519', x: Buffer.alloc(32).toString('base64url') }
  assert.throws(() => sealTo(zero, TYP, 'tokens'), /derivation|small order|diffie|failed/i)
})

test('RFC 8410 the same 32 bytes are the same keys, and the two curves are not taken for each other', () => {
  const seed = Buffer.alloc(32, 7)
  assert.equal(readAgreementKey(seed).kid, readAgreementKey(Buffer.from(seed)).kid)
  assert.notEqual(readAgreementKey(seed).kid, readAgreementKey(Buffer.alloc(32, 8)).kid)
  const { public_jwk } = readSeededSigningKey(seed)
  assert.equal(readOkpJwk(public_jwk, 'X25519'), null)
  assert.equal(readOkpJwk(public_jwk, 'Ed25519')!.kid, public_jwk.kid)
  for (const wrong of [null, 'x', {}, { ...public_jwk, x: 'short' }, { ...public_jwk, kty: 'EC' }]) {
    assert.equal(readOkpJwk(wrong, 'Ed25519'), null)
  }
  assert.throws(() => readAgreementKey(Buffer.alloc(31)), /32 bytes/)
})
