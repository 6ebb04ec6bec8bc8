import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import {
  createKey,
  goodClaims,
  NOW,
  RESOURCE,
  requestWith,
  signByHand,
  signerOf,
  startIssuer,
  type TestIssuer,
} from '../../test/issuer.ts'
import { refusalOf } from '../../test/refusal.ts'
import { createResource, type Resource } from './resource.ts'

function trust({ issuer }: TestIssuer): Resource {
  return createResource({ resource: RESOURCE, issuer, clock: () => NOW })
}

test('a key that is for something else, incomplete or symmetric is not used', async (t) => {
  const as = await startIssuer()
  t.after(() => as.close())
  const { jwk } = as.keys[0]!
  const unusable = [
    { ...jwk, use: 'enc' },
    { ...jwk, key_ops: ['deriveKey'] },
    { ...jwk, key_ops: 'verify' },
    { ...jwk, alg: 'ECDH-ES' },
    { ...jwk, x: 'AAAA' },
    { ...jwk, crv: 'P-384' },
    { kty: 'oct', k: 'c2VjcmV0', kid: 'first', alg: 'HS256' },
    { kty: 'EC', kid: 'first' },
    { kty: 'RSA', kid: 'first', alg: 'RS256', n: 7, e: 'AQAB' },
    null,
    'key',
  ]
  for (const key of unusable) {
    as.routes.set('/jwks', () => ({ body: { keys: [key] } }))
    const { error_description } = await refusalOf(trust(as), await as.sign())
    assert.match(error_description, /unknown key/, JSON.stringify(key))
  }
  as.routes.set('/jwks', () => ({ body: { keys: [...unusable, jwk] } }))
  await trust(as).verify(requestWith(await as.sign()))
})

test('11.2.3 an RSA key of less than 2048 bits is not used', async (t) => {
  const as = await startIssuer()
  t.after(() => as.close())
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'first', alg: 'RS256' }
  as.routes.set('/jwks', () => ({ body: { keys: [jwk] } }))
  const header = { typ: 'at+jwt', alg: 'RS256', kid: 'first' }
  const token = signByHand(header, goodClaims(as.issuer), (input) => sign('sha256', input, privateKey))
  assert.match((await refusalOf(trust(as), token)).error_description, /unknown key/)
})

test('CVE-2026-22818 a key without alg is pinned to one algorithm', async (t) => {
  const as = await startIssuer()
  t.after(() => as.close())
  const rsa = await createKey('RS256', 'first')
  as.routes.set('/jwks', () => ({ body: { keys: [{ ...rsa.jwk, alg: undefined }] } }))
  const resource = trust(as)
  await resource.verify(requestWith(await as.sign({}, {}, rsa)))
  const header = { typ: 'at+jwt', alg: 'PS256', kid: 'first' }
  const swapped = signByHand(header, goodClaims(as.issuer), signerOf(rsa, { pss: true }))
  assert.match((await refusalOf(resource, swapped)).error_description, /unknown key/)
})

test('a token without kid passes when one key fits, and not when several do', async (t) => {
  const as = await startIssuer()
  t.after(() => as.close())
  await trust(as).verify(requestWith(await as.sign({}, { kid: undefined })))
  as.keys.push(await createKey('ES256', 'second'))
  assert.match((await refusalOf(trust(as), await as.sign({}, { kid: undefined }))).error_description, /single out/)
  as.keys.push(await createKey('ES256', 'first'))
  assert.match((await refusalOf(trust(as), await as.sign())).error_description, /single out/)
})

test('a set without keys, or with more than a hundred, is no set', async (t) => {
  const as = await startIssuer()
  t.after(() => as.close())
  const { jwk } = as.keys[0]!
  for (const keys of [undefined, {}, 'x', Array.from({ length: 101 }, () => jwk)]) {
    as.routes.set('/jwks', () => ({ body: { keys } }))
    assert.equal((await refusalOf(trust(as), await as.sign())).status, 503)
  }
})
