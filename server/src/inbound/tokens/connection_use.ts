import type { AccessTokenClaims } from '../../oauth/access_token.ts'
import type { Client } from '../../oauth/clients/client.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { TokenAuthority } from '../../store/verbs/tokens.ts'
import type { ConnectionAsk } from '../authorization/connection_ask.ts'
import {
  ACTIONS,
  type Action,
  type ConnectionChoice,
  type ConnectionDetail,
  hasActions,
} from '../authorization/connections.ts'
import { proxyResource } from '../rights.ts'
import { resourcesOfCaller } from './introspection_rights.ts'

/** What of a living token says which connections it reaches. */
export interface TokenInUse {
  readonly claims: Pick<AccessTokenClaims, 'authorization_details' | 'client_id' | 'exchanged_from' | 'grant_id'>
  readonly authority: { readonly now: number; readonly grant: TokenAuthority['grant'] }
  readonly configuration: Configuration
  readonly resource: readonly string[]
}

/** Who uses a connection: the client of the token, or the server that the token was sent to. */
export type Caller = Pick<Client, 'client_id' | 'token_exchange'>

/** A connection that may be used, and for what. */
export interface ConnectionUse {
  readonly kind: 'use'
  readonly choice: ConnectionChoice
  /** All that may be done. */
  readonly actions: readonly Action[]
  /** What of it was asked for, or is all that the token is for; undefined where neither says. */
  readonly limit: readonly Action[] | undefined
  /** What its user can be asked for, should the connection turn out to be of no use. */
  readonly ask: Ask
}

type Ask = Omit<ConnectionAsk, 'asked_at'>

/** None may be used; what its user can be asked for, where that would help. */
export interface NoConnectionUse {
  readonly kind: 'not_allowed'
  readonly error_description: string
  readonly ask: Ask | null
}

/**
 * The connection through a connector that somebody may use by a token: what its user allowed the client of its grant, to
 * use by itself or through the server of one resource, never to whom else a token was handed on. All of it is read anew:
 * the grant, what the token is narrowed to, the end the user chose, and whether the server still stands for the resource.
 */
export function findConnectionUse(
  issuer: string,
  token: TokenInUse,
  caller: Caller,
  asked: { readonly connector: string; readonly actions?: readonly Action[] | undefined },
): ConnectionUse | NoConnectionUse {
  const { claims, authority } = token
  const { grant } = authority
  const { connector } = asked
  const details = claims.authorization_details as readonly ConnectionDetail[] | undefined
  const reachable = (grant ? placesOf(issuer, token, caller, connector) : []).flatMap((resource) => {
    if (details === undefined) return { resource, actions: undefined }
    const detail = details.find((one) => one.connector === connector && (one.locations?.[0] ?? null) === resource)
    return detail ? { resource, actions: detail.actions } : []
  })
  const choices = JSON.parse(grant?.connections ?? '[]') as readonly ConnectionChoice[]
  const askFor = (resource: string | null, actions: readonly Action[] | undefined): Ask => ({
    ...{ connector, client_id: grant!.client_id, grant_id: claims.grant_id!, user_id: grant!.user_id, resource },
    actions: asked.actions ?? actions ?? null,
  })
  let narrow = false
  for (const { resource, actions } of reachable) {
    const choice = choices.find((one) => one.connector === connector && (one.resource ?? null) === resource)
    if (!choice || (choice.expires_at !== undefined && choice.expires_at <= authority.now)) continue
    const left = ACTIONS.filter((action) => hasActions(choice.actions, [action]) && hasActions(actions, [action]))
    const enough = asked.actions ? hasActions(left, asked.actions) : left.length > 0
    const limit = asked.actions ?? actions
    if (enough) return { kind: 'use', choice, actions: left, limit, ask: askFor(resource, actions) }
    narrow = true
  }
  const [place] = reachable.filter(({ actions }) => hasActions(actions, asked.actions ?? actions))
  const ask = place ? askFor(place.resource, place.actions) : null
  const what = narrow
    ? `to ${(asked.actions ?? ACTIONS).join(' and ')} by a connection of ${connector}`
    : `to use a connection of ${connector}`
  return { kind: 'not_allowed', error_description: `The user has not allowed this client ${what}`, ask }
}

/** Where a connection may stand that the caller uses: null is with the client itself, else the resource of the server. */
function placesOf(
  issuer: string,
  { claims, authority, configuration, resource }: TokenInUse,
  caller: Caller,
  connector: string,
): readonly (string | null)[] {
  const owner = authority.grant!.client_id
  const hands = [...(claims.exchanged_from ?? []).map(([client_id]) => client_id), claims.client_id]
  if (caller.client_id === owner) return hands.every((client_id) => client_id === owner) ? [null] : []
  // What passed through other hands was not sent here by the client that the user has allowed.
  if (!hands.every((client_id) => client_id === owner || client_id === caller.client_id)) return []
  if (!caller.token_exchange?.resources?.includes(proxyResource(issuer, connector))) return []
  const own = resourcesOfCaller(configuration, caller.client_id)
  if (claims.client_id === owner) return own.filter((name) => resource.includes(name))
  // A token of the server's own says what it was given for; another one says nothing of connections.
  return claims.authorization_details === undefined ? [] : own
}

/** What a token carries that is issued for one use alone (RFC 9396 section 9.1). */
export function detailOfUse({ choice, limit }: ConnectionUse): ConnectionDetail {
  const { connector, resource } = choice
  return {
    ...{ type: 'connection', connector },
    ...(limit && { actions: limit }),
    ...(resource !== undefined && { locations: [resource] }),
  }
}

/** The details that an access token carries, or else its grant (RFC 9396 section 9.2); for a server those that are said of its resource. */
export function detailsOfToken(
  { claims, authority }: Pick<TokenInUse, 'claims' | 'authority'>,
  resources: readonly string[] | null,
): readonly object[] | undefined {
  const granted = authority.grant?.authorization_details
  const details = claims.authorization_details ?? (granted == null ? undefined : (JSON.parse(granted) as object[]))
  if (resources === null) return details
  const said = details?.filter((detail) =>
    (detail as ConnectionDetail).locations?.some((name) => resources.includes(name)),
  )
  return said?.length === 0 ? undefined : said
}
