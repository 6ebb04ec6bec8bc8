import * as z from 'zod'
import { requireHeldOfSignIn } from '../../inbound/administration/given_rights.ts'
import { CHECK_REASONS, checkConnector } from '../../outbound/administration/check_connector.ts'
import type { ConnectorInput } from '../../outbound/administration/connector_input.ts'
import {
  deleteConnector,
  findConnector,
  listConnectors,
  type ShownConnector,
  saveConnector,
  setConnectorDisabled,
} from '../../outbound/administration/connectors.ts'
import { describeProvider } from '../../outbound/administration/describe_provider.ts'
import { CONNECTOR_GRANT_TYPES } from '../../providers/grant_types.ts'
import type { Provider } from '../../providers/provider.ts'
import { searchCatalogue } from '../../providers/search.ts'
import { PAGING, pageOf, replyWhole } from './page_of.ts'
import { conflict, notThere } from './problem.ts'
import { type ApiRequest, route, type Subject, shown } from './route.ts'

const text = z.string().min(1, 'must not be empty')

const MEMBERS = {
  provider: text,
  issuer: text.optional(),
  client_id: text.optional(),
  client_secret: text.optional(),
  private_key: text.optional(),
  certificate: text.optional(),
  key_id: text.optional(),
  team_id: text.optional(),
  scope: z.string().optional(),
  placeholders: z.record(z.string(), z.string()).optional(),
  fields: z.record(z.string(), z.unknown()).optional(),
  return_uris: z.array(text).optional(),
  redirect_uris: z.array(z.string()).optional(),
  hand_out_tokens: z.boolean().optional(),
  connection_lifetime_seconds: z.int().optional(),
  grant_type: z.enum(CONNECTOR_GRANT_TYPES).optional(),
  sign_in: z.enum(['off', 'linked', 'create']).optional(),
} satisfies Record<Exclude<keyof ConnectorInput, 'connector'>, z.ZodType>

// Beside these the settings of a row say how its keys stand.
const SETTINGS = [
  ...(['placeholders', 'fields', 'grant_type', 'return_uris', 'redirect_uris', 'hand_out_tokens'] as const),
  ...(['certificate', 'team_id', 'connection_lifetime_seconds', 'sign_in'] as const),
] as const

const ConnectorSchema = z
  .strictObject({
    connector: z.string(),
    provider: z.string(),
    provider_name: z.string(),
    client_id: z.string(),
    has_client_secret: z.boolean(),
    public_jwk: z.record(z.string(), z.unknown()).nullable(),
    jwks_uri: z.string().nullable(),
    scope: z.string(),
    settings: z.partialRecord(z.enum(SETTINGS), z.unknown()).meta({ description: 'What else was described' }),
    callback_url: z.string().meta({ description: 'The redirect URI to register at the provider' }),
    unverified_fields: z.array(z.string()).readonly(),
    for_everyone: z.boolean().meta({ description: 'It comes with the server, which alone changes it' }),
    disabled_at: z.int().nullable(),
    error: z.string().nullable(),
    error_description: z.string().nullable(),
    error_at: z.int().nullable(),
    connections: z.int().meta({ description: 'Those that are not disconnected; they are counted up to 10,000' }),
    created_at: z.int(),
    updated_at: z.int(),
  })
  .meta({ id: 'Connector', description: 'A registration of ours at a provider; never its secret' })

const ProviderSchema = z
  .strictObject({
    provider: z.string(),
    name: z.string(),
    notes: z.string().nullable(),
    placeholders: z.array(z.string()).readonly(),
    registration: z.string().nullable().meta({ description: 'Where its developers register an application' }),
    any_server: z.boolean().meta({ description: 'The record stands for any server: a connector says where it is' }),
    needs: z
      .array(z.string())
      .readonly()
      .meta({ description: 'What a connector to it has to be told, besides a name' }),
    known_scope: z.array(z.string()).readonly(),
    unverified_fields: z.array(z.string()).readonly(),
  })
  .meta({ id: 'Provider', description: 'A record of the catalogue' })

const Checks = z.strictObject({
  items: z.array(
    z.strictObject({
      check: z.enum(['metadata', 'client']),
      outcome: z.enum(['ok', 'failed', 'unknown', 'not_asked']),
      reason: z.enum(CHECK_REASONS),
      detail: z.string(),
    }),
  ),
})

const connector: Subject<ShownConnector> = {
  name: 'connector',
  find: ({ web, params }) => findConnector(web.outbound, params['connector']!),
  version: ({ connector, version, disabled_at }) => JSON.stringify([connector, version, disabled_at]),
}

