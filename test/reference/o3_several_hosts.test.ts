import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createEgress } from '../../server/src/egress/egress.ts'
import { saveConnector } from '../../server/src/outbound/administration/connectors.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const redirect_uri = 'https://documents.example.com/callback'
let server: TestServer
/** The same server by other names of the same machine. */
let hosts: string[]

before(async () => {
  server = await startSallyport()
  const { port } = new URL(server.issuer)
  hosts = [`http://localhost:${port}`, `http://logistics.localhost:${port}`, server.issuer]
  await server.addUser(alice)
  await server.addClient({
    ...{ client_id: 'dms', client_secret: 'dms-secret', redirect_uris: [redirect_uri], require_pkce: false },
    ...{ scope: 'openid offline_access', grant_types: ['authorization_code', 'refresh_token'] },
  })
})
after(() => server.stop())

/** A host of the machine, by its address and the name it was asked by: names below localhost are not known everywhere. */
async function by(host: string, path: string, init: RequestInit = {}): Promise<Response> {
  const { http } = { http: await import('node:http') }
  const url = new URL(path, host)
  return new Promise((resolve, reject) => {
    const headers = { host: url.host, ...Object.fromEntries(new Headers(init.headers)) }
    const request = http.request(
      { host: '127.0.0.1', port: url.port, path: url.pathname + url.search, method: init.method ?? 'GET', headers },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const flat = Object.entries(answer.headers).flatMap(([name, value]) =>
            [value ?? []].flat().map((one) => [name, one] as [string, string]),
          )
          resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 0, headers: flat }))
        })
      },
    )
    request.on('error', reject)
    request.end(init.body === undefined ? undefined : String(init.body))
  })
}

test('O3 a tenant answers on several hosts, and at each of them as its one issuer', async () => {
  const documents = []
  for (const host of hosts) {
    documents.push(await (await by(host, '/.well-known/openid-configuration')).json())
    const login = await by(host, '/login')
    assert.equal(login.status, 200, host)
    const html = await login.text()
    for (const [, url] of html.matchAll(/(?:href|src|action)="([^"]*)"/g)) {
      assert.ok(url!.startsWith('/') || url!.startsWith('#'), `${url}: links stay at the host one came by`)
    }
  }
  for (const document of documents) assert.deepEqual(document, documents[0])
  assert.equal(documents[0].issuer, server.issuer)
})

test('O3 who signs in at one host goes on there, and the tokens are those of the issuer, taken at any host', async () => {
  const agent = new UserAgent()
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: 'dms',
    redirect_uri,
    scope: 'openid offline_access',
  })
  const back = await agent.authorize(`${hosts[0]}/authorize?${query}`, alice)
  assert.equal(back.searchParams.get('iss'), server.issuer)
  const authorization = `Basic ${btoa('dms:dms-secret')}`
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code: back.searchParams.get('code')!,
    redirect_uri,
  })
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
  const tokens = await (await by(hosts[1]!, '/token', { method: 'POST', headers, body: String(form) })).json()
  assert.equal(JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url').toString()).iss, server.issuer)
  for (const host of hosts) {
    const userinfo = await by(host, '/userinfo', { headers: { authorization: `Bearer ${tokens.access_token}` } })
    assert.equal(userinfo.status, 200, host)
  }
})

test('O3 a session belongs to the host where it began: no cookie goes to another', async () => {
  const agent = new UserAgent()
  const page = await agent.follow(`${hosts[0]}/login`)
  await agent.submit({ url: page.url, html: await page.response.text() }, alice, 'name="password"')
  const cookies = (await agent.request(`${hosts[0]}/account`)).headers.getSetCookie()
  for (const cookie of cookies) assert.doesNotMatch(cookie, /domain=/i)
})

test('O3 systems on different hosts connect in either direction, each with client id, secret and callback', async () => {
  const egress = createEgress({ allow: ['127.0.0.1', 'localhost'] })
  const opened = new AsyncDisposableStack()
  opened.defer(() => egress.close())
  const open = async (host?: 'localhost') =>
    opened.adopt(await startSallyport({ ...(host && { host }), app: { egress } }), (one) => one.stop())
  const [platform, documents, hours] = [await open(), await open('localhost'), await open()]
  const there = { username: 'alice.example', password: 'another correct horse' }
  /** Registers one system at another by id, secret and callback, and tells it where that is. */
  const register = async (client: TestServer, at: TestServer, connector: string) => {
    const registration = { client_id: `${connector}-client`, client_secret: `secret-of-${connector}` }
    await at.addClient({
      ...{ ...registration, redirect_uris: [`${client.issuer}/connect/${connector}/callback`] },
      ...{ grant_types: ['authorization_code', 'refresh_token'], scope: 'openid offline_access' },
    })
    await saveConnector(client.app.web.outbound, 'test', {
      ...{ connector, provider: 'oidc', issuer: at.issuer, scope: 'openid offline_access', ...registration },
    })
  }
  const connect = async (client: TestServer, own: typeof alice, connector: string, owner: typeof alice) => {
    const person = new UserAgent()
    const page = await person.follow(`${client.issuer}/login`)
    await person.submit({ url: page.url, html: await page.response.text() }, own, 'name="password"')
    const left = await person.follow(`${client.issuer}/connect/${connector}`)
    const done = await person.follow((await new UserAgent().authorize(left.url, owner)).href)
    assert.equal(done.url, `${client.issuer}/account`)
    const html = await done.response.text()
    assert.match(html, new RegExp(`>${connector}<`))
    assert.match(html, /Working|Connected/)
  }
  try {
    for (const [server, user] of [
      [platform, alice],
      [documents, there],
      [hours, there],
    ] as const) {
      await server.addUser(user)
    }
    await register(platform, documents, 'documents')
    await register(platform, hours, 'hours')
    await register(documents, platform, 'platform')
    await connect(platform, alice, 'documents', there)
    await connect(platform, alice, 'hours', there)
    await connect(documents, there, 'platform', alice)
  } finally {
    await opened.disposeAsync()
  }
})
