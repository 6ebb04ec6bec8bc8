import * as z from 'zod'
import { listScopes, requireHeld } from '../../inbound/administration/given_rights.ts'
import { deleteAnyClient } from '../../inbound/administration/throw_away.ts'
import { setClientDisabled } from '../../inbound/clients/administer_clients.ts'
import { askForLogo } from '../../inbound/clients/client_logos.ts'
import { readMetadata } from '../../inbound/clients/client_record.ts'
import { endFormerClientSecret, formerSecretEnds, rotateClientSecret } from '../../inbound/clients/client_secrets.ts'
import { describedBy, editClient } from '../../inbound/clients/edit_client.ts'
import { isSelfRegistered, readAdministratedClient, registerClient } from '../../inbound/clients/register_client.ts'
import { listSwitches, switchClient } from '../../inbound/clients/switch_client.ts'
import type { ListedClient } from '../../store/verbs/clients.ts'
import { pathOfLogo } from '../client_logos.ts'
import { ClientSchema, LogoSchema, Metadata } from './client_schemas.ts'
import { PAGING, pageOf, replyPage, replyWhole } from './page_of.ts'
import { stale } from './preconditions.ts'
import { conflict, notThere } from './problem.ts'
import { type ApiRequest, route, type Subject, shown } from './route.ts'

const Secret = z.strictObject({ made_at: z.int().nullable(), expires_at: z.int().nullable() })

/** The client that a path names. */
const client: Subject<ListedClient> = {
  name: 'client',
  find: ({ web, params }) =>
    web.tenant.store.findClient({ tenant_id: web.tenant.tenant_id, client_id: params['client_id']! }),
  version: ({ client_id, metadata, disabled_at, source }) => JSON.stringify([client_id, metadata, disabled_at, source]),
}

/** The same, for what is about its secrets: a new one is another version. */
const secret: Subject<ListedClient> = {
  ...client,
  version: ({ client_id, client_secret_hash, former_client_secret_hash }) =>
    JSON.stringify([client_id, client_secret_hash, former_client_secret_hash].map(String)),
}

