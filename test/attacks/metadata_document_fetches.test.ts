import assert from 'node:assert/strict'
import { after } from 'node:test'
import { authorizeUrl, DOCUMENT_CALLBACK, DOCUMENTS_ON, findRow, look, newPath } from '../parts/ask_document_client.ts'
import { type DocumentHost, startDocumentHost } from '../parts/document_host.ts'
import { ALICE, BOB, onBothDatabases } from '../parts/platform.ts'
import { signIn } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const host: DocumentHost = await startDocumentHost({
  'internal.example': '10.0.0.7',
  'metadata.example': '169.254.169.254',
  'loopback.example': '127.0.0.1',
  'six.example': '::1',
})
const test = onBothDatabases({ egress: async () => host.egress })
after(() => host.stop())

test('T-07 whoever is not signed in makes this server fetch nothing and keep nothing', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  const client_id = host.publish(newPath())
  const asked = host.asked.length
  const before = (
    await p.server.store.pageClients({ tenant_id: p.server.app.tenant.tenant_id, after_client_id: '', most: 500 })
  ).length
  for (let i = 0; i < 20; i++) {
    const { url, response } = await new UserAgent().follow(authorizeUrl(p, `${client_id}?${i}`))
    assert.match(new URL(url).pathname, /\/login$/)
    assert.match(await response.text(), /app\.example/)
  }
  // What is too long for the pages between is refused before anybody signs in for nothing.
  const long = await look(new UserAgent(), authorizeUrl(p, client_id, { state: 'x'.repeat(6500) }))
  assert.equal(long.status, 400)
  const hinted = await look(new UserAgent(), authorizeUrl(p, client_id, { login_hint: 'carol' }))
  assert.match(hinted.html, /value="carol"/)
  const silent = await look(new UserAgent(), authorizeUrl(p, client_id, { prompt: 'none' }))
  assert.equal(silent.status, 400)
  // Nor for who posts its address: the first request of such a client comes by a browser.
  for (const path of ['/par', '/device_authorization']) {
    const { status, body } = await p.post(path, { client_id, scope: 'openid' }, null)
    assert.deepEqual([status, body.error], [401, 'invalid_client'], path)
  }
  assert.equal(host.asked.length, asked)
  // Who is signed in makes it fetch, and leaves a row only by allowing something.
  const agent = await signIn(p)
  assert.match((await look(agent, authorizeUrl(p, client_id))).html, /name="decision"/)
  const denied = await agent.authorize(authorizeUrl(p, client_id), ALICE, 'deny')
  assert.equal(denied.searchParams.get('error'), 'access_denied')
  assert.equal(await findRow(p, client_id), null)
  assert.equal(
    (await p.server.store.pageClients({ tenant_id: p.server.app.tenant.tenant_id, after_client_id: '', most: 500 }))
      .length,
    before,
  )
  assert.equal(host.asked.length, asked + 1)
})

test('one user has 30 documents fetched in ten minutes, and no more', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = await signIn(p, BOB)
  const asked = host.asked.length
  for (let i = 0; i < 30; i++) assert.equal((await look(agent, authorizeUrl(p, host.origin + newPath()))).status, 400)
  assert.equal((await look(agent, authorizeUrl(p, host.origin + newPath()))).status, 429)
  assert.equal(host.asked.length, asked + 30)
  p.pass(601)
})

