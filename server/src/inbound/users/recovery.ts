import { hashPassword, verifyPassword } from '../../crypto/password.ts'
import { randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { UserLink } from '../../store/verbs/recovery.ts'
import type { UserWithPassword } from '../../store/verbs/users.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { checkGuess, findByLink, type Guessed, takeTurn } from '../limits.ts'
import { aboutOf, confirmLetter, invitedLetter, resetLetter, tellChange } from './letters.ts'
import { findPasswordFault, type PasswordFault, shortestPassword } from './password_policy.ts'
import { isEmail, usernameKey } from './prepare_user.ts'

// ASVS 6.6.3 allows ten minutes to codes, 6.4.1 a short time to what sets a first secret: mail is slow now and then.
const LIFETIME_MS = 15 * 60_000
// Whoever is invited did not ask for a letter, and reads it when they read letters.
const INVITED_MS = 7 * 86_400_000
/** One address may be that of several accounts. */
const MOST_ACCOUNTS = 3

/** The page behind a reset link, under the issuer. */
const RESET_PATH = '/reset/password'
/** The page behind a link that confirms an address. */
const CONFIRM_PATH = '/account/security/email/confirm'

/** The page behind a link that signs in. */
const SIGN_IN_LINK_PATH = '/login/link/open'

const LINKS = {
  reset: { prefix: 'sp_reset_', path: RESET_PATH },
  email: { prefix: 'sp_email_', path: CONFIRM_PATH },
  sign_in: { prefix: 'sp_sign_in_', path: SIGN_IN_LINK_PATH },
} as const

/**
 * Sends a link to a new password to whoever is called so, or has this address. It answers before anything is looked up,
 * so that neither words nor time say whether there is anybody (ASVS 6.3.8); who is asked for too often gets no more mail.
 */
export async function askForReset(
  context: InboundContext,
  asked: { readonly username: string; readonly address: string | undefined; readonly lang?: string },
): Promise<void> {
  await takeTurn(context, 'mail_of_address', { address: asked.address })
  context.outbox.post(async () => {
    const postings = []
    for (const user of await findUsers(context, asked.username)) {
      if (user.email === null || (await isForeign(context, user))) continue
      if (!(await mayWriteTo(context, user.user_id))) continue
      const url = await makeLink(context, 'reset', user, user.email, ASKED)
      postings.push({ to: user.email, letter: resetLetter(await aboutOf(context, user, asked.lang), url) })
    }
    return postings
  })
}

/** Whoever is called so or has this address, and can sign in. */
export async function findUsers({ tenant }: InboundContext, typed: string): Promise<UserRecord[]> {
  const { tenant_id, store } = tenant
  const username_key = usernameKey(typed)
  if (typed.length > 200 || typed.includes('\0')) return []
  const named = await store.findUserByUsername({ tenant_id, username_key })
  if (named) return named.disabled_at === null ? [named] : []
  return typed.includes('@') ? store.findUsersByEmail({ tenant_id, email: typed.trim(), most: MOST_ACCOUNTS }) : []
}

// Who signs in by another server and never showed the address to be theirs may have left somebody else's.
async function isForeign({ tenant }: InboundContext, { user_id, email_verified }: UserRecord): Promise<boolean> {
  if (email_verified === 1) return false
  return (await tenant.store.listIdentitiesOfUser({ tenant_id: tenant.tenant_id, user_id })).length > 0
}

const ASKED = { actor: 'anonymous', type: 'password_reset.asked', lifetime_ms: LIFETIME_MS } as const

/**
 * Sends somebody who has an account and no password yet a link to choose one, which also shows that the address is theirs.
 * Says why not, where it cannot be.
 */
export async function inviteUser(
  context: InboundContext,
  user: UserWithPassword,
  actor: string,
): Promise<'invited' | 'no_mail' | 'no_email' | 'has_password' | 'disabled'> {
  const { email } = user
  if (!context.outbox.on) return 'no_mail'
  if (email === null) return 'no_email'
  if (user.password_hash !== null) return 'has_password'
  if (user.disabled_at !== null) return 'disabled'
  const made = { actor, type: 'user.invited', lifetime_ms: INVITED_MS }
  const url = await makeLink(context, 'reset', user, email, made)
  context.outbox.post(async () => [{ to: email, letter: invitedLetter(await aboutOf(context, user), url) }])
  return 'invited'
}

/** Takes a turn of the letters to one account; false when it has had too many of late. */
export async function mayWriteTo(context: InboundContext, account: string): Promise<boolean> {
  try {
    await takeTurn(context, 'mail', { account })
    return true
  } catch (error) {
    if (error instanceof OAuthError) return false
    throw error
  }
}

/** Makes a link to a user's mailbox, of which the store keeps a hash; answers its URL. */
export async function makeLink(
  { tenant }: InboundContext,
  kind: keyof typeof LINKS,
  { user_id, epoch }: UserRecord,
  email: string,
  made: {
    readonly actor: string
    readonly type: string
    readonly lifetime_ms: number
    /** Of one that signs in: the request that asked for it, and the query that takes it back there. */
    readonly asked?: { readonly asked_hash: Uint8Array; readonly query: Readonly<Record<string, string>> }
  },
): Promise<string> {
  const { prefix, path } = LINKS[kind]
  const token = randomSecret(prefix)
  const at = tenant.clock()
  const asked = made.asked && { asked_hash: made.asked.asked_hash, user_epoch: epoch }
  await tenant.store.createUserLink({
    ...{ tenant_id: tenant.tenant_id, kind, user_id, email, secret_hash: tenant.keys.hashSecret(token) },
    ...{ expires_at: at + made.lifetime_ms, asked },
    event: event(tenant, made.type, made.actor, { user_id }),
  })
  return `${tenant.issuer}${path}?${new URLSearchParams({ ...made.asked?.query, token })}`
}

/** What a link opens, while it can be used. */
export function findLink(
  context: InboundContext,
  kind: 'reset' | 'email',
  token: string,
  address: string | undefined,
): Promise<UserLink | null> {
  const { tenant_id, keys, store } = context.tenant
  const secret_hash = keys.hashSecret(token)
  return findByLink(context, address, () => store.findUserLink({ tenant_id, kind, secret_hash }))
}

/**
 * Sets a new password by a link to the mailbox; link and password in one transaction. Everything that was signed in
 * ends, connected apps too; the second factor stays and is asked for as ever (ASVS 6.4.3).
 */
export async function resetPassword(
  context: InboundContext,
  configuration: Configuration,
  link: UserLink & { readonly token: string },
  password: string,
  lang?: string,
): Promise<'reset' | 'spent' | PasswordFault> {
  const { tenant } = context
  const { user } = link
  const fault = findFault(configuration, user, password)
  if (fault) return fault
  const password_hash = await hashPassword(password)
  const { user_id } = user
  const { tenant_id, store } = tenant
  const had_one = (await store.findUser({ tenant_id, user_id }))?.password_hash != null
  const outcome = await store.redeemResetLink({
    ...{ tenant_id, user_id, secret_hash: tenant.keys.hashSecret(link.token), password_hash },
    event: event(tenant, 'password.reset', `user:${user_id}`, { user_id }),
  })
  if (outcome === 'reset' && had_one) tellChange(context, user, 'password_reset', lang)
  return outcome
}

/** What a user asks to be changed with the password. */
export interface PasswordChange {
  readonly present_password: string
  readonly password: string
  /** The session that stays; null where all of them do. */
  readonly only_session_id: string | null
  readonly end_apps: boolean
  readonly address: string | undefined
  /** The browser in which the user has signed in: what strangers guess elsewhere does not count here. */
  readonly known_device: string | undefined
  /** Of the page, for the letter about it. */
  readonly lang?: string
}

/**
 * Changes a password that its user proves to know (ASVS 6.2.3); the guess at the present one counts like one at the
 * sign-in page. A new one that is not good enough is told before that.
 */
export async function changePassword(
  context: InboundContext,
  configuration: Configuration,
  user: UserRecord,
  change: PasswordChange,
): Promise<Guessed<'changed' | 'stale'> | { readonly kind: 'refused'; readonly fault: PasswordFault }> {
  const { tenant } = context
  const { tenant_id, store } = tenant
  const { user_id } = user
  const fault = findFault(configuration, user, change.password)
  if (fault) return { kind: 'refused', fault }
  const { address, known_device } = change
  const guess = { kind: 'password', of: user_id, address, known_device } as const
  const guessed = await checkGuess(context, guess, async () => {
    const present = await store.findUser({ tenant_id, user_id })
    return (await verifyPassword(present?.password_hash ?? null, change.present_password)) ? present : null
  })
  if (guessed.kind !== 'right') return guessed
  const value = await store.changePassword({
    ...{ tenant_id, user_id, former_hash: (guessed.value as UserWithPassword).password_hash! },
    password_hash: await hashPassword(change.password),
    ...{ only_session_id: change.only_session_id, end_apps: change.end_apps },
    event: event(tenant, 'password.changed', `user:${user_id}`, {
      ...{ user_id, detail: { sessions_ended: change.only_session_id !== null, apps_ended: change.end_apps } },
    }),
  })
  if (value === 'changed') tellChange(context, user, 'password', change.lang)
  return { kind: 'right', value }
}

function findFault({ settings, name }: Configuration, user: UserRecord, password: string): PasswordFault | null {
  const shortest = shortestPassword(settings, JSON.parse(user.roles) as string[])
  return findPasswordFault(password, { shortest, username: user.username, email: user.email, tenant_name: name })
}

/** Sends a link to an address that its user has, or is to have. Refused when it is none, or too many were sent. */
export async function askToConfirmEmail(
  context: InboundContext,
  user: UserRecord,
  email: string,
  { address, lang }: { readonly address: string | undefined; readonly lang?: string | undefined },
): Promise<void> {
  if (!isEmail(email)) throw new OAuthError('invalid_request', 'email is not an address')
  await takeTurn(context, 'mail_of_address', { address })
  await takeTurn(context, 'mail', { account: user.user_id })
  context.outbox.post(async () => {
    const url = await makeLink(context, 'email', user, email, {
      ...{ actor: `user:${user.user_id}`, type: 'email.asked', lifetime_ms: LIFETIME_MS },
    })
    return [{ to: email, letter: confirmLetter(await aboutOf(context, user, lang), url) }]
  })
}

/** Confirms an address by the link to it, for the user who asked, and for nobody else (ASVS 6.6.2). */
export async function confirmEmail(
  context: InboundContext,
  user: UserRecord,
  link: { readonly token: string; readonly email: string },
  lang?: string,
): Promise<'confirmed' | 'spent'> {
  const { tenant } = context
  const { user_id } = user
  const outcome = await tenant.store.redeemEmailLink({
    ...{ tenant_id: tenant.tenant_id, user_id, secret_hash: tenant.keys.hashSecret(link.token) },
    event: event(tenant, 'email.confirmed', `user:${user_id}`, { user_id }),
  })
  if (outcome === 'confirmed' && link.email !== user.email) tellChange(context, user, 'email', lang)
  return outcome
}
