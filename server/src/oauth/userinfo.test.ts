import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildUserinfo, SCOPE_CLAIMS, type UserClaims } from './userinfo.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const user: UserClaims & { password_hash: string } = {
  sub: 'u1',
  name: 'Alice Example',
  preferred_username: 'alice',
  nickname: null,
  website: '',
  updated_at: 1_700_000_000,
  email: 'alice@example.test',
  email_verified: false,
  address: { country: 'CH' },
  phone_number: '+41000000000',
  phone_number_verified: true,
  password_hash: 'secret',
}

test('OpenID Connect Core 5.4 each scope opens its own claims', () => {
  assert.deepEqual(buildUserinfo(user, ['openid']), { sub: 'u1' })
  assert.deepEqual(buildUserinfo(user, ['openid', 'profile']), {
    sub: 'u1',
    name: 'Alice Example',
    preferred_username: 'alice',
    updated_at: 1_700_000_000,
  })
  assert.deepEqual(buildUserinfo(user, ['email']), { sub: 'u1', email: 'alice@example.test', email_verified: false })
  assert.deepEqual(buildUserinfo(user, ['address', 'phone']), {
    sub: 'u1',
    address: { country: 'CH' },
    phone_number: '+41000000000',
    phone_number_verified: true,
  })
})

test('what the user does not have is left out', () => {
  assert.deepEqual(buildUserinfo({ sub: 'u2' }, ['profile', 'email', 'address', 'phone']), { sub: 'u2' })
})

test('no set of scopes shows a claim that none of them opens', () => {
  const scopes = fc.array(
    fc.oneof(
      fc.constantFrom<string>('profile', 'email', 'address', 'phone'),
      fc.constantFrom<string>('toString', '__proto__', 'x'),
    ),
  )
  fc.assert(
    fc.property(scopes, (scope) => {
      const opened: string[] = Object.entries(SCOPE_CLAIMS).flatMap(([name, claims]) =>
        scope.includes(name) ? claims : [],
      )
      for (const name of Object.keys(buildUserinfo(user, scope)))
        assert.ok(name === 'sub' || opened.includes(name), name)
    }),
  )
})
