import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { fetchClientLogos } from '../../server/src/inbound/clients/client_logos.ts'
import { checkSectorIdentifier } from '../../server/src/inbound/clients/sector_identifier.ts'
import { MetadataDocuments } from '../../server/src/inbound/metadata_documents.ts'
import { RemoteKeys } from '../../server/src/inbound/remote_keys.ts'
import { deliverLogouts } from '../../server/src/inbound/sessions/backchannel_logout.ts'
import { readApiBase } from '../../server/src/outbound/connectors/learned.ts'
import { forward } from '../../server/src/outbound/proxy/proxy.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import { verified } from '../../server/src/providers/fact.ts'
import type { ProviderFields } from '../../server/src/providers/provider.ts'
import { oauth2 } from '../../server/src/providers/records/oauth2.ts'
import { oidc } from '../../server/src/providers/records/oidc.ts'
import { resolveProvider } from '../../server/src/providers/resolve.ts'
import { askToken } from '../../server/src/relying/asked_grant.ts'
import { buildAuthorizationUrl } from '../../server/src/relying/authorization_url.ts'
import { createRelyingContext, type RelyingContext, type RelyingParty } from '../../server/src/relying/context.ts'
import { requestDeviceAuthorization } from '../../server/src/relying/device_authorization.ts'
import { discoverProvider } from '../../server/src/relying/discovery.ts'
import { validateIdToken } from '../../server/src/relying/id_token.ts'
import { introspectToken } from '../../server/src/relying/introspection.ts'
import { revokeToken } from '../../server/src/relying/revocation.ts'
import { stepBeforeAuthorization } from '../../server/src/relying/steps.ts'
import { refreshToken } from '../../server/src/relying/token_call.ts'
import { fetchUserinfo } from '../../server/src/relying/userinfo.ts'
import type { WebhookRecord } from '../../server/src/store/verbs/webhooks.ts'
import { createWebhookContext } from '../../server/src/webhooks/context.ts'
import { settleWebhooks, tendWebhooks } from '../../server/src/webhooks/deliver.ts'
import { saveWebhook } from '../../server/src/webhooks/webhooks.ts'
import type { ForeignProvider } from '../parts/foreign_provider.ts'
import { startLocalServer } from '../parts/local_server.ts'
import { PRIVATE_HOSTS, PRIVATE_NAMES } from '../parts/private_hosts.ts'
import { type Bench, connected, openBench, openForeign } from '../parts/vault.ts'

// Whatever is fetched because somebody else named it, by each feature that fetches: none may lead to a private address. The
// sink stands where every hole would lead, on loopback, and must never see a connection.
let sink: Server
let port = 0
let arrivals = 0
let bench: Bench
let foreign: ForeignProvider
let connection_id: string
let hook: WebhookRecord
/** A way out that may go nowhere private, and notes what is asked of it and where it connects. */
let egress: Egress
let inner: Egress
const asked: string[] = []
const connections: string[] = []

