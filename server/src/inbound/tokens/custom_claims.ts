import { type ClaimMapping, type ClaimPlace, mapClaims, readHookClaims } from '../../oauth/custom_claims.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { ClaimsAsk, ClaimsHook } from '../claims_hook.ts'
import type { InboundContext } from '../context.ts'

const DEADLINE_MS = 2000

/** For whom claims are made, and what of the user they may tell. */
export interface ClaimsOrder {
  readonly client_id: string
  readonly user: UserRecord | null
  readonly configuration: Configuration
  readonly scope: readonly string[]
  readonly resource: readonly string[]
}

/** The claims of a tenant's own for one place: by its mappings, then by the hook. */
export async function prepareClaims(
  context: InboundContext,
  place: ClaimPlace,
  order: ClaimsOrder,
): Promise<Readonly<Record<string, unknown>>> {
  const { user, configuration, scope } = order
  const mappings = configuration.settings.custom_claims as unknown as readonly ClaimMapping[]
  const { claims_hook } = context
  if (!user || (mappings.length === 0 && !claims_hook)) return {}
  const claims = JSON.parse(user.claims) as Record<string, unknown>
  const mapped = mapClaims(mappings, claims, { place, scope })
  if (!claims_hook) return mapped
  const { client_id, resource } = order
  const about = { user_id: user.user_id, username: user.username, claims }
  const ask = { tenant_id: context.tenant.tenant_id, place, client_id, user: about, scope, resource }
  return { ...mapped, ...(await askHook(claims_hook, ask)) }
}

async function askHook(hook: ClaimsHook, ask: Omit<ClaimsAsk, 'signal'>): Promise<Record<string, unknown>> {
  const control = new AbortController()
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no answer in ${DEADLINE_MS} ms`)), DEADLINE_MS)
  try {
    return readHookClaims(await Promise.race([hook({ ...ask, signal: control.signal }), late]))
  } catch (cause) {
    const text = 'The server could not put the claims together; try again in a moment'
    throw new OAuthError('temporarily_unavailable', text, { cause, headers: { 'Retry-After': '1' } })
  } finally {
    clearTimeout(timer)
    control.abort()
  }
}
