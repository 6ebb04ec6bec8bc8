import type { NewEvent } from '../records.ts'
import { NOW, type Run, type Statement, sql, together, write } from '../sql.ts'
import { deletion } from './deleted_users.ts'
import { eventStatement } from './events.ts'
import { grantKey } from './grants.ts'
import { revocationStatement } from './revocations.ts'

/** What an exported event says of things that a restored database may hold as living. */
export interface EndedSince {
  readonly type: string
  readonly client_id: string | null
  readonly user_id: string | null
  readonly grant_id: string | null
  readonly connection_id: string | null
}

// What takes no right away from a grant. A type that is not known here ends what its event names.
const HARMLESS =
  /^(?:access_token|code_challenge|connect|connect_session|connector|device_code|email|login|logout|password_reset|permanent_token|recovery_codes|refresh_token|registration_token|resource|role|root_key|session|settings|setup_link|sign_in_link|signing_key|tenant_key|token|trusted_issuer|vault_key|webhook)\.|^(?:grant\.created|client\.(?:created|enabled|former_secret_ended|logo_asked|logo_changed|seen|updated)|user\.(?:created|enabled|invited)|factor\.added|identity\.linked|tenant\.(?:created|enabled))$/

/** Whether an event may have ended something. */
export function mayHaveEnded({ type }: Pick<EndedSince, 'type'>): boolean {
  return !HARMLESS.test(type)
}

/**
 * Ends in a restored tenant what events since its backup have ended, as far as each names it: one grant, those of a user
 * with a client, of a user, of a client, or all; connections; deletes users, and disables what was disabled and clients
 * that are gone.
 */
export const replayEnded = write(function* (args: { tenant_id: string; ended: readonly EndedSince[] }): Run<void> {
  const { tenant_id } = args
  yield* together(args.ended.filter(mayHaveEnded).flatMap((one) => listEnds(tenant_id, one)))
})

function listEnds(tenant_id: string, ended: EndedSince): Statement<unknown>[] {
  const { type, client_id, user_id, grant_id, connection_id } = ended
  const statements: Statement<unknown>[] = []
  if (type === 'connection.disconnected' || type === 'connection.destroyed') {
    statements.push(sql`
      update connections set state = 'disconnected', reason = 'restored', upkeep_at = null
      where tenant_id = ${tenant_id} and connection_id = ${connection_id ?? ''} and state <> 'disconnected'`)
  }
  // Of what happens to a connection only one thing is about grants: a client may use it no more.
  if (type.startsWith('connection.') && type !== 'connection.taken_back') return statements
  if (type === 'tenant.disabled') {
    statements.push(sql`update tenants set disabled_at = ${NOW} where tenant_id = ${tenant_id} and disabled_at is null`)
  }
  // Whoever was deleted is not known again: the chores of the server erase the rest of them.
  if (type === 'user.deleted') statements.push(deletion(tenant_id, user_id ?? ''))
  if (type === 'user.disabled') {
    statements.push(sql`
      update users set disabled_at = ${NOW}, epoch = epoch + 1
      where tenant_id = ${tenant_id} and user_id = ${user_id ?? ''} and disabled_at is null`)
  }
  if (type === 'client.disabled' || type === 'client.deleted') {
    statements.push(sql`
      update clients set disabled_at = ${NOW}, epoch = epoch + 1
      where tenant_id = ${tenant_id} and client_id = ${client_id ?? ''} and disabled_at is null`)
  }
  return [...statements, endGrants(tenant_id, { client_id, user_id, grant_id })]
}

type Named = Pick<EndedSince, 'client_id' | 'user_id' | 'grant_id'>

