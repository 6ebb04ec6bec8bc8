import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Bridge, PLATFORM, startBridge } from '../parts/bridge.ts'
import { DIALECTS } from '../parts/stores.ts'
import type { UserAgent } from '../parts/user_agent.ts'

const SCOPES = ['admin:read', 'admin:write', 'vault:token'] as const
// A refresh that was forced is not forced again for so long, whoever asks.
const FORCED_AGAIN_MS = 30_000

for (const dialect of DIALECTS) {
  describe(`connections by API, on ${dialect}`, () => {
    let bridge: Bridge
    let alice: UserAgent
    let connection_id: string
    const tokens = new Map<string, string>()
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub', access_token_seconds: 300 })
      await bridge.server.addClient({
        ...{ ...PLATFORM, client_name: 'Platform', scope: SCOPES.join(' ') },
        grant_types: ['client_credentials'],
      })
      for (const scope of [...SCOPES, SCOPES.join(' ')]) tokens.set(scope, await adminToken(scope))
      alice = await bridge.signIn()
      await bridge.connect(alice)
      connection_id = (await bridge.connections())[0]!.connection_id
    })
    after(() => bridge.stop())

    async function adminToken(scope: string): Promise<string> {
      const resource = `${bridge.issuer}/api`
      const { body, text } = await bridge.post(
        '/token',
        { grant_type: 'client_credentials', scope, resource },
        PLATFORM.client_id,
      )
      assert.ok(body.access_token, text)
      return body.access_token
    }

    const call = (method: string, path: string, token: string | undefined = tokens.get(SCOPES.join(' '))) =>
      bridge.get(`/api/connections${path}`, token, { method })

    test('a connection is listed with its state, and nothing secret', async () => {
      const { status, body, headers, text } = await call('GET', '')
      assert.equal(status, 200)
      assert.equal(headers.get('cache-control'), 'no-store')
      const [shown] = body.items
      const { created_at, expires_at, refreshed_at, ...rest } = shown
      assert.ok(created_at > 0 && refreshed_at > 0 && expires_at > created_at)
      assert.deepEqual(rest, {
        ...{ connection_id, connector: 'acme', provider: 'oidc', user_id: bridge.users.alice, username: 'alice' },
        ...{ client_id: null, end_user_id: null },
        ...{ account: 'alice-at-acme', account_name: 'alice-at-acme@foreign.example' },
        ...{
          scope: 'openid email offline_access',
          state: 'ready',
          reason: null,
          last_used_at: null,
          ends_at: null,
          last_error: null,
          revocation_ends: 'unknown',
        },
      })
      assert.doesNotMatch(text, /token|secret|sealed|data_key/)
      assert.deepEqual((await call('GET', `/${connection_id}`)).body, shown)
      assert.equal((await call('GET', '?connector=acme')).body.items.length, 1)
      assert.equal((await call('GET', '?connector=nobody')).body.items.length, 0)
      assert.equal((await call('GET', `?cursor=${connection_id}`)).body.items.length, 0)
    })

    test('a usable token is handed out, never the refresh token', async () => {
      const { status, body } = await call('GET', `/${connection_id}/token`)
      assert.equal(status, 200)
      const { access_token, issued_at, expires_in, ...rest } = body
      assert.deepEqual(rest, { token_type: 'Bearer', scope: 'openid email offline_access', connection_id })
      assert.ok(issued_at > 1_600_000_000 && issued_at < 10_000_000_000 && expires_in > 30 && expires_in <= 300)
      const me = await fetch(`${bridge.foreign.issuer}/me`, { headers: { authorization: `Bearer ${access_token}` } })
      assert.equal(me.status, 200)
      assert.equal((await call('GET', `/${connection_id}/token?min_seconds=0`)).body.access_token, access_token)
    })

    test('a refresh brings another token, by one call of the provider', async () => {
      const before = await call('GET', `/${connection_id}/token`)
      const calls = bridge.foreign.ledger.length
      const { status, body } = await call('POST', `/${connection_id}/refresh`)
      assert.equal(status, 200)
      assert.notEqual(body.access_token, before.body.access_token)
      assert.equal(bridge.foreign.ledger.length, calls + 1)
      assert.equal((await call('GET', `/${connection_id}/token`)).body.access_token, body.access_token)
    })

    test('a refresh of a token that is over is one call of the provider as well', async () => {
      bridge.clock.offset += 301_000
      const calls = bridge.foreign.ledger.length
      assert.equal((await call('POST', `/${connection_id}/refresh`)).status, 200)
      assert.equal(bridge.foreign.ledger.length, calls + 1)
    })

    test('min_seconds is a number of seconds or refused by name', async () => {
      for (const value of ['x', '-1', '1.5', '3601', '1e3', '99999', '%00', '1&min_seconds=2']) {
        const { status, body } = await call('GET', `/${connection_id}/token?min_seconds=${value}`)
        assert.equal(status, 400, value)
        assert.equal(body.error, 'invalid_request')
        assert.match(body.error_description, /min_seconds/)
      }
    })

    test('10.3.2 O-07 CVE-2026-63203 each route takes the one scope that is its own', async () => {
      const routes = [
        ['GET', '', 'admin:read', 200],
        ['GET', `/${connection_id}/token`, 'vault:token', 200],
        ['POST', `/${connection_id}/refresh`, 'vault:token', 200],
        // Ends what the other rows need, so it is of a connection that is not there.
        ['POST', '/nobody/disconnect', 'admin:write', 404],
      ] as const
      for (const [method, path, own, status] of routes) {
        for (const scope of SCOPES) {
          const answer = await call(method, path, tokens.get(scope))
          assert.equal(answer.status, scope === own ? status : 403, `${method} ${path} ${scope}`)
          if (scope === own) continue
          assert.equal(answer.body.error, 'insufficient_scope')
          assert.match(
            answer.headers.get('www-authenticate')!,
            new RegExp(`error="insufficient_scope".*scope="${own}"`),
          )
        }
      }
    })

    test('10.3.1 9.2.3 a token for anything else, and no token, are refused with a challenge', async () => {
      const issuer = await bridge.obtain(alice, { scope: 'openid api:read', resource: bridge.issuer })
      const notes = await bridge.obtain(alice, { scope: 'openid api:read', resource: `${bridge.issuer}/notes` })
      const proxied = await bridge.obtain(alice)
      for (const token of [issuer.access_token, notes.access_token, proxied.access_token, proxied.id_token, 'x']) {
        for (const [method, path] of [
          ['GET', ''],
          ['GET', `/${connection_id}/token`],
          ['POST', `/${connection_id}/refresh`],
          ['POST', `/${connection_id}/disconnect`],
        ] as const) {
          const { status, body, headers } = await call(method, path, token)
          assert.equal(status, 401)
          assert.equal(body.error, 'invalid_token')
          assert.match(headers.get('www-authenticate')!, /^Bearer realm=/)
        }
      }
      assert.equal((await bridge.get('/api/connections')).status, 401)
      const cookie = [...alice.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      assert.equal((await bridge.get('/api/connections', undefined, { headers: { cookie } })).status, 401)
    })

    test('4.1.4 what is not there is 404, another method 405, both as JSON', async () => {
      for (const [method, path, status] of [
        ['GET', '/nobody/token', 404],
        ['GET', '/%00/token', 404],
        ['POST', '/nobody/refresh', 404],
        ['GET', '/nobody', 404],
        ['POST', '', 405],
        ['DELETE', `/${connection_id}/token`, 405],
        ['GET', `/${connection_id}/refresh`, 405],
        ['GET', `/${connection_id}/disconnect`, 405],
      ] as const) {
        const answer = await call(method, path)
        assert.equal(answer.status, status, `${method} ${path}`)
        assert.match(answer.headers.get('content-type')!, /^application\/problem\+json/)
        assert.equal(typeof answer.body.error, 'string')
        assert.equal(typeof answer.body.error_description, 'string')
        assert.equal(answer.headers.has('allow'), status === 405)
        assert.ok(answer.headers.get('x-request-id'))
      }
    })

    test('a broken connection says needs_reconsent with a link that repairs it under the same id', async () => {
      bridge.clock.offset += FORCED_AGAIN_MS
      await bridge.foreign.revokeGrants()
      const { status, body } = await call('POST', `/${connection_id}/refresh`)
      assert.equal(status, 403)
      assert.equal(body.error, 'connection_needs_reconsent')
      assert.equal(body.connect_url, `${bridge.issuer}/connect/acme?connection_id=${connection_id}`)
      const listed = await call('GET', '')
      assert.equal(listed.body.items[0].state, 'needs_reconsent')
      assert.equal(listed.body.items[0].reason, 'revoked')
      assert.equal((await bridge.connect(alice, body.connect_url)).url, `${bridge.issuer}/account`)
      assert.equal((await call('GET', `/${connection_id}/token`)).status, 200)
    })

    test('16.5.2 a provider that is away is 503 with Retry-After, and the token that lives is still given', async () => {
      bridge.clock.offset += FORCED_AGAIN_MS
      const before = await call('GET', `/${connection_id}/token`)
      bridge.foreign.faults.push({ when: 'before', do: 'status', status: 503 })
      const { status, body, headers } = await call('POST', `/${connection_id}/refresh`)
      assert.equal(status, 503)
      assert.equal(body.error, 'connection_unavailable')
      assert.ok(Number(headers.get('retry-after')) >= 1)
      assert.equal((await call('GET', `/${connection_id}/token`)).body.access_token, before.body.access_token)
    })

    test('8.3.2 of a disabled user, connector or tenant no token is given', async () => {
      for (const part of ['user', 'connector', 'tenant'] as const) {
        await bridge.setDisabled(part, true)
        const { status, body } = await call('GET', `/${connection_id}/token`)
        assert.ok(status === 403 || status === 401, `${part} ${status}`)
        assert.equal(body.access_token, undefined)
        await bridge.setDisabled(part, false)
      }
      for (const scope of [...SCOPES, SCOPES.join(' ')]) tokens.set(scope, await adminToken(scope))
      assert.equal((await call('GET', `/${connection_id}/token`)).status, 200)
    })

    test('a connection that is ended by API gives nothing any more, and its end is told', async () => {
      const ended = await call('POST', `/${connection_id}/disconnect`)
      assert.equal(ended.status, 204)
      assert.equal(ended.text, '')
      const gone = await call('GET', `/${connection_id}/token`)
      assert.equal(gone.status, 404)
      assert.equal(gone.body.error, 'connection_required')
      const listed = await call('GET', '')
      assert.equal(listed.body.items[0].state, 'disconnected')
      assert.equal((await call('POST', `/${connection_id}/disconnect`)).status, 204)
      const { tenant_id, store } = bridge.server.app.tenant
      const page = { tenant_id, before_event_id: '~', type: 'connection.disconnected', actor: '', most: 9 }
      const events = await store.pageEvents(page)
      assert.deepEqual(
        events.map(({ actor, connection_id }) => [actor, connection_id]),
        [['client:platform', connection_id]],
      )
    })
  })
}
