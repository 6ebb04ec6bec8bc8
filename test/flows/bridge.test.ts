import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BOB, type Bridge, PLATFORM, startBridge } from '../parts/bridge.ts'
import { DIALECTS } from '../parts/stores.ts'
import { UserAgent } from '../parts/user_agent.ts'

for (const dialect of DIALECTS) {
  describe(`the bridge, on ${dialect}`, () => {
    let bridge: Bridge
    let alice: UserAgent
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub', access_token_seconds: 300 })
      alice = await bridge.signIn()
      await bridge.connect(alice)
    })
    after(() => bridge.stop())

    const proxied = (token: string) => bridge.get('/proxy/acme/me', token)

    /** The consent page of a request. */
    async function consentPage(params: Record<string, string | string[]> = {}): Promise<string> {
      const { response } = await alice.follow(bridge.authorizeUrl({ prompt: 'consent', ...params }))
      assert.equal(response.status, 200)
      return response.text()
    }

    /** Where a request is sent back to, without a page. */
    async function answerTo(params: Record<string, string | string[]>): Promise<URL> {
      const { url } = await alice.follow(bridge.authorizeUrl(params))
      assert.ok(url.startsWith('http://127.0.0.1:3000/callback?'), url)
      return new URL(url)
    }

    test('the consent page names the account, and the client may use what was chosen there', async () => {
      const [mine] = await bridge.connections()
      const page = await consentPage()
      assert.match(page, /alice-at-acme@foreign\.example/)
      assert.match(page, new RegExp(`name="connection.acme" value="${mine!.connection_id}" checked`))
      const { access_token } = await bridge.obtain(alice, { prompt: 'consent' })
      const answer = await proxied(access_token)
      assert.equal(answer.status, 200)
      assert.deepEqual(answer.body, { ok: true })
    })

    test('a client without the connection is told so, with a page on which the user can help', async () => {
      const { access_token } = await bridge.obtain(alice, { prompt: 'consent' }, { 'connection.acme': '' })
      const { status, body, headers } = await proxied(access_token)
      assert.equal(status, 403)
      assert.equal(body.error, 'connection_not_allowed')
      assert.ok(body.connect_url.startsWith(`${bridge.issuer}/connect/acme/allow?request=`))
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.match(headers.get('content-type')!, /^application\/json/)
    })

    test('of two accounts the user picks the one', async () => {
      await bridge.connect(alice, '/connect/acme', 'second-at-acme')
      const [first, second] = await bridge.connections()
      const page = await consentPage()
      assert.match(page, new RegExp(`value="${first!.connection_id}" checked`), 'the one that was allowed before')
      assert.match(page, /second-at-acme@foreign\.example/)
      const choice = { 'connection.acme': second!.connection_id }
      const { access_token } = await bridge.obtain(alice, { prompt: 'consent' }, choice)
      const { tenant } = bridge.server.app
      const grants = await tenant.store.listGrantsOfUser({ tenant_id: tenant.tenant_id, user_id: bridge.users.alice })
      assert.ok(grants.some(({ connections }) => connections?.includes(second!.connection_id)))
      await proxied(access_token)
      await bridge.press(alice, '/account', disconnecting(second!))
      const gone = await proxied(access_token)
      assert.equal(gone.status, 404)
      assert.equal(gone.body.error, 'connection_required')
      assert.ok(gone.body.connect_url.startsWith(`${bridge.issuer}/connect/acme/allow?request=`))
    })

    test('a broken account cannot be chosen, and one that works is proposed', async () => {
      await bridge.foreign.revokeGrants('alice-at-acme')
      bridge.clock.offset += 300_000
      alice = await bridge.signIn()
      const { access_token } = await bridge.obtain(alice, { prompt: 'consent' })
      assert.equal((await proxied(access_token)).body.error, 'connection_needs_reconsent')
      await bridge.connect(alice, '/connect/acme', 'third-at-acme')
      const [broken, works] = await bridge.connections()
      const page = await consentPage()
      assert.match(page, new RegExp(`value="${works!.connection_id}" checked`))
      assert.match(page, new RegExp(`value="${broken!.connection_id}"[^>]* disabled`))
      await bridge.press(alice, '/account', disconnecting(works!))
      await bridge.connect(alice, `/connect/acme?connection_id=${broken!.connection_id}`)
      assert.equal((await proxied(access_token)).status, 200)
    })

    test('somebody else’s connection cannot be chosen', async () => {
      const bob = await bridge.signIn(BOB)
      const [ofAlice] = await bridge.connections('alice')
      const { url, response } = await bob.follow(bridge.authorizeUrl({ prompt: 'consent' }))
      const html = await response.text()
      assert.doesNotMatch(html, /alice/i)
      const chosen = { decision: 'allow', 'connection.acme': ofAlice!.connection_id }
      const done = await bob.submit({ url, html }, chosen, 'decision')
      assert.equal(new URL(done.url).searchParams.get('code'), null)
    })

    test('RFC 9396 the connection may be asked for by authorization_details', async () => {
      const details = JSON.stringify([{ type: 'connection', connector: 'acme' }])
      const params = { prompt: 'consent', resource: bridge.issuer, authorization_details: details }
      const { access_token, refresh_token, authorization_details } = await bridge.obtain(alice, params)
      assert.deepEqual(authorization_details, [{ type: 'connection', connector: 'acme' }])
      assert.equal((await proxied(access_token)).status, 200)
      const refreshed = await bridge.post('/token', { grant_type: 'refresh_token', refresh_token })
      assert.deepEqual(refreshed.body.authorization_details, authorization_details)
      const denied = await bridge.obtain(alice, params, { 'connection.acme': '' })
      assert.deepEqual(denied.authorization_details, [])
      const without = await bridge.obtain(alice, { prompt: 'consent', resource: bridge.issuer })
      assert.equal((await proxied(without.access_token)).body.error, 'connection_not_allowed')
    })

    test('RFC 9396 6 a token may do less than its grant, the next one all of it again, and none of them more', async () => {
      const details = JSON.stringify([{ type: 'connection', connector: 'acme' }])
      const scope = 'offline_access api:read'
      const params = { prompt: 'consent', scope, resource: bridge.issuer, authorization_details: details }
      const { access_token, refresh_token } = await bridge.obtain(alice, params)
      const seen = await bridge.post('/introspect', { token: access_token })
      assert.deepEqual(seen.body.authorization_details, [{ type: 'connection', connector: 'acme' }])
      const refresh = (more: Record<string, string>, token: string) =>
        bridge.post('/token', { grant_type: 'refresh_token', refresh_token: token, ...more })
      const less = await refresh({ authorization_details: '[]' }, refresh_token)
      assert.deepEqual(less.body.authorization_details, [])
      assert.equal((await proxied(less.body.access_token)).body.error, 'connection_not_allowed')
      assert.deepEqual(
        (await bridge.post('/introspect', { token: less.body.access_token })).body.authorization_details,
        [],
      )
      const exchanged = await bridge.post('/token', {
        ...{ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: less.body.access_token },
        ...{ subject_token_type: 'urn:ietf:params:oauth:token-type:access_token', resource: bridge.issuer },
      })
      assert.equal(exchanged.status, 200, exchanged.text)
      assert.equal(
        (await proxied(exchanged.body.access_token)).body.error,
        'connection_not_allowed',
        'by exchange neither',
      )
      const more = JSON.stringify([{ type: 'connection', connector: 'other' }])
      const refused = await refresh({ authorization_details: more }, less.body.refresh_token)
      assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_authorization_details'])
      const again = await refresh({}, less.body.refresh_token)
      assert.equal((await proxied(again.body.access_token)).status, 200)
    })

    test('RFC 9396 5 details that are not ours to give are invalid_authorization_details, before anybody signs in', async () => {
      const nobody = new UserAgent()
      for (const [details, word] of [
        ['{', 'JSON'],
        ['{}', 'array'],
        ['"connection"', 'array'],
        ['null', 'array'],
        ['[1]', 'type'],
        ['[null]', 'type'],
        ['[{}]', 'type'],
        ['[{"type":"payment"}]', 'type'],
        ['[{"type":["connection"],"connector":"acme"}]', 'type'],
        ['[{"type":"connection"}]', 'connector'],
        ['[{"type":"connection","connector":1}]', 'connector'],
        ['[{"type":"connection","connector":""}]', 'connector'],
        ['[{"type":"connection","connector":"nobody"}]', 'connector'],
        ['[{"type":"connection","connector":"../acme"}]', 'connector'],
        ['[{"type":"connection","connector":"acme","account":"x"}]', 'account'],
        ['[{"type":"connection","connector":"acme","__proto__":{}}]', '__proto__'],
        [`[${'{"type":"connection","connector":"acme"},'.repeat(20)}{"type":"connection","connector":"acme"}]`, 'many'],
      ] as const) {
        const url = bridge.authorizeUrl({ resource: bridge.issuer, authorization_details: details })
        for (const person of [nobody, alice]) {
          const back = new URL((await person.follow(url)).url)
          assert.equal(back.searchParams.get('error'), 'invalid_authorization_details', `${details} ${back.href}`)
          const words = back.searchParams.get('error_description')!
          assert.match(words, /authorization_details/)
          assert.ok(words.includes(word), `${details}: ${words}`)
          assert.equal(back.searchParams.get('iss'), bridge.issuer)
          assert.equal(back.searchParams.get('state'), 's')
        }
      }
    })

    test('RFC 8707 2 the proxy of a connector that is not there is invalid_target', async () => {
      const nobody = new UserAgent()
      for (const resource of ['nobody', 'acme/x', 'ACME', '']) {
        const url = bridge.authorizeUrl({ resource: `${bridge.issuer}/proxy/${resource}` })
        const back = new URL((await nobody.follow(url)).url)
        assert.equal(back.searchParams.get('error'), 'invalid_target', resource)
      }
    })

    test('what was allowed once is allowed again without a page, with the same connection', async () => {
      await bridge.obtain(alice, { prompt: 'consent' })
      const back = await answerTo({ prompt: 'none' })
      assert.ok(back.searchParams.get('code'))
      assert.equal(
        (await answerTo({ prompt: 'none', client_id: 'other' })).searchParams.get('error'),
        'consent_required',
      )
    })

    test('I9 a token of another client or user reaches only what was allowed to it', async () => {
      const [mine] = await bridge.connections()
      const bob = await bridge.signIn(BOB)
      const ofBob = await bob.authorize(bridge.authorizeUrl(), BOB)
      const code = ofBob.searchParams.get('code')!
      const form = { grant_type: 'authorization_code', code, redirect_uri: 'http://127.0.0.1:3000/callback' }
      const tokens = await bridge.post('/token', { ...form, code_verifier: 'v'.repeat(43) })
      assert.equal((await proxied(tokens.body.access_token)).body.error, 'connection_not_allowed')
      const other = await bridge.obtain(alice, { client_id: 'other' }, { 'connection.acme': '' })
      assert.equal((await proxied(other.access_token)).body.error, 'connection_not_allowed')
      assert.equal((await bridge.connections())[0]!.connection_id, mine!.connection_id)
    })

    test('9.2.3 a token for another resource, none, or a broken one is refused with a challenge', async () => {
      const notes = await bridge.obtain(alice, {
        scope: 'openid api:read',
        resource: `${bridge.issuer}/notes`,
        prompt: 'consent',
      })
      for (const token of [notes.access_token, notes.id_token, 'x', `${notes.access_token}x`]) {
        const { status, body, headers } = await proxied(token)
        assert.equal(status, 401)
        assert.equal(body.error, 'invalid_token')
        assert.match(headers.get('www-authenticate')!, /^Bearer realm=/)
      }
      const without = await bridge.get('/proxy/acme/me')
      assert.equal(without.status, 401)
      assert.match(without.headers.get('www-authenticate')!, /^Bearer realm="[^"]+", DPoP realm=/)
    })

    for (const [what, end] of [
      ['the grant', (b: Bridge, person: UserAgent) => b.press(person, '/account', '/account/apps/revoke')],
      [
        'the connection',
        (b: Bridge, person: UserAgent) => b.press(person, '/account', '/account/connections/disconnect'),
      ],
      ['the user', (b: Bridge) => b.setDisabled('user', true)],
      ['the client', (b: Bridge) => b.setDisabled('client', true)],
      ['the connector', (b: Bridge) => b.setDisabled('connector', true)],
      ['the tenant', (b: Bridge) => b.setDisabled('tenant', true)],
    ] as const) {
      test(`ending ${what} ends the bridge at once, in both directions`, async () => {
        if ((await bridge.connections()).length === 0) await bridge.connect(alice)
        const tokens = await bridge.obtain(alice, { prompt: 'consent' })
        const handed = () => exchange(bridge, tokens.access_token)
        assert.equal((await proxied(tokens.access_token)).status, 200)
        assert.equal((await handed()).status, 200)
        await end(bridge, alice)
        const seen = bridge.api.received.length
        const after = await proxied(tokens.access_token)
        assert.ok([401, 403, 404].includes(after.status), `${after.status} ${after.text}`)
        assert.ok([400, 401, 503].includes((await handed()).status))
        assert.equal(bridge.api.received.length, seen, 'nothing reached the API')
        for (const part of ['user', 'client', 'connector', 'tenant'] as const) await bridge.setDisabled(part, false)
        const revived = await proxied(tokens.access_token)
        if (what === 'the connector') assert.equal(revived.status, 200)
        else assert.notEqual(revived.status, 200, 'what was ended stays ended')
        alice = await bridge.signIn()
      })
    }

    describe('RFC 8693 token exchange', () => {
      let token: string
      before(async () => {
        if ((await bridge.connections()).length === 0) await bridge.connect(alice)
        token = (await bridge.obtain(alice, { prompt: 'consent' })).access_token
      })

      test('hands out the provider’s access token, and nothing else of it', async () => {
        const { status, body, headers } = await exchange(bridge, token)
        assert.equal(status, 200, JSON.stringify(body))
        assert.equal(headers.get('cache-control'), 'no-store')
        const { access_token, expires_in, issued_at, ...rest } = body
        assert.ok(Math.abs(issued_at * 1000 - Date.now() - bridge.clock.offset) < 60_000)
        assert.deepEqual(rest, {
          token_type: 'Bearer',
          scope: 'openid email offline_access',
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        })
        assert.ok(expires_in > 0 && expires_in <= 300)
        const me = await fetch(`${bridge.foreign.issuer}/me`, { headers: { authorization: `Bearer ${access_token}` } })
        assert.equal(me.status, 200)
      })

      test('every other wish is refused by name', async () => {
        const jwt = 'urn:ietf:params:oauth:token-type:jwt'
        const other = await bridge.obtain(alice, { client_id: 'other', prompt: 'consent' })
        const refresh = (await bridge.obtain(alice, { prompt: 'consent' })).refresh_token
        const none = await bridge.obtain(alice, { prompt: 'consent' }, { 'connection.acme': '' })
        for (const [change, error, word] of [
          [{ subject_token: '' }, 'invalid_request', 'subject_token'],
          [{ subject_token: 'x' }, 'invalid_request', 'subject token'],
          [{ subject_token: refresh }, 'invalid_request', 'subject token'],
          [{ subject_token: other.access_token }, 'invalid_request', 'subject token'],
          [{ subject_token_type: '' }, 'invalid_request', 'subject_token_type'],
          [{ subject_token_type: jwt }, 'invalid_request', 'subject_token_type'],
          [{ actor_token: token }, 'invalid_request', 'actor_token'],
          [{ requested_token_type: jwt }, 'invalid_request', 'requested_token_type'],
          [{ audience: '' }, 'invalid_target', 'resource'],
          [{ audience: 'acme' }, 'invalid_target', 'acme'],
          [{ audience: 'connector:' }, 'invalid_target', 'audience'],
          [{ audience: 'connector:nobody' }, 'invalid_target', 'nobody'],
          [{ resource: `${bridge.issuer}/proxy/acme` }, 'invalid_target', 'audience'],
          [{ subject_token: none.access_token }, 'invalid_target', 'acme'],
        ] as [Record<string, string>, string, string][]) {
          const { status, body } = await exchange(bridge, token, change)
          assert.equal(status, 400, JSON.stringify(change))
          assert.equal(body.error, error, `${JSON.stringify(change)} ${JSON.stringify(body)}`)
          assert.ok(body.error_description.includes(word), body.error_description)
        }
        const two = await exchange(bridge, token, {}, [['audience', 'connector:other']])
        assert.equal(two.body.error, 'invalid_target')
        const foreignClient = await exchange(bridge, token, {}, [], 'other')
        assert.deepEqual(
          [foreignClient.body.error, foreignClient.body.reason],
          ['invalid_request', 'subject_token_refused'],
        )
      })

      test('a token that the API has refused is renewed, by one call of the provider however many say so', async () => {
        const first = await exchange(bridge, token)
        const failed_token: string = first.body.access_token
        const calls = bridge.foreign.ledger.length
        const same = await exchange(bridge, token, { failed_token: `${failed_token}x` })
        assert.equal(same.body.access_token, failed_token, 'another one than we have did not fail here')
        const many = await Promise.all(Array.from({ length: 8 }, () => exchange(bridge, token, { failed_token })))
        const [renewed, ...others] = new Set(many.map(({ body }) => body.access_token))
        assert.deepEqual(others, [])
        assert.notEqual(renewed, failed_token)
        assert.equal(bridge.foreign.ledger.length, calls + 1)
      })

      test('min_seconds is how much life is left, in whole seconds up to 3600', async () => {
        const { body } = await exchange(bridge, token, { min_seconds: '120' })
        assert.ok(body.expires_in >= 120)
        for (const min_seconds of ['x', '-1', '1.5', '3601']) {
          const { status, body } = await exchange(bridge, token, { min_seconds })
          assert.deepEqual([status, body.error], [400, 'invalid_request'])
          assert.match(body.error_description, /min_seconds/)
        }
      })

      test('a client that may use none is told where the user can help, and of no connector that is not there', async () => {
        const none = await bridge.obtain(alice, { prompt: 'consent' }, { 'connection.acme': '' })
        const { body } = await exchange(bridge, none.access_token)
        assert.equal(body.error, 'invalid_target')
        assert.equal(body.reason, 'connection_not_allowed')
        assert.ok(body.connect_url.startsWith(`${bridge.issuer}/connect/acme/allow?request=`))
        const nobody = await exchange(bridge, none.access_token, { audience: 'connector:nobody' })
        assert.deepEqual([nobody.body.error, nobody.body.connect_url], ['invalid_target', undefined])
      })

      test('a broken connection says what must happen', async () => {
        await bridge.foreign.revokeGrants()
        bridge.clock.offset += 300_000
        alice = await bridge.signIn()
        const fresh = await bridge.obtain(alice, { prompt: 'consent' })
        const { status, body } = await exchange(bridge, fresh.access_token)
        assert.equal(status, 400)
        assert.equal(body.error, 'invalid_target')
        assert.equal(body.reason, 'connection_needs_reconsent')
        const [broken] = await bridge.connections()
        assert.equal(body.connect_url, `${bridge.issuer}/connect/acme?connection_id=${broken!.connection_id}`)
        const back = await bridge.connect(alice, body.connect_url)
        assert.equal(back.url, `${bridge.issuer}/account`, await back.response.text())
        const repaired = await exchange(bridge, fresh.access_token)
        assert.equal(repaired.status, 200, repaired.text)
      })
    })
  })
}

