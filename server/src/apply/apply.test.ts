import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createDatabase, startPostgres } from '../../../test/parts/postgres.ts'
import { RootKey } from '../crypto/tenant_keys.ts'
import { createEgress, type Egress } from '../egress/egress.ts'
import { ProcessCounters } from '../inbound/process_counters.ts'
import { RefusedLogins } from '../inbound/refused_logins.ts'
import { openOrCreateTenant } from '../inbound/tenants.ts'
import { createUser } from '../inbound/users/administer_users.ts'
import { checkLogin } from '../inbound/users/check_login.ts'
import { findArrival } from '../inbound/users/federation.ts'
import { createOutboundContext } from '../outbound/context.ts'
import { createCatalogue } from '../providers/catalogue.ts'
import { openStore, type Store, type StoreLocation } from '../store/store.ts'
import { createWebhookContext } from '../webhooks/context.ts'
import { type ApplyContext, applyPlatform, planPlatform } from './apply.ts'
import type { Change } from './plan.ts'
import { readPlatform } from './platform.ts'
import { PlatformError } from './platform_error.ts'

const ISSUER = 'http://localhost:9400'
const SECRET = 'a-secret-of-enough-characters'
const DESCRIBED = {
  settings: { service_registration: 'open' },
  resources: [
    {
      resource: 'http://127.0.0.1:5000/mcp',
      scopes: { 'mcp:tools': 'Use the tools', 'api:read': 'Read your data' },
      access_token: { format: 'jwt', lifetime_seconds: 600 },
    },
  ],
  clients: [
    {
      client_id: 'web',
      client_secret: SECRET,
      redirect_uris: ['http://127.0.0.1:3000/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'openid email profile offline_access mcp:tools',
      trusted: false,
    },
  ],
  roles: [{ role: 'member', scopes: ['mcp:tools', 'api:read'] }],
  users: [
    {
      username: 'alice',
      name: 'Alice Example',
      email: 'alice@example.test',
      email_verified: true,
      password: 'correct horse battery',
      roles: ['member'],
    },
  ],
  connectors: [
    {
      connector: 'acme',
      provider: 'oidc',
      issuer: 'http://127.0.0.1:4001',
      client_id: 'web',
      client_secret: 'upstream-secret',
      scope: 'openid email offline_access',
    },
  ],
}
type Described = { [Name in keyof typeof DESCRIBED | 'trusted_issuers' | 'webhooks']?: unknown }

const read = (described: Described) =>
  readPlatform(described, { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] })
const done = (changes: readonly Change[]) =>
  changes.flatMap(({ action, kind, id, fields }) =>
    action === 'none' ? [] : [`${action} ${kind} ${id}: ${fields.map(({ field }) => field).join(' ')}`],
  )

