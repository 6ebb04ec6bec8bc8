import { OAuthError } from '../oauth/errors.ts'
import type { Tenant } from '../store/tenant.ts'
import { networkOf } from './client_address.ts'
import type { InboundContext } from './context.ts'

/** One limit: what is counted by which key, how many in what time, where, and what comes after. */
export interface Limit {
  readonly counts: string
  readonly by: 'account' | 'session' | 'address' | 'client' | 'client and address' | 'tenant'
  readonly most: number
  readonly seconds: number
  /** Guesses alone: after the last one so long a wait, doubled by each further one; without it none until the time is over. */
  readonly delay?: { readonly first_seconds: number; readonly longest_seconds: number }
  readonly kept_in: 'database' | 'process'
}

const SOON = { first_seconds: 60, longest_seconds: 3600 }
const HOURLY = { first_seconds: 3600, longest_seconds: 3600 }
const TEN_MINUTES = 600
const HOUR = 3600
const DAY = 86_400

/**
 * Every limit there is (ASVS 6.1.1, 6.3.1, 2.4.1). What can be guessed is counted in the database before it is looked at,
 * shared by replicas; what cannot, and floods, by the process. docs/configuration.md says the same, and a test compares.
 */
export const LIMITS = {
  password: guesses('wrong passwords', 'account', 10, TEN_MINUTES, SOON),
  password_in_a_day: guesses('wrong passwords', 'account', 100, DAY, HOURLY),
  second_factor: guesses('wrong one-time and recovery codes', 'account', 10, TEN_MINUTES, SOON),
  second_factor_in_a_day: guesses('wrong one-time and recovery codes', 'account', 100, DAY, HOURLY),
  email_code: guesses('wrong codes of links to a mailbox', 'session', 10, TEN_MINUTES, SOON),
  email_code_in_a_day: guesses('wrong codes of links to a mailbox', 'session', 100, DAY, HOURLY),
  user_code: guesses('wrong user codes of devices', 'session', 5, TEN_MINUTES),
  user_code_of_address: guesses('wrong user codes of devices', 'address', 5, TEN_MINUTES),
  guesses_of_address: guesses('wrong guesses of any other kind', 'address', 100, TEN_MINUTES),
  mail: stored('e-mails asked for', 'account', 3, HOUR),
  mail_of_address: stored('e-mails asked for', 'address', 20, HOUR),
  sign_up: stored('accounts that people asked for', 'address', 20, HOUR),
  registration: stored('clients registered without an administrator', 'address', 5, HOUR),
  metadata_document: counted('metadata documents of clients', 'account', 30, TEN_MINUTES),
  registration_of_tenant: stored('clients registered without an administrator', 'tenant', 300, HOUR),
  // Each registration stays, and every request of the tenant reads a configuration that holds them all.
  service_registration: stored('services registered by anybody at the Hub door', 'tenant', 100, HOUR),
  client_authentication: counted('failed client authentications', 'client and address', 20, 60),
  device_code: counted('device authorization requests', 'client and address', 30, 60),
  device_code_of_client: counted('device authorization requests', 'client', 600, 60),
  pushed_request: counted('pushed authorization requests', 'client', 600, 60),
  sign_in_elsewhere: counted('sign-ins started at another server', 'address', 30, TEN_MINUTES),
  one_time_link: counted('one-time links that were none', 'address', 30, TEN_MINUTES),
} as const satisfies Record<string, Limit>

/** The name of a limit. */
export type LimitName = keyof typeof LIMITS

/** How many passwords are checked at a time; the rest is sent away, so that one address keeps nobody else waiting. */
export const PASSWORDS_AT_ONCE = { most: 64, most_of_address: 16, most_with_known_devices: 80 }

function guesses(counts: string, by: Limit['by'], most: number, seconds: number, delay?: Limit['delay']): Limit {
  return { counts, by, most, seconds, ...(delay && { delay }), kept_in: 'database' }
}

