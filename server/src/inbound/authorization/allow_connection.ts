import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { GrantAuthority, GrantRecord } from '../../store/records.ts'
import type { Resource } from '../../store/tenant.ts'
import { readClientRecord } from '../clients/client_record.ts'
import { isSelfRegistered } from '../clients/register_client.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { whyGrantIsDead } from '../liveness.ts'
import type { SignedIn } from '../sessions/sessions.ts'
import { listEnds } from './choices.ts'
import type { ConnectionAsk } from './connection_ask.ts'
import { ACTIONS, type Action, type ConnectionWish, hasActions, offerConnections } from './connections.ts'

/** What the page asks on which a user allows the use of a connection to a grant that is there already. */
export interface ConnectionQuestion {
  readonly client: Client
  /** Whether an administrator registered it, and not whoever runs it. */
  readonly verified: boolean
  /** Whose server is to use it for the client; null is the client itself. */
  readonly resource: Pick<Resource, 'resource' | 'name'> | null
  readonly wish: ConnectionWish
  /** What is asked for. */
  readonly actions: readonly Action[]
  /** Whether reading alone may be allowed, where more is asked for. */
  readonly may_only_read: boolean
  /** The ends before that of the grant, in seconds. */
  readonly ends: readonly number[]
}

/** What was answered there. */
export interface ConnectionAnswer {
  readonly connection_id: string
  readonly read_only: boolean
  /** The end, in seconds; without it, that of the grant. */
  readonly expires_in: number | undefined
}

/** Why there is nothing to answer: it is asked of somebody else, or what it was asked for has ended. */
export type NoQuestion = 'other_user' | 'over'

interface Found {
  readonly question: ConnectionQuestion
  readonly grant: GrantRecord
  readonly authority: GrantAuthority
}

/** Reads what an ask is about, for whoever is signed in. */
export async function findConnectionQuestion(
  context: InboundContext,
  ask: ConnectionAsk,
  { user }: Pick<SignedIn, 'user'>,
): Promise<Found | NoQuestion> {
  const { tenant } = context
  const { tenant_id, store } = tenant
  const { client_id, grant_id, connector } = ask
  if (user.user_id !== ask.user_id) return 'other_user'
  const [authority, record] = await Promise.all([
    store.loadGrantAuthority({ tenant_id, client_id, grant_id }),
    store.findConnector({ tenant_id, connector }),
  ])
  const grant = authority?.grant
  if (!grant || whyGrantIsDead(authority) !== null) return 'over'
  if (grant.client_id !== client_id || grant.user_id !== ask.user_id) return 'over'
  const configuration = await tenant.configuration(authority.tenant.config_version)
  const resource = ask.resource === null ? null : configuration.resources.get(ask.resource)
  if (resource === undefined || !record || record.disabled_at !== null) return 'over'
  const allowed = readChoices(grant).filter((choice) => choice.connector === connector)
  const wished = { connector, provider: record.provider, resource: ask.resource ?? undefined }
  const [wish] = await offerConnections(tenant, ask.user_id, [wished], allowed)
  // Where methods do not tell, no call reads alone: whatever was asked for, the question is the whole.
  const may_only_read = context.reads_by_method(record)
  const question = {
    ...{ client: readClientRecord(authority.client!), verified: !isSelfRegistered(authority.client!.source), resource },
    ...{ wish: wish!, may_only_read, actions: (may_only_read && ask.actions) || ACTIONS },
    ends: listEnds(authority.now, grant.expires_at),
  }
  return { question, grant, authority }
}

/**
 * Adds what the user allowed to the one grant that asked for it: the token that its client has works from now on, and
 * no other client or grant learns of it.
 */
export async function allowConnection(
  context: InboundContext,
  ask: ConnectionAsk,
  signed_in: Pick<SignedIn, 'user'>,
  answer: ConnectionAnswer,
): Promise<Found | NoQuestion> {
  const { tenant } = context
  const found = await findConnectionQuestion(context, ask, signed_in)
  if (typeof found === 'string') return found
  const { question, authority } = found
  const { connector, resource, client_id, grant_id, user_id } = ask
  const { connection_id } = answer
  const chosen = question.wish.choices.find((choice) => choice.connection_id === connection_id)
  if (!chosen?.ready)
    throw new OAuthError('invalid_request', 'Parameter connection_id is no connection of yours that works')
  if (answer.read_only && !question.may_only_read) {
    const text = `Parameter actions: the API behind ${connector} does not tell reading by the method of a call`
    throw new OAuthError('invalid_request', `${text}, so that nobody could hold a client to reading alone`)
  }
  const actions: readonly Action[] = answer.read_only ? ['read'] : question.actions
  const ends_at = answer.expires_in !== undefined && question.ends.includes(answer.expires_in)
  const narrow = hasActions(actions, ACTIONS) ? {} : { actions }
  const connection = {
    ...{ connector, connection_id, ...(resource !== null && { resource }), ...narrow },
    ...(ends_at && { expires_at: authority.now + answer.expires_in! * 1000 }),
  }
  const outcome = await tenant.store.allowConnection({
    ...{ tenant_id: tenant.tenant_id, grant_id, client_id, user_id, connection },
    detail: { type: 'connection', connector, ...narrow, ...(resource !== null && { locations: [resource] }) },
    event: event(tenant, 'connection.allowed', `user:${user_id}`, {
      ...{ client_id, user_id, grant_id, connection_id },
      detail: { ...connection, account: chosen.account_name },
    }),
  })
  return outcome === 'gone' ? 'over' : found
}

/** Writes down that the user said no; nothing changes. */
export async function refuseConnection({ tenant }: InboundContext, ask: ConnectionAsk): Promise<void> {
  const { client_id, user_id, grant_id, connector, resource } = ask
  const detail = { connector, ...(resource !== null && { resource }) }
  const about = { client_id, user_id, grant_id, detail }
  await tenant.store.recordEvent(event(tenant, 'connection.refused', `user:${user_id}`, about))
}

function readChoices({ connections }: GrantRecord) {
  return JSON.parse(connections ?? '[]') as { readonly connector: string; readonly connection_id: string }[]
}
