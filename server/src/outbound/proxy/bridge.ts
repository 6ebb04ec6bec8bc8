import { equalBytes } from '../../crypto/hash.ts'
import {
  BOUND,
  findFreshToken,
  freshToken,
  isBound,
  type NoToken,
  type UsableToken,
} from '../connections/fresh_token.ts'
import { connectUrl, type OutboundContext } from '../context.ts'
import { type Forwarded, type ForwardRequest, forward } from './proxy.ts'

/** Who asks for the use of a connection: a client, by a grant of a user that names the connection, or names none. */
export interface BridgeAsk {
  readonly connector: string
  /** The owner; null where that is a user whom a platform alone knows, and then the platform is named. */
  readonly user_id: string | null
  readonly client_id?: string | null
  readonly connection_id: string | null
  /** The page on which the user can allow it; null where nobody can. Without it, where one is connected. */
  readonly ask_url?: string | null
  /** What the user has not allowed, where it names no connection. */
  readonly not_allowed?: string
}

/** A refusal of the bridge, as a client reads it: a code, a sentence, and where a person can help. */
export interface BridgeRefusal {
  readonly kind: 'bridge_refused'
  readonly error:
    | 'connection_not_allowed'
    | 'connection_required'
    | 'connection_pending'
    | 'connection_needs_reconsent'
    | 'connection_unavailable'
    | 'token_not_handed_out'
  readonly error_description: string
  readonly status: 403 | 404 | 503
  /** A page on which the user can put it right. */
  readonly connect_url?: string
  readonly retry_after_seconds?: number
}

/** What a client says of the token that it wants. */
export interface HandOutAsk extends BridgeAsk {
  readonly min_seconds?: number
  /** A token that it got before and that the provider's API has refused: another one is wanted. */
  readonly failed_token?: string
  /** The same, by its generation. */
  readonly failed_generation?: number
  /** It may do less than the provider's token does, which is then not for it. */
  readonly narrowed?: boolean
}

/** Hands a provider's token to a client of ours, where the connector allows it. */
export async function handOutToken(context: OutboundContext, ask: HandOutAsk): Promise<UsableToken | BridgeRefusal> {
  const { connection_id, user_id, client_id = null, connector, min_seconds, ask_url } = ask
  if (connection_id === null) return notAllowed(context, ask)
  const wish = { connection_id, user_id, client_id, connector, ...(min_seconds === undefined ? {} : { min_seconds }) }
  const found = await findFreshToken(context, wish)
  if (found.kind === 'found' && isBound(found)) return explain(context, connector, BOUND)
  if (found.kind !== 'found') return explain(context, connector, found, ask_url)
  if (found.connector.settings.hand_out_tokens && !ask.narrowed) {
    const failed_generation = findFailed(ask, found.token)
    if (failed_generation === undefined) return found.token
    const renewed = await freshToken(context, { ...wish, failed_generation })
    return renewed.kind === 'token' ? renewed : explain(context, connector, renewed, ask_url)
  }
  const why = ask.narrowed ? 'can do more than the user has allowed' : 'stay here'
  const error_description = `The tokens of ${connector} ${why}: call its API through the proxy`
  return { kind: 'bridge_refused', error: 'token_not_handed_out', error_description, status: 403 }
}

function findFailed({ failed_token, failed_generation }: HandOutAsk, token: UsableToken): number | undefined {
  if (failed_token === undefined) return failed_generation
  return equalBytes(Buffer.from(failed_token), Buffer.from(token.access_token)) ? token.generation : undefined
}

/** Makes a request with the token of the connection that a client's grant may use. */
export async function forwardForClient(
  context: OutboundContext,
  ask: BridgeAsk,
  request: Omit<ForwardRequest, 'connection_id' | 'user_id' | 'client_id' | 'connector'>,
): Promise<Exclude<Forwarded, NoToken> | BridgeRefusal> {
  const { connection_id, user_id, client_id = null, connector, ask_url } = ask
  if (connection_id === null) return notAllowed(context, ask)
  const forwarded = await forward(context, { ...request, connection_id, user_id, client_id, connector })
  if (forwarded.kind === 'response' || forwarded.kind === 'unreachable' || forwarded.kind === 'paused') return forwarded
  return explain(context, connector, forwarded, ask_url)
}

function notAllowed(context: OutboundContext, { connector, ask_url, not_allowed }: BridgeAsk): BridgeRefusal {
  const error_description = not_allowed ?? `The user has not allowed this client to use a connection of ${connector}`
  const connect_url = ask_url === undefined ? connectUrl(context, connector) : ask_url
  return {
    ...{ kind: 'bridge_refused', error: 'connection_not_allowed', error_description, status: 403 },
    ...(connect_url !== null && { connect_url }),
  }
}

/** What a client reads when its connection gives no token; `ask_url` is where the user can choose another one. */
export function explain(
  context: OutboundContext,
  connector: string,
  no: NoToken,
  ask_url: string | null = connectUrl(context, connector),
): BridgeRefusal {
  if (no.kind === 'needs_reconsent') {
    return {
      kind: 'bridge_refused',
      error: 'connection_needs_reconsent',
      error_description: `The connection of ${connector} needs a new consent of the user (${no.reason})`,
      status: 403,
      ...(no.connect_url !== undefined && { connect_url: no.connect_url }),
    }
  }
  if (no.kind === 'unavailable') {
    return {
      kind: 'bridge_refused',
      error: 'connection_unavailable',
      error_description: `The connection of ${connector} has no usable token at the moment`,
      status: 503,
      retry_after_seconds: no.retry_after_seconds,
    }
  }
  if (no.kind === 'refused' && no.reason === 'bound') {
    const error_description = `The tokens of ${connector} are bound to a key that stays here: call its API through the proxy`
    return { kind: 'bridge_refused', error: 'token_not_handed_out', error_description, status: 403 }
  }
  if (no.kind === 'refused' && no.reason === 'pending') {
    const error_description = `Nobody has confirmed yet whose the connection of ${connector} is`
    return { kind: 'bridge_refused', error: 'connection_pending', error_description, status: 403 }
  }
  return {
    kind: 'bridge_refused',
    error: 'connection_required',
    error_description: `The user has no connection of ${connector} that can be used (${no.reason})`,
    status: no.reason === 'disabled' ? 403 : 404,
    ...(no.reason === 'disabled' || ask_url === null ? {} : { connect_url: ask_url }),
  }
}
