import type { AuthorizationRequest } from '../../oauth/authorization_request.ts'
import { type Client, skipsConsent } from '../../oauth/clients/client.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { BrowserAuthority } from '../../store/verbs/sessions.ts'
import { type ConnectionChoice, type ConnectionWish, fulfil, fulfils } from './connections.ts'
import { coversRequest, findNewScopes, isStanding, readConnections } from './consents.ts'

/** What a request asks somebody for, once it is known who that is. */
interface Wished {
  readonly scope: readonly string[]
  /** Those of `scope` that the user may leave out. */
  readonly optional_scope: readonly string[]
  readonly resource: readonly string[]
  readonly wishes: readonly ConnectionWish[]
}

/** What may be given without asking, and until when. */
export interface Remembered {
  readonly scope: readonly string[]
  readonly connections: readonly ConnectionChoice[]
  readonly ends_at: number | null
  /** It rests on what the user allowed before, and on no word of an administrator. */
  readonly by_consent: boolean
}

/** What needs no question: what a trusted client asks, or what the same user allowed the same client before. */
export function findRemembered(
  issuer: string,
  asked: {
    readonly client: Client
    readonly request: AuthorizationRequest
    readonly authority: BrowserAuthority
    readonly configuration: Configuration
  },
  wished: Wished,
): Remembered | null {
  const { client, request, authority, configuration } = asked
  const { wishes } = wished
  if (skipsConsent(client, request.redirect_uri)) {
    const connections = wishes.flatMap((wish) =>
      wish.choices.length === 1 ? [fulfil(wish, wish.choices[0]!.connection_id)] : [],
    )
    return connections.length === wishes.length
      ? { scope: wished.scope, connections, ends_at: null, by_consent: false }
      : null
  }
  // Nobody has looked at it, and it may be another one tomorrow (RFC 6819 section 5.2.4.1, T-05).
  if (client.unverified) return null
  // Any program can claim to be a public client on the user's machine (RFC 8252 section 8.6).
  const provable = client.token_endpoint_auth_method !== 'none' || request.redirect_uri.startsWith('https:')
  const { consent, now } = authority
  if (!provable || !consent || !isStanding(consent, request.redirect_uri, now)) return null
  // What the user left out before is left out again; the client may ask anew by prompt=consent.
  const unknown = findNewScopes(consent, wished, issuer, configuration)
  const scope = wished.scope.filter((name) => !(wished.optional_scope.includes(name) && unknown.includes(name)))
  if (!coversRequest(consent, { scope, resource: wished.resource }, issuer, configuration)) return null
  const before = readConnections(consent)
  const connections = wishes.map((wish) => {
    const chosen = before.find((choice) => fulfils(choice, wish))?.connection_id
    return wish.choices.some(({ connection_id }) => connection_id === chosen) ? fulfil(wish, chosen!) : null
  })
  if (connections.includes(null)) return null
  return {
    scope,
    connections: connections as ConnectionChoice[],
    ends_at: consent.expires_at ?? null,
    by_consent: true,
  }
}
