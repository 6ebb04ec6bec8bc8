import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SealError } from '../crypto/seal.ts'
import { RootKey, type TenantKeys } from '../crypto/tenant_keys.ts'
import { newVault, openVault, type ProviderAnswer } from './vault.ts'

const root = new RootKey(new Uint8Array(32).fill(1))
const makeKeys = (tenant_id: string): TenantKeys => root.unwrap(tenant_id, [root.newTenantKey(tenant_id, 1)])
const keys = makeKeys('t1')
const answer: ProviderAnswer = {
  tokens: { access_token: 'AT-secret', token_type: 'bearer', refresh_token: 'RT-secret', extra: { realmId: '1' } },
  ...{ scope: 'a b', issued_at: 1, access_expires_at: 2, refresh_expires_at: null },
}

test('sealed tokens open again under the wrapped data key', () => {
  const vault = newVault(keys, 'c1')
  const sealed = vault.seal(answer, 3)
  const again = openVault(keys, 'c1', vault.data_key)
  assert.deepEqual(again.open(sealed.sealed_tokens, 3), answer.tokens)
  assert.deepEqual(again.openCandidate(vault.sealCandidate(answer)), answer)
  assert.deepEqual(sealed.refresh_fingerprint, again.fingerprint('RT-secret'))
})

test('sealed tokens open in no other generation, connection, tenant or column', () => {
  const vault = newVault(keys, 'c1')
  const { sealed_tokens } = vault.seal(answer, 3)
  assert.throws(() => vault.open(sealed_tokens, 2), SealError)
  assert.throws(() => vault.openCandidate(sealed_tokens), SealError)
  assert.throws(() => newVault(keys, 'c1').open(sealed_tokens, 3), SealError)
  assert.throws(() => openVault(keys, 'c2', vault.data_key), SealError)
  assert.throws(() => openVault(makeKeys('t2'), 'c1', vault.data_key), SealError)
})

test('nothing at rest holds a token in the clear', () => {
  const vault = newVault(keys, 'c1')
  const { sealed_tokens, refresh_fingerprint } = vault.seal(answer, 1)
  const rest = Buffer.concat([vault.data_key, sealed_tokens, refresh_fingerprint!, vault.sealCandidate(answer)])
  assert.equal(rest.includes('secret'), false)
})

test('every connection has a data key of its own', () => {
  const sealed = [newVault(keys, 'c1'), newVault(keys, 'c1')].map((vault) => vault.seal(answer, 1).sealed_tokens)
  assert.notDeepEqual(sealed[0], sealed[1])
})