before(async () => {
  sink = createServer((socket) => {
    arrivals++
    socket.destroy()
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  port = (sink.address() as { port: number }).port
  const answers = new Map(PRIVATE_NAMES)
  inner = createEgress({
    ports: [443, port],
    resolve: async (hostname) => answers.get(hostname) ?? ['127.0.0.1'],
    onConnect: (address) => connections.push(address),
  })
  egress = {
    fetch: (input, init) => {
      asked.push(init.purpose)
      return inner.fetch(input, init)
    },
    mayUseHttp: (url) => inner.mayUseHttp(url),
    close: () => inner.close(),
  }
  bench = await openBench()
  foreign = await openForeign(bench)
  foreign.auto_login = 'alice'
  connection_id = await connected(bench)
  const { tenant } = bench
  const { tenant_id, store } = tenant
  await saveWebhook(createWebhookContext({ tenant, egress }), 'test', { webhook: 'w', url: 'https://a.example/' })
  hook = (await store.findWebhook({ tenant_id, webhook: 'w' }))!
})
after(async () => {
  await inner.close()
  await foreign.close()
  await bench.drop()
  sink.close()
})

/** A feature that fetches: in which files, what for, and how it is led to a URL. */
interface Feature {
  readonly files: readonly string[]
  readonly purpose: string
  ask(url: string, way: Egress): Promise<unknown>
}

const party = (fields: Partial<ProviderFields>): RelyingParty => ({
  provider: resolveProvider(oauth2, { client_id: 'c', fields: { discovery: null, ...fields } }),
  ...{ client_id: 'c', client_secret: 's', redirect_uri: 'https://app.example/callback', scope: '' },
})
const relying = (way: Egress) => createRelyingContext({ egress: way, clock: Date.now })
const held = { access_token: 'a', token_type: 'Bearer', extra: {} }

/** A call to a provider whose endpoint of this name is the URL. */
function endpoint(
  name: keyof ProviderFields,
  purpose: string,
  files: readonly string[],
  call: (context: RelyingContext, party: RelyingParty) => Promise<unknown>,
  more: Partial<ProviderFields> = {},
): Feature {
  // What its configuration would refuse comes as far as the guard here.
  const ask = async (url: string, way: Egress) => {
    const one = party(more)
    return call(relying(way), { ...one, provider: { ...one.provider, [name]: url } })
  }
  return { files: files.map((file) => `relying/${file}.ts`), purpose, ask }
}

async function throughProxy(api_base_url: string, way: Egress): Promise<void> {
  const record = { ...oidc, fields: { ...oidc.fields, api_base_url: verified(api_base_url, 'this test') } }
  const context = bench.another({ egress: way, catalogue: createCatalogue([record]) })
  const request = { connection_id, user_id: bench.user_id, method: 'GET', path: '/x', query: '', body: null }
  const answer = await forward(context, { ...request, headers: new Headers() })
  if (answer.kind === 'response') await answer.response.body?.cancel()
}

const ISSUER = 'https://issuer.example'
const ID_TOKEN = `${[{ alg: 'ES256' }, { iss: ISSUER, aud: 'c', sub: 's', iat: 1, exp: 9e9 }]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.')}.${Buffer.alloc(64).toString('base64url')}`

const FEATURES: Readonly<Record<string, Feature>> = {
  'discovery by RFC 8414': endpoint('issuer', 'discovery', ['discovery', 'wire'], (context, { provider }) =>
    discoverProvider(context, { ...provider, discovery: 'oauth2' }),
  ),
  'discovery by OpenID Connect': endpoint('issuer', 'discovery', ['discovery', 'wire'], (context, { provider }) =>
    discoverProvider(context, { ...provider, discovery: 'oidc' }),
  ),
  'a refresh': endpoint('token_endpoint', 'token', ['wire'], (context, party) =>
    refreshToken(context, party, { refresh_token: 'r' }),
  ),
  'a refresh as JSON': endpoint(
    'token_endpoint',
    'token',
    ['wire'],
    (context, party) => refreshToken(context, party, { refresh_token: 'r' }),
    { token_request: 'json' },
  ),
  'a token by another grant': endpoint('token_endpoint', 'token', ['wire'], (context, party) =>
    askToken(context, party, { grant_type: 'client_credentials' }),
  ),
  'a pushed request': endpoint(
    'pushed_authorization_request_endpoint',
    'token',
    ['push_request'],
    (context, party) => buildAuthorizationUrl(context, party, { state: 's' }),
    { authorization_endpoint: 'https://provider.example/authorize' },
  ),
  'a device authorization': endpoint(
    'device_authorization_endpoint',
    'token',
    ['device_authorization'],
    requestDeviceAuthorization,
  ),
  userinfo: endpoint('userinfo_endpoint', 'userinfo', ['userinfo'], (context, party) =>
    fetchUserinfo(context, party, held),
  ),
  introspection: endpoint('introspection_endpoint', 'userinfo', ['introspection', 'told_call'], (context, party) =>
    introspectToken(context, party, held),
  ),
  revocation: endpoint('revocation_endpoint', 'revocation', ['revocation'], (context, party) =>
    revokeToken(context, party, { ...held, refresh_token: 'r' }),
  ),
  'keys of a provider': endpoint(
    'jwks_uri',
    'jwks',
    ['id_token', 'wire'],
    (context, party) => validateIdToken(context, party, { id_token: ID_TOKEN, nonce: null }),
    { issuer: ISSUER },
  ),
  'a step beside the exchange': {
    files: ['relying/steps.ts', 'relying/told_call.ts'],
    purpose: 'token',
    ask: (url, way) => {
      const step = { name: 's', when: 'before_authorization', method: 'GET', url, authorization: 'none', params: {} }
      const more = { body: 'query', replaces_token: false, choice: null, keep: {} }
      const one = party({})
      const steps = [{ ...step, ...more }] as unknown as ProviderFields['steps']
      return stepBeforeAuthorization(relying(way), { ...one, provider: { ...one.provider, steps } })
    },
  },
  'the proxy': { files: ['outbound/proxy/proxy.ts'], purpose: 'proxy', ask: throughProxy },
  'the document of a client': {
    files: ['inbound/metadata_documents.ts'],
    purpose: 'client_metadata',
    ask: (url, way) => new MetadataDocuments(way, Date.now).fetch(url),
  },
  'keys of a client or of a trusted issuer': {
    files: ['inbound/remote_keys.ts'],
    purpose: 'jwks',
    ask: (url, way) => new RemoteKeys(way, Date.now).find(url),
  },
  'a sector identifier': {
    files: ['inbound/clients/sector_identifier.ts'],
    purpose: 'client_metadata',
    ask: (url, way) =>
      checkSectorIdentifier(way, { sector_identifier_uri: url, redirect_uris: ['https://a.example/'] }),
  },
  'the picture of a client': {
    files: ['inbound/clients/client_logos.ts'],
    purpose: 'logo',
    ask: async (url, way) => {
      const store = {
        listDueLogos: async () => [{ client_id: 'c', logo_uri: url, attempts: 0 }],
        leaseLogo: async () => true,
        noteLogoFailure: async () => {},
      }
      const tenant = { tenant_id: 't', store }
      await fetchClientLogos({ tenant, egress: way } as unknown as Parameters<typeof fetchClientLogos>[0])
    },
  },
  'back-channel logout': {
    files: ['inbound/sessions/backchannel_logout.ts'],
    purpose: 'webhook',
    ask: async (url, way) => {
      const metadata = JSON.stringify({ redirect_uris: [], backchannel_logout_uri: url })
      const notice = { sid: 's', client_id: 'c', user_id: 'u', attempts: 0, now: 0, expires_at: 9e15, metadata }
      const store = {
        listDueNotices: async () => [notice],
        leaseNotice: async () => true,
        settleNotice: async () => {},
      }
      const { tenant } = bench.another({ spoil: (whole) => ({ ...whole, ...store }) as typeof whole })
      await deliverLogouts({ tenant, egress: way } as Parameters<typeof deliverLogouts>[0])
    },
  },
  'a webhook': {
    files: ['webhooks/deliver.ts'],
    purpose: 'webhook',
    ask: async (url, way) => {
      const webhook = { ...hook, url }
      const event = { event_id: 'e', at: 0, type: 'connection.ready', actor: 'test', detail: '{}' }
      const delivery = { event_id: 'e', type: 'connection.ready', attempts: 1, give_up_at: 9e15, tries: '[]', event }
      const leases = [{ webhook, deliveries: [delivery], now: 0 }]
      const store = {
        listWorkingWebhooks: async () => [{ ...webhook, head: 0, spread_to: 0, is_due: 1 }],
        leaseDeliveries: async () => leases.shift() ?? null,
        settleDelivery: async () => {},
      }
      const another = bench.another({ spoil: (whole) => ({ ...whole, ...store }) as unknown as typeof whole })
      const wrong: unknown[] = []
      const report = (_: string, cause: unknown) => void wrong.push(cause)
      const context = createWebhookContext({ tenant: another.tenant, egress: way, report })
      await tendWebhooks(context)
      await settleWebhooks(context)
      if (wrong.length > 0) throw wrong[0]
    },
  },
}

/** What only the operator names; it goes by a way out of its own, which lets that through. */
const OF_THE_OPERATOR = ['broker/primary.ts', 'cli/doctor.ts', 'cli/remote_server.ts', 'inbound/http_claims_hook.ts']

const CALL = /\b(?:\w+_)?#?egress\.fetch\(|\bfetchJson\(\w/

test('every file that fetches is in the table of features', async () => {
  const root = fileURLToPath(new URL('../../server/src', import.meta.url))
  const found: string[] = []
  for (const name of await readdir(root, { recursive: true })) {
    if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name.startsWith('egress/')) continue
    if (CALL.test(await readFile(path.join(root, name), 'utf8'))) found.push(name)
  }
  const known = [...OF_THE_OPERATOR, ...Object.values(FEATURES).flatMap(({ files }) => files)]
  // A step calls as it is told, by the file beside it.
  const without = new Set(['relying/steps.ts', 'relying/introspection.ts'])
  assert.deepEqual(found.sort(), [...new Set(known)].filter((file) => !without.has(file)).sort())
})

test('1.3.6 O-03 a host that a provider names is one of its own, whatever the form', () => {
  const learned = [
    { name: 'api_base_url', from: 'token', path: 'instance', form: 'url', suffixes: ['.provider.example'] },
  ]
  const { provider } = party({ learned: learned as unknown as ProviderFields['learned'] })
  const read = (instance: string) => readApiBase(provider, { instance })
  assert.equal(read('https://eu.provider.example/x'), 'https://eu.provider.example')
  for (const host of [...PRIVATE_HOSTS, ...PRIVATE_NAMES.map(([name]) => name)]) {
    for (const spelled of [host, `${host}:443`, `${host}#.provider.example`, `${host}/.provider.example`]) {
      assert.equal(read(`https://${spelled}`), null, spelled)
    }
  }
})

for (const [name, { purpose, ask }] of Object.entries(FEATURES)) {
  test(`1.3.6 no form of a private address is connected to: ${name}`, async () => {
    asked.length = 0
    let last: unknown
    const note = (error: unknown) => {
      last = error
    }
    const hosts = [...PRIVATE_HOSTS, ...PRIVATE_NAMES.map(([host]) => host)]
    assert.ok(hosts.length >= 60)
    for (const host of hosts) {
      await ask(`https://${host}:${port}/x`, egress).catch(note)
      await ask(`http://${host}:${port}/x`, egress).catch(note)
      assert.deepEqual([connections, arrivals], [[], 0], host)
    }
    // Most of it is for the guard to refuse: the feature went as far as that.
    const tries = asked.filter((one) => one === purpose).length
    assert.ok(tries >= 60, `${name} has asked ${tries} times: ${[...new Set(asked)]} ${inspect(last)}`)
  })

  test(`1.3.6 a redirect to a private address is not followed: ${name}`, async (t) => {
    for (const status of [301, 302, 303, 307, 308]) {
      let arrived = 0
      const { url } = await startLocalServer(t, (_, response) => {
        arrived++
        response.writeHead(status, { location: `http://127.0.0.1:${port}/x` }).end()
      })
      const allowed = createEgress({ allow: [new URL(url).host], ports: [port], onConnect: () => {} })
      await ask(url, allowed).catch(() => {})
      await allowed.close()
      assert.ok(arrived > 0, 'the feature has asked')
      assert.equal(arrivals, 0)
    }
  })
}
