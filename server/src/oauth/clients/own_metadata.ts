import { parseScope } from '../scope.ts'
import { type ExchangePolicy, readExchangePolicy } from '../token_exchange.ts'
import { type Json, readBoolean, readText, readTexts, refusal } from './metadata_member.ts'

/** What an administrator may say of a client that no RFC names: whose rights it has, and what it is excused from. */
export interface OwnMetadata {
  /** What each role gives this client, cut to what the role gives at all: a role that is not listed gives it nothing. */
  role_scopes?: Record<string, string[]>
  /** Its users give it the privileges of one of their roles, which they pick. */
  one_role?: boolean
  /** The user, and one role of theirs, in whose name it acts on its own behalf (client credentials). */
  service_account?: ServiceAccount
  /** It may ask for the scopes of every resource that is open to every user, beside its own list. */
  every_service?: boolean
  /** A refresh token only where `offline_access` was granted. */
  offline_refresh_only?: boolean
  /** Its DPoP proofs need a nonce that this server gave out (RFC 9449 section 8). */
  require_dpop_nonce?: boolean
  /** What it may exchange beyond tokens of its own (RFC 8693). */
  token_exchange?: ExchangePolicy
  /** Legacy: token requests may come as a JSON object. */
  json_requests?: boolean
  /** Legacy: its own access token may stand for its secret when it presents a user's password. */
  bearer_authentication?: boolean
  /** Legacy: a redirect URI may lie under a registered one, by whole path segments. */
  redirect_uri_prefix?: boolean
}

/** A fixed user and role that a client acts as. */
export interface ServiceAccount {
  user_id: string
  role: string
}

/** Grant types that RFC 9700 section 2 tells to avoid: each is off until an administrator switches it on for one client. */
export const LEGACY_GRANT_TYPES: readonly string[] = ['password', 'implicit']

/** Whether a client may use a legacy grant. */
export function isLegacy(client: { readonly grant_types: readonly string[] }): boolean {
  return client.grant_types.some((name) => LEGACY_GRANT_TYPES.includes(name))
}

/** How the audit log marks a client that may use legacy grants. */
export function legacyDetail(client: { readonly grant_types: readonly string[] }): { legacy?: readonly string[] } {
  const legacy = client.grant_types.filter((name) => LEGACY_GRANT_TYPES.includes(name))
  return legacy.length > 0 ? { legacy } : {}
}

const FLAGS = [
  ...(['one_role', 'every_service', 'offline_refresh_only'] as const),
  ...(['require_dpop_nonce', 'json_requests', 'bearer_authentication', 'redirect_uri_prefix'] as const),
]
const MOST_ROLES = 50
const LONGEST_NAME = 255

/** Reads what is our own of client metadata; null and empty members count as absent. */
export function readOwnMetadata(source: Json): OwnMetadata {
  const own: OwnMetadata = {}
  for (const name of FLAGS) {
    if (readBoolean(source, name) === true) own[name] = true
  }
  const role_scopes = readRoleScopes(source)
  if (role_scopes !== undefined) own.role_scopes = role_scopes
  const token_exchange = readExchangePolicy(source)
  if (token_exchange !== undefined) own.token_exchange = token_exchange
  const service_account = readServiceAccount(source)
  if (service_account !== undefined) own.service_account = service_account
  return own
}

function readRoleScopes(source: Json): Record<string, string[]> | undefined {
  const map = readObject(source, 'role_scopes')
  if (map === undefined) return undefined
  const entries = Object.keys(map).sort()
  if (entries.length > MOST_ROLES) throw refusal('role_scopes', `must have at most ${MOST_ROLES} roles`)
  return Object.fromEntries(
    entries.map((role) => {
      const scopes = readTexts(map, role, LONGEST_NAME) ?? []
      for (const scope of scopes) {
        if (/[^\x21\x23-\x5b\x5d-\x7e]/.test(scope))
          throw refusal('role_scopes', `has something under ${role} that is no scope`)
      }
      return [role, parseScope(scopes.join(' '))]
    }),
  )
}

function readServiceAccount(source: Json): ServiceAccount | undefined {
  const account = readObject(source, 'service_account')
  if (account === undefined) return undefined
  const user_id = readText(account, 'user_id', LONGEST_NAME)
  const role = readText(account, 'role', LONGEST_NAME)
  if (user_id === undefined || role === undefined) throw refusal('service_account', 'must name a user_id and a role')
  return { user_id, role }
}

function readObject(source: Json, name: string): Json | undefined {
  const value = source[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) throw refusal(name, 'must be an object')
  return value as Json
}
