import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import type { InboundContext } from '../context.ts'
import { connectorOfResource } from '../rights.ts'

/**
 * What may be done by a connection: `read` is what RFC 9110 section 9.2.1 calls safe; `write` is all else, and reading
 * with it. Where the methods of an API do not tell, there is no reading alone.
 */
export const ACTIONS = ['read', 'write'] as const
/** One of them. */
export type Action = (typeof ACTIONS)[number]

/** A connection that a grant may use: part of the grant's row. */
export interface ConnectionChoice {
  readonly connector: string
  readonly connection_id: string
  /** The resource whose server uses it for the client; without one the client itself does. */
  readonly resource?: string
  /** What may be done by it; without them everything. */
  readonly actions?: readonly Action[]
  /** The end that the user chose for it; the grant may end before. */
  readonly expires_at?: number
  /** To the hour. */
  readonly last_used_at?: number
}

/**
 * An authorization detail of type `connection` (RFC 9396 section 2): the client asks to use a connection through a
 * connector, or to have it used for itself by the server of the resource that `locations` names.
 */
export interface ConnectionDetail {
  readonly type: 'connection'
  readonly connector: string
  readonly actions?: readonly Action[]
  readonly locations?: readonly string[]
}

/** A connector that a client asks to use, and how. */
export interface WishedConnector {
  readonly connector: string
  readonly provider: string
  readonly resource?: string | undefined
  readonly actions?: readonly Action[] | undefined
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
  context: Pick<InboundContext, 'tenant' | 'reads_by_method'>,
  params: Params,
  resource: readonly string[],
): Promise<WishedConnector[]> {
  const { tenant_id, store, issuer } = context.tenant
  const details = readConnectionDetails(params) ?? []
  const strange = details.find(({ locations }) => locations && !resource.includes(locations[0]!))
  if (strange)
    throw refuseDetails(`has locations that are no resource of the request: ${strange.locations![0]!.slice(0, 200)}`)
  const named = new Set(details.map(({ connector }) => connector))
  if (named.size < details.length) throw refuseDetails('names a connector twice')
  type Asked = Omit<WishedConnector, 'provider'> & { error: 'invalid_authorization_details' | 'invalid_target' }
  const wishes = [
    ...details.map((detail): Asked => ({ ...wishOf(detail), error: 'invalid_authorization_details' })),
    // Where a detail says more of the same connector, it decides.
    ...[...new Set(resource.flatMap((name) => connectorOfResource(issuer, name) ?? []))]
      .filter((connector) => !named.has(connector))
      .map((connector): Asked => ({ connector, error: 'invalid_target' })),
  ]
  return Promise.all(
    wishes.map(async ({ error, ...wish }): Promise<WishedConnector> => {
      const { connector } = wish
      const record = await store.findConnector({ tenant_id, connector })
      if (record && record.disabled_at === null) {
        requireReading(context, record, wish.actions)
        return { ...wish, provider: record.provider }
      }
      const by = error === 'invalid_target' ? 'resource' : 'authorization_details'
      throw new OAuthError(error, `Parameter ${by} names a connector that does not exist: ${connector.slice(0, 64)}`)
    }),
  )
}

/** Refuses what asks for reading alone where nobody could hold the client to it. */
export function requireReading(
  { reads_by_method }: Pick<InboundContext, 'reads_by_method'>,
  record: ConnectorRecord,
  actions: readonly Action[] | undefined,
): void {
  if (hasActions(actions, ['write']) || reads_by_method(record)) return
  const { connector } = record
  throw refuseDetails(
    `asks to read alone through ${connector}, whose API does not tell reading by the method of a call`,
  )
}

function wishOf({ connector, actions, locations }: ConnectionDetail) {
  return { connector, ...(locations && { resource: locations[0]! }), ...(actions && { actions }) }
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
  const { type, connector, actions, locations, ...others } = Object(detail) as { readonly [name: string]: unknown }
  if (type !== 'connection') throw refuseDetails('may only hold details of type connection')
  if (typeof connector !== 'string' || connector === '') throw refuseDetails('of type connection must name a connector')
  const [other] = Object.keys(others)
  if (other !== undefined) throw refuseDetails(`of type connection has no member ${other.slice(0, 64)}`)
  if (actions !== undefined && !isActions(actions)) {
    throw refuseDetails(`of type connection takes actions out of ${ACTIONS.join(', ')}`)
  }
  if (locations !== undefined && !isOneLocation(locations)) {
    throw refuseDetails('of type connection takes one resource as its locations')
  }
  return { type, connector, ...(actions && { actions }), ...(locations && { locations }) }
}

function isActions(value: unknown): value is Action[] {
  const known: readonly unknown[] = ACTIONS
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((one) => known.includes(one))
  )
}

function isOneLocation(value: unknown): value is [string] {
  return Array.isArray(value) && value.length === 1 && typeof value[0] === 'string'
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
  return connectors.map((wished) => {
    const { connector } = wished
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
    return { ...wished, choices, proposed }
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
  return wishes.flatMap((wish) => {
    const connection_id = chosen[wish.connector]
    if (connection_id === undefined || connection_id === '') return []
    if (!wish.choices.some((choice) => choice.connection_id === connection_id)) {
      throw new OAuthError('invalid_request', `The connection chosen for ${wish.connector} is not one of yours`)
    }
    return [fulfil(wish, connection_id)]
  })
}

/** What a grant gets where one connection answers a wish: no more than was asked for. */
export function fulfil({ connector, resource, actions }: WishedConnector, connection_id: string): ConnectionChoice {
  return { connector, connection_id, ...(resource !== undefined && { resource }), ...(actions && { actions }) }
}

/** Whether what was allowed before is all that is asked for now. */
export function fulfils(choice: ConnectionChoice, wish: WishedConnector): boolean {
  const same = choice.connector === wish.connector && choice.resource === wish.resource
  return same && choice.expires_at === undefined && hasActions(choice.actions, wish.actions)
}

/** Whether these actions, which are all of them where none are named, include the others: who may write may read. */
export function hasActions(held: readonly Action[] | undefined, asked: readonly Action[] | undefined): boolean {
  return held === undefined || held.includes('write') || (asked ?? ACTIONS).every((action) => held.includes(action))
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
  const details = asked.map((wanted) => {
    const named = had.filter(({ connector, locations }) => {
      const where = wanted.locations === undefined || wanted.locations[0] === locations?.[0]
      return connector === wanted.connector && where
    })
    if (named.length === 0) {
      throw refuseDetails(`names a connector that is not part of the grant: ${wanted.connector.slice(0, 64)}`)
    }
    const detail = named.find(({ actions }) => hasActions(actions, wanted.actions ?? actions))
    if (!detail) throw refuseDetails(`asks for more actions than the grant has: ${wanted.connector.slice(0, 64)}`)
    return wanted.actions === undefined ? detail : { ...detail, actions: wanted.actions }
  })
  return { details, narrowed: details }
}