// Each has its index.
function endGrants(tenant_id: string, { client_id, user_id, grant_id }: Named): Statement<never> {
  if (grant_id !== null) {
    return sql`
      update grants set revoked_at = ${NOW}, revoked_reason = 'restored'
      where tenant_id = ${tenant_id} and grant_id = ${grant_id} and revoked_at is null`
  }
  if (user_id !== null) {
    return sql`
      update grants set revoked_at = ${NOW}, revoked_reason = 'restored'
      where tenant_id = ${tenant_id} and user_id = ${user_id}
        and (${client_id ?? ''} = '' or client_id = ${client_id ?? ''}) and revoked_at is null`
  }
  if (client_id !== null) {
    return sql`
      update grants set revoked_at = ${NOW}, revoked_reason = 'restored'
      where tenant_id = ${tenant_id} and client_id = ${client_id} and revoked_at is null`
  }
  return sql`
    update grants set revoked_at = ${NOW}, revoked_reason = 'restored'
    where tenant_id = ${tenant_id} and revoked_at is null`
}

/** What restoring a tenant has come to. */
export interface Settled {
  readonly kept_grants: number
  readonly ended_grants: number
}

/**
 * Makes a restored tenant safe to serve: its configuration gets a version that nobody has seen, so that no change is made
 * on a former one; a new epoch, above all that it has ever had, voids every token and session of
 * before; codes, pushed requests, device codes, links and consents that may have been used or taken back since are gone;
 * all grants end. With `keep_proven` those go on whose refresh tokens are worth nothing without the client's own key or
 * secret: what ended since the backup is known then, and has been replayed.
 */
export const settleRestored = write(function* (args: {
  tenant_id: string
  /** When the backup was made: what was refreshed since then at a provider is not known. */
  made_at: number
  keep_proven: boolean
  event: NewEvent
}): Run<Settled> {
  const { tenant_id, event } = args
  const [before] = yield* sql<{ epoch: number }>`select epoch from tenants where tenant_id = ${tenant_id}`
  const [tenant] = yield* sql<{ issuer: string; epoch: number }>`
    update tenants set config_version = case when config_version >= ${NOW} then config_version + 1 else ${NOW} end,
      epoch = case when epoch >= ${NOW} then epoch + 1 else ${NOW} end
    where tenant_id = ${tenant_id} returning issuer, epoch`
  const { issuer, epoch } = tenant!
  if (args.keep_proven) yield* keepProven({ tenant_id, born: before!.epoch, epoch })
  const [counted] = yield* sql<Settled>`
    select coalesce(sum(case when tenant_epoch = ${epoch} then 1 else 0 end), 0) as kept_grants,
      coalesce(sum(case when tenant_epoch = ${epoch} then 0 else 1 end), 0) as ended_grants
    from grants where tenant_id = ${tenant_id} and revoked_at is null and code_redeemed_at is not null`
  const settled = { kept_grants: Number(counted!.kept_grants), ended_grants: Number(counted!.ended_grants) }
  yield* sql`
    update grants set revoked_at = ${NOW}, revoked_reason = 'restored'
    where tenant_id = ${tenant_id} and revoked_at is null and tenant_epoch <> ${epoch}`
  yield* voidWhatWorksOnce(tenant_id)
  yield* sql`
    update connections set uncertain_at = ${args.made_at}, upkeep_at = 0
    where tenant_id = ${tenant_id} and state = 'ready' and refresh_fingerprint is not null and uncertain_at is null`
  // Numbers of the feed go on where none has been, so that no cursor of before passes over what is said now.
  yield* sql`
    update event_chains set revocation_sequence =
      case when revocation_sequence >= ${NOW} then revocation_sequence + 1 else ${NOW} end
    where tenant_id = ${tenant_id}`
  yield* revocationStatement(event, { kind: 'iss', value: issuer, epoch })
  yield* eventStatement({ ...event, detail: { ...event.detail, ...settled } })
  return settled
})

const CLIENTS_AT_ONCE = 200

/** The epoch under which a grant must have been born to live still, and the one that it goes on under. */
interface Kept {
  readonly tenant_id: string
  readonly born: number
  readonly epoch: number
}

