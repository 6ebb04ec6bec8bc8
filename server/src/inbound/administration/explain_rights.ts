import { OAuthError } from '../../oauth/errors.ts'
import { IDENTITY_SCOPES, parseScope } from '../../oauth/scope.ts'
import type { Configuration, Tenant } from '../../store/tenant.ts'
import { readClientRecord } from '../clients/client_record.ts'
import { findServiceRole, judgeScope, type Rights, type Ruling, rightsOf } from '../rights.ts'

/** Why a client gets a scope in the name of a user, or does not: one line for each scope that was asked about. */
export interface ExplainedScope {
  readonly scope: string
  readonly granted: boolean
  readonly rule: Ruling['rule'] | 'unknown'
  /** The role that gives it. */
  readonly role?: string
  readonly reason: string
}

/**
 * Explains what `judgeScope` rules for a client, with a user or on its own behalf; without scopes, for all that the
 * client could have. Null where there is no such client or user.
 */
export async function explainRights(
  tenant: Tenant,
  asked: { client_id: string; user_id?: string | undefined; role?: string | undefined; scope?: string | undefined },
): Promise<{ roles: readonly string[] | null; scopes: ExplainedScope[] } | null> {
  const { tenant_id, store } = tenant
  const record = await store.findClient({ tenant_id, client_id: asked.client_id })
  if (!record) return null
  const client = readClientRecord(record)
  const user_id = asked.user_id ?? client.service_account?.user_id
  const user = user_id === undefined ? null : await store.findUser({ tenant_id, user_id })
  if (user_id !== undefined && !user) return null
  if (!user && asked.role !== undefined) throw new OAuthError('invalid_request', 'Parameter role needs a user_id')
  const service_role = asked.user_id === undefined && user ? findServiceRole(client, user, user.user_id) : undefined
  const configuration = await tenant.currentConfiguration()
  const rights = rightsOf(configuration, client, user, asked.role ?? service_role)
  const { consents } = user ? await readConsent(tenant, user.user_id, client.client_id) : { consents: null }
  const names = parseScope(asked.scope ?? '')
  const scopes = names.length > 0 ? names : parseScope(client.scope)
  return { roles: rights.roles, scopes: scopes.map((scope) => explain(scope, rights, configuration, consents)) }
}

async function readConsent(tenant: Tenant, user_id: string, client_id: string) {
  const consent = await tenant.store.findConsent({ tenant_id: tenant.tenant_id, user_id, client_id })
  return { consents: consent?.scope.split(' ') ?? [] }
}

function explain(
  scope: string,
  rights: Rights,
  configuration: Configuration,
  consents: readonly string[] | null,
): ExplainedScope {
  const exists =
    IDENTITY_SCOPES.has(scope) || [...configuration.resources.values()].some(({ scopes }) => scopes.has(scope))
  if (!exists) return { scope, granted: false, rule: 'unknown', reason: 'No resource of this tenant has this scope' }
  const ruling = judgeScope(scope, rights)
  const reason = REASONS[ruling.granted ? 'granted' : 'refused'][ruling.rule] ?? ruling.rule
  const asks =
    ruling.granted && consents && !consents.includes(scope)
      ? '; the user is asked first, unless the client is trusted'
      : ''
  return { scope, ...ruling, reason: reason + asks }
}

const REASONS: Readonly<Record<'granted' | 'refused', Readonly<Partial<Record<Ruling['rule'], string>>>>> = {
  granted: {
    client: 'The client may have it on its own behalf: no role is asked for where no user is concerned',
    identity: 'It is about who the user is: no role filters it',
    every_user: 'Its resource is open to every user, or the tenant has no roles of its own',
    role: 'A role of the user gives it, and the client takes it from that role',
  },
  refused: {
    client: "It is not on the client's own list of scopes",
    role: 'No role of the user gives it',
    role_scopes: "A role of the user gives it, but the client's own map (role_scopes) does not take it from that role",
    consent: 'The user has not allowed it',
  },
}
