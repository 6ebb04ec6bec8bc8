import { event } from '../../inbound/event.ts'
import { createPermanentToken, deletePermanentToken, MOST_TOKENS } from '../../inbound/tokens/permanent_tokens.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { readParams } from '../../oauth/params.ts'
import type { UserRecord } from '../../store/records.ts'
import { type Answer, jsonAnswer, type MachineEndpoint, type MachineRequest } from '../machine.ts'
import type { Web } from '../web.ts'
import { pickFields, pickPage, readFields } from './hub_fields.ts'
import {
  type Caller,
  DELETED,
  findCaller,
  findPathUser,
  HUB_SERVICE,
  hubResource,
  notFound,
  readJsonBody,
  readPage,
  requireOwnMatters,
  serviceResource,
} from './hub_rest.ts'

type Param = (name: string) => string

/** GET <base>/api/rest/users/{id}; `me` is the user whose token it is. */
export const user = (param: Param): MachineEndpoint<Web> => ({
  methods: ['GET'],
  cors: true,
  async answer(web, request) {
    const caller = await findCaller(web, request, 'admin:read')
    const { fields } = readParams(request.query).values
    return jsonAnswer(pickFields(describe(await findPathUser(web, caller, param('id'))), readFields(fields)))
  },
})

function describe({ user_id, username, name, email, email_verified, disabled_at }: UserRecord) {
  return {
    ...{
      type: 'user',
      id: user_id,
      login: username,
      name: name ?? username,
      guest: false,
      banned: disabled_at !== null,
    },
    profile: { avatar: {}, ...(email !== null && { email: { email, verified: email_verified === 1 } }) },
  }
}

/** What hangs on a user, as Hub lists it: by its plural in the answer, and how it is found, made and deleted. */
interface Collection {
  readonly items: string
  list(web: Web, user_id: string): Promise<Record<string, unknown>[]>
  make?(
    web: Web,
    asked: { user: UserRecord; caller: Caller; request: MachineRequest },
  ): Promise<Record<string, unknown>>
  remove(web: Web, asked: { user_id: string; id: string; actor: string }): Promise<boolean>
}

const refreshtokens: Collection = {
  items: 'refreshtokens',
  async list({ tenant }, user_id) {
    const grants = await tenant.store.listRefreshableGrants({ tenant_id: tenant.tenant_id, user_id })
    return grants.map(({ grant_id, client_id, client_name, scope, created_at, last_used_at }) => ({
      ...{ id: grant_id, client: { id: client_id, name: client_name }, scope: listScope(scope) },
      ...{ creationTime: created_at, lastAccessTime: last_used_at },
    }))
  },
  async remove({ tenant }, { user_id, id, actor }) {
    const { tenant_id, store } = tenant
    const grants = await store.listRefreshableGrants({ tenant_id, user_id })
    const grant = grants.find(({ grant_id }) => grant_id === id)
    if (!grant) return false
    const about = { client_id: grant.client_id, user_id, grant_id: id, detail: { reason: 'refresh_token_deleted' } }
    const revoked = event(tenant, 'grant.revoked', actor, about)
    return store.revokeGrant({ tenant_id, grant_id: id, reason: 'refresh_token_deleted', event: revoked })
  },
}

const approvedscopes: Collection = {
  items: 'approvedscopes',
  async list({ tenant }, user_id) {
    const consents = await tenant.store.listConsentsOfUser({ tenant_id: tenant.tenant_id, user_id })
    return consents.map(({ client_id, client_name, scope, updated_at }) => ({
      ...{
        id: client_id,
        client: { id: client_id, name: client_name },
        scope: listScope(scope),
        updateTime: updated_at,
      },
    }))
  },
  /** Access and consent are withdrawn together. */
  async remove({ tenant }, { user_id, id, actor }) {
    const { tenant_id, store } = tenant
    const consents = await store.listConsentsOfUser({ tenant_id, user_id })
    if (!consents.some(({ client_id }) => client_id === id)) return false
    const withdrawn = event(tenant, 'consent.withdrawn', actor, { client_id: id, user_id })
    await store.withdrawConsent({ tenant_id, user_id, client_id: id, event: withdrawn })
    return true
  },
}

