import type { GrantRecord, NewEvent } from '../records.ts'
import { bytes, int, NOW, type Run, sql, text, together, write } from '../sql.ts'
import { eventStatement, isRecorded } from './events.ts'
import { holdSession } from './logouts.ts'
import { type Proof, recordProofs, refuseSeenProofs } from './proofs.ts'
import { takeRequest } from './pushed_requests.ts'
import { type EndedGrant, revocationStatement } from './revocations.ts'

/** A grant that is about to be made, with the consent it rests on and its audit event. */
export interface NewGrant {
  readonly tenant_id: string
  readonly grant: Omit<
    GrantRecord,
    'code_redeemed_at' | 'code_failures' | 'revoked_at' | OptionalColumn | RefreshColumn
  > & {
    readonly claims?: string | null
    readonly role?: string | null
    readonly cnf?: string | null
  }
  /** The first refresh token of a grant that is made without a code. */
  readonly refresh?: { readonly hash: Uint8Array; readonly kid: number } | null
  /** What the user allowed from now on; null leaves what was remembered. */
  readonly consent: ConsentRow | null
  /** The pushed request that this answers: it is answered once (RFC 9126 section 4). */
  readonly request_hash?: Uint8Array | null
  /** What was decided rests on a consent that was read: it must still be there. */
  readonly rests_on_consent?: boolean
  /** Nothing may be granted that the consent no longer holds: its user may have taken scopes back since it was read. */
  readonly within_consent?: boolean
  /** What the request rests on and may be accepted once. */
  readonly proofs?: readonly Proof[]
  /** The client wants to be told when the session ends. */
  readonly tells_logout?: boolean
  readonly event: NewEvent
  /** What else the log is to hold, where the client does something that weakens it. */
  readonly warning?: NewEvent | null
}
type OptionalColumn = 'claims' | 'role' | 'cnf'

/** What a user has allowed a client, as its row holds it. */
export interface ConsentRow {
  readonly scope: string
  readonly resource: string
  readonly connections: string | null
  /** When it ends, if the user chose an end. */
  readonly expires_at?: number | null
  /** JSON of the hosts at which answers were allowed to arrive. */
  readonly redirect_hosts?: string | null
}
type RefreshColumn =
  | 'refresh_generation'
  | 'refresh_hash'
  | 'refresh_previous_hash'
  | 'refresh_kid'
  | 'refresh_rotated_at'
  | 'restored_at'

/**
 * Makes a grant with its code, the remembered consent and the event; `withdrawn` when the user has taken back the consent
 * that it rests on since that was read, `session_ended` when its session has ended since.
 */
export const approveGrant = write(
  function* (args: NewGrant): Run<'approved' | 'withdrawn' | 'spent' | 'session_ended'> {
    const { tenant_id, grant, consent, rests_on_consent = false, event } = args
    const refresh = args.refresh ?? null
    // Without a code there is nothing to redeem: its tokens leave with this commit.
    const redeemed_at = grant.code_hash === null ? grant.created_at : null
    if (grant.session_id !== null && !(yield* holdSession(tenant_id, grant.session_id, args))) return 'session_ended'
    if (rests_on_consent) {
      // Updating the row locks it: whoever withdraws it afterwards sees this grant.
      const [standing] = yield* sql<{ scope: string }>`
        update consents set updated_at = updated_at
        where tenant_id = ${tenant_id} and user_id = ${grant.user_id} and client_id = ${grant.client_id}
        returning scope`
      if (!standing) return 'withdrawn'
      const held = standing.scope.split(' ')
      if (args.within_consent && !grant.scope.split(' ').every((name) => held.includes(name))) return 'withdrawn'
    }
    if (args.request_hash && !(yield* takeRequest(tenant_id, args.request_hash))) return 'spent'
    yield* recordProofs(tenant_id, args.proofs)
    const made = sql`
      insert into grants (tenant_id, grant_id, client_id, user_id, session_id, scope, resource, authorization_details,
        connections, claims, role, nonce, auth_time, acr, amr, tenant_epoch, client_epoch, user_epoch, session_epoch, offline,
        code_hash, code_expires_at, code_redeemed_at, code_failures, code_challenge, redirect_uri, cnf,
        refresh_generation, refresh_hash, refresh_kid, refresh_rotated_at, created_at, idle_expires_at, expires_at)
      values (${tenant_id}, ${grant.grant_id}, ${grant.client_id}, ${grant.user_id}, ${text(grant.session_id)},
        ${grant.scope}, ${grant.resource}, ${text(grant.authorization_details)}, ${text(grant.connections)},
        ${text(grant.claims)}, ${text(grant.role)}, ${text(grant.nonce)}, ${grant.auth_time}, ${text(grant.acr)}, ${text(grant.amr)}, ${grant.tenant_epoch},
        ${grant.client_epoch}, ${grant.user_epoch}, ${grant.session_epoch}, ${grant.offline}, ${bytes(grant.code_hash)},
        ${int(grant.code_expires_at)}, ${int(redeemed_at)}, 0, ${text(grant.code_challenge)}, ${text(grant.redirect_uri)},
        ${text(grant.cnf)}, ${refresh ? 1 : 0}, ${bytes(refresh?.hash)}, ${int(refresh?.kid)}, ${int(refresh && grant.created_at)}, ${grant.created_at}, ${int(grant.idle_expires_at)}, ${grant.expires_at})`
    const remembered =
      consent &&
      sql`
        insert into consents (tenant_id, user_id, client_id, scope, resource, connections, expires_at, redirect_hosts,
          created_at, updated_at)
        values (${tenant_id}, ${grant.user_id}, ${grant.client_id}, ${consent.scope}, ${consent.resource},
          ${text(consent.connections)}, ${int(consent.expires_at)}, ${text(consent.redirect_hosts)},
          ${grant.created_at}, ${grant.created_at})
        on conflict (tenant_id, user_id, client_id) do update set scope = excluded.scope, resource = excluded.resource,
          connections = excluded.connections, expires_at = excluded.expires_at,
          redirect_hosts = excluded.redirect_hosts, updated_at = excluded.updated_at`
    const events = [event, ...(args.warning ? [args.warning] : [])]
    yield* together([made, ...(remembered ? [remembered] : []), ...events.map(eventStatement)])
    return 'approved'
  },
  // The session and the remembered consent are what two of them may share: both are of one user.
  { key: ({ tenant_id, grant }) => `${tenant_id}/${grant.user_id}` },
)

