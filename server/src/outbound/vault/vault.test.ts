import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SealError, sealedHeader, sealedKid } from '../../crypto/seal.ts'
import { RootKey, type TenantKeys } from '../../crypto/tenant_keys.ts'
import { newVault, openVault, type ProviderAnswer, rewrapDataKey, type VaultOpener } from './vault.ts'
import type { VaultKeys } from './vault_keys.ts'

const root = new RootKey(new Uint8Array(32).fill(1))
const makeKeys = (tenant_id: string): TenantKeys => root.unwrap(tenant_id, [root.newTenantKey(tenant_id, 1)])
/** A vault without a store: the newest of these keys wraps, each opens. */
function makeOpener(tenant_id: string, ...kids: number[]): VaultOpener {
  const ring = kids.map((kid) => root.unwrap(tenant_id, [root.newTenantKey(tenant_id, kid)]))
  const find = async (wrapped: Uint8Array) => ring.find(({ kid }) => kid === sealedKid(wrapped))!
  return { tenant: { keys: makeKeys(tenant_id) }, vault_keys: { newest: async () => ring.at(-1)!, find } }
}

const keys = makeOpener('t1', 5)
const answer: ProviderAnswer = {
  tokens: { access_token: 'AT-secret', token_type: 'bearer', refresh_token: 'RT-secret', extra: { realmId: '1' } },
  ...{ scope: 'a b', issued_at: 1, access_expires_at: 2, refresh_expires_at: null },
}

test('sealed tokens open again under the wrapped data key', async () => {
  const vault = await newVault(keys, 'c1')
  const sealed = vault.seal(answer, 3)
  const again = await openVault(keys, 'c1', vault.data_key)
  assert.deepEqual(again.open(sealed.sealed_tokens, 3), answer.tokens)
  assert.deepEqual(again.openCandidate(vault.sealCandidate(answer)), answer)
  assert.deepEqual(sealed.refresh_fingerprint, again.fingerprint('RT-secret'))
})

test('sealed tokens open in no other generation, connection, tenant or column', async () => {
  const vault = await newVault(keys, 'c1')
  const { sealed_tokens } = vault.seal(answer, 3)
  assert.throws(() => vault.open(sealed_tokens, 2), SealError)
  assert.throws(() => vault.openCandidate(sealed_tokens), SealError)
  const other = await newVault(keys, 'c1')
  assert.throws(() => other.open(sealed_tokens, 3), SealError)
  await assert.rejects(openVault(keys, 'c2', vault.data_key), SealError)
  await assert.rejects(openVault(makeOpener('t2', 5), 'c1', vault.data_key), SealError)
})

test('nothing at rest holds a token in the clear', async () => {
  const vault = await newVault(keys, 'c1')
  const { sealed_tokens, refresh_fingerprint } = vault.seal(answer, 1)
  const rest = Buffer.concat([vault.data_key, sealed_tokens, refresh_fingerprint!, vault.sealCandidate(answer)])
  assert.equal(rest.includes('secret'), false)
})

test('every connection has a data key of its own', async () => {
  const vaults = [await newVault(keys, 'c1'), await newVault(keys, 'c1')]
  const sealed = vaults.map((vault) => vault.seal(answer, 1).sealed_tokens)
  assert.notDeepEqual(sealed[0], sealed[1])
})

test('a data key under another key opens what it sealed before, and under its former key no more', async () => {
  const both = makeOpener('t1', 5, 6)
  const former = { ...both, vault_keys: { ...both.vault_keys, newest: async () => both.vault_keys.find(header(5)) } }
  const vault = await newVault(former, 'c1')
  const { sealed_tokens } = vault.seal(answer, 1)
  const vault_keys = both.vault_keys as VaultKeys
  const row = { connection_id: 'c1', data_key: vault.data_key }
  const data_key = await rewrapDataKey(vault_keys, await both.vault_keys.newest(), row)
  assert.deepEqual([sealedKid(vault.data_key), sealedKid(data_key)], [5, 6])
  assert.deepEqual((await openVault(both, 'c1', data_key)).open(sealed_tokens, 1), answer.tokens)
})

/** Something that is sealed under a key, as far as its head goes. */
function header(kid: number): Buffer {
  return Buffer.concat([sealedHeader(kid), Buffer.alloc(40)])
}
