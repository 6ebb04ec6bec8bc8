import assert from 'node:assert/strict'
import { after, test as testAlone } from 'node:test'
import { fetchClientLogos, waitForLogo } from '../../server/src/inbound/clients/client_logos.ts'
import { readAdministratedClient, registerClient } from '../../server/src/inbound/clients/register_client.ts'
import { updateClient } from '../../server/src/inbound/clients/update_client.ts'
import { deliverLogouts } from '../../server/src/inbound/sessions/backchannel_logout.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import { resolveProvider } from '../../server/src/providers/resolve.ts'
import { createRelyingContext } from '../../server/src/relying/context.ts'
import { discoverProvider } from '../../server/src/relying/discovery.ts'
import { validateIdToken } from '../../server/src/relying/id_token.ts'
import { revokeToken } from '../../server/src/relying/revocation.ts'
import { redeemCode, refreshToken } from '../../server/src/relying/token_call.ts'
import { fetchUserinfo } from '../../server/src/relying/userinfo.ts'
import { type DocumentHost, startDocumentHost } from '../parts/document_host.ts'
import { makePng } from '../parts/pictures.ts'
import { ALICE, onBothDatabases, type Platform, VERIFIER } from '../parts/platform.ts'
import { csrfOf, open, post, signIn } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

// Every name that a stranger could think of leads to somewhere that must not be called.
const INSIDE = {
  ...{ 'internal.example': '10.0.0.7', 'metadata.example': '169.254.169.254', 'rebound.example': '127.0.0.1' },
  ...{ '127.0.0.1.nip.example': '127.0.0.1', 'six.example': 'fd00::1', 'mapped.example': '::ffff:10.0.0.1' },
}
const host: DocumentHost = await startDocumentHost(INSIDE)
const test = onBothDatabases({ egress: async () => host.egress })
after(() => host.stop())
let addresses = 0

async function register(p: Platform, json: unknown) {
  const request = new Request(`${p.issuer}/register`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) },
  })
  addresses++
  const response = await p.server.app.fetch(request, { address: `10.1.${addresses >> 8}.${addresses & 255}` })
  return { status: response.status, body: await response.json() }
}

