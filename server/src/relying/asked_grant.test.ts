import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import { STANDARD_ASSERTION_GRANT } from '../providers/quirks.ts'
import { google } from '../providers/records/google.ts'
import { salesforce } from '../providers/records/salesforce.ts'
import { type AskedGrant, askToken } from './asked_grant.ts'
import type { RelyingParty } from './context.ts'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const private_key = { kid: 'k', alg: 'ES256', privateKey } as const
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

async function start(t: Parameters<typeof startRelyingParty>[0]) {
  const { hostile, context, party } = await startRelyingParty(t)
  return async (
    grant: AskedGrant,
    fields: Partial<RelyingParty['provider']> = {},
    more: Partial<RelyingParty> = {},
  ) => {
    const asked = { ...party, scope: 'a b', ...more, provider: { ...party.provider, ...fields } }
    const outcome = await askToken(context, asked, grant)
    const { body = '', headers } = hostile.received.findLast(({ url }) => url === '/token') ?? {}
    const { assertion, ...params } = Object.fromEntries(new URLSearchParams(body))
    const claims = assertion && JSON.parse(Buffer.from(assertion.split('.')[1]!, 'base64url').toString())
    return { outcome, params, claims, authorization: headers?.['authorization'] }
  }
}

test('RFC 6749 4.3 4.4 the scope goes as the record wants it, beside what it always wants', async (t) => {
  const ask = await start(t)
  const fields = { scope_separator: ',', token_params: { audience: 'api' } }
  const { params, authorization } = await ask({ grant_type: 'client_credentials' }, fields)
  assert.deepEqual(params, { grant_type: 'client_credentials', scope: 'a,b', audience: 'api' })
  assert.equal(authorization, `Basic ${btoa('client:s3cret')}`)
  const typed = await ask({ grant_type: 'password', username: 'u', password: 'p w' }, { scope_parameter: null })
  assert.deepEqual(typed.params, { grant_type: 'password', username: 'u', password: 'p w' })
})

test('RFC 7523 3 an assertion names issuer, subject and audience, and is good for a minute and one call', async (t) => {
  const ask = await start(t)
  const fields = { token_endpoint_auth_method: 'none' } as const
  const one = await ask({ grant_type: JWT_BEARER, subject: 'bob' }, fields, { private_key, client_secret: null })
  const { iat, exp, jti, ...claims } = one.claims
  assert.equal(exp - iat, 60)
  assert.match(claims.aud, /^http:\/\/127\.0\.0\.1:/)
  assert.deepEqual({ ...claims, aud: '' }, { iss: 'client', sub: 'bob', aud: '' })
  assert.deepEqual(one.params, { grant_type: JWT_BEARER, scope: 'a b', client_id: 'client' })
  const again = await ask({ grant_type: JWT_BEARER }, fields, { private_key, client_secret: null })
  assert.equal(again.claims.sub, 'client')
  assert.notEqual(again.claims.jti, jti)
})

test('service accounts of Google and Salesforce are asked for as their records say', async (t) => {
  const ask = await start(t)
  const at_google = { assertion_grant: google.fields.assertion_grant!.value }
  const own = await ask({ grant_type: JWT_BEARER }, at_google, { private_key })
  const { iat, exp, jti, ...claims } = own.claims
  assert.deepEqual(claims, { iss: 'client', aud: 'https://oauth2.googleapis.com/token', scope: 'a b' })
  assert.deepEqual([own.params, own.authorization], [{ grant_type: JWT_BEARER }, undefined])
  const named = await ask({ grant_type: JWT_BEARER, subject: 'bob@example.com' }, at_google, { private_key })
  assert.equal(named.claims.sub, 'bob@example.com')
  const at_salesforce = { assertion_grant: salesforce.fields.assertion_grant!.value }
  const there = await ask({ grant_type: JWT_BEARER, subject: 'bob' }, at_salesforce, { private_key })
  assert.deepEqual([there.claims.aud, there.claims.sub], ['https://login.salesforce.com', 'bob'])
})

test('without a key, or anybody to name as audience, nothing is sent', async (t) => {
  const ask = await start(t)
  const anonymous = { assertion_grant: { ...STANDARD_ASSERTION_GRANT, client: 'anonymous' } } as const
  const { outcome, params } = await ask({ grant_type: JWT_BEARER }, anonymous)
  assert.ok(outcome.kind === 'client_refused' && /private key/.test(outcome.error_description))
  assert.deepEqual(params, {})
})