// What a refresh token is worth hangs on a key or a secret that a thief of tokens lacks.
function* keepProven({ tenant_id, born, epoch }: Kept): Run<void> {
  yield* sql`
    update grants set tenant_epoch = ${epoch}, restored_at = ${NOW}
    where tenant_id = ${tenant_id} and cnf is not null and tenant_epoch = ${born} and offline = 1
      and refresh_generation > 0 and revoked_at is null and expires_at > ${NOW}`
  for (let after: string | undefined = ''; after !== undefined; ) {
    const clients: { client_id: string; metadata: string }[] = yield* sql<{ client_id: string; metadata: string }>`
      select client_id, metadata from clients where tenant_id = ${tenant_id} and client_id > ${after}
      order by client_id limit ${CLIENTS_AT_ONCE}`
    const proven = clients.filter(({ metadata }) => provesItself(metadata))
    yield* together(
      proven.map(
        ({ client_id }) => sql`
          update grants set tenant_epoch = ${epoch}, restored_at = ${NOW}
          where tenant_id = ${tenant_id} and client_id = ${client_id} and tenant_epoch = ${born} and offline = 1
            and refresh_generation > 0 and revoked_at is null and expires_at > ${NOW}`,
      ),
    )
    after = clients.length === CLIENTS_AT_ONCE ? clients.at(-1)!.client_id : undefined
  }
}

function provesItself(metadata: string): boolean {
  const { token_endpoint_auth_method: method } = JSON.parse(metadata) as { token_endpoint_auth_method?: unknown }
  return typeof method === 'string' && method !== 'none'
}

function* voidWhatWorksOnce(tenant_id: string): Run<void> {
  yield* together([
    sql`delete from pushed_requests where tenant_id = ${tenant_id}`,
    sql`delete from device_codes where tenant_id = ${tenant_id}`,
    sql`delete from one_time_links where tenant_id = ${tenant_id} and used_at is null`,
    sql`delete from registration_tokens where tenant_id = ${tenant_id}`,
    sql`delete from permanent_tokens where tenant_id = ${tenant_id}`,
    sql`delete from idempotency_keys where tenant_id = ${tenant_id}`,
    sql`delete from leases where tenant_id = ${tenant_id}`,
    // Whoever withdrew theirs since is not taken at their former word: everybody is asked again.
    sql`delete from consents where tenant_id = ${tenant_id}`,
    sql`update sessions set ended_at = ${NOW} where tenant_id = ${tenant_id} and ended_at is null`,
    // What a flow holds is still taken back at its provider.
    sql`update connect_flows set expires_at = ${NOW} where tenant_id = ${tenant_id} and expires_at > ${NOW}`,
    sql`update connect_sessions set ended_at = ${NOW}
      where tenant_id = ${tenant_id} and confirmed_at is null and ended_at is null`,
    sql`update totp_seeds set last_step = ${NOW} / ${TOTP_STEP_MS}
      where tenant_id = ${tenant_id} and last_step < ${NOW} / ${TOTP_STEP_MS}`,
  ])
}

const TOTP_STEP_MS = 30_000

/**
 * Takes a restored grant to the generation of a token that has been proven genuine, so that this one is its newest; says
 * whether this call did. What is older than it is then older than the newest, as everywhere.
 */
export const forwardRefreshToken = write(
  function* (args: {
    tenant_id: string
    grant_id: string
    /** The generation that the grant is at. */
    from: number
    generation: number
    hash: Uint8Array
    event: NewEvent
  }): Run<boolean> {
    const [forwarded] = yield* sql<{ grant_id: string }>`
      update grants set refresh_generation = ${args.generation}, refresh_hash = ${args.hash},
        refresh_previous_hash = null, refresh_rotated_at = ${NOW}
      where tenant_id = ${args.tenant_id} and grant_id = ${args.grant_id} and refresh_generation = ${args.from}
        and refresh_generation < ${args.generation} and restored_at is not null and revoked_at is null
      returning grant_id`
    if (forwarded) yield* eventStatement(args.event)
    return forwarded !== undefined
  },
  { key: grantKey },
)
