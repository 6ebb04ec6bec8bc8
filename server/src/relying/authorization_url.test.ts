import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redirect_uri, startRelyingParty } from '../../../test/parts/relying_party.ts'
import type { ProviderFields } from '../providers/provider.ts'
import { buildAuthorizationUrl } from './authorization_url.ts'
import { DiscoveryError } from './discovery.ts'

test('an authorization endpoint that a browser must not be sent to is refused', async (t) => {
  const { hostile, context, party, advance } = await startRelyingParty(t)
  for (const endpoint of [
    'javascript:alert(1)',
    'data:text/html,x',
    'http://example.com/authorize',
    '/authorize',
    '',
  ]) {
    hostile.metadata['authorization_endpoint'] = endpoint
    advance(2 * 60 * 60 * 1000)
    await assert.rejects(buildAuthorizationUrl(context, party, { state: 's' }), DiscoveryError, endpoint)
  }
})

test('10.2.1 10.2.3 the request carries state, S256 and nonce, and asks for the connector’s scope alone', async (t) => {
  const { context, party } = await startRelyingParty(t)
  const { url, remember } = await buildAuthorizationUrl(context, party, {
    state: 'st',
    params: { login_hint: 'a&b', response_type: 'token', state: 'evil', redirect_uri: 'https://evil.example' },
  })
  const params = Object.fromEntries(new URL(url).searchParams)
  assert.match(params['code_challenge']!, /^[\w-]{43}$/)
  assert.equal(params['nonce'], remember.nonce)
  assert.match(remember.code_verifier!, /^[\w-]{43}$/)
  const { code_challenge, nonce, ...rest } = params
  assert.deepEqual(rest, {
    ...{ response_type: 'code', client_id: 'client', redirect_uri, state: 'st', scope: 'openid' },
    ...{ code_challenge_method: 'S256', login_hint: 'a&b' },
  })
  const offline = await buildAuthorizationUrl(context, { ...party, scope: 'openid offline_access' }, { state: 's' })
  assert.equal(new URL(offline.url).searchParams.get('prompt'), 'consent', 'what makes a refresh token come')
})

test('10.2.1 PKCE is left out only where record or metadata says it does not work', async (t) => {
  const { hostile, context, party, advance } = await startRelyingParty(t)
  const verifierOf = async (pkce: ProviderFields['pkce'], methods: unknown) => {
    hostile.metadata['code_challenge_methods_supported'] = methods
    advance(2 * 60 * 60 * 1000)
    const { url, remember } = await buildAuthorizationUrl(
      context,
      { ...party, provider: { ...party.provider, pkce } },
      { state: 's' },
    )
    assert.equal(new URL(url).searchParams.has('code_challenge'), remember.code_verifier !== null)
    return remember.code_verifier !== null
  }
  assert.equal(await verifierOf('supported', undefined), true)
  assert.equal(await verifierOf('supported', ['plain', 'S256']), true)
  assert.equal(await verifierOf('supported', ['plain']), false)
  assert.equal(await verifierOf('required', ['plain']), true)
  assert.equal(await verifierOf('refused', ['S256']), false)
})

test('quirks of the request: scope parameter and separator, extra parameters, a query in the endpoint', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t, {
    discovery: null,
    scope_parameter: 'user_scope',
    scope_separator: ',',
    default_scope: 'read write',
    authorization_params: { owner: 'user' },
    offline_scope: null,
    offline_params: { access_type: 'offline' },
    response_mode: 'form_post',
  })
  const provider = { ...party.provider, authorization_endpoint: `${hostile.issuer}/authorize?tenant=1` }
  const { url, remember } = await buildAuthorizationUrl(context, { ...party, provider, scope: '' }, { state: 's' })
  const params = new URL(url).searchParams
  assert.equal(params.get('user_scope'), 'read,write')
  assert.equal(params.get('scope'), null)
  const rest = ['tenant', 'owner', 'access_type', 'response_mode'].map((name) => params.get(name))
  assert.deepEqual(rest, ['1', 'user', 'offline', 'form_post'])
  assert.equal(remember.nonce, null)
  const none = { ...provider, scope_parameter: null }
  const without = await buildAuthorizationUrl(context, { ...party, provider: none }, { state: 's' })
  assert.equal(new URL(without.url).searchParams.has('scope'), false)
})
