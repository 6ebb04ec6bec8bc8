import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerCut, answerJson, answerText } from '../../../test/parts/hostile_provider.ts'
import { redirect_uri, startRelyingParty } from '../../../test/parts/relying_party.ts'
import type { ProviderFields } from '../providers/provider.ts'
import { SettingError } from '../providers/setting_error.ts'
import { buildAuthorizationUrl } from './authorization_url.ts'
import type { RelyingParty } from './context.ts'
import { DiscoveryError } from './discovery.ts'
import { PushRefused } from './push_request.ts'

const REQUEST_URI = 'urn:ietf:params:oauth:request_uri:abc'

test('RFC 9126 2.1 4 where there is an endpoint the request is sent there, and the browser carries its name alone', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  hostile.metadata['pushed_authorization_request_endpoint'] = `${hostile.issuer}/par`
  hostile.answers.set('/par', answerJson({ request_uri: REQUEST_URI, expires_in: 60 }, 201))
  const { url, remember } = await buildAuthorizationUrl(context, party, { state: 'st' })
  const shown = Object.fromEntries(new URL(url).searchParams)
  assert.deepEqual(shown, { client_id: 'client', request_uri: REQUEST_URI })
  const { body, headers } = hostile.received.find((one) => one.url === '/par')!
  assert.equal(headers['authorization'], `Basic ${btoa('client:s3cret')}`)
  const { nonce, code_challenge, ...sent } = Object.fromEntries(new URLSearchParams(body))
  assert.equal(nonce, remember.nonce)
  assert.match(code_challenge!, /^[\w-]{43}$/)
  assert.deepEqual(sent, {
    ...{ client_id: 'client', redirect_uri, response_type: 'code', scope: 'openid', state: 'st' },
    code_challenge_method: 'S256',
  })
})

test('RFC 9126 5 who must push and cannot sends nobody; who must not does not', async (t) => {
  const { hostile, context, party, advance } = await startRelyingParty(t)
  const build = (fields: Partial<ProviderFields>) => {
    advance(2 * 3_600_000)
    const asked = { ...party, provider: { ...party.provider, ...fields } } as RelyingParty
    return buildAuthorizationUrl(context, asked, { state: 's' })
  }
  await assert.rejects(build({ par: 'required' }), SettingError)
  hostile.metadata['require_pushed_authorization_requests'] = true
  await assert.rejects(build({}), SettingError)
  hostile.metadata['pushed_authorization_request_endpoint'] = `${hostile.issuer}/par`
  const { url } = await build({ par: 'refused' })
  assert.equal(new URL(url).searchParams.get('state'), 's')
  assert.ok(!hostile.received.some((one) => one.url === '/par'))
})

test('16.5.2 whatever a provider answers to a pushed request, nobody is sent with anything but its name', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  hostile.metadata['pushed_authorization_request_endpoint'] = `${hostile.issuer}/par`
  const build = () => buildAuthorizationUrl(context, party, { state: 's' })
  const spoiled = [
    answerCut(),
    answerText('<html>', 502),
    answerText('<html>', 201),
    answerJson({}, 201),
    answerJson({ request_uri: '' }, 201),
    answerJson({ request_uri: ['a'] }, 201),
    answerJson({ request_uri: 'a b' }, 201),
    answerJson({ request_uri: 'x'.repeat(2049) }, 201),
    answerJson({ error: 'temporarily_unavailable' }, 503),
  ]
  for (const answer of spoiled) {
    hostile.answers.set('/par', answer)
    await assert.rejects(build(), DiscoveryError)
  }
  for (const [error, kind] of [
    ['invalid_request', 'refused'],
    ['invalid_client', 'client_refused'],
  ] as const) {
    hostile.answers.set('/par', answerJson({ error, error_description: 'not s3cret' }, 400))
    await assert.rejects(build(), (thrown) => {
      assert.ok(thrown instanceof PushRefused)
      assert.deepEqual([thrown.outcome.kind, thrown.outcome.error_description], [kind, 'not [removed]'])
      return true
    })
  }
})
