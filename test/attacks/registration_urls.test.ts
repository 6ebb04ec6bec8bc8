import assert from 'node:assert/strict'
import { after } from 'node:test'
import { type DocumentHost, startDocumentHost } from '../parts/document_host.ts'
import { onBothDatabases, type Platform } from '../parts/platform.ts'

// Every name that a stranger could think of leads to somewhere that must not be called.
const host: DocumentHost = await startDocumentHost({
  ...{ 'internal.example': '10.0.0.7', 'metadata.example': '169.254.169.254', 'rebound.example': '127.0.0.1' },
  ...{ '127.0.0.1.nip.example': '127.0.0.1', 'six.example': 'fd00::1', 'mapped.example': '::ffff:10.0.0.1' },
})
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

test('10.4.7 M-01 CVE-2020-26938 Tenable-114920 CVE-2026-22752 no URL member takes a script, an internal address or a user name', async (p) => {
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

test('10.4.7 M-01 CVE-2026-28512 no redirect URI takes a script, a wildcard, a fragment, an internal address or a user name', async (p) => {
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
  for (const name of [
    'internal.example',
    'metadata.example',
    'rebound.example',
    '127.0.0.1.nip.example',
    'six.example',
    'mapped.example',
  ]) {
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
