import type { AccessTokenClaims } from '../../oauth/access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { TokenAuthority } from '../../store/verbs/tokens.ts'
import { connectorOfResource } from '../rights.ts'

/** A connection that a grant may use: part of the grant's row. */
export interface ConnectionChoice {
  readonly connector: string
  readonly connection_id: string
}

/** An authorization detail of type `connection` (RFC 9396 section 2): the client asks to use a connection through a connector. */
export interface ConnectionDetail {
  readonly type: 'connection'
  readonly connector: string
}

/** A connector that a client asks to use. */
export interface WishedConnector {
  readonly connector: string
  readonly provider: string
}

/** A connector that a client asks to use, and the user's connections through it. */
export interface ConnectionWish extends WishedConnector {
  readonly choices: readonly {
    readonly connection_id: string
    readonly account_name: string
    readonly ready: boolean
  }[]
  /** The one that the user allowed this client before; else the newest that works, which may be there just for this. */
  readonly proposed: string | null
}

const LONGEST_DETAILS = 16_384
const MOST_DETAILS = 20

/**
 * The connectors a request asks to use: by `authorization_details` of type `connection` (RFC 9396) or by the proxy as
 * resource (RFC 8707). One that does not exist is refused by name, before anybody is asked to sign in for nothing.
 */
export async function readConnectionWishes(
  tenant: Tenant,
  params: Params,
  resource: readonly string[],
): Promise<WishedConnector[]> {
  const { tenant_id, store, issuer } = tenant
  const details = readConnectionDetails(params) ?? []
  const wishes = [
    ...details.map(({ connector }) => ({ connector, error: 'invalid_authorization_details' as const })),
    ...resource
      .flatMap((name) => connectorOfResource(issuer, name) ?? [])
      .map((connector) => ({ connector, error: 'invalid_target' as const })),
  ]
  const found = await Promise.all(
    wishes.map(async ({ connector, error }): Promise<[string, WishedConnector]> => {
      const record = await store.findConnector({ tenant_id, connector })
      if (record && record.disabled_at === null) return [connector, { connector, provider: record.provider }]
      const by = error === 'invalid_target' ? 'resource' : 'authorization_details'
      throw new OAuthError(error, `Parameter ${by} names a connector that does not exist: ${connector.slice(0, 64)}`)
    }),
  )
  return [...new Map(found).values()]
}

/** The authorization details of a request, or null without the parameter; anything but our one type is refused (RFC 9396 section 5). */
export function readConnectionDetails(params: Params): ConnectionDetail[] | null {
  const text = params.values['authorization_details']
  if (text === undefined) return null
  if (text.length > LONGEST_DETAILS) throw refuseDetails('is too long')
  let details: unknown
  try {
    details = JSON.parse(text)
  } catch {
    throw refuseDetails('is not JSON')
  }
  if (!Array.isArray(details)) throw refuseDetails('must be a JSON array')
  if (details.length > MOST_DETAILS) throw refuseDetails('holds too many details')
  return details.map(readDetail)
}

function readDetail(detail: unknown): ConnectionDetail {
  const { type, connector, ...others } = Object(detail) as { readonly [name: string]: unknown }
  if (type !== 'connection') throw refuseDetails('may only hold details of type connection')
  if (typeof connector !== 'string' || connector === '') throw refuseDetails('of type connection must name a connector')
  const [other] = Object.keys(others)
  if (other !== undefined) throw refuseDetails(`of type connection has no member ${other.slice(0, 64)}`)
  return { type, connector }
}

function refuseDetails(what: string): OAuthError {
  return new OAuthError('invalid_authorization_details', `Parameter authorization_details ${what}`)
}

