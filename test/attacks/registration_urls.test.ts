import assert from 'node:assert/strict'
import { after, test as testAlone } from 'node:test'
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
import { ALICE, onBothDatabases, type Platform } from '../parts/platform.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
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
