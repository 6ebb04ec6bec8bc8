import { createPermanentToken } from '../../server/src/inbound/tokens/permanent_tokens.ts'
import type { Bridge } from './bridge.ts'

/** What one route is asked with; what came of those before it is in `made`. */
export interface Step {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
}

/** Answers of the routes asked so far, by name. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
export type Made = Record<string, any>

const REDIRECT = 'https://app.example/callback'
const API = 'https://api.example/v1'
const ISSUER = 'https://idp.example'

/**
 * A request of each route that is answered as it should be, in an order in which each finds what it needs. A route of the
 * table that is not here has tests of its own (see ELSEWHERE of the test).
 */
export function listSteps(bridge: Bridge): readonly [name: string, step: (made: Made) => Step | Promise<Step>][] {
  const { foreign, users } = bridge
  const client = { client_id: 'made' }
  const metadata = {
    ...{ client_name: 'Made', redirect_uris: [REDIRECT], grant_types: ['authorization_code', 'refresh_token'] },
    ...{ response_types: ['code'], scope: 'openid', token_endpoint_auth_method: 'client_secret_basic' },
    logo_uri: 'https://app.example/logo.png',
  }
  const described = {
    provider: 'oidc',
    issuer: foreign.issuer,
    client_id: 'sallyport',
    client_secret: 'secret-at-acme',
  }
  const connection = async () => ({ params: { connection_id: (await bridge.connections())[0]!.connection_id } })
  // The upkeep of a running server does it.
  const seal = async () => {
    const { tenant_id, store } = bridge.server.app.tenant
    await store.sealEvents({ tenant_id, most: 1000 })
    return {}
  }
  return [
    ['getDocument', () => ({})],
    ['listProviders', () => ({})],

    ['createClient', () => ({ body: { ...client, metadata } })],
    ['listClients', () => ({})],
    ['getClient', () => ({ params: client })],
    [
      'updateClient',
      ({ getClient }) => ({ params: client, body: { metadata: { ...getClient.metadata, client_name: 'Changed' } } }),
    ],
    ['switchClient', () => ({ params: client, body: { name: 'trusted', on: true } })],
    ['fetchClientLogo', () => ({ params: client })],
    ['getClientLogo', () => ({ params: client })],
    ['rotateClientSecret', () => ({ params: client })],
    ['listClientSecrets', () => ({ params: client })],
    ['endFormerClientSecret', () => ({ params: client })],
    ['disableClient', () => ({ params: client })],
    ['enableClient', () => ({ params: client })],
    ['deleteClient', () => ({ params: client })],

    ['createRegistrationToken', () => ({ body: { name: 'partners', uses: 3, days: 2 } })],
    ['listRegistrationTokens', () => ({})],
    ['endRegistrationToken', ({ createRegistrationToken: { token_id } }) => ({ params: { token_id } })],

    ['createResource', () => ({ body: { resource: API, scopes: { 'v1:read': 'Read it' } } })],
    ['listResources', () => ({})],
    ['getResource', () => ({ params: { resource: API } })],
    ['updateResource', () => ({ params: { resource: API }, body: { name: 'The API', scopes: { 'v1:read': 'Read' } } })],
    ['createRole', () => ({ body: { role: 'reader', scopes: ['v1:read'] } })],
    ['listRoles', () => ({})],
    ['getRole', () => ({ params: { role: 'reader' } })],
    ['updateRole', () => ({ params: { role: 'reader' }, body: { scopes: [] } })],
    ['explainRights', () => ({ query: { client_id: 'web', user_id: users.alice } })],

    ['createUser', () => ({ body: { username: 'invited', email: 'invited@example.test' } })],
    ['inviteUser', ({ createUser: { user_id } }) => ({ params: { user_id } })],
    ['createUser', () => ({ body: { username: 'carol', password: 'a long enough secret', roles: ['reader'] } })],
    ['listUsers', () => ({})],
    ['getUser', ({ createUser: { user_id } }) => ({ params: { user_id } })],
    [
      'updateUser',
      ({ createUser: { user_id } }) => ({
        params: { user_id },
        body: { name: 'Carol', email: null, claims: { team: 1 } },
      }),
    ],
    ['disableUser', ({ createUser: { user_id } }) => ({ params: { user_id } })],
    ['enableUser', ({ createUser: { user_id } }) => ({ params: { user_id } })],
    ['deleteUser', ({ createUser: { user_id } }) => ({ params: { user_id } })],

    ['listGrants', () => ({ query: { client_id: 'web' } })],
    ['getGrant', ({ listGrants: { items } }) => ({ params: { grant_id: items[0].grant_id } })],
    ['endGrant', ({ listGrants: { items } }) => ({ params: { grant_id: items[0].grant_id } })],

    [
      'createTrustedIssuer',
      () => ({ body: { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks`, subject_is: 'username', clients: ['web'] } }),
    ],
    ['listTrustedIssuers', () => ({})],
    ['getTrustedIssuer', () => ({ params: { issuer: ISSUER } })],
    [
      'updateTrustedIssuer',
      () => ({ params: { issuer: ISSUER }, body: { jwks_uri: `${ISSUER}/jwks`, clients: ['web'], disabled: true } }),
    ],

    ['createConnector', () => ({ body: { connector: 'second', ...described, scope: 'openid' } })],
    ['listConnectors', () => ({})],
    ['getConnector', () => ({ params: { connector: 'second' } })],
    [
      'updateConnector',
      () => ({
        params: { connector: 'second' },
        body: { ...described, scope: 'openid email', hand_out_tokens: false },
      }),
    ],
    ['testConnector', () => ({ params: { connector: 'acme' } })],
    ['disableConnector', () => ({ params: { connector: 'second' } })],
    ['enableConnector', () => ({ params: { connector: 'second' } })],
    ['deleteConnector', () => ({ params: { connector: 'second' } })],

    ['listConnections', () => ({})],
    ['getConnection', connection],
    ['getConnectionToken', connection],
    ['refreshConnection', connection],
    ['disconnectConnection', connection],

    ['getSettings', () => ({})],
    [
      'updateSettings',
      () => ({ body: { code_lifetime_seconds: 45, brokers: [], login_handoff: null, brand_accent: '#0a7f5a' } }),
    ],
    ['listSigningKeys', () => ({})],
    ['rotateSigningKeys', () => ({ body: { alg: 'ES256' } })],
    ['revokeSigningKey', ({ listSigningKeys: { items } }) => ({ params: { kid: items[0].kid } })],
    ['listEvents', () => ({ query: { type: 'client.' } })],
    ['exportEvents', seal],

    ['listSessions', () => ({ params: { user_id: users.alice } })],
    [
      'endSession',
      ({ listSessions: { items } }) => ({ params: { user_id: users.alice, session_id: items[0].session_id } }),
    ],
    ['endSessions', () => ({ params: { user_id: users.alice } })],
    [
      'listPersonalAccessTokens',
      async () => {
        await makeToken(bridge)
        return { params: { user_id: users.alice } }
      },
    ],
    [
      'deletePersonalAccessToken',
      ({ listPersonalAccessTokens: { items } }) => ({ params: { user_id: users.alice, token_id: items[0].token_id } }),
    ],
  ]
}

/** No route makes one: only its owner does, on a page. */
async function makeToken({ server: { app }, users, issuer }: Bridge): Promise<void> {
  const { tenant_id, store } = app.tenant
  const user = (await store.findUser({ tenant_id, user_id: users.alice }))!
  const state = (await store.loadTenantState({ tenant_id }))!
  const wanted = { user, state, name: 'nightly', scope: ['api:read'], resource: [`${issuer}/notes`] }
  await createPermanentToken(app.tenant, { ...wanted, expires_at: null, most: 1, actor: 'test' })
}