/** The routes of clients. */
export const CLIENT_ROUTES = [
  route({
    ...{ method: 'GET', path: '/clients', scope: 'admin:read', name: 'listClients' },
    summary: 'Clients by client_id',
    query: PAGING,
    answer: pageOf(ClientSchema),
    run: ({ web, query }) => {
      const { tenant_id, store } = web.tenant
      const find = (after_client_id: string, most: number) => store.pageClients({ tenant_id, after_client_id, most })
      return replyPage(query, find, describe, ({ client_id }) => client_id)
    },
  }),
  route({
    ...{ method: 'POST', path: '/clients', scope: 'admin:write', name: 'createClient', status: 201 },
    summary: 'Registers a client; its secret, where it has one, is in this answer and nowhere else',
    body: z.strictObject({ client_id: z.string().optional(), metadata: Metadata }),
    answer: z.strictObject({ ...ClientSchema.shape, client_secret: z.string().optional() }),
    versioned: true,
    async run({ web, token, body, actor }) {
      requireHeld(token.scope, listScopes(body.metadata.scope), 'Member metadata.scope')
      const metadata = readAdministratedClient(body.metadata, grantTypes({ web }))
      const made = await registerClient(web.tenant, { metadata, source: 'api', actor, client_id: body.client_id })
      const { tenant_id, store } = web.tenant
      const record = await store.findClient({ tenant_id, client_id: made.client_id })
      if (!record) throw notThere('client')
      const { client_secret } = made
      return shown(client, record, { ...describe(record), ...(client_secret !== undefined && { client_secret }) })
    },
  }),
  route({
    ...{ method: 'GET', path: '/clients/{client_id}', scope: 'admin:read', name: 'getClient' },
    summary: 'One client',
    answer: ClientSchema,
    versioned: true,
    subject: client,
    run: ({ found }) => show(found),
  }),
  route({
    ...{ method: 'PUT', path: '/clients/{client_id}', scope: 'admin:write', name: 'updateClient' },
    summary: 'Makes a client what is described, all of it; one that begins to need a secret gets it here',
    body: z.strictObject({ metadata: Metadata }),
    answer: z.strictObject({ ...ClientSchema.shape, client_secret: z.string().optional() }),
    versioned: true,
    subject: client,
    async run(call) {
      const { web, found, body, actor } = call
      if (describedBy(found) !== 'administrators') {
        throw conflict('This client is described elsewhere, and is changed there')
      }
      requireHeldOf(call)
      requireHeld(call.token.scope, listScopes(body.metadata.scope), 'Member metadata.scope')
      const edited = await editClient(web.tenant, found, { json: body.metadata, grant_types: grantTypes(call), actor })
      if (edited === 'stale') throw stale()
      const { client_secret } = edited
      const record = await again(call)
      return shown(client, record, { ...describe(record), ...(client_secret !== undefined && { client_secret }) })
    },
  }),
  route({
    ...{ method: 'DELETE', path: '/clients/{client_id}', scope: 'admin:write', name: 'deleteClient' },
    summary: 'Deletes a client with its grants',
    subject: client,
    async run({ web, found, actor }) {
      if (!(await deleteAnyClient(web.tenant, found.client_id, actor))) throw notThere('client')
    },
  }),
  ...([true, false] as const).map((disabled) =>
    route({
      ...{ method: 'POST', path: `/clients/{client_id}/${disabled ? 'disable' : 'enable'}`, scope: 'admin:write' },
      name: disabled ? 'disableClient' : 'enableClient',
      summary: disabled ? 'Switches a client off: what it was issued never lives again' : 'Switches a client on again',
      answer: ClientSchema,
      versioned: true,
      subject: client,
      async run(call) {
        if (!disabled) requireHeldOf(call)
        await setClientDisabled(call.web.tenant, call.found.client_id, { disabled, actor: call.actor })
        return show(await again(call))
      },
    }),
  ),
  route({
    ...{ method: 'POST', path: '/clients/{client_id}/switch', scope: 'admin:write', name: 'switchClient' },
    summary: 'Switches Trust or a legacy grant of a client on or off',
    body: z.strictObject({ name: z.enum(['trusted', 'password', 'implicit']), on: z.boolean() }),
    answer: ClientSchema,
    versioned: true,
    subject: client,
    async run(call) {
      const { web, found, body, actor } = call
      if (!listSwitches(found).some(({ name }) => name === body.name)) {
        throw conflict('This cannot be switched for this client')
      }
      requireHeldOf(call)
      await switchClient(web.tenant, found, { ...body, actor, grant_types: grantTypes(call) })
      return show(await again(call))
    },
  }),
  route({
    ...{ method: 'GET', path: '/clients/{client_id}/logo', scope: 'admin:read', name: 'getClientLogo' },
    summary: 'What became of fetching the logo of a client; of one that registered itself none is fetched',
    answer: LogoSchema,
    subject: client,
    run: async ({ web, found }) => ({ value: await readLogo({ web }, found.client_id) }),
  }),
  route({
    ...{
      method: 'POST',
      path: '/clients/{client_id}/logo',
      scope: 'admin:write',
      name: 'fetchClientLogo',
      status: 202,
    },
    summary: 'Has the logo of a client fetched again within seconds',
    answer: LogoSchema,
    subject: client,
    async run({ web, found, actor }) {
      if (!(await askForLogo(web.tenant, found.client_id, actor))) throw notThere('logo')
      return { value: await readLogo({ web }, found.client_id) }
    },
  }),
  route({
    ...{ method: 'GET', path: '/clients/{client_id}/secrets', scope: 'admin:read', name: 'listClientSecrets' },
    summary: 'When the living secrets of a client were made and end, newest first; never what they are',
    query: PAGING,
    answer: pageOf(Secret),
    versioned: true,
    subject: secret,
    async run({ web, query, found }) {
      const { tenant_id, store } = web.tenant
      const secrets = await store.listClientSecrets({ tenant_id, client_id: found.client_id })
      const numbered = secrets.map((one, i) => ({ one, i }))
      const { value } = await replyWhole(
        query,
        numbered,
        ({ one }) => one,
        ({ i }) => String(i),
      )
      return shown(secret, found, value)
    },
  }),
  route({
    ...{ method: 'POST', path: '/clients/{client_id}/secrets', scope: 'admin:write', name: 'rotateClientSecret' },
    status: 201,
    summary: 'Makes a further secret, in this answer and nowhere else; the one before it lives on for a while',
    answer: z.strictObject({ client_id: z.string(), client_secret: z.string(), former_expires_at: z.int() }),
    subject: secret,
    async run({ web, token, found, actor }) {
      requireHeldOf({ token, found })
      const now = web.tenant.clock()
      const client_secret = await rotateClientSecret(web.tenant, { record: found, actor, now })
      if (client_secret === null) throw conflict('The client has no secret, or somebody else has just made one')
      return { value: { client_id: found.client_id, client_secret, former_expires_at: formerSecretEnds(found, now) } }
    },
  }),
  route({
    ...{ method: 'DELETE', path: '/clients/{client_id}/secrets/former', scope: 'admin:write' },
    name: 'endFormerClientSecret',
    summary: 'Ends the older of two secrets',
    subject: secret,
    async run({ web, found, actor }) {
      if (!(await endFormerClientSecret(web.tenant, found.client_id, actor))) throw notThere('older secret')
    },
  }),
]

// Whoever shapes a client, or has its secret, has its scopes.
function requireHeldOf({ token, found }: Pick<ApiRequest, 'token'> & { readonly found: ListedClient }): void {
  requireHeld(token.scope, listScopes(readMetadata(found.metadata).scope), 'The client')
}

function grantTypes({ web }: Pick<ApiRequest, 'web'>): string[] {
  return web.grant_types.map(({ grant_type }) => grant_type)
}

async function readLogo({ web }: Pick<ApiRequest, 'web'>, client_id: string): Promise<z.input<typeof LogoSchema>> {
  const { tenant_id, store } = web.tenant
  const logo = await store.findClientLogo({ tenant_id, client_id })
  if (!logo) throw notThere('logo')
  const { file, ...state } = logo
  return { ...state, picture_uri: file === null ? null : web.origin + pathOfLogo(web, file) }
}

async function again(request: ApiRequest): Promise<ListedClient> {
  const record = await client.find(request)
  if (!record) throw notThere('client')
  return record
}

function show(record: ListedClient) {
  return shown(client, record, describe(record))
}

function describe(record: ListedClient): z.input<typeof ClientSchema> {
  const { client_id, client_name, source, disabled_at, created_at, updated_at, last_used_at } = record
  const {
    unverified: _,
    scope_by_policy: _by,
    software_statement: _statement,
    ...metadata
  } = readMetadata(record.metadata)
  return {
    ...{ client_id, client_name, source, described_by: describedBy(record), unverified: isSelfRegistered(source) },
    ...{ disabled_at, created_at, updated_at, last_used_at, metadata },
  }
}