const CALLBACK = 'https://app.example/callback'
const SCRIPTS = [
  ...['javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', 'javascript://app.example/%0aalert(1)'],
  ...['java\tscript:alert(1)', 'data:text/html,<script>alert(1)</script>', 'data:,x', 'vbscript:x', 'blob:https://a/b'],
  ...[
    'file:///etc/passwd',
    'ftp://app.example/',
    'gopher://app.example/',
    'about:blank',
    'view-source:https://a/',
    'ws://a/',
  ],
  ...['mailto:a@b.example', 'tel:1', 'intent://x#Intent;end', 'jar:https://a!/b', 'filesystem:https://a/b'],
]
const UNREADABLE = [
  ...[
    '',
    ' ',
    'app.example',
    '//app.example/x',
    '/x',
    'https:',
    'https://',
    'https:///x',
    'https:app.example',
    'https:\\\\a',
  ],
  ...[
    'https://app.example\\@evil.example',
    'https://app.example/\u0000',
    'https://app.example/\n',
    'https://app.example/ x',
  ],
  ...[
    'https://app.example/<x>',
    'https://app.example/"x"',
    'https://[::1',
    'https://a:99999/x',
    'https://\u202egpj.example/',
  ],
]
const USERINFO = [
  'https://ok@evil.example/',
  'https://ok:secret@evil.example/',
  'https://app.example:443@evil.example/',
]
const INTERNAL = [
  ...['127.0.0.1', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '0.0.0.0', '0', '10.0.0.1', '172.16.0.1'],
  ...['192.168.1.1', '169.254.169.254', '100.64.0.1', '[::1]', '[::]', '[fe80::1]', '[fd00::1]', '[::ffff:10.0.0.1]'],
  ...['[64:ff9b::a00:1]', 'localhost', 'LOCALHOST', 'localhost.', 'app.localhost', '127.0.0.1:8443', 'localhost:9200'],
].flatMap((name) => [`https://${name}/x`, `http://${name}/x`])
const WEB_MEMBERS = [
  ...['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'jwks_uri', 'initiate_login_uri', 'sector_identifier_uri'],
  'backchannel_logout_uri',
]

test('10.4.7 M-01 CVE-2020-26938 Tenable-114920 CVE-2026-22752 CVE-2026-29192 no URL member takes a script, an internal address or a user name', async (p) => {
  await p.server.saveSettings({ registration: 'open' })
  const connected = host.connected.length
  for (const name of WEB_MEMBERS) {
    for (const uri of [
      ...SCRIPTS,
      ...UNREADABLE.filter((text) => text !== ''),
      ...USERINFO,
      ...INTERNAL,
      'http://app.example/x',
    ]) {
      const { status, body } = await register(p, { redirect_uris: [CALLBACK], [name]: uri })
      assert.deepEqual([status, body.error], [400, 'invalid_client_metadata'], `${name} ${uri}`)
      assert.match(body.error_description, new RegExp(`^Member ${name} `), `${name} ${uri}`)
    }
    for (const value of [7, true, {}, ['https://app.example/x']]) {
      assert.equal((await register(p, { redirect_uris: [CALLBACK], [name]: value })).status, 400, `${name} ${value}`)
    }
  }
  assert.deepEqual(host.connected.slice(connected), [])
})

test('10.4.7 M-01 CVE-2026-28512 CVE-2020-10776 no redirect URI takes a script, a wildcard, a fragment, an internal address or a user name', async (p) => {
  await p.server.saveSettings({ registration: 'open' })
  const web = INTERNAL.filter((uri) => !/^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?\//.test(uri))
  const more = [
    ...[
      'http://app.example/cb',
      'https://*.app.example/cb',
      'https://app.example/*',
      'https://app.example/cb#',
      `${CALLBACK}#x`,
    ],
    ...[
      'https://app.example/../cb',
      'https://app.example/%2e%2e/cb',
      'https://app.example/a%2fb',
      'https://app.example./cb',
    ],
    ...[
      'https://APP.example/cb',
      'https://app.example:443/cb',
      'https://app.example/cb?code=x',
      'https://app.example/cb?state=x',
    ],
    ...['com.example.app://cb', 'myapp:/cb', 'com.example.app:cb', `https://app.example/${'x'.repeat(2048)}`],
  ]
  for (const member of ['redirect_uris', 'post_logout_redirect_uris']) {
    for (const uri of [...SCRIPTS, ...UNREADABLE, ...USERINFO, ...web, ...more]) {
      const { status, body } = await register(p, { redirect_uris: [CALLBACK], [member]: [CALLBACK, uri] })
      assert.equal(status, 400, `${member} ${uri}`)
      assert.match(body.error, /^invalid_(redirect_uri|client_metadata)$/, `${member} ${uri}`)
    }
  }
})

test('M-11 application_type decides which redirect URIs there may be, and loopback alone is native whatever it says', async (p) => {
  await p.server.saveSettings({ registration: 'open' })
  const LOOPBACK = 'http://127.0.0.1/cb'
  const SCHEME = 'com.example.app:/cb'
  for (const [application_type, redirect_uris, expected] of [
    [undefined, [CALLBACK], 'web'],
    ['web', [CALLBACK], 'web'],
    ['native', [CALLBACK], 'native'],
    ['native', [LOOPBACK, SCHEME, CALLBACK], 'native'],
    [undefined, [LOOPBACK], 'native'],
    ['web', [LOOPBACK], 'native'],
    ['web', ['http://localhost/callback'], 'native'],
    [undefined, ['http://localhost:3000/callback', 'http://[::1]/callback'], 'native'],
    [undefined, [SCHEME], 'native'],
    [undefined, [CALLBACK, LOOPBACK], 'native'],
    ['web', [CALLBACK, LOOPBACK], null],
    ['web', [SCHEME], null],
    ['toaster', [CALLBACK], null],
  ] as const) {
    const { status, body } = await register(p, { application_type, redirect_uris })
    const what = `${application_type} ${redirect_uris}`
    assert.deepEqual([status, body.application_type], expected === null ? [400, undefined] : [201, expected], what)
  }
})

test('1.3.6 M-06 the keys of a client that registered itself are fetched from no private address', async (p) => {
  await p.server.saveSettings({ registration: 'open' })
  const connected = host.connected.length
  for (const name of Object.keys(INSIDE)) {
    const jwks_uri = `https://${name}/jwks`
    const method = { token_endpoint_auth_method: 'private_key_jwt' }
    const { status, body } = await register(p, { ...method, redirect_uris: [CALLBACK], jwks_uri })
    assert.equal(status, 201, jwks_uri)
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = {
      iss: body.client_id,
      sub: body.client_id,
      aud: p.issuer,
      jti: name,
      exp: Math.floor(p.now() / 1000) + 60,
    }
    const client_assertion = `${part({ alg: 'ES256', kid: 'k' })}.${part(claims)}.${'A'.repeat(86)}`
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const form = { grant_type: 'authorization_code', code: 'x', client_assertion, client_assertion_type }
    const refused = await p.post('/token', form, null)
    assert.deepEqual([refused.status, refused.body.error], [401, 'invalid_client'], refused.text)
  }
  assert.deepEqual(host.connected.slice(connected), [])
})

testAlone(
  '1.3.6 CVE-2026-56739 no call to a provider goes to a private address, whichever of its addresses it is',
  async () => {
    const context = createRelyingContext({ egress: host.egress, clock: Date.now })
    const tokens = { access_token: 'at', refresh_token: 'rt' }
    for (const name of Object.keys(INSIDE)) {
      const place = (path: string) => `https://${name}/${path}`
      const fields = {
        ...{ issuer: place(''), jwks_uri: place('jwks'), authorization_endpoint: place('authorize') },
        ...{
          token_endpoint: place('token'),
          userinfo_endpoint: place('userinfo'),
          revocation_endpoint: place('revoke'),
        },
      }
      const described = resolveProvider(createCatalogue().get('oidc')!, { client_id: 'c', fields })
      const registration = { client_id: 'c', client_secret: 's', redirect_uri: CALLBACK, scope: 'openid' }
      const party = { ...registration, provider: { ...described, discovery: null } }
      const unsent = [
        await redeemCode(context, party, { response: new URLSearchParams('code=x'), code_verifier: null }),
        await refreshToken(context, party, tokens),
        await fetchUserinfo(context, party, tokens),
        await revokeToken(context, party, tokens),
      ]
      assert.deepEqual(
        unsent.map(({ kind }) => kind),
        Array(4).fill('unknown'),
        name,
      )
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const claims = { iss: place(''), aud: 'c', sub: 'x', iat: Math.floor(Date.now() / 1000), exp: 9_999_999_999 }
      const id_token = `${part({ alg: 'RS256' })}.${part(claims)}.${'A'.repeat(342)}`
      assert.equal((await validateIdToken(context, party, { id_token, nonce: null })).kind, 'unknown', name)
      await assert.rejects(discoverProvider(context, described), name)
    }
    assert.deepEqual([host.connected, host.asked], [[], []])
  },
)

test('1.3.6 CVE-2026-5469 the end of a session is told to no private address', async (p) => {
  const connected = host.connected.length
  const { tenant_id } = p.server.app.tenant
  for (const [i, name] of Object.keys(INSIDE).entries()) {
    const backchannel_logout_uri = `https://${name}/hook`
    const client = { client_id: `told-${i}`, redirect_uris: [CALLBACK], trusted: true, scope: 'openid' }
    await p.server.addClient({ ...client, backchannel_logout_uri })
    const agent = new UserAgent()
    const asked = { client_id: client.client_id, redirect_uri: CALLBACK, scope: 'openid', resource: undefined }
    const back = await agent.authorize(p.authorizeUrl('web', asked), ALICE)
    assert.ok(back.searchParams.get('code'), String(back))
    await post(agent, `${p.issuer}/logout`, { csrf_token: csrfOf(await open(agent, `${p.issuer}/account`)) })
    assert.equal((await p.server.store.listDueNotices({ tenant_id, most: 9 })).length, 1, name)
    await deliverLogouts(p.server.app.web.inbound)
    assert.equal((await p.server.store.listDueNotices({ tenant_id, most: 9 })).length, 0, 'it was tried')
  }
  assert.deepEqual(host.connected.slice(connected), [])
})

/** A client with a picture, as an administrator describes it. */
const described = (logo_uri: string) =>
  readAdministratedClient(
    { client_name: 'Notes', redirect_uris: [CALLBACK], scope: 'openid', token_endpoint_auth_method: 'none', logo_uri },
    ['authorization_code', 'refresh_token'],
  )

async function addPictured(p: Platform, path: string) {
  const { tenant } = p.server.app
  const metadata = described(path.startsWith('/') ? host.origin + path : path)
  return registerClient(tenant, { metadata, source: 'console', actor: 'test' })
}

/** Serves bytes at a path of the host. */
function serve(path: string, body: Uint8Array, type = 'image/png', status = 200): void {
  host.pages.set(path, (_, response) => void response.writeHead(status, { 'content-type': type }).end(body))
}

const askFor = (p: Platform, client_id: string) =>
  p.authorizeUrl('web', { client_id, redirect_uri: CALLBACK, scope: 'openid', resource: undefined })
const pictureIn = (html: string) => /<img class="mark" src="([^"]+)" alt="">/.exec(html)?.[1]
const fetchLogos = (p: Platform) => fetchClientLogos(p.server.app.web.inbound)
const stateOf = ({ server: { app, store } }: Platform, client_id: string) =>
  store.findClientLogo({ tenant_id: app.tenant.tenant_id, client_id })

