import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { readAuthorities } from '../../server/src/crypto/certificate.ts'
import { asAssertion, JWKS, PAIRS, publicJwk, signAssertion, signBySecret } from '../parts/assertions.ts'
import { type Made, makeCertificate } from '../parts/client_certificate.ts'
import { basic, CALLBACK, JWT_API } from '../parts/platform.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { snapshotRows } from '../parts/snapshot.ts'

const SECRET = 'a secret of the client with more than 32 bytes'
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const authority = makeCertificate({ subject: [[['2.5.4.3', 'authority']]], authority: true })
const issued = makeCertificate({ issuer: authority, names: [['dns', 'client.example']] })
const own = makeCertificate()
const KEYS = { keys: [...JWKS.keys, publicJwk(own.publicKey, 'own')] }

/** Each method with what is registered for it. */
const REGISTERED: Readonly<Record<string, object>> = {
  client_secret_basic: { client_secret: SECRET },
  client_secret_post: { client_secret: SECRET },
  client_secret_jwt: { client_secret: SECRET },
  private_key_jwt: { jwks: KEYS },
  tls_client_auth: { tls_client_auth_san_dns: 'client.example' },
  self_signed_tls_client_auth: { jwks: KEYS },
  none: {},
}

interface Shown {
  readonly form?: Record<string, string>
  readonly authorization?: string
  readonly certificate?: Made
}

/** Each method as a client shows it. */
const SHOWN: Readonly<Record<string, (client_id: string) => Shown | Promise<Shown>>> = {
  client_secret_basic: (id) => ({ authorization: basic(id, SECRET) }),
  client_secret_post: (client_id) => ({ form: { client_id, client_secret: SECRET } }),
  client_secret_jwt: async (id) => ({ form: asAssertion(await signBySecret(clock, id, SECRET)) }),
  private_key_jwt: async (id) => ({ form: asAssertion(await signAssertion(clock, id)) }),
  tls_client_auth: (client_id) => ({ form: { client_id }, certificate: issued }),
  self_signed_tls_client_auth: (client_id) => ({ form: { client_id }, certificate: own }),
  none: (client_id) => ({ form: { client_id } }),
}

/** What is never enough, whatever the client is registered for. */
const NEVER: typeof SHOWN = {
  nothing: () => ({}),
  'Basic with a wrong secret': (id) => ({ authorization: basic(id, `${SECRET}!`) }),
  'a wrong secret in the body': (client_id) => ({ form: { client_id, client_secret: `${SECRET}!` } }),
  'HS256 by a wrong secret': async (id) => ({ form: asAssertion(await signBySecret(clock, id, `${SECRET}!`)) }),
  'a key of somebody else': async (id) => ({
    form: asAssertion(await signAssertion(clock, id, { key: PAIRS.other.privateKey })),
  }),
  'Basic and a secret in the body': (client_id) => ({
    authorization: basic(client_id, SECRET),
    form: { client_id, client_secret: SECRET },
  }),
  'Basic and an assertion': async (id) => ({
    authorization: basic(id, SECRET),
    form: asAssertion(await signAssertion(clock, id)),
  }),
  'a secret and an assertion': async (client_id) => ({
    form: { client_id, client_secret: SECRET, ...asAssertion(await signBySecret(clock, client_id, SECRET)) },
  }),
}

/** Every endpoint that clients call themselves, with a request that is good but for its client. */
const ENDPOINTS: Readonly<Record<string, Record<string, string>>> = {
  '/token': { grant_type: 'client_credentials', scope: 'api:read', resource: JWT_API },
  '/introspect': { token: 'x' },
  '/revoke': { token: 'x' },
  '/par': {
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
    scope: 'api:read',
    resource: JWT_API,
  },
  '/device_authorization': { scope: 'api:read', resource: JWT_API },
  '/revocations': {},
}

let server: TestServer
const clock = { issuer: '', now: Date.now }
before(async () => {
  const certificate_forwarding = { header: 'client-cert', authorities: readAuthorities(authority.pem) }
  server = await startSallyport({ app: { certificate_forwarding } })
  clock.issuer = server.issuer
  await server.addResource({ resource: JWT_API, scopes: '{"api:read":"Read"}' })
  for (const [method, more] of Object.entries(REGISTERED)) {
    const grants = ['authorization_code', DEVICE, ...(method === 'none' ? [] : ['client_credentials'])]
    const common = { redirect_uris: [CALLBACK], grant_types: grants, scope: 'api:read' }
    await server.addClient({ client_id: method, token_endpoint_auth_method: method, ...common, ...more })
  }
})
after(() => server.stop())

let requests = 0
async function send(path: string, { form = {}, authorization, certificate }: Shown) {
  const headers = new Headers(authorization === undefined ? {} : { authorization })
  if (certificate) headers.set('client-cert', `:${certificate.der.toString('base64')}:`)
  const body = new URLSearchParams({ ...ENDPOINTS[path], ...form })
  const request = new Request(server.issuer + path, { method: 'POST', headers, body })
  // Each from an address of its own: who fails often at one is not looked at any more.
  const address = `10.${requests >> 16}.${(requests >> 8) & 255}.${requests++ & 255}`
  const response = await server.app.fetch(request, { address, through_proxy: true })
  const text = await response.text()
  return { status: response.status, error: /"error":"(\w+)"/.exec(text)?.[1], text }
}

test('10.4.10 at every endpoint a client is known by the method it is registered for, and by no other', async (t) => {
  for (const path of Object.keys(ENDPOINTS)) {
    await t.test(path, async () => {
      const before = await snapshotRows(server.store)
      for (const registered of Object.keys(REGISTERED)) {
        for (const [what, show] of Object.entries({ ...SHOWN, ...NEVER })) {
          if (isEnough(registered, what)) continue
          const { status, error, text } = await send(path, await show(registered))
          const several = what.includes(' and ')
          assert.deepEqual(
            [status, error],
            several ? [400, 'invalid_request'] : [401, 'invalid_client'],
            `${registered} by ${what}: ${text}`,
          )
        }
      }
      assert.deepEqual(await snapshotRows(server.store), before)
      for (const registered of Object.keys(REGISTERED)) {
        const { status, text } = await send(path, await SHOWN[registered]!(registered))
        const refuses_public = registered === 'none' && path === '/introspect'
        assert.ok(refuses_public ? status === 401 : status < 500 && status !== 401, `${registered}: ${text}`)
      }
    })
  }
})

/** A public client may show a certificate, to have its tokens bound to it (RFC 8705 section 4). */
function isEnough(registered: string, shown: string): boolean {
  return registered === shown || (registered === 'none' && shown.includes('tls_client_auth'))
}
