import * as z from 'zod'
import { findConnection, pageConnections, type ShownConnection } from '../../outbound/connections/connections.ts'
import { disconnect } from '../../outbound/connections/disconnect.ts'
import { handOutToken } from '../../outbound/proxy/bridge.ts'
import type { ConnectionRecord } from '../../store/verbs/connections.ts'
import { PAGING, pageOf, replyPage } from './page_of.ts'
import { isOfPlatform, isOpenTo, platformOf } from './platform.ts'
import { answerProblem } from './problem.ts'
import { describeToken, readSeconds } from './provider_token.ts'
import { type ApiCall, route, type Subject, shown } from './route.ts'

// What platforms need for the connections of their own users, and no others.
const OWN = 'connect:sessions'
const TOKENS = ['vault:token', 'connect:token'] as const

const STATES = ['pending', 'ready', 'needs_reconsent', 'disconnected', 'error'] as const

const Connection = z
  .strictObject({
    connection_id: z.string(),
    connector: z.string(),
    provider: z.string(),
    user_id: z.string().nullable(),
    username: z.string().nullable(),
    client_id: z
      .string()
      .nullable()
      .meta({ description: 'The platform whose user owns it, where no user of ours does' }),
    end_user_id: z.string().nullable().meta({ description: 'What that platform calls its user' }),
    account: z.string().nullable(),
    account_name: z.string().nullable(),
    scope: z.string(),
    state: z.string().meta({ description: `${STATES.join(', ')} or refreshing` }),
    reason: z.string().nullable(),
    created_at: z.int(),
    expires_at: z.int().nullable(),
    refreshed_at: z.int().nullable(),
    last_used_at: z.int().nullable(),
    ends_at: z.int().nullable().meta({ description: 'The end that was chosen for it' }),
    last_error: z.string().nullable(),
    revocation_ends: z.string(),
  })
  .meta({ id: 'Connection', description: "A user's account at a provider; never its tokens" })

const ProviderToken = z
  .looseObject({
    access_token: z.string(),
    token_type: z.string(),
    scope: z.string(),
    connection_id: z.string(),
    issued_at: z.int(),
    expires_in: z.int().optional(),
  })
  .meta({ id: 'ProviderToken', description: "A usable access token of the provider, with the provider's own members" })

const connection: Subject<ConnectionRecord> = {
  name: 'connection',
  async find({ web, params }) {
    const { tenant_id, store } = web.tenant
    const authority = await store.loadConnection({ tenant_id, connection_id: params['connection_id']! })
    return authority?.connection ?? null
  },
  version: ({ connection_id, state }) => JSON.stringify([connection_id, state]),
}

/** The same for whoever takes tokens of it. */
const usable: Subject<ConnectionRecord> = {
  ...connection,
  async find(request) {
    const found = await connection.find(request)
    return found && isOpenTo(found, request.token, 'vault:token') ? found : null
  },
}

/** The same for whoever ends it: who may change everything, and the platform of its owner. */
const endable: Subject<ConnectionRecord> = {
  ...connection,
  async find(request) {
    const found = await connection.find(request)
    return found && (request.token.scope.includes('admin:write') || isOfPlatform(found, request.token)) ? found : null
  },
}

/** The same as it is shown. */
const visible: Subject<ShownConnection> = {
  ...{ name: connection.name, version: ({ connection_id, state }) => JSON.stringify([connection_id, state]) },
  async find({ web, params, token }) {
    const found = await findConnection(web.outbound, params['connection_id']!)
    return found && (token.scope.includes('admin:read') || isOfPlatform(found, token)) ? found : null
  },
}