/** A redemption that was checked and whose tokens are ready. */
export interface Redemption {
  readonly tenant_id: string
  readonly grant_id: string
  readonly code_hash: Uint8Array
  /** Names this try, so that it recognises itself after a commit of unknown outcome. */
  readonly attempt_id: string
  readonly refresh: { readonly hash: Uint8Array; readonly kid: number } | null
  readonly idle_expires_at: number | null
  /** Sooner than was planned when the user allowed it; without it, what was stands. */
  readonly expires_at?: number | undefined
  /** JSON of the key that a public client's refresh tokens are bound to from now on; without it, what was stands. */
  readonly cnf?: string | null
  readonly proofs?: readonly Proof[]
  /** Written when the code turns out to be spent: the grant ends with it. */
  readonly replay_event: NewEvent
}

/** Redeems a code once (RFC 6749 section 4.1.2): a second otherwise valid redemption ends the grant. */
export const redeemCode = write(
  function* (args: Redemption): Run<'redeemed' | 'replayed' | 'gone'> {
    const { tenant_id, grant_id } = args
    if (yield* redeemOnce(args)) return 'redeemed'
    const [grant] = yield* sql<{ attempt_id: string | null; code_redeemed_at: number | null }>`
      select attempt_id, code_redeemed_at from grants
      where tenant_id = ${tenant_id} and grant_id = ${grant_id} and code_hash = ${args.code_hash}`
    if (!grant || grant.code_redeemed_at === null) return 'gone'
    if (grant.attempt_id === args.attempt_id) return 'redeemed'
    yield* refuseSeenProofs(tenant_id, args.proofs)
    yield* endGrant(args.replay_event, grant_id, 'code_replayed')
    return 'replayed'
  },
  { key: grantKey, repeatable: true },
)

/** Redeems what a device polled for once (RFC 8628 section 3.5). Polls may overlap, so a second one ends nothing. */
export const redeemDeviceCode = write(
  function* (args: Omit<Redemption, 'replay_event'>): Run<'redeemed' | 'gone'> {
    if (yield* redeemOnce(args)) return 'redeemed'
    const [grant] = yield* sql<{ attempt_id: string | null }>`
      select attempt_id from grants where tenant_id = ${args.tenant_id} and grant_id = ${args.grant_id}`
    return grant?.attempt_id === args.attempt_id ? 'redeemed' : 'gone'
  },
  { key: grantKey, repeatable: true },
)

function* redeemOnce(args: Omit<Redemption, 'replay_event'>): Run<boolean> {
  const { tenant_id, grant_id, refresh } = args
  // `attempt_id` and not `code_redeemed_at`, or PostgreSQL may walk the index of the unredeemed to find this one.
  const [redeemed] = yield* sql<{ grant_id: string }>`
    update grants set code_redeemed_at = ${NOW}, attempt_id = ${args.attempt_id}, last_used_at = ${NOW},
      refresh_generation = ${refresh ? 1 : 0}, refresh_hash = ${bytes(refresh?.hash)}, refresh_kid = ${int(refresh?.kid)},
      refresh_rotated_at = ${NOW}, idle_expires_at = ${int(args.idle_expires_at)}, cnf = coalesce(${text(args.cnf)}, cnf),
      expires_at = coalesce(${int(args.expires_at)}, expires_at)
    where tenant_id = ${tenant_id} and grant_id = ${grant_id} and code_hash = ${args.code_hash}
      and attempt_id is null and code_expires_at > ${NOW} and revoked_at is null
    returning grant_id`
  if (redeemed) yield* recordProofs(tenant_id, args.proofs)
  return redeemed !== undefined
}

