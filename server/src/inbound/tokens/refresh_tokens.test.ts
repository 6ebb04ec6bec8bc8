import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId, randomBytes } from '../../crypto/random.ts'
import { RootKey, type TenantKeys } from '../../crypto/tenant_keys.ts'
import type { GrantRecord } from '../../store/records.ts'
import {
  deriveSuccessor,
  formatRefreshToken,
  judgeRefreshToken,
  newRefreshSecret,
  type RefreshToken,
  readRefreshToken,
} from './refresh_tokens.ts'

const root = new RootKey(randomBytes(32))
const tenant_id = newId(0)
const wrapped = [1, 2].map((kid) => root.newTenantKey(tenant_id, kid))
const one = root.unwrap(tenant_id, wrapped.slice(0, 1))
const both = root.unwrap(tenant_id, wrapped)
const grant_id = newId(1)

function chain(keys: TenantKeys, length: number): RefreshToken[] {
  const tokens = [{ grant_id, generation: 1, secret: newRefreshSecret() }]
  while (tokens.length < length) {
    const last = tokens.at(-1)!
    const secret = deriveSuccessor(keys, last, keys.kid)!
    tokens.push({ grant_id, generation: last.generation + 1, secret })
  }
  return tokens
}

/** A grant whose newest token is the last of the chain. */
function grantOf(tokens: readonly RefreshToken[], rotated_at = 0): GrantRecord {
  const [previous, newest] = [tokens.at(-2), tokens.at(-1)!]
  return {
    refresh_generation: newest.generation,
    refresh_hash: one.hashSecret(newest.secret),
    refresh_previous_hash: previous ? one.hashSecret(previous.secret) : null,
    refresh_rotated_at: rotated_at,
    restored_at: null,
  } as unknown as GrantRecord
}

const judge = (token: RefreshToken, grant: GrantRecord, options = {}) =>
  judgeRefreshToken(token, grant, one.hashSecret(token.secret), {
    ...{ now: 0, bearer_public: false, retry_ms: 30_000 },
    ...options,
  })

test('10.4.5 the newest token rotates, the one before is a retry, an older one is reuse', () => {
  const tokens = chain(one, 4)
  const grant = grantOf(tokens)
  assert.deepEqual(
    tokens.map((token) => judge(token, grant)),
    ['reused', 'reused', 'retry', 'rotate'],
  )
})

test('10.4.5 a bearer public client has thirty seconds for a retry, and not one more', () => {
  const tokens = chain(one, 2)
  const grant = grantOf(tokens, 1000)
  assert.equal(judge(tokens[0]!, grant, { bearer_public: true, now: 31_000 }), 'retry')
  assert.equal(judge(tokens[0]!, grant, { bearer_public: true, now: 31_001 }), 'reused')
  assert.equal(judge(tokens[0]!, grant, { bearer_public: false, now: 9e12 }), 'retry')
})

test('B-18 a token of a history that this database has not seen is unknown, and no lever to end the grant', () => {
  const tokens = chain(one, 3)
  const grant = grantOf(tokens)
  const other = chain(one, 4)
  assert.equal(judge(other[3]!, grant), 'unknown', 'a generation still to come')
  assert.equal(judge(other[2]!, grant), 'unknown', 'another secret of the newest generation')
  assert.equal(judge(other[1]!, grant), 'unknown', 'another secret of the generation before')
  assert.equal(judge(tokens[0]!, { ...grant, refresh_generation: 0 }), 'unknown', 'a grant without refresh tokens')
})

test('B-18 of a restored grant a genuine newer token goes on, unless any bearer could have it', () => {
  const tokens = chain(one, 5)
  const grant = { ...grantOf(tokens.slice(0, 2)), restored_at: 1 }
  const verdicts = (options = {}) => tokens.map((token) => judge(token, grant, options))
  assert.deepEqual(verdicts(), ['retry', 'rotate', 'newer', 'newer', 'newer'])
  assert.deepEqual(verdicts({ bearer_public: true }), ['retry', 'rotate', 'unknown', 'unknown', 'unknown'])
  assert.equal(judge(tokens[2]!, { ...grant, refresh_generation: 0 }), 'unknown', 'a grant without refresh tokens')
})

test('10.4.5 every replica derives the same successor, with the key of the rotation and no other', () => {
  const [token] = chain(one, 1)
  assert.deepEqual(deriveSuccessor(one, token!, 1), deriveSuccessor(both, token!, 1))
  assert.notDeepEqual(deriveSuccessor(both, token!, 1), deriveSuccessor(both, token!, 2))
  assert.equal(deriveSuccessor(one, token!, 2), null, 'a key that this replica does not have')
  const next = { ...token!, generation: 2 }
  assert.notDeepEqual(deriveSuccessor(one, token!, 1), deriveSuccessor(one, next, 1))
  const elsewhere = { ...token!, grant_id: newId(2) }
  assert.notDeepEqual(deriveSuccessor(one, token!, 1), deriveSuccessor(one, elsewhere, 1))
})

test('CVE-2026-27840 a token is read as it was written, and with any bit of it changed not at all', () => {
  const [token] = chain(one, 1)
  const text = formatRefreshToken(one, token!)
  assert.deepEqual(readRefreshToken(one, text), token)
  assert.deepEqual(readRefreshToken(both, text), token, 'after a rotation of the tenant key')
  assert.equal(readRefreshToken(one, formatRefreshToken(both, token!)), null, 'tagged by a key that is not here')
  const bytes = Buffer.from(text.slice(6), 'base64url')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    assert.equal(readRefreshToken(one, `sp_rt_${changed.toString('base64url')}`), null, `bit ${bit}`)
  }
  const stranger_id = newId(3)
  const stranger = root.unwrap(stranger_id, [root.newTenantKey(stranger_id, 1)])
  assert.equal(readRefreshToken(stranger, text), null, 'of another tenant')
})
