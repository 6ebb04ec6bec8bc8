import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { Agent, fetch as fetchWith } from 'undici'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import type { ConnectorInput } from '../../server/src/outbound/administration/connector_input.ts'
import { findConnector, listConnectorKeys, saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { freshToken } from '../../server/src/outbound/connections/fresh_token.ts'
import type { OutboundContext } from '../../server/src/outbound/context.ts'
import { forward } from '../../server/src/outbound/proxy/proxy.ts'
import { openVault } from '../../server/src/outbound/vault/vault.ts'
import { ALICE } from '../parts/bridge.ts'
import { createCertificate } from '../parts/certificate.ts'
import { makeCertificate } from '../parts/client_certificate.ts'
import { type ForeignProvider, startForeignProvider } from '../parts/foreign_provider.ts'
import { freePort, startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const LIFE_SECONDS = 300
const edge = createCertificate(['localhost', '127.0.0.1'])
const made = makeCertificate()
const private_key = made.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
const clock = { offset: 0 }
let egress: Egress
let theirs: ForeignProvider
let ours: TestServer
let context: OutboundContext
let user_id: string
let alice: UserAgent

before(async () => {
  const port = await freePort()
  const shown = (ctx: { socket: TLSSocket }) => {
    const { raw } = ctx.socket.getPeerCertificate() as { raw?: Buffer }
    return raw && new X509Certificate(raw).toString()
  }
  theirs = await startForeignProvider({
    clients: [
      Object.assign(
        { client_id: 'ours', redirect_uris: [`http://127.0.0.1:${port}/connect/certified/callback`] },
        {
          ...{
            token_endpoint_auth_method: 'self_signed_tls_client_auth',
            grant_types: ['authorization_code', 'refresh_token'],
          },
          ...{ jwks_uri: `http://127.0.0.1:${port}/jwks/certified`, tls_client_certificate_bound_access_tokens: true },
        },
      ),
    ],
    features: {
      mTLS: { enabled: true, selfSignedTlsClientAuth: true, certificateBoundAccessTokens: true, getCertificate: shown },
      pushedAuthorizationRequests: { enabled: true },
    },
    tls: edge,
    access_token_seconds: LIFE_SECONDS,
    auto_login: 'bob',
  })
  egress = createEgress({ allow: ['127.0.0.1'], ca: edge.cert })
  ours = await startSallyport({ port, clock: () => Date.now() + clock.offset, app: { egress } })
  context = ours.app.web.outbound
  user_id = await ours.addUser(ALICE)
  await save({})
  alice = new UserAgent()
  const { url, response } = await alice.follow(`${ours.issuer}/login`)
  await alice.submit({ url, html: await response.text() }, ALICE)
})
after(async () => {
  await ours.stop()
  await theirs.close()
  await egress.close()
})

function save({ fields, ...input }: Partial<ConnectorInput>) {
  const method = { token_endpoint_auth_method: 'self_signed_tls_client_auth' }
  const bound = { tls_client_certificate_bound_access_tokens: true, api_base_url: theirs.issuer }
  return saveConnector(context, 'test', {
    ...{ connector: 'certified', provider: 'oidc', issuer: theirs.issuer, client_id: 'ours' },
    ...{ scope: 'openid email offline_access', private_key, certificate: made.pem },
    ...input,
    fields: { ...method, ...bound, ...fields },
  })
}

async function findConnection(): Promise<string> {
  const { tenant_id, store } = ours.app.tenant
  const [connection] = await store.listConnectionsOfUser({ tenant_id, user_id })
  return connection!.connection_id
}

const call = async () => {
  const request = { method: 'GET', path: '/me', query: '', headers: new Headers(), body: null }
  const forwarded = await forward(context, { connection_id: await findConnection(), user_id, ...request })
  assert.ok(forwarded.kind === 'response', JSON.stringify(forwarded))
  return { status: forwarded.response.status, text: await forwarded.response.text() }
}

/** A browser that knows their authority: from our authorization URL to our callback. */
async function walk(authorization_url: string): Promise<string> {
  const dispatcher = new Agent({ connect: { ca: edge.cert } })
  const cookies = new Map<string, string>()
  try {
    for (let url = authorization_url, hops = 0; hops < 10; hops++) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetchWith(url, { redirect: 'manual', headers: { cookie }, dispatcher })
      for (const set of response.headers.getSetCookie())
        cookies.set(set.split('=', 1)[0]!, set.slice(set.indexOf('=') + 1, set.indexOf(';')))
      const text = await response.text()
      const location = response.headers.get('location')
      assert.ok(location, `${response.status} ${text}`)
      url = new URL(location, url).href
      if (url.startsWith(ours.issuer)) return url
    }
    throw new Error('the walk does not end')
  } finally {
    await dispatcher.close()
  }
}

test('RFC 8705 2.2 a provider knows us by a certificate of our own, which our JWK Set carries', async () => {
  const { keys } = (await listConnectorKeys(context, 'certified'))!
  assert.deepEqual((keys[0] as { x5c?: string[] }).x5c, [made.der.toString('base64')])
  assert.ok(!JSON.stringify(await findConnector(context, 'certified')).includes('PRIVATE'))
  const left = await alice.follow(`${ours.issuer}/connect/certified`)
  assert.equal(new URL(left.url).origin, theirs.issuer)
  assert.deepEqual(
    [...new URL(left.url).searchParams.keys()],
    ['client_id', 'request_uri'],
    'pushed by the certificate',
  )
  const done = await alice.follow(await walk(left.url))
  assert.equal(done.url, `${ours.issuer}/account`, await done.response.text())
})

test('RFC 8705 3 the proxy shows the certificate that the token is bound to, and nobody else can use it', async () => {
  for (let i = 0; i < 2; i++) {
    const { status, text } = await call()
    assert.equal(status, 200, text)
    assert.match(JSON.parse(text).email, /^bob@/)
    clock.offset += 2 * LIFE_SECONDS * 1000
  }
  assert.equal(theirs.ledger.filter(({ grant_type }) => grant_type === 'refresh_token').length, 1)
  assert.deepEqual(await freshToken(context, { connection_id: await findConnection(), user_id }), {
    ...{ kind: 'refused', reason: 'bound' },
  })
  const { tenant_id, store } = ours.app.tenant
  const { connection } = (await store.loadConnection({ tenant_id, connection_id: await findConnection() }))!
  const vault = await openVault(context, connection.connection_id, connection.data_key!)
  const { access_token } = vault.open(connection.sealed_tokens!, connection.generation)
  const dispatcher = new Agent({ connect: { ca: edge.cert } })
  const headers = { authorization: `Bearer ${access_token}` }
  const stolen = await fetchWith(`${theirs.issuer}/me`, { headers, dispatcher })
  assert.equal(stolen.status, 401)
  await stolen.text()
  await dispatcher.close()
})

test('a certificate that is none, is over, or is of another key is refused, and so is one without a key', async () => {
  const other = makeCertificate()
  const over = makeCertificate({ from: Date.now() - 2 * 86_400_000, to: Date.now() - 86_400_000 })
  const key = over.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const before = await findConnector(context, 'certified')
  const refused: [Partial<ConnectorInput>, RegExp][] = [
    [{ certificate: undefined }, /certificate is missing/],
    [{ certificate: 'rubbish' }, /no PEM, or one of another private key/],
    [{ certificate: other.pem }, /no PEM, or one of another private key/],
    [{ certificate: over.pem, private_key: key }, /not good now/],
    [{ client_secret: 'hush' }, /client_secret does not go with/],
    [
      { fields: { token_endpoint_auth_method: 'client_secret_basic' }, client_secret: 'hush' },
      /private_key does not go with/,
    ],
    [
      { fields: { token_endpoint_auth_method: 'client_secret_basic' }, client_secret: 'x', private_key: undefined },
      /bound to a certificate only where/,
    ],
    [
      {
        fields: { token_endpoint_auth_method: 'private_key_jwt', tls_client_certificate_bound_access_tokens: false },
      },
      /certificate does not go with/,
    ],
  ]
  for (const [input, says] of refused) await assert.rejects(save(input), says)
  assert.deepEqual(await findConnector(context, 'certified'), before)
  const fresh = { connector: 'fresh', private_key: undefined }
  await assert.rejects(save(fresh), /private_key is missing/)
})

test('RFC 8705 2 whoever shows another certificate is no client of theirs: the fault of the connector', async () => {
  const other = makeCertificate()
  await save({
    certificate: other.pem,
    private_key: other.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  })
  clock.offset += 2 * LIFE_SECONDS * 1000
  const request = { method: 'GET', path: '/me', query: '', headers: new Headers(), body: null }
  const forwarded = await forward(context, { connection_id: await findConnection(), user_id, ...request })
  assert.ok(forwarded.kind === 'unavailable' && forwarded.reason === 'connector', JSON.stringify(forwarded))
  assert.equal((await findConnector(context, 'certified'))!.error, 'invalid_client')
  await save({})
  assert.equal((await call()).status, 200, 'and nothing was lost')
})
