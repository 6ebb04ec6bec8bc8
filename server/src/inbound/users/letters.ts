import { type Letter, plain } from '../../mail/letter.ts'
import type { UserRecord } from '../../store/records.ts'
import type { InboundContext } from '../context.ts'

/** Who writes. */
interface Sender {
  readonly tenant_name: string
  readonly issuer: string
}

/** What a letter is about: whose account, and of whom. */
interface About extends Sender {
  readonly user: UserRecord
}

const whose = ({ user, tenant_name }: About) => `${plain(user.username)} at ${plain(tenant_name)}`
const signature = ({ issuer }: Sender) => `This letter was sent by ${issuer}.`

/** The letter with a link to a new password. */
export function resetLetter(about: About, url: string): Letter {
  return {
    subject: `Reset your password at ${plain(about.tenant_name)}`,
    paragraphs: [
      `Somebody, we hope you, asked for a new password for the account ${whose(about)}.`,
      'The link works once, for 15 minutes. With the new password every session and every connected app of the account ends.',
    ],
    link: { url, label: 'Choose a new password' },
    closing: ['If it was not you, do nothing: your password stays as it is.', signature(about)],
  }
}

/** The letter that finds out whether an address is its user's. */
export function confirmLetter(about: About, url: string): Letter {
  return {
    subject: `Confirm your e-mail address at ${plain(about.tenant_name)}`,
    paragraphs: [
      `The account ${whose(about)} names this address as its own.`,
      'Open the link where you are signed in. It works once, for 15 minutes.',
    ],
    link: { url, label: 'Confirm the address' },
    closing: ['If this is not your account, do nothing.', signature(about)],
  }
}

/** The letter with a link to a new account. */
export function signUpLetter(sender: Sender, url: string): Letter {
  const tenant_name = plain(sender.tenant_name)
  return {
    subject: `Your account at ${tenant_name}`,
    paragraphs: [
      `Somebody, we hope you, wants an account at ${tenant_name} with this address.`,
      'Open the link in the browser where you began. It works once, for 15 minutes.',
    ],
    link: { url, label: 'Create the account' },
    closing: ['If it was not you, do nothing: there will be no account.', signature(sender)],
  }
}

/** The letter to whoever wants an account and has one. */
export function knownLetter(about: About): Letter {
  return {
    subject: `You have an account at ${plain(about.tenant_name)}`,
    paragraphs: [
      `Somebody, we hope you, wants an account with this address. You have one already: ${whose(about)}.`,
      'Sign in with it. If you have forgotten the password, the sign-in page helps you to a new one.',
    ],
    link: { url: `${about.issuer}/login`, label: 'Sign in' },
    closing: ['If it was not you, do nothing: nothing has changed.', signature(about)],
  }
}

/** What has changed about how somebody signs in, in words. */
const CHANGES = {
  password: 'the password was changed',
  password_reset: 'the password was reset by a link to this mailbox, and everything that was signed in has ended',
  passkey_added: 'a passkey was added',
  passkey_removed: 'a passkey was removed',
  totp_added: 'an authenticator app was set up',
  totp_removed: 'the authenticator app was turned off',
  recovery_codes: 'new recovery codes were made, and the former ones no longer work',
  recovery_code_used: 'somebody signed in with one of the recovery codes',
  email: 'the e-mail address was changed to another one',
} as const

/** A change that its user is told of. */
export type Change = keyof typeof CHANGES

function changeLetter(about: About, change: Change): Letter {
  return {
    subject: `Your sign-in at ${plain(about.tenant_name)} has changed`,
    paragraphs: [
      `For the account ${whose(about)}: ${CHANGES[change]}.`,
      'If that was you, there is nothing to do.',
      'If it was not, reset your password at once, and end what you do not know on your account page.',
    ],
    closing: [`Your account: ${about.issuer}/account`, signature(about)],
  }
}

/** Tells a user what has changed about how they sign in, once the answer has left (ASVS 6.3.5, 6.3.7). */
export function tellChange(context: InboundContext, user: UserRecord, change: Change): void {
  // The address as it was before: whoever takes an account over takes the address with it.
  const { email } = user
  if (email === null) return
  context.outbox.post(async () => [{ to: email, letter: changeLetter(await aboutOf(context, user), change) }])
}

/** What letters say about where they come from; the address is the configured one and never a request's (CVE-2025-64101). */
export async function aboutOf(context: InboundContext, user: UserRecord): Promise<About> {
  return { ...(await aboutTenant(context)), user }
}

/** The same where there is no user yet. */
export async function aboutTenant({ tenant }: InboundContext): Promise<Sender> {
  const { name } = await tenant.currentConfiguration()
  return { tenant_name: name, issuer: tenant.issuer }
}