test('5.8 the picture of a client is fetched behind the requests, and shown from here alone', async (p) => {
  const png = makePng()
  serve('/logo', png, 'text/html')
  const { client_id } = await addPictured(p, '/logo')
  const agent = await signIn(p)
  const asked = host.asked.length
  const look = async (url = askFor(p, client_id)) => pictureIn((await open(agent, url)).html)
  const login = async () => pictureIn((await open(new UserAgent(), askFor(p, client_id))).html)
  assert.deepEqual(
    [await look(), await login(), host.asked.length],
    [undefined, undefined, asked],
    'nobody waits for it',
  )
  assert.equal(await fetchLogos(p), 1)
  const path = await look()
  assert.match(path ?? '', /^\/hub\/assets\/client-[0-9a-f]{24}\.png$/)
  assert.equal(await login(), path)
  await p.server.saveSettings({ sign_up: 'open' })
  const sign_up = await open(new UserAgent(), `${askFor(p, client_id)}&prompt=create`)
  assert.deepEqual([new URL(sign_up.url).pathname, pictureIn(sign_up.html)], ['/hub/sign_up', path])
  const code = (await agent.authorize(askFor(p, client_id), ALICE)).searchParams.get('code')!
  const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, client_id, code_verifier: VERIFIER }
  assert.equal((await p.post('/token', form, null)).status, 200)
  assert.equal(await look(`${p.issuer}/account`), path)

  const load = (at: string) => fetch(new URL(at, p.issuer))
  const picture = await load(path!)
  assert.equal(picture.status, 200)
  assert.deepEqual(Buffer.from(await picture.arrayBuffer()), png)
  const { headers } = picture
  assert.equal(headers.get('content-type'), 'image/png', 'by its bytes, not as its host called it')
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
  assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'")
  assert.equal(headers.get('cache-control'), 'public, max-age=31536000, immutable')
  for (const other of [
    path!.replace('.png', '.jpeg'),
    path!.replace('client-', 'logo-'),
    `${path}x`,
    '/hub/assets/client-..',
  ]) {
    assert.equal((await load(other)).status, 404, other)
  }

  // Each day it is looked at anew; what is the same is told to nobody, what its host has changed is told.
  assert.equal(await fetchLogos(p), 0)
  p.pass(86_400)
  assert.equal(await fetchLogos(p), 1)
  serve('/logo', makePng({ rgb: [0, 0, 9] }))
  p.pass(86_400)
  assert.equal(await fetchLogos(p), 1)
  const { tenant } = p.server.app
  const { tenant_id } = tenant
  const page = { tenant_id, before_event_id: '~', type: 'client.logo_changed', actor: 'system', most: 9 }
  const told = (await p.server.store.pageEvents(page)).filter((one) => one.client_id === client_id)
  assert.equal(told.length, 2)
  const later = (await open(await signIn(p), `${p.issuer}/account`)).html
  assert.ok(pictureIn(later) && pictureIn(later) !== path)

  // Another address is another picture: until it is fetched none is shown.
  serve('/other', makePng({ rgb: [9, 0, 0] }))
  const metadata = described(`${host.origin}/other`)
  await updateClient(tenant, { client_id, metadata, actor: 'test', changed: ['logo_uri'] })
  const account = async () => pictureIn((await open(agent, `${p.issuer}/account`)).html)
  await signIn(p, ALICE, agent)
  assert.equal(await account(), undefined)
  assert.equal((await load(pictureIn(later)!)).status, 404)
  await fetchLogos(p)
  assert.match((await account()) ?? '', /client-/)
})

