import { OAuthError } from '../oauth/errors.ts'
import type { Params } from '../oauth/params.ts'
import type { Tenant } from '../store/tenant.ts'
import { connectorOfResource } from './rights.ts'

/** A connection that a grant may use: part of the grant's row. */
export interface ConnectionChoice {
  readonly connector: string
  readonly connection_id: string
}

/** A connector that a client asks to use, and the user's connections through it. */
export interface ConnectionWish {
  readonly connector: string
  readonly choices: readonly {
    readonly connection_id: string
    readonly account_name: string
    readonly ready: boolean
  }[]
}

const LONGEST_DETAILS = 16_384

/** The connectors a request asks to use: by `authorization_details` of type `connection` (RFC 9396) or by the proxy as resource. */
export function readConnectionWishes(issuer: string, params: Params, resource: readonly string[]): string[] {
  const connectors = resource.flatMap((name) => connectorOfResource(issuer, name) ?? [])
  const details = params.values['authorization_details']
  if (details !== undefined) connectors.push(...readDetails(details))
  return [...new Set(connectors)]
}

function readDetails(text: string): string[] {
  const refuse = (what: string) =>
    new OAuthError('invalid_authorization_details', `Parameter authorization_details ${what}`)
  if (text.length > LONGEST_DETAILS) throw refuse('is too long')
  let details: unknown
  try {
    details = JSON.parse(text)
  } catch {
    throw refuse('is not JSON')
  }
  if (!Array.isArray(details)) throw refuse('must be a JSON array')
  return details.map((detail: unknown) => {
    const { type, connector } = Object(detail) as { type?: unknown; connector?: unknown }
    if (type !== 'connection') throw refuse('may only hold details of type connection')
    if (typeof connector !== 'string') throw refuse('of type connection must name a connector')
    return connector
  })
}

/** Looks up what the user can offer for each connector; one that does not exist is refused by name. */
export async function wishConnections(
  tenant: Tenant,
  user_id: string,
  connectors: readonly string[],
): Promise<ConnectionWish[]> {
  if (connectors.length === 0) return []
  const { tenant_id, store } = tenant
  const connections = await store.listConnectionsOfUser({ tenant_id, user_id })
  return Promise.all(
    connectors.map(async (connector) => {
      const found = await store.findConnector({ tenant_id, connector })
      if (!found || found.disabled_at !== null) {
        throw new OAuthError('invalid_target', `There is no connector ${connector.slice(0, 64)}`)
      }
      const choices = connections
        .filter((connection) => connection.connector === connector && connection.state !== 'disconnected')
        .map(({ connection_id, account_name, account, state }) => ({
          connection_id,
          account_name: account_name ?? account ?? connection_id,
          ready: state === 'ready',
        }))
      return { connector, choices }
    }),
  )
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

/** The connection through a connector that a grant may use, or null. */
export function connectionOfGrant(connections: string | null, connector: string): string | null {
  const choices = JSON.parse(connections ?? '[]') as ConnectionChoice[]
  return choices.find((choice) => choice.connector === connector)?.connection_id ?? null
}