const TEN_KB = 10_240
const mutants: readonly (readonly [what: string, mutate: (client_id: string) => unknown])[] = [
  ['another client_id', (client_id) => ({ client_id: `${client_id}x` })],
  ['a client_id in upper case', (client_id) => ({ client_id: client_id.toUpperCase() })],
  ['a client_id with a slash at its end', (client_id) => ({ client_id: `${client_id}/` })],
  ['a client_id that is a list', (client_id) => ({ client_id: [client_id] })],
  ['a client_id that is null', () => ({ client_id: null })],
  ['no client_id', () => ({ client_id: undefined })],
  ['an http client_id', (client_id) => ({ client_id: client_id.replace('https', 'http') })],
  ['no client_name', () => ({ client_name: undefined })],
  ['an empty client_name', () => ({ client_name: '' })],
  ['a client_name that turns the text around', () => ({ client_name: 'App\u202egpj' })],
  ['a client_name with a line break', () => ({ client_name: 'App\nverified' })],
  ['a client_name that is an object', () => ({ client_name: { en: 'App' } })],
  ['no redirect_uris', () => ({ redirect_uris: undefined })],
  ['empty redirect_uris', () => ({ redirect_uris: [] })],
  ['redirect_uris that is a string', () => ({ redirect_uris: DOCUMENT_CALLBACK })],
  ['a redirect URI with a fragment', () => ({ redirect_uris: [`${DOCUMENT_CALLBACK}#x`] })],
  ['a redirect URI with a wildcard', () => ({ redirect_uris: ['https://*.app.example/cb'] })],
  ['a redirect URI with a user name', () => ({ redirect_uris: ['https://app.example@evil.example/cb'] })],
  ['a javascript redirect URI', () => ({ redirect_uris: ['javascript:alert(1)'] })],
  ['a data redirect URI', () => ({ redirect_uris: ['data:text/html,x'] })],
  ['an http redirect URI', () => ({ redirect_uris: ['http://app.example/cb'] })],
  ['a redirect URI at a private address', () => ({ redirect_uris: ['https://10.0.0.1/cb'] })],
  [
    'fifty-one redirect URIs',
    () => ({ redirect_uris: Array.from({ length: 51 }, (_, i) => `${DOCUMENT_CALLBACK}${i}`) }),
  ],
  ['a client_secret', () => ({ client_secret: 'x' })],
  ['an empty client_secret', () => ({ client_secret: '' })],
  ['a client_secret_expires_at', () => ({ client_secret_expires_at: 0 })],
  ['client_secret_basic', () => ({ token_endpoint_auth_method: 'client_secret_basic' })],
  ['client_secret_post', () => ({ token_endpoint_auth_method: 'client_secret_post' })],
  ['client_secret_jwt', () => ({ token_endpoint_auth_method: 'client_secret_jwt' })],
  ['an unknown method', () => ({ token_endpoint_auth_method: 'secret_handshake' })],
  ['an empty method', () => ({ token_endpoint_auth_method: '' })],
  ['private_key_jwt without keys', () => ({ token_endpoint_auth_method: 'private_key_jwt' })],
  ['a private key', () => ({ jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'eA', y: 'eQ', d: 'ZA' }] } })],
  ['a symmetric key', () => ({ jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } })],
  ['keys in two places', () => ({ jwks_uri: 'https://app.example/jwks', jwks: { keys: [] } })],
  ['keys at a private address', () => ({ jwks_uri: 'https://169.254.169.254/jwks' })],
  ['keys over http', () => ({ jwks_uri: 'http://app.example/jwks' })],
  ['a javascript client_uri', () => ({ client_uri: 'javascript:alert(1)' })],
  ['a logo at loopback', () => ({ logo_uri: 'https://localhost/logo.png' })],
  ['only client_credentials', () => ({ grant_types: ['client_credentials'] })],
  ['only the implicit grant', () => ({ grant_types: ['implicit'], response_types: ['token'] })],
  ['a response type that fits no grant type', () => ({ response_types: ['token'] })],
  ['an unknown application_type', () => ({ application_type: 'toaster' })],
]

