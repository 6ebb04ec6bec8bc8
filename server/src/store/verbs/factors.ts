import type { NewEvent, UserRecord } from '../records.ts'
import { NOW, pickColumns, type Run, read, sql, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { type Proof, recordProofs } from './proofs.ts'
import { spendSignInLink } from './sign_in_links.ts'

/** A passkey at rest (WebAuthn section 4, credential record). */
export interface PasskeyRecord {
  readonly credential_id: string
  readonly user_id: string
  readonly name: string
  readonly public_key: Uint8Array
  readonly counter: number
  /** JSON list of what the browser said about the way to it. */
  readonly transports: string
  readonly backup_eligible: number
  readonly backed_up: number
  readonly created_at: number
  readonly last_used_at: number | null
}

/** The seed of an authenticator app at rest. */
export interface TotpRecord {
  readonly sealed_seed: Uint8Array
  readonly last_step: number
  readonly created_at: number
}

// Changes of one user's factors come one after the other.
const ofUser = (args: { tenant_id: string; user_id: string }) => `${args.tenant_id}/${args.user_id}`

/** What a user can prove themselves by, beside the password. */
export interface Factors {
  readonly now: number
  readonly totp: TotpRecord | null
  readonly passkeys: readonly PasskeyRecord[]
  readonly recovery_codes_left: number
}

/** The factors of a user. */
export const loadFactors = read(function* (args: { tenant_id: string; user_id: string }): Run<Factors> {
  const { tenant_id, user_id } = args
  const [[totp], passkeys, [left]] = (yield* together<unknown>([
    sql<TotpRecord>`
      select sealed_seed, last_step, created_at from totp_seeds
      where tenant_id = ${tenant_id} and user_id = ${user_id}`,
    sql<PasskeyRecord>`
      select credential_id, user_id, name, public_key, counter, transports, backup_eligible, backed_up, created_at,
        last_used_at
      from passkeys where tenant_id = ${tenant_id} and user_id = ${user_id} order by created_at, credential_id`,
    sql<{ n: number; now: number }>`
      select count(*) as n, ${NOW} as now from recovery_codes
      where tenant_id = ${tenant_id} and user_id = ${user_id} and used_at is null`,
  ])) as [TotpRecord[], PasskeyRecord[], { n: number; now: number }[]]
  return { now: left!.now, totp: totp ?? null, passkeys, recovery_codes_left: left!.n }
})

/** A factor that is given in a sign-in: it is spent in the transaction that starts the session, or neither happens. */
export type SpentFactor =
  | { readonly kind: 'totp'; readonly step: number }
  | { readonly kind: 'recovery_code'; readonly code_hash: Uint8Array }
  | { readonly kind: 'sign_in_link'; readonly secret_hash: Uint8Array }
  | {
      readonly kind: 'passkey'
      readonly credential_id: string
      readonly counter: number
      readonly backed_up: boolean
      readonly challenge: Proof
    }

/** Spends a factor; false when it was spent before, or is gone. */
export function* spendFactor(tenant_id: string, user_id: string, factor: SpentFactor): Run<boolean> {
  switch (factor.kind) {
    case 'totp': {
      const [spent] = yield* sql<{ user_id: string }>`
        update totp_seeds set last_step = ${factor.step}
        where tenant_id = ${tenant_id} and user_id = ${user_id} and last_step < ${factor.step} returning user_id`
      return spent !== undefined
    }
    case 'recovery_code': {
      const [spent] = yield* sql<{ user_id: string }>`
        update recovery_codes set used_at = ${NOW}
        where tenant_id = ${tenant_id} and user_id = ${user_id} and code_hash = ${factor.code_hash} and used_at is null
        returning user_id`
      return spent !== undefined
    }
    case 'sign_in_link':
      return yield* spendSignInLink(tenant_id, user_id, factor.secret_hash)
    case 'passkey': {
      // A counter that does not rise is that of a copy, but for keys that never count (WebAuthn section 6.1.1).
      const [spent] = yield* sql<{ user_id: string }>`
        update passkeys set counter = ${factor.counter}, backed_up = ${factor.backed_up ? 1 : 0}, last_used_at = ${NOW}
        where tenant_id = ${tenant_id} and user_id = ${user_id} and credential_id = ${factor.credential_id}
          and (counter < ${factor.counter} or (counter = 0 and ${factor.counter} = 0)) returning user_id`
      if (spent) yield* recordProofs(tenant_id, [factor.challenge])
      return spent !== undefined
    }
  }
}

/** A passkey with its owner, by the id that a browser presents. */
export const findPasskey = read(function* (args: {
  tenant_id: string
  credential_id: string
}): Run<{ passkey: PasskeyRecord; user: UserRecord; now: number } | null> {
  const [row] = yield* sql<Record<string, unknown>>`
    select p.credential_id, p.user_id, p.name as passkey_name, p.public_key, p.counter, p.transports, p.backup_eligible,
      p.backed_up, p.created_at, p.last_used_at, u.username, u.name, u.email, u.email_verified, u.claims, u.roles,
      u.epoch, u.disabled_at, u.updated_at, ${NOW} as now
    from passkeys p join users u on u.tenant_id = p.tenant_id and u.user_id = p.user_id
    where p.tenant_id = ${args.tenant_id} and p.credential_id = ${args.credential_id}`
  if (!row) return null
  const passkey = pickColumns<PasskeyRecord>({ ...row, name: row['passkey_name'] }, PASSKEY_COLUMNS)
  return { passkey, user: pickColumns<UserRecord>(row, USER_COLUMNS), now: row['now'] as number }
})

const PASSKEY_COLUMNS = [
  ...(['credential_id', 'user_id', 'name', 'public_key', 'counter', 'transports'] as const),
  ...(['backup_eligible', 'backed_up', 'created_at', 'last_used_at'] as const),
]
const USER_COLUMNS = [
  ...(['user_id', 'username', 'name', 'email', 'email_verified', 'claims', 'roles'] as const),
  ...(['epoch', 'disabled_at', 'updated_at'] as const),
]

/** What a change of factors has in common: whose they are, the codes that come with a first one, and the event. */
interface FactorChange {
  readonly tenant_id: string
  readonly user_id: string
  /** Hashes of codes for a user who has none yet; left out where there are some. */
  readonly recovery_codes: readonly Uint8Array[]
  readonly event: NewEvent
}

/** Adds a passkey; `known` when its id is somebody's already, or too many are there. */
export const addPasskey = write(
  function* (
    args: FactorChange & {
      passkey: Omit<PasskeyRecord, 'user_id' | 'created_at' | 'last_used_at'>
      challenge: Proof
      most: number
    },
  ): Run<'added' | 'added_with_codes' | 'known'> {
    const { tenant_id, user_id, passkey, event } = args
    const [added] = yield* sql<{ credential_id: string }>`
      insert into passkeys (tenant_id, credential_id, user_id, name, public_key, counter, transports, backup_eligible,
        backed_up, created_at)
      select ${tenant_id}, ${passkey.credential_id}, ${user_id}, ${passkey.name}, ${passkey.public_key},
        ${passkey.counter}, ${passkey.transports}, ${passkey.backup_eligible}, ${passkey.backed_up}, ${event.at}
      where (select count(*) from passkeys where tenant_id = ${tenant_id} and user_id = ${user_id}) < ${args.most}
      on conflict do nothing returning credential_id`
    if (!added) return 'known'
    yield* recordProofs(tenant_id, [args.challenge])
    yield* insertEvent(event)
    return (yield* addFirstCodes(args)) ? 'added_with_codes' : 'added'
  },
  { key: ofUser },
)

/** Keeps the seed of an authenticator app whose code was just given; `known` when there is one already. */
export const addTotp = write(
  function* (
    args: FactorChange & { sealed_seed: Uint8Array; step: number },
  ): Run<'added' | 'added_with_codes' | 'known'> {
    const { tenant_id, user_id, event } = args
    const [added] = yield* sql<{ user_id: string }>`
      insert into totp_seeds (tenant_id, user_id, sealed_seed, last_step, created_at)
      values (${tenant_id}, ${user_id}, ${args.sealed_seed}, ${args.step}, ${event.at})
      on conflict do nothing returning user_id`
    if (!added) return 'known'
    yield* insertEvent(event)
    return (yield* addFirstCodes(args)) ? 'added_with_codes' : 'added'
  },
  { key: ofUser },
)

function* addFirstCodes({ tenant_id, user_id, recovery_codes, event }: FactorChange): Run<boolean> {
  const [one] = yield* sql<{ user_id: string }>`
    select user_id from recovery_codes where tenant_id = ${tenant_id} and user_id = ${user_id} limit 1`
  if (one) return false
  yield* saveCodes(tenant_id, user_id, recovery_codes, event)
  return true
}

function* saveCodes(tenant_id: string, user_id: string, hashes: readonly Uint8Array[], event: NewEvent): Run<void> {
  yield* together(
    hashes.map(
      (code_hash) => sql`
        insert into recovery_codes (tenant_id, user_id, code_hash, created_at)
        values (${tenant_id}, ${user_id}, ${code_hash}, ${event.at})`,
    ),
  )
}

/** Puts new recovery codes in the place of all there were. */
export const replaceRecoveryCodes = write(
  function* (args: FactorChange): Run<void> {
    yield* sql`delete from recovery_codes where tenant_id = ${args.tenant_id} and user_id = ${args.user_id}`
    yield* saveCodes(args.tenant_id, args.user_id, args.recovery_codes, args.event)
    yield* insertEvent(args.event)
  },
  { key: ofUser },
)

/**
 * Takes a factor away: a passkey by its id, or the authenticator app. With the last one the recovery codes go too, for
 * there is nothing left to recover; `last` when that one must stay.
 */
export const removeFactor = write(
  function* (args: {
    tenant_id: string
    user_id: string
    factor: { readonly kind: 'totp' } | { readonly kind: 'passkey'; readonly credential_id: string }
    /** The tenant asks for a second factor, so that one has to stay. */
    keep_one: boolean
    event: NewEvent
  }): Run<'removed' | 'unknown' | 'last'> {
    const { tenant_id, user_id, factor } = args
    // Locks the user, so that two removals at once are not each the last but one.
    yield* sql`update users set updated_at = updated_at where tenant_id = ${tenant_id} and user_id = ${user_id}`
    const [others] = yield* sql<{ n: number }>`
      select (select count(*) from passkeys where tenant_id = ${tenant_id} and user_id = ${user_id})
        + (select count(*) from totp_seeds where tenant_id = ${tenant_id} and user_id = ${user_id}) as n`
    if (args.keep_one && others!.n <= 1) return 'last'
    const [removed] =
      factor.kind === 'totp'
        ? yield* sql<{ user_id: string }>`
          delete from totp_seeds where tenant_id = ${tenant_id} and user_id = ${user_id} returning user_id`
        : yield* sql<{ user_id: string }>`
          delete from passkeys where tenant_id = ${tenant_id} and user_id = ${user_id}
            and credential_id = ${factor.credential_id} returning user_id`
    if (!removed) return 'unknown'
    if (others!.n <= 1) {
      yield* sql`delete from recovery_codes where tenant_id = ${tenant_id} and user_id = ${user_id}`
    }
    yield* insertEvent(args.event)
    return 'removed'
  },
  { key: ofUser },
)
