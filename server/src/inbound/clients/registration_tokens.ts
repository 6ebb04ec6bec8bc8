import { newId, randomSecret } from '../../crypto/random.ts'
import { LEGACY_GRANT_TYPES } from '../../oauth/clients/own_metadata.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { formatScope, parseScope } from '../../oauth/scope.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { RegistrationTokenRecord } from '../../store/verbs/registrations.ts'
import { event } from '../event.ts'

const DAY_MS = 86_400_000
const MOST_DAYS = 366
const MOST_USES = 100_000

/** How an initial access token is described by the administrator who issues it; all but the name may be left out. */
export interface RegistrationTokenOptions {
  readonly name: string
  /** How many clients it registers; without it as many as its holder likes. */
  readonly uses?: number | undefined
  /** How long it may be used; a week unless said otherwise. */
  readonly days?: number | undefined
  /** What its clients may ask for, instead of what the tenant lets unknown clients have. */
  readonly scope?: string | undefined
  /** Their grant types, spaced, instead of those that ask a user. */
  readonly grant_types?: string | undefined
}

/**
 * Issues an initial access token (RFC 7591 section 3). It is in the answer and nowhere else: the store keeps its hash. A
 * `token_id` that is taken is refused.
 */
export async function createRegistrationToken(
  tenant: Tenant,
  known_grant_types: readonly string[],
  options: RegistrationTokenOptions,
  actor: string,
  token_id = newId(tenant.clock()),
): Promise<{ token: string; record: RegistrationTokenRecord }> {
  const created_at = tenant.clock()
  const secret = randomSecret('sp_iat_')
  const record: RegistrationTokenRecord = {
    token_id,
    name: readName(options.name),
    scope: readScope(options.scope),
    grant_types: readGrantTypes(options.grant_types, known_grant_types),
    uses_left: options.uses === undefined ? null : readWhole('uses', options.uses, MOST_USES),
    created_at,
    expires_at: created_at + readWhole('days', options.days ?? 7, MOST_DAYS) * DAY_MS,
  }
  const { name, scope, grant_types, uses_left, expires_at } = record
  const detail = { token_id, name, scope, grant_types, uses: uses_left, expires_at }
  const made = await tenant.store.createRegistrationToken({
    tenant_id: tenant.tenant_id,
    token: { ...record, secret_hash: tenant.keys.hashSecret(secret) },
    event: event(tenant, 'registration_token.created', actor, { detail }),
  })
  if (!made) throw new OAuthError('invalid_request', 'token_id is taken', { status: 409 })
  return { token: secret, record }
}

/** Ends an initial access token; the clients that it registered stay. False when there is none. */
export function endRegistrationToken(tenant: Tenant, token_id: string, actor: string): Promise<boolean> {
  const ended = event(tenant, 'registration_token.ended', actor, { detail: { token_id } })
  return tenant.store.deleteRegistrationToken({ tenant_id: tenant.tenant_id, token_id, event: ended })
}

function readName(name: unknown): string {
  if (typeof name !== 'string' || name.trim() === '' || name.length > 200 || /\p{Cc}/u.test(name)) {
    throw refusal('name must have 1 to 200 characters, on one line')
  }
  return name.trim()
}

function readWhole(what: string, value: unknown, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value
  throw refusal(`${what} must be a whole number from 1 to ${most}`)
}

function readScope(scope: unknown): string | null {
  if (scope === undefined || scope === '') return null
  if (typeof scope !== 'string') throw refusal('scope must be text')
  const scopes = parseScope(scope)
  // What administers the tenant is not given to clients that nobody has looked at.
  if (scopes.some((name) => /^(admin|vault):/.test(name))) throw refusal('scope must not hold admin: or vault: scopes')
  return formatScope(scopes)
}

function readGrantTypes(grant_types: unknown, known: readonly string[]): string | null {
  if (grant_types === undefined || grant_types === '') return null
  const asked = typeof grant_types === 'string' ? grant_types.split(/\s+/).filter((name) => name !== '') : []
  const allowed = known.filter((name) => !LEGACY_GRANT_TYPES.includes(name))
  if (asked.length === 0 || asked.some((name) => !allowed.includes(name))) {
    throw refusal(`grant_types may hold only ${allowed.join(', ')}`)
  }
  return asked.join(' ')
}

function refusal(text: string): OAuthError {
  return new OAuthError('invalid_request', text)
}