test('M-05 of 40 and more mutants of a metadata document none is taken for a client', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  const agent = await signIn(p)
  const texts: [string, (client_id: string) => Parameters<DocumentHost['pages']['set']>[1]][] = mutants.map(
    ([what, mutate]) => [
      what,
      (client_id) =>
        JSON.stringify({
          client_id,
          client_name: 'App',
          redirect_uris: [DOCUMENT_CALLBACK],
          ...(mutate(client_id) as object),
        }),
    ],
  )
  const good = (client_id: string) =>
    JSON.stringify({ client_id, client_name: 'App', redirect_uris: [DOCUMENT_CALLBACK] })
  const duplicate = (client_id: string) => good(client_id).replace('{', '{"redirect_uris":["https://evil.example"],')
  texts.push(
    ['a member twice', duplicate],
    ['a list', (client_id) => `[${good(client_id)}]`],
    ['text that is cut off', (client_id) => good(client_id).slice(0, -1)],
    ['an empty body', () => ''],
    ['HTML', () => ({ headers: { 'content-type': 'text/html' }, body: '<html></html>' })],
    ['JSON that is called HTML', (client_id) => ({ headers: { 'content-type': 'text/html' }, body: good(client_id) })],
    ['JSON without a type', (client_id) => ({ headers: { 'content-type': '' }, body: good(client_id) })],
    ['status 201', (client_id) => ({ status: 201, body: good(client_id) })],
    ['status 404', (client_id) => ({ status: 404, body: good(client_id) })],
    ['status 500', (client_id) => ({ status: 500, body: good(client_id) })],
    ['a redirect to itself', (client_id) => ({ status: 302, headers: { location: client_id }, body: good(client_id) })],
    ['more than 10 kB', (client_id) => good(client_id).replace('"App"', `"App","x":"${'x'.repeat(TEN_KB)}"`)],
    ['bytes that are not UTF-8', () => ({ body: '{"client_id":"\ud800"}' })],
  )
  assert.ok(texts.length >= 50)
  for (const [what, answer] of texts) {
    p.pass(60)
    const path = newPath()
    const client_id = host.origin + path
    host.pages.set(path, answer(client_id))
    const { status, html } = await look(agent, authorizeUrl(p, client_id))
    assert.equal(status, 400, `${what}: ${html.slice(0, 300)}`)
    assert.match(html, /metadata document|client_id/, what)
    assert.doesNotMatch(html, /name="decision"/, what)
    assert.equal(await findRow(p, client_id), null, what)
    // An error is not kept: once it is mended, it is good (section 5.2).
    host.pages.set(path, good(client_id))
    assert.match((await look(agent, authorizeUrl(p, client_id))).html, /name="decision"/, what)
  }
})

test('M-06 1.3.6 no URL makes this server call a private address, another scheme or another port', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = await signIn(p)
  const connected = host.connected.length
  const port = new URL(host.origin).port
  const urls = [
    ...['https://127.0.0.1/c', 'https://127.0.0.1:8443/c', `https://127.0.0.1:${port}/c`, 'https://[::1]/c'],
    ...['https://localhost/c', 'https://localhost:8443/c', 'https://10.0.0.1/c', 'https://192.168.1.1/c'],
    ...[
      'https://172.16.0.1/c',
      'https://169.254.169.254/latest/meta-data/',
      'https://100.64.0.1/c',
      'https://0.0.0.0/c',
    ],
    ...['https://[fe80::1]/c', 'https://[fd00::1]/c', 'https://[::ffff:10.0.0.1]/c', 'https://[::ffff:a00:1]/c'],
    ...[
      'https://2130706433/c',
      'https://0x7f000001/c',
      'https://0177.0.0.1/c',
      'https://127.1/c',
      'https://[64:ff9b::a00:1]/c',
    ],
    ...[
      'https://internal.example/c',
      'https://metadata.example/c',
      'https://loopback.example/c',
      'https://six.example/c',
    ],
    ...[`https://loopback.example:${port}/c`, 'https://app.example:22/c', 'https://unknown.example/c'],
  ]
  for (const client_id of urls) {
    const { status } = await look(agent, authorizeUrl(p, client_id))
    assert.ok(status === 400 || status === 429, `${client_id}: ${status}`)
    p.pass(30)
  }
  assert.deepEqual(host.connected.slice(connected), [])
})

test('a client_id that is no URL of a document names nothing, signed in or not', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = await signIn(p)
  const asked = host.asked.length
  const good = host.publish(newPath())
  for (const client_id of [
    ...[
      good.replace('https', 'http'),
      good.replace('https', 'HTTPS'),
      `${good}#x`,
      host.origin,
      good.replace('://', ':'),
    ],
    ...[
      good.replace('//', '//user:secret@'),
      good.replace('//', '//user@'),
      good.replace('app.example', 'APP.example'),
    ],
    ...[
      good.replace('/clients', '/./clients'),
      good.replace('/clients', '/x/../clients'),
      good.replace('/clients', '/%2e/clients'),
    ],
    ...[
      `${good} `,
      ` ${good}`,
      `${good}\\x`,
      good.replace('app.example', 'app.example.'.replace(/\.$/, '\u3002')),
      `${good}"`,
    ],
    ...[
      'https://',
      'https:///c',
      `https://app.example/${'x'.repeat(512)}`,
      'file:///etc/passwd',
      'javascript:alert(1)',
    ],
  ]) {
    for (const someone of [agent, new UserAgent()]) {
      const { status } = await look(someone, authorizeUrl(p, client_id))
      assert.equal(status, 400, client_id)
    }
  }
  assert.equal(host.asked.length, asked)
})

