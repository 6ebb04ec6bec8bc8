import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { type AdminError, createAdmin, etagOf } from '@sallyport/sdk/admin'
import { sha256 } from '../../server/src/crypto/hash.ts'
import { updateUser } from '../../server/src/inbound/users/administer_users.ts'
import { EMPTY_CHAIN, findBrokenLink, type SealedEvent } from '../../server/src/store/event_chain.ts'
import type { ApiRoute } from '../../server/src/web/api/route.ts'
import { API_ROUTES } from '../../server/src/web/api/table.ts'
import { writeAdminModule } from '../parts/admin_module.ts'
import { declaresEtag, writeDocument } from '../parts/api_document.ts'
import { listSteps, type Made, type Step } from '../parts/api_steps.ts'
import { type Bridge, CALLBACK, PLATFORM, type Reply, startBridge } from '../parts/bridge.ts'
import { dumpRows, printRow } from '../parts/snapshot.ts'
import { DIALECTS } from '../parts/stores.ts'

// Routes with tests of their own beside what they are about.
const ELSEWHERE = /^\/(webhooks|connect_sessions)(\/|$)/
const NAMED = new Map(API_ROUTES.map((route) => [route.name, route]))
const DAY_MS = 86_400_000

for (const dialect of DIALECTS) {
  describe(`the administration API, on ${dialect}`, () => {
    let bridge: Bridge
    let scopes: string[]
    const tokens = new Map<string, string>()
    const ALL = 'all'
    before(async () => {
      // Letters are looked at where they are sent in earnest.
      const mailer = { send: async () => {}, close() {} }
      bridge = await startBridge({ dialect, path: '/hub', app: { mailer } })
      const { resources } = await bridge.server.app.tenant.currentConfiguration()
      scopes = [...resources.get(`${bridge.issuer}/api`)!.scopes.keys()]
      const [first, second] = [PLATFORM, { ...PLATFORM, client_id: 'second_platform' }]
      for (const one of [first, second]) {
        const grant_types = ['client_credentials']
        await bridge.server.addClient({ ...one, client_name: 'Platform', scope: scopes.join(' '), grant_types })
      }
      for (const scope of scopes) tokens.set(scope, await obtain(scope))
      tokens.set(ALL, await obtain(scopes.join(' ')))
      tokens.set('second', await obtain(scopes.join(' '), second.client_id))
      const alice = await bridge.signIn()
      await bridge.connect(alice)
      await bridge.obtain(alice)
    })
    after(() => bridge.stop())

    async function obtain(scope: string, client_id: string = PLATFORM.client_id): Promise<string> {
      const resource = `${bridge.issuer}/api`
      const { body, text } = await bridge.post(
        '/token',
        { grant_type: 'client_credentials', scope, resource },
        client_id,
      )
      assert.ok(body.access_token, text)
      return body.access_token
    }

    const HOLES = /\{(\w+)\}/g
    function call(
      { method, path }: Pick<ApiRoute, 'method' | 'path'>,
      { params = {}, query = {}, body }: Step = {},
      {
        token = tokens.get(ALL),
        headers = {},
        raw,
      }: { token?: string; headers?: Record<string, string>; raw?: BodyInit } = {},
    ): Promise<Reply> {
      const filled = path.replaceAll(HOLES, (_, name: string) => encodeURIComponent(params[name] ?? 'nobody'))
      const search = new URLSearchParams(query).toString()
      const sent = raw ?? (body === undefined ? null : JSON.stringify(body))
      const type = sent === null ? {} : { 'content-type': 'application/json' }
      const init = { method, headers: { ...type, ...headers }, ...(sent !== null && { body: sent }) }
      return bridge.get(`/api${filled}${search === '' ? '' : `?${search}`}`, token || undefined, init)
    }
    const ask = (name: string, step: Step = {}, options: Parameters<typeof call>[2] = {}) =>
      call(NAMED.get(name)!, step, options)
    const count = async () => {
      const { tenant_id, store } = bridge.server.app.tenant
      return (await store.pageEvents({ tenant_id, before_event_id: '~', type: '', actor: '', most: 1000 })).length
    }

    // What is refused before the database is asked is refused alike on both.
    if (dialect === 'sqlite') {
      test('10.3.2 O-07 CVE-2026-63203 each route is there for its scopes, each by itself, and for nothing else', async () => {
        const events = await count()
        for (const route of API_ROUTES) {
          if (route.scope === null) continue
          const own = [route.scope].flat()
          assert.ok(
            own.every((scope) => scopes.includes(scope)),
            `${route.name} has a scope that nobody can be given`,
          )
          for (const scope of scopes) {
            const { status, body, headers } = await call(route, {}, { token: tokens.get(scope)! })
            const what = `${route.name} ${scope} ${status}`
            if (own.includes(scope)) assert.ok(status !== 401 && status !== 403, what)
            else {
              assert.deepEqual([status, body.error], [403, 'insufficient_scope'], what)
              assert.ok(headers.get('www-authenticate')!.includes(`scope="${own[0]}"`), what)
            }
          }
          const { status, body, headers } = await call(route, {}, { token: '' })
          assert.deepEqual([status, body.error, body.status], [401, 'invalid_token', 401], route.name)
          const metadata = `${new URL(bridge.issuer).origin}/.well-known/oauth-protected-resource/hub/api`
          assert.ok(headers.get('www-authenticate')!.includes(`, resource_metadata="${metadata}", DPoP`))
          assert.equal(headers.get('content-type'), 'application/problem+json')
        }
        assert.equal(await count(), events, 'nothing happened')
      })

      test('what is not there is 404 by its name, for each route that names something', async () => {
        const events = await count()
        const steps = new Map(listSteps(bridge))
        for (const route of API_ROUTES.filter(({ path }) => path.includes('{') && !ELSEWHERE.test(path))) {
          const made = new Proxy({}, { get: () => ({ items: [{}], metadata: {} }) })
          const { body } = route.body ? await steps.get(route.name)!(made) : {}
          const answer = await call(route, body === undefined ? {} : { body }, { headers: { 'if-match': '*' } })
          assert.equal(answer.status, 404, `${route.name} ${answer.text}`)
          assert.match(answer.body.detail, /^There is no such /)
        }
        assert.equal(await count(), events)
      })

      test('1.5.2 2.2.1 of each body the type, the form and every member are checked, and the wrong one is named', async () => {
        const events = await count()
        for (const route of API_ROUTES.filter(({ body }) => body)) {
          const headers = { 'if-match': '*' }
          const send = (raw: BodyInit, type = 'application/json') =>
            call(route, {}, { raw, headers: { ...headers, 'content-type': type } })
          assert.equal((await send('{}', 'text/plain')).status, 415, route.name)
          assert.equal((await send('a=b', 'application/x-www-form-urlencoded')).status, 415, route.name)
          for (const raw of ['', '{', '[]', '7', 'null', '"x"', '{"a":1,"a":2}', Buffer.from([0x7b, 0xff, 0x7d])]) {
            const { status, body } = await send(raw)
            assert.deepEqual([status, body.error], [400, 'invalid_request'], `${route.name} ${raw}`)
          }
          for (const raw of [
            '{"x":"\\u0000"}',
            '{"x":"\\ud800"}',
            '{"\\u0000":1}',
            '{"x":'.repeat(40) + '1' + '}'.repeat(40),
          ])
            assert.equal((await send(raw)).status, 400, `${route.name} ${raw}`)
          const unknown = await send('{"nobody_knows":1}')
          assert.equal(unknown.status, 400, route.name)
          const pointers = unknown.body.errors.map(({ pointer }: { pointer: string }) => pointer)
          assert.ok(pointers.includes('/nobody_knows'), `${route.name} ${unknown.text}`)
          assert.equal((await send(`{"x":"${'x'.repeat(140_000)}"}`)).status, 413, route.name)
        }
        for (const route of API_ROUTES.filter(({ body, method }) => !body && method !== 'GET')) {
          assert.equal((await call(route, {}, { raw: '{}' })).status, 400, route.name)
        }
        assert.equal(await count(), events)
        const { status, body } = await ask('createUser', { body: { username: 7, roles: 'x' } })
        assert.equal(status, 400)
        assert.deepEqual(body.errors, [
          { pointer: '/username', detail: 'must be a string' },
          { pointer: '/roles', detail: 'must be a list' },
        ])
        assert.equal(body.error_description, 'Member username must be a string')
      })

      test('parameters of a query that are unknown, wrong or repeated are refused by name', async () => {
        for (const route of API_ROUTES.filter(({ method, scope }) => method === 'GET' && scope !== null)) {
          const { status, body } = await call(route, { query: { nobody_knows: '1' } })
          assert.equal(status, 400, route.name)
          const named = body.errors.map(({ parameter }: { parameter: string }) => parameter)
          assert.ok(named.includes('nobody_knows'), `${route.name} ${body.detail}`)
          if (!route.query || !('limit' in route.query)) continue
          for (const limit of ['0', '-1', 'x', '1e1', '201', '99999', ' 1'])
            assert.match((await call(route, { query: { limit } })).body.detail, /^Parameter limit must be /, route.name)
        }
        const wrong = await ask('listClients', { query: { fields: 'client_id,client_secret_hash' } })
        assert.match(wrong.body.detail, /^Parameter fields may hold only client_id, client_name, /)
      })

      test('a client without a logo has none to read or to fetch', async () => {
        const metadata = { client_name: 'Plain', grant_types: ['client_credentials'], scope: 'v0:read' }
        assert.equal((await ask('createClient', { body: { client_id: 'plain', metadata } })).status, 201)
        for (const name of ['getClientLogo', 'fetchClientLogo']) {
          const { status, body } = await ask(name, { params: { client_id: 'plain' } })
          assert.deepEqual([status, body.detail], [404, 'There is no such logo'], name)
        }
      })

      test('8.2.1 8.3.1 nobody gives by admin:write what their own token lacks, nor changes who has it', async () => {
        const token = tokens.get('admin:write')!
        const metadata = { client_name: 'Strong', grant_types: ['client_credentials'], scope: 'v0:read vault:token' }
        const strong = { client_id: 'strong' }
        const make = { body: { ...strong, metadata } }
        const boss = { username: 'boss', password: 'a long enough secret', roles: ['administrator'] }
        const made = await ask('createUser', { body: boss })
        const { user_id } = made.body
        assert.deepEqual([made.status, (await ask('createClient', make)).status], [201, 201])
        await ask('createRole', { body: { role: 'weak', scopes: ['v0:read'] } })
        const weak = { body: { client_id: 'weak', metadata: { ...metadata, scope: 'v0:read' } } }
        assert.equal((await ask('createClient', weak, { token })).status, 201)
        const [of_client, of_user] = [{ params: strong }, { params: { user_id } }]
        await ask('disableClient', of_client)
        await ask('disableUser', of_user)
        const others = await ask(
          'createUser',
          { body: { username: 'other', password: 'a long enough secret' } },
          { token },
        )
        const other = { params: { user_id: others.body.user_id as string } }
        const [issuer, jwks_uri] = ['https://strong.example', 'https://strong.example/jwks']
        const handoff = { issuer, jwks_uri, login_uri: 'https://strong.example/login' }
        const administrator = { params: { role: 'administrator' } }
        const administration = ['admin:read', 'admin:write']
        await ask('createRole', { body: { role: 'proxies', scopes: ['vault:proxy'] } })
        const door = {
          connector: 'door',
          provider: 'oidc',
          client_id: 'x',
          client_secret: 'y',
          issuer,
          sign_in: 'linked',
        }
        const opened = await ask('createConnector', { body: door })
        assert.equal(opened.status, 201, opened.text)
        assert.equal((await ask('disableConnector', { params: { connector: 'door' } })).status, 200)
        const events = await count()
        const refused: [name: string, step: Step, lacks: RegExp][] = [
          ['createClient', { body: { metadata } }, /^Member metadata.scope has vault:token: /],
          [
            'updateClient',
            { params: { client_id: 'weak' }, body: { metadata } },
            /^Member metadata.scope has vault:token: /,
          ],
          ['updateClient', { ...of_client, body: { metadata: weak.body.metadata } }, /^The client has vault:token: /],
          ['switchClient', { ...of_client, body: { name: 'password', on: true } }, /^The client has /],
          ['rotateClientSecret', of_client, /^The client has /],
          ['enableClient', of_client, /^The client has /],
          [
            'createUser',
            { body: { ...boss, username: 'chief' } },
            /^Member roles has admin:read vault:token vault:proxy admin:create_users connect:sessions connect:token: /,
          ],
          ['updateUser', { ...other, body: { roles: ['administrator'] } }, /^Member roles has /],
          ['updateUser', { ...of_user, body: { password: 'another long secret' } }, /^The user has admin:read /],
          ['updateUser', { ...of_user, body: { email: 'mallory@example.test' } }, /^The user has /],
          ['enableUser', of_user, /^The user has /],
          ['createRole', { body: { role: 'strong', scopes: ['vault:token'] } }, /^Member scopes has /],
          ['updateRole', { params: { role: 'weak' }, body: { scopes: ['connect:token'] } }, /^Member scopes has /],
          // A role that gave less for a while would guard nobody who holds it, until the console gives it back.
          ['updateRole', { params: { role: 'proxies' }, body: { scopes: [] } }, /^Member scopes has vault:proxy: /],
          ['updateRole', { ...administrator, body: { scopes: administration } }, /^Member scopes has vault:token /],
          [
            'createResource',
            { body: { resource: 'https://s.example', every_user: true, scopes: { 'connect:token': 'x' } } },
            /^Member scopes has /,
          ],
          ['createTrustedIssuer', { body: { issuer, jwks_uri, scope: 'vault:token' } }, /^Member scope has /],
          ['createRegistrationToken', { body: { name: 'x', scope: 'connect:token' } }, /^Member scope has /],
          [
            'updateSettings',
            { body: { dynamic_client_scopes: ['connect:token'] } },
            /^Member dynamic_client_scopes has /,
          ],
          ['updateSettings', { body: { login_handoff: handoff } }, /^Whoever signs users in has admin:read /],
          [
            'createConnector',
            { body: { connector: 'theirs', provider: 'oidc', client_id: 'x', issuer: jwks_uri, sign_in: 'linked' } },
            /^Whoever signs users in /,
          ],
          ['enableConnector', { params: { connector: door.connector } }, /^Whoever signs users in /],
        ]
        for (const [name, step, lacks] of refused) {
          const { status, body } = await ask(name, step, { token, headers: { 'if-match': '*' } })
          assert.deepEqual(
            [status, body.error, body.status],
            [403, 'insufficient_scope', 403],
            `${name} ${body.detail}`,
          )
          assert.match(body.detail, lacks, name)
        }
        assert.equal(await count(), events, 'nothing happened')
        // What gives nothing needs nothing: another name, fewer roles' scopes, an end.
        const harmless: [string, Step][] = [
          [
            'updateClient',
            { params: { client_id: 'weak' }, body: { metadata: { ...weak.body.metadata, client_name: 'W' } } },
          ],
          ['updateUser', { ...other, body: { roles: ['weak'] } }],
          ['updateRole', { params: { role: 'weak' }, body: { scopes: [] } }],
          ['updateSettings', { body: { dynamic_client_scopes: ['v0:read'] } }],
          ['deleteClient', of_client],
        ]
        for (const [name, step] of harmless) {
          const { status, text } = await ask(name, step, { token, headers: { 'if-match': '*' } })
          assert.ok(status < 300, `${name} ${text}`)
        }
        assert.equal((await ask('enableUser', of_user)).status, 200)
        // However little the role has: whoever holds it gives themselves the rest in the console.
        const any = { 'if-match': '*' }
        const give = (scopes: string[]) => ask('updateRole', { ...administrator, body: { scopes } }, { headers: any })
        const { scopes: whole } = (await ask('getRole', administrator)).body
        assert.equal((await give(administration)).status, 200)
        const both = await obtain(administration.join(' '))
        for (const [name, step] of [
          ['createUser', { body: { ...boss, username: 'chief' } }],
          ['updateUser', { ...of_user, body: { password: 'another long secret' } }],
          ['updateSettings', { body: { login_handoff: handoff } }],
          ['enableConnector', { params: { connector: door.connector } }],
        ] as const) {
          const { status, body } = await ask(name, step, { token: both, headers: any })
          assert.equal(status, 403, name)
          assert.match(body.detail, /has .*vault:token vault:proxy/, name)
        }
        assert.equal((await give(whole)).status, 200)
        await ask('deleteConnector', { params: { connector: door.connector } })
      })
    }

    test('every route answers as its schema says, and a change needs the version that stands', async () => {
      const made: Made = {}
      const asked = new Set<string>()
      for (const [name, write] of listSteps(bridge)) {
        const route = NAMED.get(name)
        if (!route) throw new Error(`there is no route ${name}`)
        asked.add(name)
        const step = await write(made)
        const versioned = route.method === 'PUT' || route.method === 'PATCH'
        const answer = versioned ? await change(route, step) : await call(route, step)
        const expected = route.status ?? (route.answer || route.media_type ? 200 : 204)
        assert.equal(answer.status, expected, `${name} ${answer.text}`)
        if (route.answer) {
          const read = route.answer.safeParse(answer.body)
          assert.ok(read.success, `${name} ${read.error?.message} ${answer.text}`)
        } else if (!route.media_type) assert.equal(answer.text, '', name)
        assert.equal(answer.headers.get('cache-control'), 'no-store', name)
        assert.equal(
          answer.headers.get('etag') !== null,
          declaresEtag(route),
          `${name} sends the ETag that it declares`,
        )
        made[name] = answer.body ?? answer.text
      }
      const missing = API_ROUTES.filter(({ name, path }) => !asked.has(name) && !ELSEWHERE.test(path))
      assert.deepEqual(
        missing.map(({ name }) => name),
        [],
        'routes that nobody has asked',
      )
      assert.ok(
        made['testConnector'].items.every(({ outcome }: { outcome: string }) => outcome === 'ok'),
        JSON.stringify(made['testConnector']),
      )
      assert.equal(made['updateUser'].email, null)
      assert.equal(made['updateClient'].client_name, 'Changed')
      await verifyChain(made['exportEvents'])
    })

    /** A PUT or PATCH without a version, with another, and by two at once: of those one is told to look again. */
    async function change(route: ApiRoute, step: Step): Promise<Reply> {
      const get = API_ROUTES.find(({ method, path }) => method === 'GET' && path === route.path)!
      const before = await call(get, { params: step.params ?? {} })
      const etag = before.headers.get('etag')!
      assert.match(etag, /^"[\w-]{27}"$/, route.name)
      assert.equal((await call(route, step)).status, 428, route.name)
      for (const tag of ['"another"', `W/${etag}`]) {
        assert.equal((await call(route, step, { headers: { 'if-match': tag } })).status, 412, `${route.name} ${tag}`)
      }
      assert.equal((await call(route, step, { headers: { 'if-match': 'bare' } })).status, 400, route.name)
      assert.equal((await call(get, { params: step.params ?? {} })).headers.get('etag'), etag, 'nothing was changed')
      const both = await Promise.all([1, 2, 3, 4].map(() => call(route, step, { headers: { 'if-match': etag } })))
      const statuses = both.map(({ status }) => status).sort()
      assert.deepEqual(statuses, [200, 412, 412, 412], `${route.name} ${both.map(({ text }) => text)}`)
      const won = both.find(({ status }) => status === 200)!
      assert.notEqual(won.headers.get('etag'), etag, route.name)
      assert.equal(
        (await call(get, { params: step.params ?? {} })).headers.get('etag'),
        won.headers.get('etag'),
        route.name,
      )
      return won
    }

    async function verifyChain(lines: string): Promise<void> {
      const decode = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64url'))
      const events = lines
        .split('\n')
        .filter((line) => line !== '')
        .map((line): SealedEvent => {
          const { detail_salt, detail_digest, chain, ...rest } = JSON.parse(line)
          return {
            ...rest,
            detail_salt: decode(detail_salt),
            detail_digest: decode(detail_digest),
            chain: decode(chain),
          }
        })
      assert.ok(events.length > 10)
      assert.equal(findBrokenLink(EMPTY_CHAIN, events), null)
      assert.notEqual(findBrokenLink(EMPTY_CHAIN, events.with(3, { ...events[3]!, actor: 'nobody' })), null)
    }

    test('a list is walked by its cursor without a gap or a repetition, and shows the fields that are wanted', async () => {
      for (const name of ['p1', 'p2', 'p3', 'p4', 'p5']) {
        assert.equal((await ask('createRole', { body: { role: name, scopes: [] } })).status, 201)
        const resource = `https://${name}.example`
        assert.equal((await ask('createResource', { body: { resource } })).status, 201)
        const metadata = {
          client_name: name,
          redirect_uris: ['https://a.example/cb'],
          token_endpoint_auth_method: 'none',
        }
        assert.equal((await ask('createClient', { body: { client_id: name, metadata } })).status, 201)
      }
      const confidential = { client_name: 'Two', redirect_uris: ['https://a.example/cb'] }
      await ask('createClient', { body: { client_id: 'two', metadata: confidential } })
      await ask('rotateClientSecret', { params: { client_id: 'two' } })
      for (const name of ['a', 'b', 'c']) {
        await ask('createRegistrationToken', { body: { name } })
        await ask('rotateSigningKeys', { body: { alg: 'ES256' } })
        await bridge.signIn()
      }
      const holes: Readonly<Record<string, Record<string, string>>> = {
        listSessions: { user_id: bridge.users.alice },
        listClientSecrets: { client_id: 'two' },
      }
      const lists = API_ROUTES.filter(
        (route) => route.method === 'GET' && 'items' in Object(Object(route.answer).shape),
      )
      assert.ok(lists.length >= 15)
      let walked = 0
      for (const route of lists) {
        assert.ok(route.query && 'cursor' in route.query && 'limit' in route.query, `${route.name} has no cursor`)
        const params = holes[route.name] ?? {}
        if (route.path.includes('{') && !(route.name in holes)) continue
        const page = async (query: Record<string, string>) => (await call(route, { params, query })).body
        const { items: expected } = await page({ limit: '200' })
        const [field = ''] = Object.keys(expected[0] ?? {})
        const picked = (await page({ limit: '200', fields: field })).items
        assert.ok(
          picked.every((item: object) => Object.keys(item).join() === field),
          route.name,
        )
        const limit = String(expected.length > 20 ? 7 : 1)
        const seen: string[] = []
        for (let cursor: string | undefined; ; ) {
          const { items, next_cursor } = await page({ limit, ...(cursor && { cursor }) })
          assert.ok(items.length <= Number(limit))
          seen.push(...items.map((item: object) => JSON.stringify(item)))
          cursor = next_cursor
          if (cursor === undefined || seen.length > 400) break
        }
        const whole = expected.map((item: object) => JSON.stringify(item))
        assert.deepEqual(seen.slice(0, whole.length), whole, route.name)
        assert.equal(new Set(seen).size, seen.length, route.name)
        if (whole.length > 1) walked++
      }
      assert.ok(walked >= 10, `${walked} lists had more than a page`)
      const one = await ask('getRole', { params: { role: 'p1' }, query: { fields: 'scopes' } })
      assert.deepEqual(one.body, { scopes: [] })
      const found = await ask('listUsers', { query: { username: 'ALI', fields: 'username' } })
      assert.deepEqual(found.body.items, [{ username: 'alice' }])
    })

    test('2.3.3 a POST under one Idempotency-Key is done once, and answered alike for a day', async () => {
      const metadata = { client_name: 'Once', redirect_uris: ['https://a.example/cb'] }
      const headers = { 'idempotency-key': '"4d4f8a2c-once"' }
      const create = (more: { token?: string; headers?: Record<string, string> } = {}, name = 'Once') =>
        ask('createClient', { body: { metadata: { ...metadata, client_name: name } } }, { headers, ...more })
      const named = async () => {
        const { body } = await ask('listClients', { query: { limit: '200', fields: 'client_name' } })
        return body.items.filter(({ client_name }: { client_name: string }) => client_name === 'Once').length
      }
      const many = await Promise.all(Array.from({ length: 8 }, () => create()))
      const made = many.filter(({ status }) => status === 201)
      assert.ok(made.length >= 1 && many.every(({ status }) => status === 201 || status === 409))
      assert.equal(new Set(made.map(({ text }) => text)).size, 1)
      const again = await create()
      assert.deepEqual([again.status, again.text], [201, made[0]!.text])
      assert.equal(again.headers.get('etag'), made[0]!.headers.get('etag'))
      assert.match(again.body.client_secret, /^sp_cs_/)
      assert.equal(await named(), 1)
      const rows = [...(await dumpRows(bridge.server.store))].flatMap(([, rows]) => rows.map((row) => printRow(row)))
      assert.ok(!rows.join().includes(again.body.client_secret), 'the answer is sealed')
      const other = await create({}, 'Another')
      assert.equal(other.status, 422)
      assert.equal((await ask('createRole', { body: { role: 'x', scopes: [] } }, { headers })).status, 422)
      const theirs = await create({ token: tokens.get('second')! })
      assert.equal(theirs.status, 201)
      assert.notEqual(theirs.body.client_id, again.body.client_id, "somebody else's key is another")
      bridge.clock.offset += DAY_MS + 1000
      const kept = async () => (await dumpRows(bridge.server.store)).get('idempotency_keys')?.length ?? 0
      assert.ok((await kept()) > 0)
      await bridge.server.store.sweepEnded({ before: Date.now() + bridge.clock.offset, most: 1000 })
      assert.equal(await kept(), 0, 'what has ended is swept')
      tokens.set(ALL, await obtain(scopes.join(' ')))
      tokens.set('second', await obtain(scopes.join(' '), 'second_platform'))
      assert.notEqual((await create()).body.client_id, again.body.client_id, 'after a day it is free again')
    })

    test('the kept answer of an Idempotency-Key comes before If-Match, and holds a secret of a webhook sealed', async () => {
      const metadata = { client_name: 'Tagged', redirect_uris: ['https://a.example/cb'] }
      const { client_id } = (await ask('createClient', { body: { metadata } })).body
      const step = { params: { client_id } }
      const etag = (await ask('listClientSecrets', step)).headers.get('etag')!
      const rotate = (key: string) =>
        ask('rotateClientSecret', step, { headers: { 'if-match': etag, 'idempotency-key': key } })
      const first = await rotate('tagged')
      assert.equal(first.status, 201)
      const again = await rotate('tagged')
      assert.deepEqual([again.status, again.text], [201, first.text])
      assert.equal((await rotate('later')).status, 412, 'what was seen has changed by now')
      const webhook = { webhook: 'once', url: 'https://hooks.example/in' }
      const headers = { 'idempotency-key': 'hook' }
      const made = await ask('createWebhook', { body: webhook }, { headers })
      const repeated = await ask('createWebhook', { body: webhook }, { headers })
      assert.deepEqual([made.status, repeated.status, repeated.text], [201, 201, made.text])
      const hook = { params: { webhook: 'once' } }
      const secrets = [await ask('rotateWebhookSecret', hook, { headers: { 'idempotency-key': 'hook2' } })]
      secrets.push(await ask('rotateWebhookSecret', hook, { headers: { 'idempotency-key': 'hook2' } }))
      assert.equal(secrets[0]!.body.secret, secrets[1]!.body.secret)
      const rows = [...(await dumpRows(bridge.server.store))].flatMap(([, rows]) => rows.map((row) => printRow(row)))
      for (const { secret } of [made.body, secrets[0]!.body]) {
        assert.match(secret, /^whsec_/)
        assert.ok(!rows.join().includes(secret), 'the answer is sealed')
      }
    })

    test('keys of all algorithms rotate in one commit, or none does', async () => {
      const set = (signing_algs: string[]) =>
        ask('updateSettings', { body: { signing_algs } }, { headers: { 'if-match': '*' } })
      assert.equal((await set(['ES256', 'EdDSA'])).status, 200)
      const { store } = bridge.server.app.tenant
      const change = store.changeSigningKeys
      let commits = 0
      // Somebody else comes in between: what is begun a second time is refused.
      Object.assign(store, {
        changeSigningKeys: (args: Parameters<typeof change>[0]) => (++commits > 1 ? 'stale' : change(args)),
      })
      const state = async () =>
        ((await ask('listSigningKeys')).body.items as { alg: string; state: string }[])
          .filter(({ state }) => state === 'retired')
          .map(({ alg }) => alg)
      const before = await state()
      const { status, text } = await ask('rotateSigningKeys', { body: {} })
      Object.assign(store, { changeSigningKeys: change })
      assert.equal(status, 200, text)
      assert.deepEqual((await state()).toSorted(), [...before, 'ES256', 'EdDSA'].toSorted())
      assert.equal((await set(['ES256'])).status, 200)
    })

    test('a refused POST frees its key, and an unknown outcome is never done twice', async () => {
      const headers = { 'idempotency-key': 'refused' }
      const role = { role: 'late', scopes: ['not a scope'] }
      assert.equal((await ask('createRole', { body: role }, { headers })).status, 400)
      assert.equal((await ask('createRole', { body: { ...role, scopes: [] } }, { headers })).status, 201)
      for (const key of ['', 'two words', `"${'x'.repeat(256)}"`, '"open', 'é'.normalize('NFD').slice(0, 1) + '"']) {
        const answer = await ask('createRole', { body: role }, { headers: { 'idempotency-key': key } })
        assert.equal(answer.status, 400, key)
      }
      const { tenant } = bridge.server.app
      const write = tenant.store.keepAnswer
      Object.assign(tenant.store, { keepAnswer: () => Promise.reject(new Error('the process is gone')) })
      const lost = { headers: { 'idempotency-key': 'lost' } }
      assert.equal((await ask('createRole', { body: { role: 'lost', scopes: [] } }, lost)).status, 500)
      Object.assign(tenant.store, { keepAnswer: write })
      const soon = await ask('createRole', { body: { role: 'lost', scopes: [] } }, lost)
      assert.deepEqual([soon.status, soon.headers.get('retry-after')], [409, '1'])
      bridge.clock.offset += 61_000
      const later = await ask('createRole', { body: { role: 'lost', scopes: [] } }, lost)
      assert.equal(later.status, 409)
      assert.match(later.body.detail, /is not known/)
    })

    test('an address that is given anew is not confirmed, and a password is hashed under a key wherever it is kept', async () => {
      const { tenant } = bridge.server.app
      const hashed: Uint8Array[] = []
      const claim = tenant.store.claimIdempotencyKey
      Object.assign(tenant.store, {
        claimIdempotencyKey: (args: Parameters<typeof claim>[0]) => {
          hashed.push(args.request_hash)
          return claim(args)
        },
      })
      const body = {
        username: 'erin',
        password: 'a long enough secret',
        email: 'erin@example.test',
        email_verified: true,
      }
      const made = await ask('createUser', { body }, { headers: { 'idempotency-key': 'erin' } })
      Object.assign(tenant.store, { claimIdempotencyKey: claim })
      assert.equal(made.status, 201)
      const { pathname } = new URL(`${bridge.issuer}/api/users`)
      const bare = sha256(`${JSON.stringify(['POST', pathname])}${JSON.stringify(body)}`)
      assert.deepEqual(hashed.map(Buffer.from), [tenant.keys.hashSecret(bare.toString('base64url'))])
      const { tenant_id, store } = tenant
      const read = async () => (await store.findUserByUsername({ tenant_id, username_key: 'erin' }))!
      const present = await read()
      assert.equal(present.email_verified, 1)
      const args = { actor: 'test', changed: ['email'] }
      assert.ok(await updateUser(tenant, present, { name: 'Erin' }, args))
      assert.equal((await read()).email_verified, 1, 'another member changes nothing of it')
      assert.ok(await updateUser(tenant, await read(), { email: 'typo@other.example' }, args))
      assert.equal((await read()).email_verified, 0)
    })

    test('nobody disables the account by which they are here; another one they do', async () => {
      const { server, users, issuer } = bridge
      await server.addRole('member', ['api:read', 'admin:write'])
      const client = { client_id: 'cli', client_secret: PLATFORM.client_secret, redirect_uris: [CALLBACK] }
      await server.addClient({ ...client, grant_types: ['authorization_code'], scope: 'admin:write' })
      const asked = { client_id: 'cli', scope: 'admin:write', resource: `${issuer}/api` }
      const { access_token: token } = await bridge.obtain(await bridge.signIn(), asked)
      const disable = (user_id: string) =>
        ask('disableUser', { params: { user_id } }, { token, headers: { 'if-match': '*' } })
      const own = await disable(users.alice)
      assert.deepEqual([own.status, own.body.error], [403, 'access_denied'], own.text)
      const gone = await ask('deleteUser', { params: { user_id: users.alice } }, { token })
      assert.deepEqual([gone.status, gone.body.error], [403, 'access_denied'], gone.text)
      const read = await ask('getUser', { params: { user_id: users.alice } })
      assert.equal(read.body.disabled_at, null)
      const other = await disable(users.bob)
      assert.equal(other.status, 200, other.text)
      assert.equal(typeof other.body.disabled_at, 'number')
      await ask('enableUser', { params: { user_id: users.bob } }, { headers: { 'if-match': '*' } })
      await server.addRole('member', ['api:read'])
    })

    test('the last administrator is neither deleted nor disabled and stays one, and who cannot choose a first password is not invited', async () => {
      const make = async (body: object) => (await ask('createUser', { body })).body.user_id as string
      const last = await make({ username: 'last', roles: ['administrator'] })
      // Who is disabled cannot sign in, and so is no other one.
      for (const { user_id, roles } of (await ask('listUsers', { query: { limit: '200' } })).body.items) {
        if (user_id === last || !roles.includes('administrator')) continue
        await ask('disableUser', { params: { user_id } }, { headers: { 'if-match': '*' } })
      }
      for (const way of ['deleteUser', 'disableUser']) {
        const { status, body } = await ask(way, { params: { user_id: last } }, { headers: { 'if-match': '*' } })
        assert.equal(status, 409, way)
        assert.equal(body.detail ?? body.error_description, 'The user is the last administrator who can sign in', way)
      }
      const demoted = await ask(
        'updateUser',
        ...[{ params: { user_id: last }, body: { roles: [] } }, { headers: { 'if-match': '*' } }],
      )
      assert.equal(demoted.status, 409, demoted.text)
      assert.match(demoted.text, /is the last administrator who can sign in/)
      const { body: kept } = await ask('getUser', { params: { user_id: last } })
      assert.deepEqual([kept.roles[0], kept.disabled_at], ['administrator', null])
      const off = await make({ username: 'off', email: 'off@example.test' })
      await ask('disableUser', { params: { user_id: off } }, { headers: { 'if-match': '*' } })
      for (const [user_id, why] of [
        [
          await make({ username: 'known', email: 'known@example.test', password: 'a long enough secret' }),
          /has a password/,
        ],
        [last, /no e-mail address/],
        [off, /is disabled/],
      ] as const) {
        const refused = await ask('inviteUser', { params: { user_id } })
        assert.equal(refused.status, 409, refused.text)
        assert.match(refused.text, why)
      }
    })

    test('2.3.3 the admin module of the SDK pages, changes what it has seen, and says what is wrong', async () => {
      const { issuer } = bridge
      const admin = createAdmin({ issuer, ...PLATFORM, scope: 'admin:read admin:write' })
      const roles = ['sdk-a', 'sdk-b', 'sdk-c']
      for (const role of roles) await admin.createRole({ role, scopes: [] })
      const seen: string[] = []
      for await (const { role } of admin.listRoles({ limit: 1 })) seen.push(role)
      assert.deepEqual(
        seen.filter((role) => role.startsWith('sdk-')),
        roles,
      )
      const first = await admin.getRole('sdk-a')
      await admin.updateRole('sdk-a', { scopes: ['api:read'] }, { if_match: etagOf(first) })
      const late = admin.updateRole('sdk-a', { scopes: [] }, { if_match: etagOf(first) })
      await assert.rejects(late, (error: AdminError) => error.status === 412 && error.problem?.status === 412)
      const options = { idempotency_key: 'sdk-once' }
      const [one, again] = [
        await admin.createUser({ username: 'erin-of-sdk' }, options),
        await admin.createUser({ username: 'erin-of-sdk' }, options),
      ]
      assert.deepEqual(again, one)
      await assert.rejects(admin.createUser({ username: 'erin-of-sdk' }), {
        status: 409,
        message: 'Member username is taken',
      })
      await assert.rejects(admin.getUser('nobody'), { status: 404 })
      assert.equal(await admin.endSessions(one.user_id), undefined)
      assert.match(await (await admin.exportEvents({ after_sequence: 0 })).text(), /^$|^\{/)
    })

    test('what sign-ups may say of a user is theirs alone', async () => {
      const person = { username: 'dora', password: 'a long enough secret' }
      for (const more of [{ roles: ['member'] }, { claims: {} }, { email_verified: true }]) {
        const { status, body } = await ask(
          'createUser',
          { body: { ...person, ...more } },
          { token: await obtain('admin:create_users') },
        )
        assert.deepEqual([status, body.error], [400, 'invalid_request'], JSON.stringify(more))
      }
      const sign_up = { token: await obtain('admin:create_users') }
      for (const username of ['dora@example.test', 'dora\u200b', '\u202edora']) {
        const { status, body } = await ask('createUser', { body: { ...person, username } }, sign_up)
        assert.deepEqual([status, /^username must not have /.test(body.detail)], [400, true], body.detail)
      }
      const limit = (password_min_length: number) =>
        ask('updateSettings', { body: { password_min_length } }, { headers: { 'if-match': '*' } })
      await limit(40)
      for (const token of [sign_up.token, tokens.get(ALL)!]) {
        const { status, body } = await ask('createUser', { body: { ...person, username: 'short' } }, { token })
        assert.deepEqual([status, / 40 to /.test(body.detail)], [400, true], body.detail)
      }
      await limit(8)
      const unknown = await ask('createUser', { body: { ...person, roles: ['nobody'] } })
      assert.equal(unknown.body.detail, 'Member roles: there is no role nobody')
    })
  })
}

test('sdk/src/admin/operations.ts is what the table says: npm run openapi writes it', () => {
  const committed = readFileSync(new URL('../../sdk/src/admin/operations.ts', import.meta.url), 'utf8')
  assert.ok(committed === writeAdminModule(), "the SDK's types are not what the routes say: npm run openapi")
  for (const { name, scope } of API_ROUTES) {
    assert.equal(new RegExp(`^  ${name}: '[A-Z]+ /`, 'm').test(committed), scope !== null, name)
  }
})

test('docs/openapi.json is what the table says: npm run openapi writes it', () => {
  const committed = readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8')
  assert.ok(committed === writeDocument(), 'docs/openapi.json is not what the routes say: npm run openapi')
  const document = JSON.parse(committed)
  const names = Object.values<Record<string, { operationId: string }>>(document.paths).flatMap((path) =>
    Object.values(path).map(({ operationId }) => operationId),
  )
  assert.equal(new Set(names).size, API_ROUTES.length)
  for (const { method, path, name, subject } of API_ROUTES) {
    const { parameters } = document.paths[path][method.toLowerCase()]
    if (!parameters.some((one: { name: string }) => one.name === 'If-Match')) continue
    const shown = API_ROUTES.some((one) => one.subject?.name === subject?.name && declaresEtag(one))
    assert.ok(shown, `${name} takes the ETag of what no answer shows`)
  }
  for (const [, name] of committed.matchAll(/"\$ref": "#\/components\/(?:schemas|responses)\/(\w+)"/g)) {
    assert.ok(document.components.schemas[name!] ?? document.components.responses[name!], name)
  }
})

test('a server that nobody asks for its API starts without the schemas of it', () => {
  const seen = new Set<string>()
  const walk = (file: URL): void => {
    if (seen.has(file.href)) return
    seen.add(file.href)
    const text = readFileSync(file, 'utf8')
    for (const [, specifier] of text.matchAll(/^(?:import|export)\s+(?!type\s)[^;'"]*?from '([^']+)'/gm)) {
      assert.ok(specifier !== 'zod', `${file.pathname} is loaded at start, and zod with it`)
      if (specifier!.startsWith('.')) walk(new URL(specifier!, file))
    }
  }
  for (const entry of ['main.ts', 'index.ts']) walk(new URL(`../../server/src/${entry}`, import.meta.url))
  assert.ok(seen.size > 300)
})