/** The routes of connectors, and of the catalogue that they are made by. */
export const CONNECTOR_ROUTES = [
  route({
    ...{ method: 'GET', path: '/providers', scope: 'admin:read', name: 'listProviders' },
    summary: 'The catalogue of providers by name',
    query: { ...PAGING, q: z.string().max(200).optional().meta({ description: 'Words of the name' }) },
    answer: pageOf(ProviderSchema),
    run({ web, query }) {
      return replyWhole(
        query,
        searchCatalogue(web.outbound.catalogue, query.q),
        showProvider,
        ({ provider }) => provider,
      )
    },
  }),
  route({
    ...{ method: 'GET', path: '/connectors', scope: 'admin:read', name: 'listConnectors' },
    summary: 'Connectors by name',
    query: PAGING,
    answer: pageOf(ConnectorSchema),
    async run({ web, query }) {
      return replyWhole(query, await listConnectors(web.outbound), describe, ({ connector }) => connector)
    },
  }),
  route({
    ...{ method: 'POST', path: '/connectors', scope: 'admin:write', name: 'createConnector', status: 201 },
    summary: 'Makes a connector to a provider',
    body: z.strictObject({ connector: text, ...MEMBERS }),
    answer: ConnectorSchema,
    versioned: true,
    async run({ web, token, body, actor }) {
      requireHeldFor(token, body.sign_in)
      if (await findConnector(web.outbound, body.connector)) throw conflict('Member connector is taken')
      await saveConnector(web.outbound, actor, body, { seen: null })
      return show(await again({ web, params: body }))
    },
  }),
  route({
    ...{ method: 'GET', path: '/connectors/{connector}', scope: 'admin:read', name: 'getConnector' },
    summary: 'One connector',
    answer: ConnectorSchema,
    versioned: true,
    subject: connector,
    run: ({ found }) => show(found),
  }),
  route({
    ...{ method: 'PUT', path: '/connectors/{connector}', scope: 'admin:write', name: 'updateConnector' },
    summary: 'Makes a connector what is described; a secret that is left out stays',
    body: z.strictObject(MEMBERS),
    answer: ConnectorSchema,
    versioned: true,
    subject: connector,
    async run(call) {
      const { web, found, body, actor } = call
      requireHeldFor(call.token, body.sign_in, found.settings['sign_in'])
      await saveConnector(web.outbound, actor, { connector: found.connector, ...body }, { seen: found.version })
      return show(await again(call))
    },
  }),
  route({
    ...{ method: 'DELETE', path: '/connectors/{connector}', scope: 'admin:write', name: 'deleteConnector' },
    summary: 'Deletes a connector; with disconnect=true it ends its connections first, each also at the provider',
    query: { disconnect: z.enum(['true', 'false']).optional() },
    subject: connector,
    async run({ web, found, query, actor }) {
      const disconnect = query.disconnect === 'true'
      const outcome = await deleteConnector(web.outbound, actor, found.connector, { disconnect })
      if (outcome === 'unknown') throw notThere('connector')
      if (outcome === 'has_connections') throw conflict('The connector has connections: disconnect=true ends them')
    },
  }),
  ...([true, false] as const).map((disabled) =>
    route({
      ...{ method: 'POST', path: `/connectors/{connector}/${disabled ? 'disable' : 'enable'}`, scope: 'admin:write' },
      name: disabled ? 'disableConnector' : 'enableConnector',
      summary: disabled ? 'Switches a connector off: no token of it is given' : 'Switches a connector on again',
      answer: ConnectorSchema,
      versioned: true,
      subject: connector,
      async run(call) {
        if (!disabled) requireHeldFor(call.token, call.found.settings['sign_in'])
        await setConnectorDisabled(call.web.outbound, call.actor, call.found.connector, disabled)
        return show(await again(call))
      },
    }),
  ),
  route({
    ...{ method: 'POST', path: '/connectors/{connector}/test', scope: 'admin:write', name: 'testConnector' },
    summary: 'Asks the provider whether the connector can work; nothing is changed',
    answer: Checks,
    subject: connector,
    repeatable: true,
    async run({ web, found, actor }) {
      const items = await checkConnector(web.outbound, actor, found.connector)
      if (!items) throw notThere('connector')
      return { value: { items } }
    },
  }),
]

function showProvider(record: Provider): z.input<typeof ProviderSchema> {
  const { provider, name, notes, registration, placeholders, any_server, needs, known_scope, unverified_fields } =
    describeProvider(record)
  const named = Object.keys(placeholders)
  return { provider, name, notes, registration, placeholders: named, any_server, needs, known_scope, unverified_fields }
}

function requireHeldFor(token: ApiRequest['token'], ...sign_in: unknown[]): void {
  if (sign_in.some((way) => way !== undefined && way !== 'off')) requireHeldOfSignIn(token.scope)
}

async function again(request: Pick<ApiRequest, 'web'> & { params: { readonly connector: string } }) {
  const found = await findConnector(request.web.outbound, request.params.connector)
  if (!found) throw notThere('connector')
  return found
}

function show(found: ShownConnector) {
  return shown(connector, found, describe(found))
}

function describe(found: ShownConnector): z.input<typeof ConnectorSchema> {
  const { connector, provider, provider_name, client_id, has_client_secret, jwks_uri, scope, callback_url } = found
  const { unverified_fields, disabled_at, error, error_description, error_at, connections, created_at, updated_at } =
    found
  const settings = Object.entries(found.settings).filter(([name]) => SETTINGS.some((known) => known === name))
  return {
    ...{ connector, provider, provider_name, client_id, has_client_secret, jwks_uri, scope, callback_url },
    ...{ unverified_fields, disabled_at, error, error_description, error_at, connections, created_at, updated_at },
    for_everyone: found.settings.for_everyone === true,
    public_jwk: found.public_jwk as Record<string, unknown> | null,
    settings: Object.fromEntries(settings),
  }
}