for (const database of ['sqlite', 'postgres'] as const) {
  describe(database, () => {
    let store: Store
    let egress: Egress
    let drop = async () => {}
    before(async () => {
      let location: StoreLocation = { sqlite: ':memory:' }
      if (database === 'postgres') {
        const server = await startPostgres()
        const made = await createDatabase(server.url)
        location = { postgres: made.url }
        drop = async () => {
          await made.drop()
          await server.stop()
        }
      }
      store = await openStore(location)
      egress = createEgress({ allow: ['127.0.0.1:4001'] })
    })
    after(async () => {
      await store?.close()
      await egress?.close()
      await drop()
    })

    let tenants = 0
    async function makeContext(): Promise<ApplyContext> {
      const issuer = `${ISSUER}/${tenants++}`
      const tenant = await openOrCreateTenant({ issuer, store, root: new RootKey(randomBytes(32)), clock: Date.now })
      const catalogue = createCatalogue()
      return {
        tenant,
        outbound: createOutboundContext({ tenant, egress, catalogue, owner: 'test', clock: Date.now }),
        webhooks: createWebhookContext({ tenant, egress }),
      }
    }
    const login = ({ tenant }: ApplyContext, username: string, password: string) => {
      const context = { tenant, counters: new ProcessCounters(), refused_logins: new RefusedLogins(tenant) }
      return checkLogin(context, { username, password })
    }
    const events = async ({ tenant }: ApplyContext) =>
      (
        await store.pageEvents({ tenant_id: tenant.tenant_id, before_event_id: '~', type: '', actor: '', most: 100 })
      ).map((event) => event.type)
    const apply = async (context: ApplyContext, described: Described) =>
      done((await applyPlatform(context, read(described), 'cli')).changes)
    const refuses = async (context: ApplyContext, described: Described, ...sentences: string[]) => {
      const before = await events(context)
      await assert.rejects(applyPlatform(context, read(described), 'cli'), (error) => {
        assert.ok(error instanceof PlatformError, String(error))
        assert.deepEqual(error.sentences, sentences)
        return true
      })
      assert.deepEqual(await events(context), before)
    }

    test('a platform is made as described, and applying it again changes nothing and writes no event', async () => {
      const context = await makeContext()
      const planned = await planPlatform(context, read(DESCRIBED))
      assert.deepEqual(await events(context), ['tenant.created'])
      const applied = await applyPlatform(context, read(DESCRIBED), 'cli')
      assert.deepEqual(applied, planned)
      assert.deepEqual(
        applied.changes.map(({ action, kind, id }) => `${action} ${kind} ${id}`),
        [
          'change settings settings',
          'create resource http://127.0.0.1:5000/mcp',
          'create role member',
          'create client web',
          'create user alice',
          'create connector acme',
        ],
      )
      assert.doesNotMatch(JSON.stringify(applied), /a-secret-of|correct horse|upstream-secret/)
      assert.deepEqual(applied.warnings, [])

      const { settings, resources, roles } = await context.tenant.currentConfiguration()
      assert.equal(settings.service_registration, 'open')
      assert.deepEqual(resources.get('http://127.0.0.1:5000/mcp')?.scopes.get('mcp:tools'), 'Use the tools')
      assert.deepEqual(roles.get('member'), ['mcp:tools', 'api:read'])
      assert.equal((await login(context, 'alice', 'correct horse battery')).kind, 'signed_in')

      const before = await events(context)
      const again = await applyPlatform(context, read(DESCRIBED), 'cli')
      assert.deepEqual(done(again.changes), [])
      assert.equal(again.changes.length, 6)
      assert.deepEqual(await events(context), before)
    })

    test('only what differs is changed; of a secret it is said only that it does', async () => {
      const context = await makeContext()
      await apply(context, DESCRIBED)
      const [web] = DESCRIBED.clients
      const [alice] = DESCRIBED.users
      const [acme] = DESCRIBED.connectors
      const changed = {
        settings: { code_lifetime_seconds: 30 },
        resources: [{ ...DESCRIBED.resources[0], access_token: { format: 'opaque' } }],
        roles: [{ role: 'member', scopes: ['mcp:tools'] }],
        clients: [{ ...web, client_secret: `${SECRET}-2`, trusted: true }],
        users: [{ ...alice, password: 'another long password', roles: [] }],
        connectors: [{ ...acme, client_secret: 'another upstream secret' }],
      }
      const { changes } = await applyPlatform(context, read(changed), 'cli')
      assert.deepEqual(done(changes), [
        'change settings settings: code_lifetime_seconds',
        'change resource http://127.0.0.1:5000/mcp: access_token.format',
        'change role member: scopes',
        'change client web: trusted client_secret',
        'change user alice: roles password',
        'change connector acme: client_secret',
      ])
      assert.deepEqual(changes[1]!.fields, [{ field: 'access_token.format', from: 'jwt', to: 'opaque' }])
      assert.deepEqual(changes[3]!.fields[1], { field: 'client_secret', secret: true })
      assert.equal((await login(context, 'alice', 'another long password')).kind, 'signed_in')
      assert.deepEqual(await apply(context, changed), [])
      // The setting that this file does not name has stayed.
      assert.equal((await context.tenant.currentConfiguration()).settings.service_registration, 'open')
    })

    test('what the file does not name stays, secrets and profiles of named users included', async () => {
      const context = await makeContext()
      await apply(context, DESCRIBED)
      const { client_secret: _, ...web } = DESCRIBED.clients[0]!
      assert.deepEqual(await apply(context, { users: [{ username: 'ALICE' }], clients: [web] }), [])
      assert.deepEqual(await apply(context, {}), [])
      assert.equal((await login(context, 'alice', 'correct horse battery')).kind, 'signed_in')
    })

    test('RFC 7523 2.1 a trusted issuer is described whole, and switched off by a word', async () => {
      const context = await makeContext()
      const { kty, crv, x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' })
      const issuer = {
        issuer: 'https://idp.example',
        jwks: { keys: [{ kty, crv, x, y, kid: 'k' }] },
        subjects: { 'idp|7': 'alice' },
        clients: ['batch'],
        scope: 'api:read',
      }
      const trusted = (more: object = {}) => ({ trusted_issuers: [{ ...issuer, ...more }] })
      const name = 'trusted_issuer https://idp.example:'
      assert.deepEqual(await apply(context, trusted()), [`create ${name} jwks subjects clients scope disabled`])
      assert.deepEqual(await apply(context, trusted()), [])
      assert.deepEqual(await apply(context, trusted({ disabled: true })), [`change ${name} disabled`])
      const { tenant_id } = context.tenant
      assert.notEqual((await store.findTrustedIssuer({ tenant_id, issuer: issuer.issuer }))!.disabled_at, null)
      const username = { subject_is: 'username', subjects: undefined }
      assert.deepEqual(await apply(context, trusted(username)), [`change ${name} subjects disabled subject_is`])
      assert.deepEqual(await apply(context, {}), [])
      const own = { issuer: context.tenant.issuer }
      await refuses(context, trusted(own), `trusted_issuers[0] (${own.issuer}): issuer is this server itself`)
      const wrong: [object, RegExp][] = [
        [{ jwks: undefined }, /jwks or jwks_uri is needed/],
        [{ jwks_uri: 'https://idp.example/jwks' }, /jwks or jwks_uri is needed, and not both/],
        [{ jwks: undefined, jwks_uri: 'file:///etc/passwd' }, /jwks_uri must be an https URL/],
        [{ jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, /private or symmetric/],
        [{ subject_is: 'email' }, /subject_is must be user_id or username/],
        [{ subjects: ['alice'] }, /subjects must map sub to username/],
        [{ subjects: { a: 7 } }, /subjects must map each sub to a username/],
        [{ clients: 'batch' }, /clients must be a list/],
        [{ scop: 'x' }, /scop is not known/],
      ]
      for (const [more, pattern] of wrong) {
        assert.throws(() => read(trusted(more)), pattern, JSON.stringify(more))
      }
    })

    test('a webhook is described with its secret; another secret is a change that shows none, and what is left out stays', async () => {
      const context = await makeContext()
      const write = (letter: string) =>
        `whsec_${Buffer.from(`${letter} secret of thirty-two bytes.....`).toString('base64')}`
      const crm = { webhook: 'crm', url: 'https://crm.example', event_types: ['user.created'] }
      const of = (more: object = {}) => ({ webhooks: [{ ...crm, ...more }] })
      await refuses(
        context,
        of(),
        'webhooks[0] (crm): secret is missing: give { env } or { file } with whsec_ and 24 to 64 random bytes as base64',
      )
      assert.deepEqual(await apply(context, of({ secret: write('a') })), ['create webhook crm: url event_types secret'])
      assert.deepEqual(await apply(context, of({ secret: write('a') })), [])
      assert.deepEqual(await apply(context, of()), [])
      assert.deepEqual(await apply(context, of({ secret: write('b') })), ['change webhook crm: secret'])
      const wider = { event_types: [], description: 'All of it' }
      assert.deepEqual(await apply(context, of(wider)), ['change webhook crm: description event_types'])
      await refuses(
        context,
        of({ url: 'http://crm.example', secret: 'hunter2' }),
        "webhooks[0] (crm): The webhook's url must be https, unless the operator allows its host in SALLYPORT_EGRESS_ALLOW",
      )
      assert.throws(() => read({ webhooks: [crm, crm] }), /webhooks: crm is described twice/)
      assert.throws(() => read({ webhooks: [{ ...crm, events: [] }] }), /events is not known/)
    })

    test('a client that signs has the secret, or the keys, that its method asks for', async () => {
      const context = await makeContext()
      const client = { client_id: 'batch', grant_types: ['client_credentials'] }
      const of = (method: string, more: object = {}) => ({
        clients: [{ ...client, token_endpoint_auth_method: method, ...more }],
      })
      const long = 'a secret of more than thirty-two bytes'
      const jwks_uri = 'https://batch.example/jwks'
      await apply(context, of('private_key_jwt', { jwks_uri }))
      const { tenant_id } = context.tenant
      assert.equal((await store.findClient({ tenant_id, client_id: 'batch' }))!.client_secret_hash, null)
      await refuses(
        context,
        of('private_key_jwt', { jwks_uri, client_secret: long }),
        'clients[0] (batch): client_secret does not go with token_endpoint_auth_method: private_key_jwt',
      )
      await apply(context, of('client_secret_post', { client_secret: long }))
      await refuses(
        context,
        of('client_secret_jwt'),
        'clients[0] (batch): client_secret is needed to change to client_secret_jwt',
      )
      await refuses(
        context,
        of('client_secret_jwt', { client_secret: 'short' }),
        'clients[0] (batch): Member client_secret must have at least 32 bytes to sign with',
      )
      // The secret is the same: what changes is how it is kept.
      assert.deepEqual(await apply(context, of('client_secret_jwt', { client_secret: long })), [
        'change client batch: token_endpoint_auth_method',
      ])
      assert.ok((await store.findSealedSecrets({ tenant_id, client_id: 'batch' }))!.sealed_client_secret)
      assert.deepEqual(await apply(context, of('client_secret_jwt')), [])
    })

    test('S3 O2 O4 what a client takes from roles is described like the rest of it, in whatever order', async () => {
      const context = await makeContext()
      const client = {
        ...{
          client_id: 'erp',
          client_secret: SECRET,
          grant_types: ['client_credentials'],
          scope: 'mcp:tools api:read',
        },
        role_scopes: { member: ['mcp:tools'], guest: [] },
        service_account: { user_id: 'robot', role: 'member' },
        ...{ one_role: true, every_service: false, offline_refresh_only: true },
      }
      assert.equal((await apply(context, { clients: [client] })).length, 1)
      assert.deepEqual(await apply(context, { clients: [client] }), [])
      const turned = { ...client, role_scopes: { guest: [], member: ['mcp:tools'] } }
      assert.deepEqual(await apply(context, { clients: [turned] }), [])
      const wider = { ...client, role_scopes: { ...client.role_scopes, guest: ['api:read'] } }
      assert.deepEqual(await apply(context, { clients: [wider] }), ['change client erp: role_scopes'])
      const free = { ...wider, service_account: undefined }
      assert.deepEqual(await apply(context, { clients: [free] }), ['change client erp: service_account'])
      const nobody = { ...client, service_account: { user_id: 'robot' } }
      assert.throws(() => read({ clients: [nobody] }), /\(erp\): service_account must name a user_id and a role/)
      const no_scope = { ...client, role_scopes: { member: ['two scopes'] } }
      assert.throws(() => read({ clients: [no_scope] }), /role_scopes has something under member that is no scope/)
    })

    test('RFC 7662 4 a resource names who may introspect its tokens, and a change of that is one', async () => {
      const context = await makeContext()
      await apply(context, DESCRIBED)
      const [resource] = DESCRIBED.resources
      const named = { resources: [{ ...resource, introspection_clients: ['web'] }] }
      assert.deepEqual(await apply(context, named), [
        'change resource http://127.0.0.1:5000/mcp: introspection_clients',
      ])
      const { resources } = await context.tenant.currentConfiguration()
      assert.deepEqual(resources.get('http://127.0.0.1:5000/mcp')!.introspection_clients, ['web'])
      assert.deepEqual(await apply(context, named), [])
      await refuses(
        context,
        { resources: [{ ...resource, introspection_clients: ['a b'] }] },
        'resources[0] (http://127.0.0.1:5000/mcp): introspection_clients: each must be a client_id, 1 to 255 printable ASCII characters without space',
      )
    })

    test('several that apply the same file at once leave one of everything', async () => {
      const context = await makeContext()
      await Promise.all([1, 2, 3].map(() => applyPlatform(context, read(DESCRIBED), 'cli')))
      const made = (await events(context)).filter((type) => /\.created$/.test(type))
      assert.deepEqual(made.sort(), ['client.created', 'connector.created', 'tenant.created', 'user.created'])
      assert.deepEqual(await apply(context, DESCRIBED), [])
    })

    test('the built-in role cannot be narrowed, and may be widened', async () => {
      const context = await makeContext()
      const role = 'administrator'
      await refuses(
        context,
        { roles: [{ role, scopes: ['admin:read'] }] },
        'roles[0] (administrator): role administrator is built in and keeps admin:write',
      )
      const scopes = ['admin:read', 'admin:write', 'api:read']
      assert.deepEqual(await apply(context, { roles: [{ role, scopes }] }), ['change role administrator: scopes'])
    })

    test('whatever cannot be written is refused before anything is written', async () => {
      const context = await makeContext()
      const { issuer } = context.tenant
      await refuses(
        context,
        {
          resources: [
            { resource: 'https://fine.example.com' },
            { resource: `${issuer}/api` },
            { resource: 'no-uri' },
            { resource: 'https://a.example.com', scopes: { 'a b': 'x' } },
            { resource: 'https://b.example.com', default_scopes: ['x'], access_token: { lifetime_seconds: 600 } },
            { resource: 'https://c.example.com', access_token: { lifetime_seconds: 0 } },
          ],
          roles: [{ role: 'not a name' }],
          clients: [
            { client_id: 'web', redirect_uris: ['https://app.example.com/cb'] },
            {
              client_id: 'spa',
              redirect_uris: ['https://app.example.com/cb'],
              token_endpoint_auth_method: 'none',
              client_secret: SECRET,
            },
          ],
          users: [
            { username: 'bob', password: 'short' },
            { username: 'carol', email: 'nowhere' },
            { username: 'dave', roles: ['adminstrator'] },
            { username: 'eve', user_id: 'a b' },
          ],
          connectors: [{ ...DESCRIBED.connectors[0], issuer: 'http://provider.example:4002' }],
        },
        `resources[1] (${issuer}/api): resource is one of the server itself`,
        'resources[2] (no-uri): Parameter resource must be an absolute URI',
        "resources[3] (https://a.example.com): scopes: 'a b' is not one scope",
        'resources[4] (https://b.example.com): default_scopes: x is not among the scopes',
        'resources[5] (https://c.example.com): access_token.lifetime_seconds must be a whole number from 1 to 86400',
        'roles[0] (not a name): role must have 1 to 64 letters, digits or _ . : - and begin with a letter or digit',
        'clients[0] (web): client_secret is missing: give { value }, { env } or { file }, or say token_endpoint_auth_method: none',
        'clients[1] (spa): client_secret does not go with token_endpoint_auth_method: none',
        'users[0] (bob): password must have 8 to 1024 characters',
        'users[1] (carol): email is not an address',
        'users[2] (dave): there is no role adminstrator; did you mean administrator?',
        'users[3] (eve): user_id must be 1 to 255 printable ASCII characters',
        "connectors[0] (acme): The connector's issuer must be https, unless the operator allows its host in SALLYPORT_EGRESS_ALLOW",
      )
    })

    test('a user_id may be fixed at creation, never changes, and is never a client_id', async () => {
      const context = await makeContext()
      await apply(context, { users: [{ username: 'alice', user_id: 'u-1' }] })
      assert.deepEqual(await apply(context, { users: [{ username: 'alice', user_id: 'u-1' }] }), [])
      await refuses(
        context,
        {
          users: [
            { username: 'alice', user_id: 'u-2' },
            { username: 'bob', user_id: 'u-1' },
          ],
        },
        'users[0] (alice): user_id is another one already, and never changes',
        'users[1] (bob): user_id is that of another user',
      )
      await refuses(
        context,
        { clients: [{ ...DESCRIBED.clients[0], client_id: 'u-1' }] },
        'clients[0] (u-1): client_id is the user_id of a user',
      )
      await refuses(
        context,
        { clients: [{ ...DESCRIBED.clients[0], client_id: context.tenant.issuer }] },
        `clients[0] (${context.tenant.issuer}): client_id is the issuer`,
      )
      await apply(context, { clients: DESCRIBED.clients })
      await refuses(
        context,
        { users: [{ username: 'bob', user_id: 'web' }] },
        'users[0] (bob): user_id is the client_id of a client',
      )
    })

    test('a name gives no roles to whoever came with it from another server, and is doubted where it was here before', async () => {
      const context = await makeContext()
      const { tenant } = context
      const identity = { authority: 'https://other.example', account: '1', connector: 'acme', account_name: null }
      const claims = { username: 'Ops', email_verified: false }
      const { user_id } = (await findArrival(tenant, { identity, mode: 'create', claims }))!
      const named = (user: object) => ({ users: [{ username: 'ops', roles: ['administrator'], ...user }] })
      await refuses(
        context,
        named({}),
        `users[0] (ops): signs in by connector acme: only with user_id: '${user_id}' are roles given to them`,
      )
      assert.deepEqual(await apply(context, named({ roles: [], name: 'Ops' })), ['change user ops: name'])
      assert.deepEqual(await apply(context, named({ user_id })), ['change user ops: roles'])
      assert.deepEqual(await apply(context, named({})), [], 'who has them has them')
      await apply(context, { users: [{ username: 'alice', user_id: 'u-1' }] })
      const warningsOf = async (user: object) =>
        (await planPlatform(context, read(named({ username: 'alice', ...user })))).warnings
      assert.deepEqual(await warningsOf({}), [
        "user alice: is here already and gets roles by name alone; user_id: 'u-1' says who is meant",
      ])
      assert.deepEqual(await warningsOf({ user_id: 'u-1' }), [])
      assert.deepEqual(await warningsOf({ username: 'new' }), [])
    })

    test('where anybody makes an account, a name in the file gives no roles to whoever took it first', async () => {
      const context = await makeContext()
      const { tenant } = context
      await apply(context, { settings: { sign_up: 'open' }, users: [{ username: 'made-here', roles: [] }] })
      const user_id = await createUser(tenant, { username: 'Ops' }, { actor: 'sign_up' })
      const named = (user: object) => ({ users: [{ username: 'ops', roles: ['administrator'], ...user }] })
      const refusal = `users[0] (ops): may be anybody's name (sign_up is open): only with user_id: '${user_id}' are roles given`
      await refuses(context, named({}), refusal)
      await refuses(context, { ...named({}), settings: { sign_up: 'off' } }, refusal)
      assert.deepEqual(await apply(context, named({ user_id })), ['change user ops: roles'])
    })

    test('11.2.2 algorithms are switched on by the platform, each with its key, and named where nobody has them', async () => {
      const context = await makeContext()
      const [client] = DESCRIBED.clients
      const resource = DESCRIBED.resources[0]!
      const described = {
        clients: [{ ...client, id_token_signed_response_alg: 'RS256' }],
        resources: [{ ...resource, access_token: { signing_alg: 'EdDSA' } }],
      }
      const { warnings } = await planPlatform(context, read(described))
      assert.deepEqual(warnings, [
        'client web: settings.signing_algs does not hold RS256, so ES256 signs',
        `resource ${resource.resource}: settings.signing_algs does not hold EdDSA, so ES256 signs`,
      ])
      const whole = { ...described, settings: { signing_algs: ['ES256', 'EdDSA', 'RS256'] } }
      assert.deepEqual((await applyPlatform(context, read(whole), 'cli')).warnings, [])
      const { signing_keys, resources } = await context.tenant.currentConfiguration()
      assert.deepEqual([...signing_keys.keys()], ['ES256', 'EdDSA', 'RS256'])
      assert.equal(resources.get(resource.resource)!.access_token_signing_alg, 'EdDSA')
      const planned = (await planPlatform(context, read(whole))).changes.map(({ action }) => action)
      assert.deepEqual([...new Set(planned)], ['none'])
      const none = { settings: { signing_algs: [] } }
      assert.throws(() => read(none), /settings.signing_algs must be a list of ES256, EdDSA, PS256, RS256/)
    })

    test('settings for clients that nobody registered are said to be useless where they are', async () => {
      const context = await makeContext()
      const warningsOf = async (settings: object, default_scopes: string[] = []) => {
        const resources = [{ ...DESCRIBED.resources[0], default_scopes }]
        return (await planPlatform(context, read({ settings, resources }))).warnings
      }
      const [scope] = Object.keys(DESCRIBED.resources[0]!.scopes)
      const nothing =
        'settings: clients that register themselves may have nothing; name dynamic_client_scopes, or default_scopes of a resource'
      assert.deepEqual(await warningsOf({}), [])
      assert.deepEqual(await warningsOf({ registration: 'open' }), [nothing])
      assert.deepEqual(await warningsOf({ metadata_documents: 'any' }), [nothing])
      assert.deepEqual(await warningsOf({ registration: 'open' }, [scope!]), [])
      assert.deepEqual(await warningsOf({ registration: 'open', dynamic_client_scopes: [scope, 'offline_access'] }), [])
      assert.deepEqual(await warningsOf({ metadata_documents: 'listed', dynamic_client_scopes: ['mcp:tols'] }), [
        'settings.dynamic_client_scopes: no resource has the scope mcp:tols',
        'settings.metadata_document_hosts is empty, so no metadata document is taken',
      ])
    })

    test('that strangers may give away what no role guards is said', async () => {
      const context = await makeContext()
      const [open] = DESCRIBED.resources
      const warningsOf = async (more: object) =>
        (await planPlatform(context, read({ settings: { sign_up: 'open' }, resources: [open], ...more }))).warnings
      const said =
        'there are no roles, so whoever makes an account may give away every scope of http://127.0.0.1:5000/mcp'
      assert.deepEqual(await warningsOf({}), [`settings.sign_up is open: ${said}`])
      assert.deepEqual(await warningsOf({ roles: DESCRIBED.roles }), [])
      assert.deepEqual(await warningsOf({ settings: { sign_up: 'off' } }), [])
      assert.deepEqual(await warningsOf({ resources: [{ ...open, every_user: true }] }), [])
    })

    test('that an issuer goes by names, which strangers may take, is said', async () => {
      const context = await makeContext()
      const [issuer, jwks_uri] = ['https://idp.example', 'https://idp.example/jwks']
      const warningsOf = async (rules: object, sign_up = 'open') =>
        (
          await planPlatform(
            context,
            read({ settings: { sign_up }, trusted_issuers: [{ issuer, jwks_uri, clients: [], ...rules }] }),
          )
        ).warnings
      const said = 'goes by username while sign_up is open: whoever takes the name of a deleted user is taken for them'
      assert.deepEqual(await warningsOf({ subject_is: 'username' }), [`trusted_issuer ${issuer}: ${said}`])
      assert.deepEqual(await warningsOf({ subjects: { 'idp|7': 'alice' } }), [`trusted_issuer ${issuer}: ${said}`])
      assert.deepEqual(await warningsOf({ subject_is: 'user_id' }), [])
      assert.deepEqual(await warningsOf({ subject_is: 'username', disabled: true }), [])
      assert.deepEqual(await warningsOf({ subject_is: 'username' }, 'off'), [])
    })

    test('what is allowed and yet looks wrong is said', async () => {
      const { warnings } = await planPlatform(
        await makeContext(),
        read({
          clients: [{ ...DESCRIBED.clients[0], client_secret: 'short', scope: 'openid mcp:tols' }],
          roles: [{ role: 'member', scopes: ['api:raed'] }],
          resources: [{ ...DESCRIBED.resources[0], introspection_clients: ['web', 'notes-api'] }],
          connectors: [{ ...DESCRIBED.connectors[0], issuer: 'http://127.0.0.1:4002' }],
        }),
      )
      assert.deepEqual(warnings, [
        'role member: no resource has the scope api:raed',
        'client web: no resource has the scope mcp:tols',
        'resource http://127.0.0.1:5000/mcp: introspection_clients names notes-api, which is no client',
        'client web: client_secret is short enough to be guessed',
        'connector acme: nobody can connect before SALLYPORT_EGRESS_ALLOW holds 127.0.0.1:4002',
      ])
    })
  })
}
