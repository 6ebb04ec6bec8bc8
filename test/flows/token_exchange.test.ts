import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { signJwt } from '../../server/src/crypto/jwt.ts'
import { revokeSigningKey } from '../../server/src/inbound/keys/signing_keys.ts'
import { saveTrustedIssuer } from '../../server/src/inbound/tokens/trusted_issuers.ts'
import { readTrustedIssuer } from '../../server/src/oauth/trusted_issuer.ts'
import { JWKS, signAssertion } from '../parts/assertions.ts'
import { goodClaims } from '../parts/bad_dpop_proofs.ts'
import { makeDpopKey, makeProof } from '../parts/dpop.ts'
import { claimsOf } from '../parts/platform.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { DIALECTS, makeDatabase, type TestDatabase } from '../parts/stores.ts'
import { UserAgent } from '../parts/user_agent.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`
const [ORDERS, STOCK, SEALED] = ['https://orders.example', 'https://stock.example', 'https://sealed.example']
const OPEN = 'https://open.example'
const CALLBACK = 'https://shop.example/cb'
const VERIFIER = 'v'.repeat(43)
const ALICE = { username: 'alice', password: 'correct horse battery' }
const BOB = { username: 'bob', password: 'correct horse battery' }
const CLIENTS = {
  /** Whose user it is. */
  shop: { trusted: false, grant_types: ['authorization_code', 'refresh_token', 'client_credentials', GRANT] },
  /** Stands for the orders, and may call the stock. */
  orders: { trusted: true, token_exchange: { resources: [STOCK, SEALED] } },
  /** Stands for the stock, and may call it on, which it does not need. */
  stock: { trusted: true, token_exchange: { resources: [ORDERS, STOCK] } },
  /** Stands for the orders too, but nobody trusts it with what the user has not allowed. */
  partner: { trusted: false, token_exchange: { resources: [STOCK] } },
  /** May hide that it acts. */
  support: { trusted: true, token_exchange: { resources: [STOCK], impersonation: true } },
  /** Has the grant type and stands for the orders, but no policy. */
  bare: {},
  /** Stands for the orders, and acts in one role of a user. */
  clerk: { trusted: true, one_role: true, token_exchange: { resources: [STOCK, ORDERS, OPEN] } },
  /** Stands for nothing. */
  stranger: { trusted: true, token_exchange: { resources: [STOCK] } },
} as const
type Name = keyof typeof CLIENTS