/** Looks up what the user can offer for each connector. */
export async function offerConnections(
  tenant: Tenant,
  user_id: string,
  connectors: readonly WishedConnector[],
  before: readonly ConnectionChoice[],
): Promise<ConnectionWish[]> {
  if (connectors.length === 0) return []
  const { tenant_id, store } = tenant
  const connections = await store.listConnectionsOfUser({ tenant_id, user_id })
  return connectors.map(({ connector, provider }) => {
    const choices = connections
      .filter((connection) => connection.connector === connector && connection.state !== 'disconnected')
      .map(({ connection_id, account_name, account, state }) => ({
        connection_id,
        account_name: account_name ?? account ?? connection_id,
        ready: state === 'ready',
      }))
    const ready = choices.filter((choice) => choice.ready).map(({ connection_id }) => connection_id)
    const known = before.find((choice) => choice.connector === connector)?.connection_id
    const proposed = known !== undefined && ready.includes(known) ? known : (ready.at(-1) ?? null)
    return { connector, provider, choices, proposed }
  })
}

/** The details that were granted, for the grant's row (RFC 9396 section 7); null where none were asked for. */
export function grantedDetails(params: Params, connections: readonly ConnectionChoice[]): ConnectionDetail[] | null {
  const asked = readConnectionDetails(params)
  const allowed = new Set(connections.map(({ connector }) => connector))
  return asked?.filter(({ connector }) => allowed.delete(connector)) ?? null
}

/** The connections that the user chose on the consent page; one left out is simply not part of the grant. */
export function chooseConnections(
  wishes: readonly ConnectionWish[],
  chosen: Readonly<Record<string, string>>,
): ConnectionChoice[] {
  return wishes.flatMap(({ connector, choices }) => {
    const connection_id = chosen[connector]
    if (connection_id === undefined || connection_id === '') return []
    if (!choices.some((choice) => choice.connection_id === connection_id)) {
      throw new OAuthError('invalid_request', `The connection chosen for ${connector} is not one of yours`)
    }
    return [{ connector, connection_id }]
  })
}

/** The connection through a connector that an access token may use, or null: never more than its grant. */
export function connectionOfToken(
  {
    claims,
    authority,
  }: {
    claims: Pick<AccessTokenClaims, 'authorization_details' | 'client_id'>
    authority: Pick<TokenAuthority, 'grant'>
  },
  connector: string,
): string | null {
  const details = claims.authorization_details as readonly ConnectionDetail[] | undefined
  // The user has allowed the client of the grant to use it, and nobody to whom a token was handed on.
  if (authority.grant?.client_id !== claims.client_id) return null
  if (details && !details.some((detail) => detail.connector === connector)) return null
  return connectionOfGrant(authority.grant.connections, connector)
}

/** The details that an access token carries, or else its grant (RFC 9396 section 9.2). */
export function detailsOfToken({
  claims,
  authority,
}: Parameters<typeof connectionOfToken>[0]): readonly object[] | undefined {
  const granted = authority.grant?.authorization_details
  return claims.authorization_details ?? (granted == null ? undefined : (JSON.parse(granted) as object[]))
}

/**
 * What of the granted details a token request wants (RFC 9396 section 6): all of them, or those it names; null where
 * none were granted. `narrowed` is what the token then has to carry.
 */
export function narrowDetails(
  params: Params,
  granted: string | null,
): {
  readonly details: readonly ConnectionDetail[] | undefined
  readonly narrowed: readonly ConnectionDetail[] | undefined
} {
  const asked = readConnectionDetails(params)
  const had = granted === null ? [] : (JSON.parse(granted) as ConnectionDetail[])
  if (asked === null) return { details: granted === null ? undefined : had, narrowed: undefined }
  const unknown = asked.find(({ connector }) => !had.some((detail) => detail.connector === connector))
  if (unknown) throw refuseDetails(`names a connector that is not part of the grant: ${unknown.connector.slice(0, 64)}`)
  const details = had.filter(({ connector }) => asked.some((detail) => detail.connector === connector))
  return { details, narrowed: details }
}

/** The connection through a connector that a grant may use, or null. */
export function connectionOfGrant(connections: string | null, connector: string): string | null {
  const choices = JSON.parse(connections ?? '[]') as ConnectionChoice[]
  return choices.find((choice) => choice.connector === connector)?.connection_id ?? null
}