const permanenttokens: Collection = {
  items: 'permanenttokens',
  async list({ tenant }, user_id) {
    const tokens = await tenant.store.listPermanentTokens({ tenant_id: tenant.tenant_id, user_id })
    return tokens.map(({ token_id, name, scope, created_at, last_used_at }) => ({
      ...{ id: token_id, name, scope: listScope(scope), creationTime: created_at, lastAccessTime: last_used_at },
    }))
  },
  async make({ tenant }, { user, caller, request }) {
    // A token that could act as somebody else would be an impersonation that no log tells apart.
    if (user.user_id !== caller.user_id)
      throw new OAuthError('insufficient_scope', 'Only the user may make such a token')
    const members = readJsonBody(request)
    const { name } = members
    if (typeof name !== 'string') throw new OAuthError('invalid_request', 'Member name must be a string')
    const state = (await tenant.store.loadTenantState({ tenant_id: tenant.tenant_id }))!
    const { resources } = await tenant.configuration(state.config_version)
    const scope = readServiceIds(members['scope'])
    const resource = scope.map((id) =>
      id === HUB_SERVICE ? hubResource(tenant.issuer) : serviceResource(tenant.issuer, id),
    )
    if (resource.some((known) => !resources.has(known)))
      throw new OAuthError('invalid_scope', 'Member scope names a service that is not here')
    const made = await createPermanentToken(tenant, {
      ...{ user, state, name, scope, resource, expires_at: null, most: MOST_TOKENS, actor: caller.actor },
    })
    if (typeof made === 'string')
      throw new OAuthError('invalid_request', `A user may have ${MOST_TOKENS} permanent tokens`)
    const { token_id, token, created_at } = made
    return { id: token_id, name, scope: listScope(scope.join(' ')), creationTime: created_at, token }
  },
  remove: ({ tenant }, { user_id, id, actor }) => deletePermanentToken(tenant, { user_id, token_id: id, actor }),
}

/** Hub names services as `[{ "id": ... }]`; plain ids are taken too. */
function readServiceIds(value: unknown): string[] {
  const items = Array.isArray(value) ? value : []
  const ids = items.map((item) => (typeof item === 'string' ? item : (item as { id?: unknown } | null)?.id))
  if (ids.length === 0 || ids.length > 20 || ids.some((id) => typeof id !== 'string')) {
    throw new OAuthError('invalid_scope', 'Member scope must be a list of services, each with its id')
  }
  return [...new Set(ids as string[])]
}

function listScope(scope: string): { id: string }[] {
  return scope.split(' ').flatMap((id) => (id === '' ? [] : { id }))
}

const COLLECTIONS: Readonly<Record<string, Collection>> = { refreshtokens, approvedscopes, permanenttokens }

/** The names of what hangs on a user. */
export const USER_COLLECTIONS: readonly string[] = Object.keys(COLLECTIONS)

/** GET (and POST) <base>/api/rest/users/{id}/{collection}, as pages. */
export const userCollection =
  (name: string) =>
  (param: Param): MachineEndpoint<Web> => {
    const collection = COLLECTIONS[name]!
    return {
      methods: collection.make ? ['GET', 'POST'] : ['GET'],
      cors: true,
      async answer(web, request) {
        const posted = request.method === 'POST'
        const caller = await findCaller(web, request, posted ? 'admin:write' : 'admin:read')
        const found = await findPathUser(web, caller, param('id'))
        await requireOwnMatters(web, caller)
        const { values } = readParams(request.query)
        const fields = readFields(values['fields'])
        if (posted) return jsonAnswer(pickFields(await collection.make!(web, { user: found, caller, request }), fields))
        return listItems(collection.items, await collection.list(web, found.user_id), values, fields)
      },
    }
  }

function listItems(
  name: string,
  all: readonly Record<string, unknown>[],
  values: Readonly<Record<string, string>>,
  fields: ReturnType<typeof readFields>,
): Answer {
  const { skip, top } = readPage(values)
  return jsonAnswer(pickPage({ skip, top, total: all.length }, name, all.slice(skip, skip + top), fields))
}

/** GET and DELETE <base>/api/rest/users/{id}/{collection}/{item}. */
export const userItem =
  (name: string) =>
  (param: Param): MachineEndpoint<Web> => ({
    methods: ['GET', 'DELETE'],
    cors: true,
    async answer(web, request) {
      const collection = COLLECTIONS[name]!
      const deletes = request.method === 'DELETE'
      const caller = await findCaller(web, request, deletes ? 'admin:write' : 'admin:read')
      const { user_id } = await findPathUser(web, caller, param('id'))
      await requireOwnMatters(web, caller)
      const id = param('item')
      if (deletes) {
        if (await collection.remove(web, { user_id, id, actor: caller.actor })) return DELETED
        throw notFound('item')
      }
      const item = (await collection.list(web, user_id)).find((one) => one['id'] === id)
      if (!item) throw notFound('item')
      return jsonAnswer(pickFields(item, readFields(readParams(request.query).values['fields'])))
    },
  })
