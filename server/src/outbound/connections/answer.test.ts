import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProviderFields } from '../../providers/provider.ts'
import { oauth2 } from '../../providers/records/oauth2.ts'
import { resolveProvider } from '../../providers/resolve.ts'
import type { Tokens } from '../../relying/outcome.ts'
import { arrangeAnswer, type Before } from './answer.ts'
import { mayReplay } from './replay.ts'

const providerWith = (fields: Partial<ProviderFields> = {}) => resolveProvider(oauth2, { client_id: 'web', fields })
const answer: Tokens = {
  ...{ kind: 'tokens', access_token: 'AT2', token_type: 'Bearer', expires_in: 60, refresh_token: null, scope: null },
  ...{ refresh_token_expires_in: null, id_token: null, extra: { realm: 'new' }, warnings: [] },
}
const before: Before = {
  tokens: {
    access_token: 'AT1',
    token_type: 'Bearer',
    refresh_token: 'RT1',
    id_token: 'ID1',
    extra: { realm: 'old', a: 1 },
  },
  ...{ scope: 'a b', refresh_expires_at: 5_000_000, sent_refresh_token: 'RT1' },
}

test('what the answer to a refresh leaves out stays as it was', () => {
  const stored = arrangeAnswer(providerWith(), answer, 1_000_000, before)
  assert.deepEqual(stored.tokens, {
    ...{ access_token: 'AT2', token_type: 'Bearer', refresh_token: 'RT1', id_token: 'ID1' },
    extra: { realm: 'new', a: 1 },
  })
  assert.deepEqual([stored.scope, stored.issued_at, stored.access_expires_at], ['a b', 1_000_000, 1_060_000])
})

test('what the answer brings takes the place of what was', () => {
  const brought = { ...answer, refresh_token: 'RT2', scope: 'a', expires_in: null, refresh_token_expires_in: 10 }
  const stored = arrangeAnswer(providerWith(), brought, 1_000_000, before)
  assert.deepEqual([stored.tokens.refresh_token, stored.scope], ['RT2', 'a'])
  assert.deepEqual([stored.access_expires_at, stored.refresh_expires_at], [null, 1_010_000])
})

test('a first answer without a refresh token has none to keep', () => {
  const stored = arrangeAnswer(providerWith({ refresh_token_seconds: 60 }), answer, 0, { scope: 'asked' })
  assert.equal('refresh_token' in stored.tokens, false)
  assert.deepEqual([stored.scope, stored.refresh_expires_at], ['asked', null])
})

test('an access token of unknown life is thought to live an hour where it can be renewed, else until it is refused', () => {
  const told = { ...answer, expires_in: 'unknown' } as const
  assert.equal(arrangeAnswer(providerWith(), told, 1_000, before).access_expires_at, 3_601_000)
  assert.equal(arrangeAnswer(providerWith(), told, 1_000, { scope: '' }).access_expires_at, null)
  const brought = { ...told, refresh_token: 'RT' }
  assert.equal(arrangeAnswer(providerWith(), brought, 1_000, { scope: '' }).access_expires_at, 3_601_000)
  assert.equal(
    arrangeAnswer(providerWith(), { ...brought, expires_in: null }, 0, { scope: '' }).access_expires_at,
    null,
  )
})

test('the life of a refresh token counts from the consent where it is fixed, else from the last use', () => {
  const seconds = { refresh_token_seconds: 100 }
  const endWith = (life: ProviderFields['refresh_token_life']) =>
    arrangeAnswer(providerWith({ ...seconds, refresh_token_life: life }), answer, 1_000_000, before).refresh_expires_at
  assert.equal(endWith('fixed'), 5_000_000)
  assert.equal(endWith('idle'), 1_100_000)
  assert.equal(endWith('unlimited'), null)
})

test('where the access token renews itself, it is what the next refresh sends', () => {
  const refresh_grant = { grant_type: 'renew', token_param: 'access_token', sends: 'access_token' } as const
  const stored = arrangeAnswer(providerWith({ refresh_grant }), answer, 0, { scope: '' })
  assert.equal(stored.tokens.refresh_token, 'AT2')
})

test('a refresh token is sent again at once only where that can do no harm', () => {
  const policy = {
    refresh_token_rotation: 'always',
    refresh_token_replay: 'unknown',
    replay_grace_seconds: null,
  } as const
  const may = (more: object, now = 1000) => mayReplay({ ...policy, ...more }, 0, now)
  assert.equal(may({}), false)
  assert.equal(may({ refresh_token_replay: 'ends_grant' }), false)
  assert.equal(may({ refresh_token_replay: 'refused' }), false)
  assert.equal(may({ refresh_token_replay: 'accepted' }), true)
  assert.equal(may({ refresh_token_replay: 'until_successor_used' }), true)
  assert.equal(may({ refresh_token_rotation: 'never', refresh_token_replay: 'ends_grant' }), true)
  const grace = { refresh_token_replay: 'within_grace', replay_grace_seconds: 30 }
  assert.deepEqual([may(grace, 29_000), may(grace, 30_000)], [true, false])
  assert.equal(may({ refresh_token_replay: 'within_grace' }), false)
})
