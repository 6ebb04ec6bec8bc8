import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { configured } from '../../server/src/providers/fact.ts'
import type { Provider } from '../../server/src/providers/provider.ts'
import { oauth2 } from '../../server/src/providers/records/oauth2.ts'
import { type Integration, startIntegration } from '../parts/integration.ts'

const started: Integration[] = []
after(async () => {
  for (const one of started) await one.stop()
})
const start = async (...args: Parameters<typeof startIntegration>) => {
  const one = await startIntegration(...args)
  started.push(one)
  return one
}

test('E5 extra parameters, another method and another way to authenticate are fields of data', async () => {
  const it = await start({
    fields: {
      ...{ token_endpoint_auth_method: 'client_secret_basic', token_request: 'json' },
      ...{ token_params: { audience: 'https://api.example' }, refresh_params: { renew: 'yes' } },
    },
  })
  const { connection_id } = await it.connected()
  await it.call('POST', `/connections/${connection_id}/refresh`)
  const [exchange, refresh] = it.provider.token_requests
  const { code_verifier, ...params } = exchange!.params
  assert.ok(code_verifier)
  assert.deepEqual(params, {
    ...{ grant_type: 'authorization_code', code: 'the-code', redirect_uri: it.callback },
    audience: 'https://api.example',
  })
  assert.match(exchange!.content_type!, /^application\/json/)
  assert.equal(exchange!.authorization, `Basic ${Buffer.from('our-id:our-secret').toString('base64')}`)
  assert.deepEqual(refresh!.params, { grant_type: 'refresh_token', refresh_token: 'RT-1', renew: 'yes' })
  await it.save({ fields: { token_request: 'query', token_endpoint_auth_method: 'client_secret_post' } })
  await it.connect(`/connect/crm?connection_id=${connection_id}`)
  const queried = it.provider.token_requests.at(-1)!
  assert.deepEqual([queried.method, queried.params['client_secret']], ['GET', 'our-secret'])
})

/** A provider with steps after the exchange: a long-lived token takes the place of the first, and a call names the place. */
function stepsAt(origin: string): Provider {
  const none = { authorization: 'bearer', body: 'query', choice: null } as const
  return {
    ...{ ...oauth2, provider: 'steps', name: 'Steps' },
    fields: {
      ...oauth2.fields,
      starts_at_provider: configured(true),
      steps: configured([
        {
          ...{ ...none, name: 'long-lived', when: 'after_exchange', method: 'GET', url: `${origin}/long_lived` },
          ...{ params: { grant_type: 'exchange', token: '{access_token}' }, replaces_token: true, keep: {} },
        },
        {
          ...{ ...none, name: 'whoami', when: 'after_exchange', method: 'POST', url: `${origin}/whoami` },
          ...{ params: {}, body: 'json', replaces_token: false, keep: { site: 'site.id' } },
        },
      ]),
    },
  }
}

test('E5 calls after the exchange, and an install that starts at the provider, are steps of the record', async () => {
  const it = await start({ provider: 'steps' }, (origin) => [stepsAt(origin)])
  const { others } = it.provider
  others.set('/long_lived', () => ({ body: { access_token: 'LONG', token_type: 'bearer', expires_in: 5_184_000 } }))
  others.set('/whoami', () => ({ body: { site: { id: 'site-9' } } }))
  // An install begins there: nobody here asked for this answer, so that a flow of ours begins.
  const begun = await it.person.follow(`${it.callback}?code=of-an-install`)
  assert.equal(new URL(begun.url).pathname, '/authorize')
  assert.equal(it.provider.token_requests.length, 0, 'the code that nobody asked for is not redeemed')
  const { connection_id } = await it.connected()
  const [, long_lived, whoami] = it.provider.token_requests
  assert.deepEqual([long_lived!.path, long_lived!.params['token']], ['/long_lived', 'AT-1'])
  assert.deepEqual([whoami!.path, whoami!.method, whoami!.authorization], ['/whoami', 'POST', 'Bearer LONG'])
  const { body } = await it.call('GET', `/connections/${connection_id}/token`)
  assert.deepEqual([body.access_token, body.site], ['LONG', 'site-9'])
  assert.ok(body.expires_in > 5_000_000)
})