/** Counts a redemption that named the right code and failed another check. */
export const countCodeFailure = write(
  function* (args: { tenant_id: string; grant_id: string; proofs?: readonly Proof[] }): Run<void> {
    yield* refuseSeenProofs(args.tenant_id, args.proofs)
    yield* sql`
      update grants set code_failures = code_failures + 1
      where tenant_id = ${args.tenant_id} and grant_id = ${args.grant_id} and attempt_id is null`
  },
  { key: grantKey },
)

/** A rotation whose successor is derived and whose tokens are ready. */
export interface Rotation {
  readonly tenant_id: string
  readonly grant_id: string
  readonly generation: number
  readonly hash: Uint8Array
  readonly successor_hash: Uint8Array
  readonly kid: number
  readonly idle_expires_at: number | null
  /** As in Redemption. */
  readonly cnf?: string | null
  readonly proofs?: readonly Proof[]
}

/** Moves a grant from one refresh generation to the next; `stale` when another request did so first. */
export const rotateRefreshToken = write(
  function* (args: Rotation): Run<'rotated' | 'stale'> {
    const [rotated] = yield* sql<{ grant_id: string }>`
      update grants set refresh_generation = refresh_generation + 1, refresh_previous_hash = refresh_hash,
        refresh_hash = ${args.successor_hash}, refresh_kid = ${args.kid}, refresh_rotated_at = ${NOW},
        last_used_at = ${NOW}, idle_expires_at = ${int(args.idle_expires_at)}, cnf = coalesce(${text(args.cnf)}, cnf)
      where tenant_id = ${args.tenant_id} and grant_id = ${args.grant_id} and refresh_generation = ${args.generation}
        and refresh_hash = ${args.hash} and revoked_at is null
      returning grant_id`
    if (!rotated) return 'stale'
    yield* recordProofs(args.tenant_id, args.proofs)
    return 'rotated'
  },
  // After an unknown outcome it answers `stale`; the caller reads again and derives the same successor.
  { key: grantKey, repeatable: true },
)

/** Notes the use of a refresh token that stays (FAPI 2.0 Security Profile section 5.3.2.1); `stale` when it no longer is the newest. */
export const keepRefreshToken = write(
  function* (args: Omit<Rotation, 'successor_hash' | 'kid'>): Run<'kept' | 'stale'> {
    const [kept] = yield* sql<{ grant_id: string }>`
      update grants set last_used_at = ${NOW}, idle_expires_at = ${int(args.idle_expires_at)},
        cnf = coalesce(${text(args.cnf)}, cnf)
      where tenant_id = ${args.tenant_id} and grant_id = ${args.grant_id} and refresh_generation = ${args.generation}
        and refresh_hash = ${args.hash} and revoked_at is null
      returning grant_id`
    if (!kept) return 'stale'
    yield* recordProofs(args.tenant_id, args.proofs)
    return 'kept'
  },
  { key: grantKey },
)

/** Ends a grant with its event; says whether it was still living. Who asks with a proof seen before changes nothing. */
export const revokeGrant = write(
  function* (args: {
    tenant_id: string
    grant_id: string
    reason: string
    proofs?: readonly Proof[]
    event: NewEvent
  }): Run<boolean> {
    yield* refuseSeenProofs(args.tenant_id, args.proofs)
    return yield* endGrant(args.event, args.grant_id, args.reason)
  },
  { key: grantKey, repeatable: true },
)

/** Ends a grant within another verb, with its event; says whether it was still living. */
export function* endGrant(event: NewEvent, grant_id: string, reason: string): Run<boolean> {
  const [ended] = yield* sql<EndedGrant>`
    update grants set revoked_at = ${NOW}, revoked_reason = ${reason}
    where tenant_id = ${event.tenant_id} and grant_id = ${grant_id} and revoked_at is null
    returning grant_id`
  // The event is there already when this call ended the grant before, and its commit had an unknown outcome.
  if (!ended) return yield* isRecorded(event)
  yield* together([revocationStatement(event, { kind: 'grant_id', value: grant_id }), eventStatement(event)])
  return true
}

/** What calls about one grant wait for one another by. */
export function grantKey(args: { tenant_id: string; grant_id: string }): string {
  return `${args.tenant_id}/${args.grant_id}`
}