function stored(counts: string, by: Limit['by'], most: number, seconds: number): Limit {
  return { counts, by, most, seconds, kept_in: 'database' }
}

function counted(counts: string, by: Limit['by'], most: number, seconds: number): Limit {
  return { counts, by, most, seconds, kept_in: 'process' }
}

// Which limits a guess of each kind passes, in this order.
const OF_GUESSES = {
  password: ['guesses_of_address', 'password', 'password_in_a_day'],
  second_factor: ['guesses_of_address', 'second_factor', 'second_factor_in_a_day'],
  email_code: ['guesses_of_address', 'email_code', 'email_code_in_a_day'],
  user_code: ['user_code_of_address', 'user_code'],
} as const satisfies Record<string, readonly LimitName[]>

/** A guess at something that can be guessed. */
export interface Guess {
  /** What is guessed: one-time codes of apps and recovery codes are both `second_factor`, one counter for both. */
  readonly kind: keyof typeof OF_GUESSES
  /**
   * Whose secret it is: one canonical account (a user_id where there is one); for user codes the session that types, and
   * for codes of links the request that asked for them, where alone they count.
   */
  readonly of: string
  readonly address: string | undefined
  /** The device from which this account signed in before: it has counters of its own, which no stranger can fill. */
  readonly known_device?: string | undefined
}

/** What came of a guess; `last` says that it was the last one before the next is refused. */
export type Guessed<T> =
  | { readonly kind: 'right'; readonly value: T }
  | { readonly kind: 'wrong'; readonly last: boolean }
  | { readonly kind: 'too_many'; readonly until: number }

/**
 * Checks a guess: counted first, by each of its limits, and only then looked at (ASVS 6.3.1, CVE-2024-4629). `verify`
 * answers what a right guess opens, or null. A right one forgets the wrong ones of its account before it, and is
 * itself not counted; nor is one that could not be looked at, because `verify` threw.
 */
export async function checkGuess<T>(
  { tenant }: { readonly tenant: Tenant },
  guess: Guess,
  verify: () => Promise<T | null>,
): Promise<Guessed<T>> {
  const { tenant_id, store } = tenant
  const subjects = subjectsOf(tenant, guess)
  let last = false
  for (const { name, subject } of subjects) {
    const { refused_until, reached } = await store.reserveGuess({ tenant_id, subject, ...toGuessLimit(LIMITS[name]) })
    if (refused_until > 0) return { kind: 'too_many', until: refused_until }
    last ||= reached
  }
  const giveBack = (which: typeof subjects) =>
    Promise.all(which.map(({ subject }) => store.returnGuess({ tenant_id, subject })))
  let value: T | null
  try {
    value = await verify()
  } catch (error) {
    await giveBack(subjects)
    throw error
  }
  if (value === null) return { kind: 'wrong', last }
  // Who knows the secret of an account is its owner; who knows a device's code, perhaps of a device of their own, is not.
  const isOwn = ({ name }: { name: LimitName }) => LIMITS[name].by === 'account'
  await giveBack(subjects.filter((subject) => !isOwn(subject)))
  const own = subjects.filter(isOwn)
  await Promise.all(own.map(({ subject }) => store.forgetGuesses({ tenant_id, subject })))
  return { kind: 'right', value }
}

function subjectsOf(tenant: Tenant, guess: Guess): { name: LimitName; subject: string }[] {
  const { known_device } = guess
  return OF_GUESSES[guess.kind].flatMap((name) => {
    if (LIMITS[name].by !== 'address') return subjectOf(tenant, name, [guess.of, known_device])
    // A known device is not held up by who else is at its address.
    if (known_device !== undefined || guess.address === undefined) return []
    return subjectOf(tenant, name, [networkOf(guess.address)])
  })
}

// Hashed, since what people type as their name may be their password.
function subjectOf(tenant: Tenant, name: LimitName, parts: readonly (string | undefined)[]) {
  const hash = tenant.keys.hashSecret(JSON.stringify(parts)).toString('base64url')
  return { name, subject: `${name}/${hash}` }
}