test('5.8 15.2.2 CVE-2024-29891 what is no small picture is never shown, whatever its host says, and is tried less and less', async (p) => {
  const text = (body: string) => Buffer.from(body)
  const svg = text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
  const cases: readonly (readonly [failure: string, body: Uint8Array, status?: number])[] = [
    ['drawn', svg],
    ['unknown', text('<html><script>alert(1)</script>')],
    ['unknown', text('GIF89a')],
    ['unknown', text('')],
    ['large', Buffer.concat([makePng(), Buffer.alloc(2 ** 20)])],
    ['wide', makePng({ width: 1025, height: 1 })],
    ['damaged', Buffer.concat([makePng(), svg])],
    ['status 404', makePng(), 404],
    ['status 500', makePng(), 500],
  ]
  for (const [i, [failure, body, status]] of cases.entries()) {
    serve(`/wrong-${i}`, body, 'image/png', status)
    const { client_id } = await addPictured(p, `/wrong-${i}`)
    assert.equal(await fetchLogos(p), 1)
    const state = (await stateOf(p, client_id))!
    assert.deepEqual([state.failure, state.file], [failure, null])
    assert.equal(pictureIn((await open(new UserAgent(), askFor(p, client_id))).html), undefined)
  }
  host.pages.set('/round', (_, response) => void response.writeHead(302, { location: '/round' }).end())
  const round = await addPictured(p, '/round')
  const inside = await addPictured(p, `https://${Object.keys(INSIDE)[0]}/logo`)
  assert.equal(await fetchLogos(p), 2)
  assert.equal((await stateOf(p, round.client_id))!.failure, 'unreachable')
  assert.equal((await stateOf(p, inside.client_id))!.failure, 'blocked')
  assert.deepEqual([0, 1, 2, 20].map(waitForLogo), [60_000, 120_000, 240_000, 86_400_000])
  assert.equal(await fetchLogos(p), 0)
  p.pass(60)
  assert.equal(await fetchLogos(p), 10, 'a bounded number at a time')
  assert.equal(await fetchLogos(p), 1)
  p.pass(86_400)
})

