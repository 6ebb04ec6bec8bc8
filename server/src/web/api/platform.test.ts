import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccessTokenClaims } from '../../oauth/access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { isOfPlatform, isOpenTo, platformOf } from './platform.ts'

const OURS = { user_id: 'alice', client_id: null, end_user_id: null }
const THEIRS = { user_id: null, client_id: 'platform', end_user_id: 'u-81' }

/** A token of a client, in its own name or in that of somebody who gave it a grant. */
function token(client_id: string, grant_id?: string, ...scope: string[]) {
  return { claims: { client_id, ...(grant_id !== undefined && { grant_id }) } as AccessTokenClaims, scope }
}

test('O-06 what belongs to a platform is open to it alone, and in its own name alone', () => {
  const all = ['vault:token']
  assert.equal(isOfPlatform(THEIRS, token('platform')), true)
  assert.equal(isOpenTo(THEIRS, token('platform'), 'vault:token'), true)
  for (const other of [
    token('rival', undefined, ...all),
    token('platform', 'g1', ...all),
    token('', undefined, ...all),
  ]) {
    assert.equal(isOfPlatform(THEIRS, other), false)
    assert.equal(isOpenTo(THEIRS, other, 'vault:token'), false)
  }
  assert.equal(platformOf(token('platform')), 'platform')
  assert.throws(() => platformOf(token('platform', 'g1')), OAuthError)
})

test('8.2.1 what belongs to our users is open by the scope for all of them, and to no platform without it', () => {
  assert.equal(isOpenTo(OURS, token('platform', undefined, 'vault:token'), 'vault:token'), true)
  assert.equal(isOpenTo(OURS, token('platform', undefined, 'connect:token'), 'vault:token'), false)
  assert.equal(isOfPlatform(OURS, token('platform')), false)
})