function toGuessLimit({ most, seconds, delay }: Limit) {
  const window_ms = seconds * 1000
  if (!delay) return { most, window_ms }
  return {
    ...{ most, window_ms },
    ...{ delay_ms: delay.first_seconds * 1000, longest_delay_ms: delay.longest_seconds * 1000 },
  }
}

/** By what a request is counted. An address that nobody knows is one address. */
export interface Source {
  readonly account?: string
  readonly client_id?: string | undefined
  readonly address?: string | undefined
}

/** Takes one turn of something that costs; refuses with 429 when there have been too many (ASVS 2.4.1). */
export async function takeTurn(context: InboundContext, name: LimitName, source: Source): Promise<void> {
  const { tenant, counters } = context
  const limit: Limit = LIMITS[name]
  const now = tenant.clock()
  const key = keyOf(limit, source)
  if (limit.kept_in === 'process') {
    const full = counters.count(`${name}/${key}`, { most: limit.most, window_ms: limit.seconds * 1000 }, now)
    if (full > 0) throw tooMany(limit, full, now)
    return
  }
  const { subject } = subjectOf(tenant, name, [key])
  const { tenant_id, store } = tenant
  const { refused_until } = await store.reserveGuess({ tenant_id, subject, ...toGuessLimit(limit) })
  if (refused_until > 0) throw tooMany(limit, refused_until, now)
}

/** Gives a turn back that was well spent. */
export async function returnTurn({ tenant }: InboundContext, name: LimitName, source: Source): Promise<void> {
  const { tenant_id, store } = tenant
  const { subject } = subjectOf(tenant, name, [keyOf(LIMITS[name], source)])
  await store.returnGuess({ tenant_id, subject })
}

/** Runs what fails only for who lacks a secret that nobody can guess: failures are counted, after too many none is looked at. */
export async function withFewFailures<T>(
  context: InboundContext,
  name: 'client_authentication' | 'one_time_link',
  source: Source,
  work: () => Promise<T>,
  isFailure: (outcome: { readonly value: T } | { readonly error: unknown }) => boolean,
): Promise<T> {
  // Where nobody knows who asks, a stranger's failures must not keep the holder of the secret out.
  if (source.address === undefined) return work()
  const { tenant, counters } = context
  const limit: Limit = LIMITS[name]
  const now = tenant.clock()
  const key = `${name}/${keyOf(limit, source)}`
  const full = counters.fullUntil(key, limit.most, now)
  if (full > 0) throw tooMany(limit, full, now)
  const fail = () => void counters.count(key, { most: limit.most, window_ms: limit.seconds * 1000 }, now)
  try {
    const value = await work()
    if (isFailure({ value })) fail()
    return value
  } catch (error) {
    if (isFailure({ error })) fail()
    throw error
  }
}

/** Looks for what a one-time link opens; null is a failure. */
export function findByLink<T>(
  context: InboundContext,
  address: string | undefined,
  find: () => Promise<T | null>,
): Promise<T | null> {
  return withFewFailures(context, 'one_time_link', { address }, find, (outcome) => {
    return 'value' in outcome && outcome.value === null
  })
}

function keyOf({ by }: Limit, { account, client_id, address }: Source): string {
  const network = address === undefined ? '' : networkOf(address)
  if (by === 'address') return network
  if (by === 'client') return client_id ?? ''
  if (by === 'client and address') return JSON.stringify([client_id ?? '', network])
  return by === 'tenant' ? '' : (account ?? '')
}

/** The refusal of who came too often: 429, and when to come again (RFC 6585 section 4). */
export function tooMany({ counts }: Pick<Limit, 'counts'>, until: number, now: number): OAuthError {
  const seconds = Math.max(1, Math.ceil((until - now) / 1000))
  return new OAuthError('temporarily_unavailable', `Too many ${counts}; try again in ${seconds} s`, {
    status: 429,
    headers: { 'Retry-After': String(seconds) },
  })
}