/** The routes of connections. */
export const CONNECTION_ROUTES = [
  route({
    ...{ method: 'GET', path: '/connections', scope: ['admin:read', OWN], name: 'listConnections' },
    summary: 'Connections of users to providers, ended ones included',
    query: {
      ...PAGING,
      connector: z.string().optional(),
      state: z.enum(STATES).optional(),
      end_user_id: z.string().optional().meta({ description: 'Those of one user of the platform that asks' }),
    },
    answer: pageOf(Connection),
    run: ({ web, query, token }) => {
      const { end_user_id } = query
      // A platform sees those of its own users.
      const own = end_user_id !== undefined || !token.scope.includes('admin:read')
      const owner = own ? { client_id: platformOf(token), end_user_id: end_user_id ?? '' } : {}
      const filter = { connector: query.connector ?? '', state: query.state ?? ('' as const), ...owner }
      return replyPage(
        query,
        (after_connection_id, most) => pageConnections(web.outbound, { ...filter, after_connection_id, most }),
        describe,
        ({ connection_id }) => connection_id,
      )
    },
  }),
  route({
    ...{ method: 'GET', path: '/connections/{connection_id}', scope: ['admin:read', OWN], name: 'getConnection' },
    summary: 'One connection',
    answer: Connection,
    versioned: true,
    subject: visible,
    run: ({ found }) => shown(visible, found, describe(found)),
  }),
  route({
    ...{ method: 'GET', path: '/connections/{connection_id}/token', scope: TOKENS, name: 'getConnectionToken' },
    summary: 'A usable access token of the provider, refreshed where needed',
    query: { min_seconds: z.string().optional() },
    answer: ProviderToken,
    subject: usable,
    run: (call) => answerToken(call, readSeconds(call.query.min_seconds ?? '30')),
  }),
  route({
    ...{
      method: 'POST',
      path: '/connections/{connection_id}/refresh',
      scope: TOKENS,
      name: 'refreshConnection',
    },
    summary: 'The same, renewed now',
    query: { min_seconds: z.string().optional() },
    answer: ProviderToken,
    subject: usable,
    // A token of a provider is kept nowhere but in the vault.
    repeatable: true,
    run: (call) => answerToken(call, readSeconds(call.query.min_seconds ?? '30'), call.found.generation),
  }),
  route({
    ...{
      method: 'POST',
      path: '/connections/{connection_id}/disconnect',
      scope: ['admin:write', OWN],
      name: 'disconnectConnection',
    },
    summary: 'Ends a connection: revoked at the provider where it can be, its key destroyed',
    subject: endable,
    async run({ web, found, actor }) {
      const { connection_id, user_id } = found
      await disconnect(web.outbound, { connection_id, user_id, actor })
    },
  }),
]

async function answerToken(
  { c, web, found }: ApiCall<string, unknown, unknown, ConnectionRecord>,
  min_seconds: number,
  failed_generation?: number,
) {
  const { connection_id, user_id, client_id, connector } = found
  const token = await handOutToken(web.outbound, {
    ...{ connection_id, user_id, client_id, connector, min_seconds },
    // A platform's user has no page here.
    ...(user_id === null && { ask_url: null }),
    ...(failed_generation !== undefined && { failed_generation }),
  })
  if (token.kind === 'token') return { value: describeToken(token, web.tenant.clock()) }
  const { kind: _, status, retry_after_seconds, error, error_description, ...members } = token
  const headers = retry_after_seconds === undefined ? {} : { 'Retry-After': String(retry_after_seconds) }
  return answerProblem(c, { status, error, error_description, members, headers })
}

function describe(connection: ShownConnection) {
  const { connection_id, connector, provider, account, account_name, scope, created_at } = connection
  const { user_id, username, client_id, end_user_id } = connection
  return {
    ...{ connection_id, connector, provider, user_id, username, client_id, end_user_id, account, account_name, scope },
    state: connection.state,
    reason: connection.reason,
    created_at,
    expires_at: connection.access_expires_at,
    refreshed_at: connection.issued_at,
    last_used_at: connection.last_used_at,
    ends_at: connection.ends_at,
    last_error: connection.last_error,
    revocation_ends: connection.revocation_ends,
  }
}
