import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readClaimsRequest } from './claims_request.ts'
import { OAuthError } from './errors.ts'

test('OpenID Connect Core 5.5.1 a claim is asked for by null, as essential, by a value or by several', () => {
  const { id_token, userinfo } = readClaimsRequest(
    JSON.stringify({
      id_token: {
        sub: { value: 'u1' },
        acr: { essential: true, values: ['mfa', 'phr'] },
        auth_time: { essential: true },
      },
      userinfo: { email: null, name: { essential: 'yes', more: 1 } },
      unknown: { x: null },
    }),
  )
  assert.deepEqual(id_token, {
    sub: { essential: false, values: ['u1'] },
    acr: { essential: true, values: ['mfa', 'phr'] },
    auth_time: { essential: true, values: [] },
  })
  assert.deepEqual(userinfo, { email: { essential: false, values: [] }, name: { essential: false, values: [] } })
})

test('claims that are no JSON object, too long or too many are refused by the name of their parameter', () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`c${i}`, null]))
  for (const text of [
    ...['', 'x', 'null', '[]', '1', '{"userinfo":[]}', '{"id_token":"x"}', `{"a":"${'x'.repeat(9000)}"}`],
    JSON.stringify({ userinfo: many }),
  ]) {
    assert.throws(
      () => readClaimsRequest(text),
      (error) => error instanceof OAuthError && error.error === 'invalid_request' && /claims/.test(error.message),
      text.slice(0, 40),
    )
  }
})