for (const dialect of DIALECTS) {
  describe(`token exchange, on ${dialect}`, () => {
    let database: TestDatabase
    let server: TestServer
    let alice_id: string
    let bob_id: string
    let now = Date.UTC(2026, 10, 21)
    before(async () => {
      database = await makeDatabase(dialect)
      const clock = () => now
      const { location } = database
      server = await startSallyport({
        clock,
        location: dialect === 'sqlite' ? { sqlite: location, clock } : { postgres: location, clock },
      })
      const stands = ['orders', 'partner', 'support', 'bare', 'clerk', 'desk']
      const add = (resource: string, scopes: Record<string, string>, callers: string[], more = {}) =>
        server.addResource({
          ...{ resource, scopes: JSON.stringify(scopes), introspection_clients: JSON.stringify(callers), ...more },
        })
      await add(ORDERS, { 'orders:read': 'Read orders', 'orders:write': 'Order' }, stands)
      await add(STOCK, { 'stock:read': 'Read the stock', 'stock:write': 'Change the stock' }, ['stock'], {
        default_scopes: '["stock:read"]',
      })
      await add(SEALED, { 'sealed:open': 'Open' }, [], { access_token_format: 'opaque' })
      await add(OPEN, { 'open:see': 'Look around' }, [], { every_user: 1 })
      await server.addRole('buyer', ['orders:read', 'orders:write', 'stock:read', 'sealed:open'])
      await server.addRole('auditor', ['orders:read', 'stock:write'])
      alice_id = await server.addUser({ ...ALICE, roles: ['buyer'] })
      bob_id = await server.addUser({ ...BOB, roles: ['buyer', 'auditor'] })
      for (const [client_id, metadata] of Object.entries(CLIENTS)) {
        await server.addClient({
          ...{ client_id, client_secret: `secret-of-${client_id}`, redirect_uris: [CALLBACK], response_types: [] },
          ...{
            grant_types: [GRANT, 'client_credentials'],
            scope: 'openid orders:read orders:write stock:read stock:write',
          },
          ...(client_id === 'shop' && {
            response_types: ['code'],
            scope: 'openid offline_access orders:read orders:write',
          }),
          ...(client_id === 'clerk' && { scope: 'stock:read stock:write open:see' }),
          ...(client_id === 'orders' && { scope: 'stock:read sealed:open' }),
          ...metadata,
        })
      }
      await server.addClient({
        ...{ client_id: 'first', client_secret: 'secret-of-first', redirect_uris: [CALLBACK], trusted: true },
        ...{
          grant_types: ['authorization_code', GRANT],
          scope: 'openid stock:read',
          token_exchange: { resources: [STOCK] },
        },
      })
      const has_users = { redirect_uris: [CALLBACK], grant_types: ['authorization_code', GRANT] }
      const policy = { trusted: true, token_exchange: { resources: [STOCK] } }
      await server.addClient({
        ...{ client_id: 'wide', client_secret: 'secret-of-wide', ...has_users, ...policy },
        scope: 'offline_access orders:read orders:write stock:read',
      })
      await server.addClient({
        ...{ client_id: 'private', client_secret: 'secret-of-private', ...has_users },
        ...{ subject_type: 'pairwise', scope: 'offline_access orders:read orders:write' },
      })
      await server.addClient({
        ...{ client_id: 'desk', client_secret: 'secret-of-desk', ...has_users, ...policy },
        ...{ subject_type: 'pairwise', scope: 'offline_access orders:read stock:read' },
      })
      await server.addClient({
        ...{ client_id: 'app', token_endpoint_auth_method: 'none', ...has_users, ...policy },
        scope: 'openid stock:read',
      })
    })
    after(async () => {
      await server.stop()
      await database.drop()
    })

    const post = async (path: string, form: Record<string, string>, client: string) => {
      const headers = { authorization: `Basic ${btoa(`${client}:secret-of-${client}`)}` }
      const response = await fetch(server.issuer + path, { method: 'POST', headers, body: new URLSearchParams(form) })
      // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
      return { status: response.status, body: (await response.json()) as any }
    }
    const exchange = (
      client: Name | 'first' | 'wide' | 'desk',
      subject_token: string,
      more: Record<string, string> = {},
    ) => {
      const subject = { subject_token, subject_token_type: type('access_token') }
      return post('/token', { grant_type: GRANT, resource: STOCK, ...subject, ...more }, client)
    }
    const introspect = async (token: string, client: Name | 'first' = 'stock') =>
      (await post('/introspect', { token }, client)).body
    const newEvent = () => {
      const { tenant_id } = server.app.tenant
      return { tenant_id, event_id: crypto.randomUUID(), at: now, type: 'test', actor: 'cli' }
    }
    type Switch = { tenant_id: string; disabled: boolean; event: ReturnType<typeof newEvent> }
    const onAndOff = async (turn: (args: Switch) => Promise<unknown>) => {
      const { tenant_id } = server.app.tenant
      for (const disabled of [true, false]) await turn({ tenant_id, disabled, event: newEvent() })
    }
    const setRoles = (user_id: string, roles: string[]) => {
      const { tenant_id } = server.app.tenant
      const same = { user_id, name: null, email: null, email_verified: false, claims: '{}', password_hash: null }
      const user = { ...same, roles: JSON.stringify(roles) }
      return server.store.updateUser({ tenant_id, user, event: newEvent() })
    }
    async function signIn(client_id = 'shop', params: Record<string, string> = {}, user = ALICE, headers = {}) {
      const code_challenge = createHash('sha256').update(VERIFIER).digest('base64url')
      const query = new URLSearchParams({
        ...{ response_type: 'code', client_id, redirect_uri: CALLBACK, code_challenge, code_challenge_method: 'S256' },
        ...{ resource: ORDERS, scope: 'offline_access orders:read orders:write', ...params },
      })
      const back = await new UserAgent().authorize(`${server.issuer}/authorize?${query}`, user)
      const code = back.searchParams.get('code')
      assert.ok(code, back.href)
      const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER }
      if (client_id !== 'app') return (await post('/token', form, client_id)).body
      const body = new URLSearchParams({ ...form, client_id })
      const response = await fetch(`${server.issuer}/token`, { method: 'POST', body, headers })
      return (await response.json()) as { id_token: string; access_token: string }
    }

    test('a resource server exchanges what it was sent for a token at the next one, which says who acts', async () => {
      const { access_token } = await signIn()
      const { status, body } = await exchange('orders', access_token)
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(
        { ...body, access_token: '' },
        {
          ...{ access_token: '', token_type: 'Bearer', expires_in: 600, scope: 'stock:read' },
          issued_token_type: type('access_token'),
        },
      )
      const { sub, client_id, aud, act, scope, active } = await introspect(body.access_token)
      assert.deepEqual(
        { sub, client_id, aud, act, scope, active },
        { sub: alice_id, client_id: 'orders', aud: STOCK, act: { sub: 'orders' }, scope: 'stock:read', active: true },
      )
      assert.deepEqual(claimsOf(body.access_token)['act'], { sub: 'orders' })
    })

    test('those who acted before are inside, and four at most', async () => {
      const { access_token } = await signIn()
      const first = await exchange('orders', access_token)
      const second = await exchange('stock', first.body.access_token, { resource: ORDERS, scope: 'orders:read' })
      assert.deepEqual(claimsOf(second.body.access_token)['act'], { sub: 'stock', act: { sub: 'orders' } })
      let token = second.body.access_token
      let act: unknown
      const statuses: number[] = []
      for (const [client, resource] of [
        ['orders', STOCK],
        ['stock', ORDERS],
        ['orders', STOCK],
      ] as const) {
        const { status, body } = await exchange(client, token, {
          resource,
          ...(client === 'stock' && { scope: 'orders:read' }),
        })
        statuses.push(status)
        if (status === 200) {
          token = body.access_token
          act = claimsOf(token)['act']
        } else assert.match(`${body.error} ${body.error_description}`, /^invalid_request .*parties/)
      }
      assert.deepEqual(statuses, [200, 200, 400])
      const chain = { sub: 'stock', act: { sub: 'orders', act: { sub: 'stock', act: { sub: 'orders' } } } }
      assert.deepEqual(act, chain)
    })

    test('an actor token names who acts; it must be the client`s own and alive', async () => {
      const { access_token } = await signIn()
      const own = await post(
        '/token',
        { grant_type: 'client_credentials', resource: STOCK, scope: 'stock:read' },
        'orders',
      )
      const foreign = await post(
        '/token',
        { grant_type: 'client_credentials', resource: STOCK, scope: 'stock:read' },
        'stock',
      )
      const actor = (actor_token: string) => ({ actor_token, actor_token_type: type('access_token') })
      const { body } = await exchange('orders', access_token, actor(own.body.access_token))
      assert.deepEqual(claimsOf(body.access_token)['act'], { sub: 'orders' })
      for (const token of [foreign.body.access_token, `${own.body.access_token}x`, 'nonsense']) {
        const { body } = await exchange('orders', access_token, actor(token))
        assert.deepEqual([body.error, body.reason], ['invalid_request', 'actor_token_refused'])
      }
    })

    test('an actor whom one resource knows by a name of its own is not named so to another one', async () => {
      const { access_token } = await signIn()
      const actor = await signIn('desk', { scope: 'orders:read' }, BOB)
      assert.notEqual(claimsOf(actor.access_token)['sub'], bob_id)
      const acts = { actor_token: actor.access_token, actor_token_type: type('access_token') }
      const { status, body } = await exchange('desk', access_token, { ...acts, scope: 'stock:read' })
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(claimsOf(body.access_token)['act'], { sub: 'desk' })
      assert.deepEqual((await introspect(body.access_token)).act, { sub: 'desk' })
    })

    test('impersonation is by policy alone, and each one is written down', async () => {
      const { access_token } = await signIn()
      const { body } = await exchange('support', access_token, { scope: 'stock:read' })
      assert.equal(claimsOf(body.access_token)['act'], undefined)
      assert.equal(claimsOf(body.access_token)['sub'], alice_id)
      const { tenant_id } = server.app.tenant
      const page = { tenant_id, before_event_id: 'g', type: 'token.impersonated', actor: '', most: 10 }
      const [event, ...more] = await server.store.pageEvents(page)
      assert.deepEqual([event?.client_id, event?.user_id, more.length], ['support', alice_id, 0])
      const first = await exchange('orders', (await signIn()).access_token)
      const acted = await exchange('stock', first.body.access_token, { resource: ORDERS, scope: 'orders:read' })
      assert.equal((await exchange('support', acted.body.access_token)).status, 200)
      assert.equal((await server.store.pageEvents(page)).length, 2, 'others who acted before do not hide it either')
    })

    test('a client gets less of its own token without any policy, and no more', async () => {
      const { access_token } = await signIn()
      const less = await exchange('shop', access_token, { resource: ORDERS, scope: 'orders:read' })
      assert.equal(less.status, 200, JSON.stringify(less.body))
      assert.equal(less.body.scope, 'orders:read')
      assert.equal(claimsOf(less.body.access_token)['act'], undefined)
      const more = await exchange('shop', less.body.access_token, { resource: ORDERS, scope: 'orders:write' })
      assert.equal(more.body.error, 'invalid_scope')
      assert.equal((await exchange('shop', access_token)).body.error, 'invalid_target')
    })

    test('a token comes of four exchanges at most', async () => {
      let { access_token } = await signIn()
      const less = { resource: ORDERS, scope: 'orders:read' }
      for (let i = 0; i < 4; i++) access_token = (await exchange('shop', access_token, less)).body.access_token
      assert.equal((await introspect(access_token, 'shop')).active, true)
      const { status, body } = await exchange('shop', access_token, less)
      assert.deepEqual([status, body.error], [400, 'invalid_request'])
      assert.match(body.error_description, /subject_token.*4 exchanges/)
    })

    test('what policy gives a trusted client for its own token, introspection says as well', async () => {
      const { access_token } = await signIn('wide', { scope: 'orders:read' })
      const { status, body } = await exchange('wide', access_token, { scope: 'stock:read' })
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(claimsOf(body.access_token)['scope'], 'stock:read')
      const { active, scope } = await introspect(body.access_token)
      assert.deepEqual({ active, scope }, { active: true, scope: 'stock:read' })
    })

    test('a client that acts in one role gets one by exchange too, and what comes of its token stays in it', async () => {
      const { access_token } = await signIn('shop', {}, BOB)
      assert.deepEqual(claimsOf(access_token)['roles'], ['buyer', 'auditor'])
      const ask = (role: string | undefined, scope: string, more = {}) =>
        exchange('clerk', access_token, { scope, ...(role !== undefined && { role }), ...more })
      assert.equal((await ask(undefined, 'stock:read')).body.error, 'invalid_request')
      assert.equal((await ask('administrator', 'stock:read')).body.error, 'invalid_request')
      assert.equal((await ask('auditor', 'stock:read')).body.error, 'invalid_scope')
      assert.equal((await ask('buyer', 'stock:write')).body.error, 'invalid_scope')
      const { status, body } = await ask('buyer', 'stock:read')
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual(claimsOf(body.access_token)['roles'], ['buyer'])
      assert.deepEqual((await introspect(body.access_token)).roles, ['buyer'])
      const on = { resource: STOCK, scope: 'stock:write' }
      assert.equal((await exchange('stock', body.access_token, on)).body.error, 'invalid_scope', 'by her other role')
      const at_orders = { resource: ORDERS, scope: 'orders:read' }
      const next = await exchange('stock', body.access_token, at_orders)
      assert.deepEqual(claimsOf(next.body.access_token)['roles'], ['buyer'])
      const other = await exchange('clerk', next.body.access_token, { role: 'auditor', scope: 'stock:write' })
      assert.equal(other.body.error, 'invalid_scope', 'a role at work is not picked anew')
      const open = await ask('buyer', 'open:see', { resource: OPEN })
      assert.equal((await introspect(open.body.access_token, 'clerk')).active, true)
      await setRoles(bob_id, ['auditor'])
      for (const token of [body.access_token, next.body.access_token, open.body.access_token]) {
        assert.deepEqual(await introspect(token, 'clerk'), { active: false })
      }
      assert.equal((await exchange('stock', body.access_token, at_orders)).body.error, 'invalid_request')
      await setRoles(bob_id, ['buyer', 'auditor'])
    })

    test('CVE-2022-1245 to ask for a further resource widens nothing at the one of the token', async () => {
      const { access_token } = await signIn('wide', { scope: 'orders:read' })
      const both = { resource: ORDERS, audience: STOCK }
      const more = await exchange('wide', access_token, { ...both, scope: 'orders:write stock:read' })
      assert.equal(more.body.error, 'invalid_scope', JSON.stringify(more.body))
      const { status, body } = await exchange('wide', access_token, { ...both, scope: 'orders:read stock:read' })
      assert.deepEqual([status, body.scope], [200, 'orders:read stock:read'])
    })

    test('who is known by another name only stays so to whoever exchanges the token', async () => {
      const { access_token } = await signIn('private')
      const { status, body } = await exchange('orders', access_token)
      assert.equal(status, 200, JSON.stringify(body))
      const [at_orders, at_stock] = [claimsOf(access_token)['sub'], claimsOf(body.access_token)['sub']]
      assert.equal(new Set([at_orders, at_stock, alice_id]).size, 3)
      for (const client of ['orders', 'stock'] as const) {
        const { active, sub, username } = await introspect(body.access_token, client)
        assert.deepEqual({ active, sub, username }, { active: true, sub: at_stock, username: undefined }, client)
      }
    })

    test('CVE-2022-1245 Keycloak-48104 whoever has no policy, or stands for nothing, gets nothing', async () => {
      const { access_token } = await signIn()
      assert.equal((await exchange('bare', access_token)).body.error, 'invalid_target')
      assert.equal((await exchange('stranger', access_token)).body.error, 'invalid_request')
      assert.equal((await exchange('stock', access_token)).body.error, 'invalid_request')
      assert.equal((await exchange('orders', access_token, { resource: ORDERS })).body.error, 'invalid_target')
      assert.equal((await exchange('orders', access_token, { resource: `${STOCK}/` })).body.error, 'invalid_target')
      assert.equal((await exchange('orders', access_token, { resource: '' })).body.error, 'invalid_target')
    })

    test('scopes that the user has not allowed are for trusted clients; nobody exceeds client or role', async () => {
      const { access_token } = await signIn()
      const partner = await exchange('partner', access_token, { scope: 'stock:read' })
      assert.equal(partner.body.error, 'invalid_scope')
      assert.equal((await exchange('orders', access_token, { scope: 'stock:write' })).body.error, 'invalid_scope')
      const beyond = await exchange('support', access_token, { scope: 'stock:write' })
      assert.equal(beyond.body.error, 'invalid_scope', 'her role does not give it')
      assert.equal((await exchange('orders', access_token, { scope: 'openid' })).body.error, 'invalid_scope')
    })

    test('CVE-2026-9097 a token outlives neither the one it was exchanged for nor its grant', async () => {
      const { access_token, refresh_token } = await signIn()
      now += 400_000
      const { body } = await exchange('orders', access_token)
      assert.equal(body.expires_in, 200)
      assert.equal((await introspect(body.access_token)).active, true)
      await post('/revoke', { token: refresh_token }, 'shop')
      assert.deepEqual(await introspect(body.access_token), { active: false })
      assert.equal((await exchange('orders', access_token)).body.error, 'invalid_request', 'CVE-2026-9097')
    })

    test('8.3.2 a token dies with each that it was exchanged for, their clients, its own client and the user', async () => {
      const { tenant_id } = server.app.tenant
      const client = (client_id: string) => (disabled: boolean) =>
        server.store.setClientDisabled({ tenant_id, client_id, disabled, event: newEvent() })
      const switches: [string, (disabled: boolean) => Promise<unknown>][] = [
        ['the client of the grant', client('shop')],
        ['the client between', client('orders')],
        ['the client that acts', client('stock')],
        [
          'the user',
          (disabled) => server.store.setUserDisabled({ tenant_id, user_id: alice_id, disabled, event: newEvent() }),
        ],
      ]
      const at_orders = { resource: ORDERS, scope: 'orders:read' }
      const chain = async () => {
        const { access_token: root } = await signIn()
        const { body: middle } = await exchange('orders', root)
        const { body: last } = await exchange('stock', middle.access_token, at_orders)
        assert.equal((await introspect(last.access_token, 'orders')).active, true)
        return { root, middle: middle.access_token, last: last.access_token }
      }
      const isOver = async (last: string, what: string) => {
        assert.deepEqual(await introspect(last, 'partner'), { active: false }, what)
        assert.equal((await exchange('support', last, { scope: 'stock:read' })).body.error, 'invalid_request', what)
      }
      for (const [what, turn] of switches) {
        const { last } = await chain()
        await turn(true)
        await isOver(last, what)
        await turn(false)
        await isOver(last, `${what}, for good`)
      }
      const first = await chain()
      await post('/revoke', { token: first.middle }, 'orders')
      await isOver(first.last, 'the token between is revoked')
      assert.equal((await introspect(first.root, 'partner')).active, true, 'what it came from lives on')
      const second = await chain()
      await post('/revoke', { token: second.root }, 'shop')
      await isOver(second.last, 'the first token is revoked')
      const { signing_key } = await server.app.tenant.currentConfiguration()
      const { last } = await chain()
      const without = await signJwt(signing_key, 'at+jwt', { ...claimsOf(last), exchanged_from: undefined })
      await isOver(without, 'one that does not say what it came of is of nobody`s grant')
    })

    test('5.11 a token dies with the key that signed what it was exchanged for, whatever signed itself', async () => {
      const { tenant } = server.app
      const { access_token } = await signIn()
      const sealed = await exchange('orders', access_token, { resource: SEALED, scope: 'sealed:open' })
      assert.equal((await introspect(sealed.body.access_token, 'orders')).active, true)
      await revokeSigningKey(tenant, (await tenant.currentConfiguration()).signing_key.kid, 'cli')
      assert.deepEqual(await introspect(sealed.body.access_token, 'orders'), { active: false })
    })

    test('a role that is lost and a trust that is taken back cut it', async () => {
      const { access_token } = await signIn()
      const { body } = await exchange('orders', access_token)
      await server.addRole('buyer', ['orders:read', 'orders:write'])
      assert.deepEqual(await introspect(body.access_token), { active: false })
      await server.addRole('buyer', ['orders:read', 'orders:write', 'stock:read', 'sealed:open'])
      assert.equal((await introspect(body.access_token)).active, true)
    })

    test('an opaque resource gets an opaque token, and a JWT cannot be had for it', async () => {
      const { access_token } = await signIn()
      const { body } = await exchange('orders', access_token, { resource: SEALED, scope: 'sealed:open' })
      assert.match(body.access_token, /^sp_at_/)
      const wanted = { resource: SEALED, scope: 'sealed:open', requested_token_type: type('jwt') }
      assert.equal((await exchange('orders', access_token, wanted)).body.error, 'invalid_request')
      const jwt = await exchange('orders', access_token, { requested_token_type: type('jwt') })
      assert.equal(jwt.body.issued_token_type, type('jwt'))
    })

    test('9.2.2 what is no access token of a user is refused as one: other kinds of token, and tokens without a user', async () => {
      const tokens = await signIn('shop', { scope: 'openid offline_access orders:read' })
      const alone = await post(
        '/token',
        { grant_type: 'client_credentials', resource: ORDERS, scope: 'orders:read' },
        'shop',
      )
      for (const token of [tokens.id_token, tokens.refresh_token, alone.body.access_token, 'x', 'a.b.c']) {
        const { body } = await exchange('orders', token)
        assert.deepEqual([body.error, body.reason], ['invalid_request', 'subject_token_refused'], token.slice(0, 12))
      }
      for (const kind of ['id_token', 'jwt']) {
        const as = { subject_token_type: type(kind) }
        assert.equal((await exchange('orders', tokens.access_token, as)).body.error, 'invalid_request', kind)
      }
    })

    test('a trusted client exchanges its ID token while the session lives', async () => {
      const agent = { resource: STOCK, scope: 'openid' }
      const { id_token } = await signIn('first', agent)
      const as = { subject_token_type: type('id_token'), scope: 'stock:read' }
      const { status, body } = await exchange('first', id_token, as)
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal((await introspect(body.access_token)).sub, alice_id)
      assert.equal((await exchange('orders', id_token, as)).body.error, 'invalid_request', 'issued to another client')
      const { tenant_id } = server.app.tenant
      for (const { session_id } of await server.store.listSessionsOfUser({ tenant_id, user_id: alice_id })) {
        await server.store.endSession({ tenant_id, session_id, event: newEvent() })
      }
      assert.deepEqual(await introspect(body.access_token), { active: false })
      assert.equal((await exchange('first', id_token, as)).body.error, 'invalid_request')
    })

    test('8.3.2 an ID token of before its grant, client, user or tenant was switched off brings nothing after', async () => {
      const { tenant_id } = server.app.tenant
      const as = { subject_token_type: type('id_token'), scope: 'stock:read' }
      const ends: [string, (grant_id: string) => Promise<unknown>][] = [
        ['grant', (grant_id) => server.store.revokeGrant({ tenant_id, grant_id, reason: 'test', event: newEvent() })],
        ['client', () => onAndOff((args) => server.store.setClientDisabled({ ...args, client_id: 'first' }))],
        ['user', () => onAndOff((args) => server.store.setUserDisabled({ ...args, user_id: alice_id }))],
        ['tenant', () => onAndOff((args) => server.store.setTenantDisabled(args))],
      ]
      for (const [what, end] of ends) {
        const { id_token, access_token } = await signIn('first', { resource: STOCK, scope: 'openid' })
        assert.equal((await exchange('first', id_token, as)).status, 200, what)
        await end(claimsOf(access_token)['grant_id'] as string)
        assert.equal((await exchange('first', id_token, as)).body.error, 'invalid_request', what)
      }
    })

    test('a sign-in that is less than the tenant asks for brings no token by its ID token', async () => {
      const { id_token } = await signIn('first', { resource: STOCK, scope: 'openid' })
      const as = { subject_token_type: type('id_token'), scope: 'stock:read' }
      await server.saveSettings({ mfa: 'required' })
      assert.equal((await exchange('first', id_token, as)).body.error, 'invalid_request')
      await server.saveSettings({})
      assert.equal((await exchange('first', id_token, as)).status, 200)
    })

    test('an ID token, which travels in URLs, brings nothing to whoever says to be a public client', async () => {
      const { id_token } = await signIn('app', { resource: STOCK, scope: 'openid' })
      const subject = { subject_token: id_token, subject_token_type: type('id_token'), client_id: 'app' }
      const body = new URLSearchParams({ grant_type: GRANT, resource: STOCK, scope: 'stock:read', ...subject })
      const response = await fetch(`${server.issuer}/token`, { method: 'POST', body })
      assert.equal(((await response.json()) as { error?: string }).error, 'invalid_request')
    })

    test('GHSA-7qjx-gp9h-65qj a JWT of a trusted issuer is exchanged once, by a client that may bring it', async () => {
      const issuer = 'https://hr.example'
      const rules = readTrustedIssuer({ jwks: JWKS, clients: ['orders'], scope: 'stock:read', subject_is: 'username' })
      const saved = { issuer, rules, disabled: false }
      await saveTrustedIssuer(server.app.tenant, saved, { actor: 'cli', changed: [] })
      const at = { issuer: server.issuer, now: () => now }
      const sign = (claims = {}) => signAssertion(at, issuer, { claims: { sub: 'alice', ...claims } })
      const as = { subject_token_type: type('jwt'), scope: 'stock:read' }
      const token = await sign()
      const { status, body } = await exchange('orders', token, as)
      assert.equal(status, 200, JSON.stringify(body))
      assert.equal(body.expires_in, 60)
      const { sub, act } = await introspect(body.access_token)
      assert.deepEqual({ sub, act }, { sub: alice_id, act: { sub: 'orders' } })
      const used = (await exchange('orders', token, as)).body
      assert.deepEqual([used.error, used.reason], ['invalid_request', 'subject_token_refused'], 'its jti was used')
      const others: [string, ReturnType<typeof exchange>][] = [
        ['another client', exchange('partner', await sign(), as)],
        ['another actor', exchange('orders', await sign({ may_act: { sub: 'stock' } }), as)],
        ['another audience', exchange('orders', await sign({ aud: STOCK }), as)],
        ['nobody here', exchange('orders', await sign({ sub: 'nobody' }), as)],
      ]
      for (const [what, refused] of others) assert.equal((await refused).body.error, 'invalid_request', what)
      const named = await exchange('orders', await sign({ may_act: { sub: 'orders' } }), as)
      assert.equal(named.status, 200)
      const acted = await exchange('orders', await sign({ act: { sub: 'clerk-7' } }), as)
      const chain = { sub: 'orders', act: { sub: 'clerk-7', iss: issuer } }
      assert.deepEqual((await introspect(acted.body.access_token)).act, chain, 'whoever acted there is not hidden here')
      assert.equal((await exchange('orders', await sign({ act: 'clerk-7' }), as)).body.error, 'invalid_request')
      const kept = await sign()
      await saveTrustedIssuer(
        server.app.tenant,
        { ...saved, rules: { ...rules, scope: 'sealed:open' } },
        { actor: 'cli', changed: [] },
      )
      const sealed = { ...as, resource: SEALED, scope: 'sealed:open' }
      const refused = await exchange('orders', kept, { ...sealed, requested_token_type: type('jwt') })
      assert.equal(refused.body.error, 'invalid_request')
      assert.equal((await exchange('orders', kept, sealed)).status, 200, 'a request that fails does not use it up')
    })

    test('T-12 what comes of a bound token of a public client is bound to the same key, and nothing to another', async () => {
      const [key, other] = [makeDpopKey(), makeDpopKey()]
      const proofOf = (of: typeof key) => {
        const claims = goodClaims({ method: 'POST', url: `${server.issuer}/token`, now })
        return { dpop: makeProof(of, { claims }) }
      }
      const { access_token } = await signIn('app', { resource: STOCK, scope: 'stock:read' }, ALICE, proofOf(key))
      const less = async (headers: Record<string, string>) => {
        const subject = { subject_token: access_token, subject_token_type: type('access_token'), client_id: 'app' }
        const body = new URLSearchParams({ grant_type: GRANT, resource: STOCK, scope: 'stock:read', ...subject })
        const response = await fetch(`${server.issuer}/token`, { method: 'POST', body, headers })
        return (await response.json()) as { error?: string; token_type?: string; access_token: string }
      }
      assert.equal((await less({})).error, 'invalid_request')
      assert.equal((await less(proofOf(other))).error, 'invalid_request')
      const bound = await less(proofOf(key))
      assert.equal(bound.token_type, 'DPoP')
      assert.deepEqual(claimsOf(bound.access_token)['cnf'], { jkt: key.jkt })
      assert.equal(
        (await exchange('orders', access_token)).body.error,
        'invalid_request',
        'nor is it for those it was not sent to',
      )
      const { body } = await exchange('stock', access_token, { resource: ORDERS, scope: 'orders:read' })
      assert.equal(body.token_type, 'Bearer', 'who it was sent to acts under its own name, by its own key or none')
      assert.deepEqual(claimsOf(body.access_token)['act'], { sub: 'stock' })
    })

    test('an exchange of an access token adds no row, and one that fails changes nothing', async () => {
      const { access_token } = await signIn()
      const count = async () => {
        const { tenant_id } = server.app.tenant
        const events = await server.store.pageEvents({
          tenant_id,
          before_event_id: 'g',
          type: '',
          actor: '',
          most: 1000,
        })
        return [events.length, (await server.store.listGrantsOfUser({ tenant_id, user_id: alice_id })).length]
      }
      const before = await count()
      for (let i = 0; i < 20; i++) assert.equal((await exchange('orders', access_token)).status, 200)
      assert.equal((await exchange('bare', access_token)).status, 400)
      assert.deepEqual(await count(), before)
    })
  })
}