test('5.8 M-07 a picture that was fetched outlives an outage of its host, and that of an unknown client is never fetched', async (p) => {
  const asked = host.asked.length
  serve('/stays', makePng({ rgb: [1, 2, 3] }))
  await p.server.saveSettings({ registration: 'open', metadata_documents: 'any', dynamic_client_scopes: ['openid'] })
  const logo_uri = `${host.origin}/stays`
  const { status, body } = await register(p, {
    client_name: 'Notes',
    redirect_uris: [CALLBACK],
    logo_uri,
    scope: 'openid',
  })
  assert.equal(status, 201)
  const document = host.publish('/app', { logo_uri, scope: 'openid', redirect_uris: [CALLBACK] })
  const agent = await signIn(p)
  for (const client_id of [body.client_id, document]) {
    assert.equal(pictureIn((await open(agent, askFor(p, client_id))).html), undefined)
    await agent.authorize(askFor(p, client_id), ALICE)
  }
  p.pass(86_400)
  while ((await fetchLogos(p)) > 0);
  assert.deepEqual([await stateOf(p, body.client_id), await stateOf(p, document)], [null, null])
  assert.ok(!host.asked.slice(asked).includes('/stays'))

  const { client_id } = await addPictured(p, '/stays')
  await fetchLogos(p)
  const look = async () => pictureIn((await open(new UserAgent(), askFor(p, client_id))).html)
  const shown = await look()
  assert.match(shown ?? '', /client-/)
  serve('/stays', Buffer.from('away'), 'text/html', 503)
  p.pass(86_400)
  while ((await fetchLogos(p)) > 0);
  assert.deepEqual([await look(), (await stateOf(p, client_id))!.failure], [shown, 'status 503'])
})
