import { equalBytes } from '../../crypto/hash.ts'
import { readUserCode, userCodeOf } from '../../oauth/device.ts'
import type { Configuration, Tenant } from '../../store/tenant.ts'
import type { SpentFactor } from '../../store/verbs/factors.ts'
import type { SignInLink } from '../../store/verbs/sign_in_links.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { checkGuess, findByLink, type Guessed, returnTurn, takeTurn } from '../limits.ts'
import { type DeviceUser, readKnownDevice } from './known_device.ts'
import { aboutOf, signInLetter } from './letters.ts'
import { findUsers, makeLink, mayWriteTo } from './recovery.ts'

// ASVS 6.5.5 allows ten minutes to what comes by another channel.
const LIFETIME_MS = 10 * 60_000
// A button that is pressed twice, or a page that is loaded again, must not end the link that is on its way.
const ONE_PRESS_MS = 20_000

/** Whether a link to a mailbox signs people in: where the tenant allows it, letters leave, and users sign in here. */
export function signsInByLink(
  { outbox }: Pick<InboundContext, 'outbox'>,
  { settings }: Pick<Configuration, 'settings'>,
): boolean {
  return settings.sign_in_link && outbox.on && settings.login_handoff === null
}

/** Which browser asks, and for what: the query of its sign-in page. */
export interface AskedAt {
  readonly browser: string
  readonly query: Readonly<Record<string, string>>
}

/** A link, and its code, are good there and nowhere else. */
function hashAsked({ keys }: Pick<Tenant, 'keys'>, { browser, query }: AskedAt): Buffer {
  const { request = null, return_to = null, again = null } = query
  return keys.hashSecret(JSON.stringify(['sign_in_link', browser, request, return_to, again]))
}

/**
 * Sends a link that signs in to whoever is called so, or has this address and has shown that it is theirs: of any other
 * account a stranger may know the password. It answers before anything is looked up, so that neither words nor time say
 * whether there is anybody (ASVS 6.3.8).
 */
export async function askForSignInLink(
  context: InboundContext,
  asked: AskedAt & {
    readonly username: string
    readonly address: string | undefined
    readonly device: string | undefined
    readonly lang?: string
  },
): Promise<void> {
  const { tenant } = context
  await takeTurn(context, 'mail_of_address', { address: asked.address })
  const asked_hash = hashAsked(tenant, asked)
  const made = {
    ...{ actor: 'anonymous', type: 'sign_in_link.asked', lifetime_ms: LIFETIME_MS },
    asked: { asked_hash, query: asked.query },
  }
  context.outbox.post(async () => {
    const postings = []
    const living = await tenant.store.findSignInLinks({ tenant_id: tenant.tenant_id, hash: asked_hash })
    const just_sent = living.filter(({ created_at }) => tenant.clock() - created_at < ONE_PRESS_MS)
    for (const user of await findUsers(context, asked.username)) {
      if (user.email === null || user.email_verified !== 1) continue
      if (just_sent.some((link) => link.user.user_id === user.user_id)) continue
      if (!(await mayWriteTo(context, mailboxOf(tenant, user, asked.device)))) continue
      const url = await makeLink(context, 'sign_in', user, user.email, made)
      postings.push({ to: user.email, letter: signInLetter(await aboutOf(context, user, asked.lang), url) })
    }
    return postings
  })
}

// Letters that strangers ask for do not keep the owner's from coming, where the owner has signed in before (ADR 12).
function mailboxOf(tenant: Tenant, user: DeviceUser, device: string | undefined): string {
  const known = readKnownDevice(tenant, device, user, tenant.clock())
  return known === undefined ? user.user_id : `${user.user_id}/${known}`
}

/** What a link opens, while it can be used, whoever holds it. */
export function findSignInLink(
  context: InboundContext,
  token: string,
  address: string | undefined,
): Promise<SignInLink | null> {
  const { tenant_id, keys, store } = context.tenant
  const hash = keys.hashSecret(token)
  return findByLink(context, address, async () => (await store.findSignInLinks({ tenant_id, hash }))[0] ?? null)
}

/** Whether a link was asked for here; anywhere else it signs nobody in, neither who opens it nor who asked. */
export function isAskedAt({ tenant }: InboundContext, { asked_hash }: SignInLink, asked: AskedAt): boolean {
  return equalBytes(asked_hash, hashAsked(tenant, asked))
}

/** The code that stands for a link in the browser that asked for it. */
export function codeOf({ keys }: Pick<Tenant, 'keys'>, { secret_hash }: SignInLink): string {
  const hash = keys.hashSecret(JSON.stringify(['sign_in_code', Buffer.from(secret_hash).toString('base64url')]))
  return userCodeOf(hash)
}

/** Finds the link of a code that was typed where the link was asked for; each try is counted there (ASVS 6.6.3). */
export async function findByCode(
  context: InboundContext,
  asked: AskedAt,
  typed: string,
  address: string | undefined,
): Promise<Guessed<SignInLink>> {
  const { tenant } = context
  const hash = hashAsked(tenant, asked)
  const guess = { kind: 'email_code', of: hash.toString('base64url'), address } as const
  const guessed = await checkGuess(context, guess, async () => {
    const links = await tenant.store.findSignInLinks({ tenant_id: tenant.tenant_id, hash })
    const code = Buffer.from(readUserCode(typed) ?? '')
    return links.find((link) => equalBytes(code, Buffer.from(codeOf(tenant, link)))) ?? null
  })
  if (guessed.kind === 'wrong') context.refused_logins.count(null, address, guessed.last)
  return guessed
}

/** What starts the session of whoever needs no second factor: the link is spent with it. */
export function asFactor({ secret_hash }: SignInLink): SpentFactor {
  return { kind: 'sign_in_link', secret_hash }
}

/** Spends the link of somebody who goes on to a second factor. */
export function redeemSignInLink(
  { tenant }: InboundContext,
  { secret_hash, user }: SignInLink,
): Promise<'redeemed' | 'spent'> {
  const { user_id } = user
  return tenant.store.redeemSignInLink({
    ...{ tenant_id: tenant.tenant_id, user_id, secret_hash },
    event: event(tenant, 'sign_in_link.used', `user:${user_id}`, { user_id }),
  })
}

/** Whoever used a letter wanted it: it does not count towards too many. Nobody waits for that. */
export function returnLetter(context: InboundContext, { user }: SignInLink, device: string | undefined): void {
  const account = mailboxOf(context.tenant, user, device)
  context.outbox.post(async () => {
    await returnTurn(context, 'mail', { account })
    return []
  })
}