test('a connector that keeps its tokens gives none by token exchange nor by the API, and goes through the proxy', async () => {
  const bridge = await startBridge({ connector: { hand_out_tokens: false } })
  try {
    const alice = await bridge.signIn()
    await bridge.connect(alice)
    const { access_token } = await bridge.obtain(alice)
    const { status, body } = await exchange(bridge, access_token)
    assert.equal(status, 400)
    assert.equal(body.error, 'invalid_target')
    assert.equal(body.reason, 'token_not_handed_out')
    assert.equal((await bridge.get('/proxy/acme/me', access_token)).status, 200)

    const client = { ...PLATFORM, client_name: 'Platform', scope: 'vault:token' }
    await bridge.server.addClient({ ...client, grant_types: ['client_credentials'] })
    const form = { grant_type: 'client_credentials', scope: 'vault:token', resource: `${bridge.issuer}/api` }
    const { access_token: vault_token } = (await bridge.post('/token', form, PLATFORM.client_id)).body
    const calls = bridge.foreign.ledger.length
    const [{ connection_id } = { connection_id: '' }] = await bridge.connections()
    for (const [method, path] of [
      ['GET', 'token'],
      ['POST', 'refresh'],
    ] as const) {
      const refused = await bridge.get(`/api/connections/${connection_id}/${path}`, vault_token, { method })
      assert.deepEqual([refused.status, refused.body.error], [403, 'token_not_handed_out'], path)
      assert.equal(refused.body.access_token, undefined)
    }
    assert.equal(bridge.foreign.ledger.length, calls, 'nor is any renewed for it')
  } finally {
    await bridge.stop()
  }
})

/** How the form begins that ends a connection. */
function disconnecting({ connection_id }: { connection_id: string }): string {
  return `/account/connections/disconnect"><input type="hidden" name="connection_id" value="${connection_id}">`
}

function exchange(
  bridge: Bridge,
  subject_token: string,
  change: Record<string, string> = {},
  more: [string, string][] = [],
  client = 'web',
) {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    ...{ subject_token, audience: 'connector:acme', ...change },
  }
  return bridge.post('/token', [...Object.entries(form), ...more], client)
}
