import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { askAuthorization } from '../parts/ask_authorization.ts'
import {
  ALICE,
  CALLBACK,
  CLIENTS,
  challengeOf,
  JWT_API,
  type Platform,
  SPA_CALLBACK,
  startPlatform,
  VERIFIER,
} from '../parts/platform.ts'
import { mutateRedirectUri } from '../parts/redirect_uri_mutations.ts'
import { countRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
before(async () => {
  p = await startPlatform()
})
after(() => p.stop())
const { assertPage, assertRefused, signedIn } = askAuthorization(() => p)

test('10.4.1 B-01 V-02 CVE-2019-3778 CVE-2019-11269 of hundreds of look-alikes of a redirect URI none is answered, signed in or not', async () => {
  const agent = await signedIn(ALICE, 'spa')
  const rows = await countRows(p.server.store)
  let count = 0
  for (const [client, registered] of [
    ['trusted', 'https://trusted.example/cb'],
    ['spa', SPA_CALLBACK],
    ['web', CALLBACK],
  ] as const) {
    for (const redirect_uri of mutateRedirectUri(registered)) {
      // Empty means absent, and then openid needs it all the same.
      const html = await assertPage(await agent.request(p.authorizeUrl(client, { redirect_uri })), redirect_uri)
      assert.doesNotMatch(html, /href="[^"]*evil|action="[^"]*evil/, redirect_uri)
      count++
    }
  }
  assert.ok(count >= 400, `${count} mutants`)
  for (const redirect_uri of mutateRedirectUri(SPA_CALLBACK).slice(0, 40)) {
    await assertPage(await new UserAgent().request(p.authorizeUrl('spa', { redirect_uri })), redirect_uri)
  }
  assert.deepEqual(await countRows(p.server.store), rows)
})

test('N-01 N-08 V-15 CVE-2024-8883 a native client may choose the port of its loopback address and nothing else', async () => {
  const agent = await signedIn()
  for (const redirect_uri of [
    'http://127.0.0.1/native',
    'http://127.0.0.1:49152/native',
    'com.example.app:/callback',
  ]) {
    const response = await agent.request(p.authorizeUrl('native', { redirect_uri }))
    assert.equal(response.status, 200, redirect_uri)
    assert.match(await response.text(), /name="decision"/)
  }
  for (const redirect_uri of [
    'http://127.0.0.1:49152/native/',
    'http://127.0.0.1:49152/native?x',
    'http://127.0.0.1:99999/native',
    'http://localhost:49152/native',
    'http://[::1]:49152/native',
    'https://127.0.0.1:49152/native',
    'http://127.0.0.1:80@evil.example/native',
    'com.example.app://callback',
    'com.example.app:/callback/x',
    'com.example.appp:/callback',
  ]) {
    await assertPage(await agent.request(p.authorizeUrl('native', { redirect_uri })), redirect_uri)
  }
})

test('RFC 6749 4.1.2.1 who asks and where to is settled on a page, everything else at the client', async () => {
  for (const name of ['client_id', 'redirect_uri'] as const) {
    const missing = await assertPage(await new UserAgent().request(p.authorizeUrl('web', { [name]: undefined })), name)
    assert.match(missing, new RegExp(name))
    const empty = await assertPage(await new UserAgent().request(p.authorizeUrl('web', { [name]: '' })), name)
    assert.match(empty, new RegExp(name))
    const again = `&${name}=${encodeURIComponent(name === 'client_id' ? 'web' : CALLBACK)}`
    for (const more of [again, `&${name}=evil`, `&${name}=%ff`, `&${name}=a%00`, `&${name}=${'x'.repeat(3000)}`]) {
      await assertPage(await new UserAgent().request(p.authorizeUrl('web') + more), more)
    }
  }
  for (const client_id of ['nobody', 'WEB', 'web ', 'web%00', "web' or '1'='1", '__proto__', 'constructor']) {
    await assertPage(await new UserAgent().request(p.authorizeUrl('web', { client_id })), client_id)
  }
})

test('V-08 RFC 6749 3.1 a repeated or broken parameter is invalid_request at the client, by name', async () => {
  const names = ['response_type', 'scope', 'nonce', 'code_challenge', 'code_challenge_method', 'prompt', 'max_age']
  const more = ['response_mode', 'login_hint', 'id_token_hint', 'ui_locales', 'acr_values', 'claims', 'unknown']
  for (const name of [...names, ...more]) {
    for (const [first, second] of [
      ['a', 'a'],
      ['a', 'b'],
      ['%ff', ''],
      ['a%00b', ''],
      ['%', ''],
    ]) {
      const url = new URL(p.authorizeUrl('web', { [name]: undefined }))
      const pairs = [first, second].filter((value) => value !== '').map((value) => `&${name}=${value}`)
      const response = await new UserAgent().request(url.href + pairs.join(''))
      const back = assertRefused(response, 'invalid_request', pairs.join(''))
      assert.match(back.searchParams.get('error_description')!, new RegExp(`\\b${name}\\b`))
      assert.equal(back.searchParams.get('state'), 'xyz')
    }
  }
  const back = assertRefused(
    await new UserAgent().request(`${p.authorizeUrl('web')}&state=abc`),
    'invalid_request',
    'state',
  )
  assert.equal(back.searchParams.get('state'), null, 'of two states none is echoed')
})