test('M-06 a slow answer and an endless one end by themselves', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = await signIn(p)
  let sent = 0
  const endless = newPath()
  host.pages.set(endless, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536))) sent += 65_536
    }
    response.on('drain', more)
    more()
  })
  assert.equal((await look(agent, authorizeUrl(p, host.origin + endless))).status, 400)
  assert.ok(sent < 50_000_000, `${sent} bytes were taken`)
  const slow = newPath()
  host.pages.set(slow, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write('{')
  })
  const started = performance.now()
  assert.equal((await look(agent, authorizeUrl(p, host.origin + slow))).status, 400)
  const took = performance.now() - started
  assert.ok(took > 4000 && took < 9000, `${took} ms`)
})

test('requests that come together are one call for a document, and it serves for as long as its answer says', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = await signIn(p)
  const path = newPath()
  const client_id = host.publish(path, {}, { 'cache-control': 'max-age=3600' })
  const count = () => host.asked.filter((asked) => asked === path).length
  const url = authorizeUrl(p, client_id)
  const before = count()
  // As many as one user may ask for.
  await Promise.all(Array.from({ length: 25 }, () => look(agent, url)))
  assert.equal(count() - before, 1)
  p.pass(3500)
  await look(agent, url)
  assert.equal(count() - before, 1)
  p.pass(101)
  await look(agent, url)
  assert.equal(count() - before, 2)
})

test('GHSA-46c8-635v-68r2 only listed hosts are asked where the tenant says so, and none where it is off', async (p) => {
  const url = new URL(host.publish(newPath()))
  p.pass(601)
  const agent = await signIn(p)
  const asked = host.asked.length
  const discover = async () => (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()
  for (const settings of [
    {},
    { metadata_documents: 'listed' },
    { metadata_documents: 'listed', metadata_document_hosts: ['app.example', 'x.example'] },
  ]) {
    await p.server.saveSettings({ ...DOCUMENTS_ON, metadata_documents: 'off', ...settings })
    assert.equal((await look(agent, authorizeUrl(p, url.href))).status, 400, JSON.stringify(settings))
    const supported = 'metadata_documents' in settings ? true : undefined
    assert.equal((await discover()).client_id_metadata_document_supported, supported)
  }
  // A host is listed by its whole name, and a dot is a dot.
  const { hostname, port, host: listed } = url
  const near = [`x${listed}`, `x.${listed}`, hostname, `${hostname}:1`, hostname.replace('.', 'x') + `:${port}`]
  await p.server.saveSettings({ ...DOCUMENTS_ON, metadata_documents: 'listed', metadata_document_hosts: near })
  assert.equal((await look(agent, authorizeUrl(p, url.href))).status, 400)
  await p.server.saveSettings({ ...DOCUMENTS_ON, metadata_documents: 'listed', metadata_document_hosts: ['p.example'] })
  assert.equal((await look(agent, authorizeUrl(p, url.href))).status, 400)
  assert.equal(host.asked.length, asked)
  await p.server.saveSettings({ ...DOCUMENTS_ON, metadata_documents: 'listed', metadata_document_hosts: [listed] })
  for (const other of [`https://x${listed}/`, `https://x.${listed}/`, `https://${hostname}.evil.example/`]) {
    assert.equal((await look(agent, authorizeUrl(p, other + url.pathname.slice(1)))).status, 400, other)
  }
  assert.equal(host.asked.length, asked)
  assert.match((await look(agent, authorizeUrl(p, url.href))).html, /name="decision"/)
})
