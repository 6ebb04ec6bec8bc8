import type { LetterTexts } from '../../languages/en_letters.ts'
import type { Language } from '../../languages/languages.ts'
import { type Holes, type Message, textOf } from '../../languages/message.ts'
import { type Letter, plain } from '../../mail/letter.ts'
import type { UserRecord } from '../../store/records.ts'
import type { InboundContext } from '../context.ts'
import { localeOf } from './locale.ts'

/** Who writes, and in which language. */
interface Sender {
  readonly tenant_name: string
  readonly issuer: string
  readonly language: Language<LetterTexts>
}

/** What a letter is about: whose account, and of whom. */
interface About extends Sender {
  readonly user: UserRecord
}

type Letters = LetterTexts['letters']

function writer({ language, tenant_name, issuer }: Sender, user?: UserRecord) {
  const { tag: lang, dir, text } = language
  const names = { tenant: plain(tenant_name), issuer, ...(user && { username: plain(user.username) }) }
  const write = <const M extends Message>(message: M, holes: Partial<Holes<M, string>> = {}) =>
    textOf(lang, message, { ...names, ...holes })
  return { write, lang, dir, letters: text.letters }
}

function linkLetter(
  kind: 'reset' | 'confirm' | 'sign_in' | 'sign_up' | 'known' | 'invited',
  from: Sender,
  url: string,
  user?: UserRecord,
): Letter {
  const { write, lang, dir, letters } = writer(from, user)
  const said: Letters[typeof kind] = letters[kind]
  return {
    ...{ lang, dir, subject: write(said.subject) },
    paragraphs: [write(said.why), write(said.what)],
    link: { url, label: write(said.link) },
    closing: [write(said.otherwise), write(letters.signature)],
  }
}

/** The letter with a link to a new password. */
export function resetLetter(about: About, url: string): Letter {
  return linkLetter('reset', about, url, about.user)
}

/** The letter with a link to a first password. */
export function invitedLetter(about: About, url: string): Letter {
  return linkLetter('invited', about, url, about.user)
}

/** The letter with a link that signs in. */
export function signInLetter(about: About, url: string): Letter {
  return linkLetter('sign_in', about, url, about.user)
}

/** The letter that finds out whether an address is its user's. */
export function confirmLetter(about: About, url: string): Letter {
  return linkLetter('confirm', about, url, about.user)
}

/** The letter with a link to a new account. */
export function signUpLetter(sender: Sender, url: string): Letter {
  return linkLetter('sign_up', sender, url)
}

/** The letter to whoever wants an account and has one. */
export function knownLetter(about: About): Letter {
  return linkLetter('known', about, `${about.issuer}/login`, about.user)
}

/** A change that its user is told of. */
export type Change = keyof Letters['changes']

function changeLetter(about: About, change: Change): Letter {
  const { write, lang, dir, letters } = writer(about, about.user)
  const { changed, changes, signature } = letters
  // Words of ours need no keeping apart, so they are put into the sentence before its names are.
  const why = changed.why.replace('{change}', () => changes[change])
  return {
    ...{ lang, dir, subject: write(changed.subject) },
    paragraphs: [write(why), write(changed.fine), write(changed.otherwise)],
    closing: [write(changed.account, { url: `${about.issuer}/account` }), write(signature)],
  }
}

/** Tells a user what has changed about how they sign in, once the answer has left (ASVS 6.3.5, 6.3.7). */
export function tellChange(context: InboundContext, user: UserRecord, change: Change, lang?: string): void {
  // The address as it was before: whoever takes an account over takes the address with it.
  const { email } = user
  if (email === null) return
  context.outbox.post(async () => [{ to: email, letter: changeLetter(await aboutOf(context, user, lang), change) }])
}

/** Tells the former address of a deleted user, once the answer has left. */
export function tellDeleted(context: InboundContext, user: UserRecord, lang?: string): void {
  const { email } = user
  if (email === null) return
  context.outbox.post(async () => [{ to: email, letter: deletedLetter(await aboutOf(context, user, lang)) }])
}

function deletedLetter(about: About): Letter {
  const { write, lang, dir, letters } = writer(about, about.user)
  const { deleted, signature } = letters
  return {
    ...{ lang, dir, subject: write(deleted.subject) },
    paragraphs: [write(deleted.why), write(deleted.what)],
    closing: [write(deleted.otherwise), write(signature)],
  }
}

/**
 * What letters say about where they come from; the address is the configured one and never a request's (CVE-2025-64101).
 * They are in the language of the user, or else of the page that led to them.
 */
export async function aboutOf(context: InboundContext, user: UserRecord, lang?: string): Promise<About> {
  return { ...(await aboutTenant(context, localeOf(user), lang)), user }
}

/** The same where there is no user yet. */
export async function aboutTenant(
  { tenant, languages }: InboundContext,
  ...chosen: readonly (string | undefined)[]
): Promise<Sender> {
  const { name, settings } = await tenant.currentConfiguration()
  const language = languages.choose({ chosen, default_locale: settings.default_locale })
  return { tenant_name: name, issuer: tenant.issuer, language }
}