test('B-06 RFC 6749 4.1.2.1 each refusal comes back with its code, state and iss', async () => {
  const cases: [Record<string, string | undefined>, string][] = [
    [{ response_type: undefined }, 'invalid_request'],
    [{ response_type: '' }, 'invalid_request'],
    [{ scope: 'openid nothing:such' }, 'invalid_scope'],
    [{ scope: 'admin:write' }, 'invalid_scope'],
    [{ scope: 'openid vault:open' }, 'invalid_scope'],
    [{ scope: 'op"enid' }, 'invalid_scope'],
    [{ scope: undefined }, 'invalid_scope'],
    [{ scope: Array.from({ length: 101 }, (_, i) => `s${i}`).join(' ') }, 'invalid_scope'],
    [{ resource: 'http://evil.example/' }, 'invalid_target'],
    [{ resource: `${JWT_API}/` }, 'invalid_target'],
    [{ resource: `${JWT_API}#x` }, 'invalid_target'],
    [{ resource: 'mcp' }, 'invalid_target'],
    [{ resource: `${p.issuer}/proxy/none`, scope: 'openid' }, 'invalid_target'],
    [{ prompt: 'none' }, 'login_required'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ prompt: 'create' }, 'invalid_request'],
    [{ prompt: 'NONE' }, 'invalid_request'],
    [{ max_age: '-1' }, 'invalid_request'],
    [{ max_age: '1.5' }, 'invalid_request'],
    [{ max_age: '9'.repeat(20) }, 'invalid_request'],
    [{ nonce: 'n'.repeat(256) }, 'invalid_request'],
    [{ claims: 'not json' }, 'invalid_request'],
    [{ claims: '[]' }, 'invalid_request'],
    [{ request: 'eyJ' }, 'request_not_supported'],
    [{ request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
    [{ registration: '{}' }, 'registration_not_supported'],
    [{ client_secret: 'secret-of-web' }, 'invalid_request'],
    [{ client_assertion: 'x' }, 'invalid_request'],
    [{ authorization_details: '[{"type":"payment"}]' }, 'invalid_authorization_details'],
  ]
  const agent = await signedIn()
  for (const [params, error] of cases) {
    const what = JSON.stringify(params)
    const back = assertRefused(
      await (error === 'login_required' ? new UserAgent() : agent).request(p.authorizeUrl('web', params)),
      error,
      what,
    )
    assert.equal(back.searchParams.get('state'), 'xyz', what)
    assert.doesNotMatch(back.href, /secret-of/, what)
  }
})

test('10.4.6 B-10 N-07 CVE-2017-18924 CVE-2024-23647 CVE-2024-22258 CVE-2025-4144 no way around S256 for any client', async () => {
  const agent = await signedIn(ALICE, 'web', 'post', 'spa')
  const good = challengeOf(VERIFIER)
  const combinations: Record<string, string | undefined>[] = [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge: '', code_challenge_method: '' },
    { code_challenge: undefined },
    { code_challenge: '' },
    { code_challenge_method: undefined },
    { code_challenge_method: '' },
    { code_challenge_method: 'plain' },
    { code_challenge_method: 's256' },
    { code_challenge_method: 'S512' },
    { code_challenge: VERIFIER, code_challenge_method: 'plain' },
    { code_challenge: good.slice(0, -1) },
    { code_challenge: `${good}=` },
    { code_challenge: `${good}A` },
    { code_challenge: good.replace(/^./, '+') },
    { code_challenge: good.replace(/^./, '/') },
    { code_challenge: good.replace(/^./, ' ') },
  ]
  for (const client of ['web', 'post', 'spa', 'trusted'] as const) {
    for (const params of combinations) {
      const response = await agent.request(p.authorizeUrl(client, params))
      const back = assertRefused(
        response,
        'invalid_request',
        JSON.stringify([client, params]),
        CLIENTS[client].redirect_uri,
      )
      assert.match(back.searchParams.get('error_description')!, /code_challenge/)
    }
  }
  const exempt = await agent.request(
    p.authorizeUrl('exempt', { code_challenge: VERIFIER, code_challenge_method: 'plain' }),
  )
  assertRefused(exempt, 'invalid_request', 'a client that need not use PKCE may still not weaken it')
})

test('B-15 P-07 a client that a stranger registered cannot make us redirect before the user has answered', async () => {
  await p.server.saveSettings({ service_registration: 'open' })
  const registered = await fetch(`${p.issuer}/api/rest/services?fields=id,secret`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Evil', homeUrl: 'https://evil.example', redirectUris: ['https://evil.example/cb'] }),
  })
  const { id } = await registered.json()
  const ask = (params: Record<string, string | undefined>) =>
    p.authorizeUrl('web', {
      client_id: id,
      redirect_uri: 'https://evil.example/cb',
      resource: undefined,
      scope: id,
      ...params,
    })
  const agent = await signedIn()
  const broken = [
    { scope: 'no:such' },
    { response_type: 'x' },
    { code_challenge: undefined },
    { resource: 'urn:x' },
    { max_age: 'x' },
  ]
  for (const params of broken) {
    for (const browser of [new UserAgent(), agent])
      await assertPage(await browser.request(ask(params)), JSON.stringify(params))
  }
  await assertPage(await new UserAgent().request(ask({ prompt: 'none' })), 'prompt=none')
  const back = await agent.authorize(ask({}), ALICE, 'deny')
  assert.equal(back.origin, 'https://evil.example')
  assert.equal(back.searchParams.get('error'), 'access_denied')
  await p.server.saveSettings({})
})

test('a disabled client gets a page, and its users are not asked to sign in', async () => {
  await p.setDisabled(true, { client_id: 'other' })
  await assertPage(await new UserAgent().request(p.authorizeUrl('other')), 'disabled')
  await p.setDisabled(false, { client_id: 'other' })
})
