import { domainToASCII } from 'node:url'
import { TokenSealer } from '../../crypto/sealed_token.ts'
import type { Prompt } from '../../oauth/authorization_request.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Settings } from '../../store/settings.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { UserWithPassword } from '../../store/verbs/users.ts'
import type { InboundContext } from '../context.ts'
import { takeTurn } from '../limits.ts'
import { createUser } from './administer_users.ts'
import { aboutOf, aboutTenant, knownLetter, signUpLetter } from './letters.ts'
import { findPasswordFault, type PasswordFault, shortestPassword } from './password_policy.ts'
import { checkChosenUsername, isEmail, LONGEST_USERNAME, usernameKey } from './prepare_user.ts'
import { askToConfirmEmail, mayWriteTo } from './recovery.ts'

const LIFETIME_MS = 15 * 60_000

/** The page behind a link to a mailbox, under the issuer. */
export const SIGN_UP_PATH = '/sign_up/account'

// Stored nowhere: whoever is not known makes this server keep nothing. The account itself is what a link opens once.
const links = new TokenSealer('sign_up', 'sp_sign_up_')

/** What of the setting can be kept: without letters no address is shown to be anybody's, and other servers' users are theirs to make. */
export function signUpWay(
  { outbox }: Pick<InboundContext, 'outbox'>,
  { settings }: Pick<Configuration, 'settings'>,
): Settings['sign_up'] {
  if (settings.login_handoff !== null) return 'off'
  return settings.sign_up === 'verified' && !outbox.on ? 'off' : settings.sign_up
}

/** What `prompt` may ask for (OpenID Connect Core section 3.1.2.1, Prompt Create section 4). */
export function offeredPrompts(context: Pick<InboundContext, 'outbox'>, configuration: Configuration): Prompt[] {
  const create: Prompt[] = signUpWay(context, configuration) === 'off' ? [] : ['create']
  return ['none', 'login', 'consent', 'select_account', ...create]
}

/**
 * Sends a link to a new account to an address, or, where somebody has it, a letter that says so. It answers before
 * anything is looked up, so that neither words nor time say whether there is anybody (ASVS 6.3.8).
 */
export async function askToSignUp(
  context: InboundContext,
  asked: {
    readonly email: string
    readonly address: string | undefined
    readonly query: Record<string, string>
    readonly lang?: string
  },
): Promise<void> {
  const { email, query, lang } = asked
  if (!isEmail(email) || email.length > LONGEST_USERNAME)
    throw new OAuthError('invalid_request', 'email is not an address')
  await takeTurn(context, 'mail_of_address', { address: asked.address })
  const { tenant } = context
  const { tenant_id, store } = tenant
  context.outbox.post(async () => {
    // Whose account is disabled gets no second one by its address.
    const [known] = await store.findUsersByEmail({ tenant_id, email, disabled_too: true, most: 1 })
    if (!(await mayWriteTo(context, known?.user_id ?? `nobody/${mailboxKey(email)}`))) return []
    if (known) return [{ to: email, letter: knownLetter(await aboutOf(context, known, lang)) }]
    const token = links.seal(tenant.keys, { email, at: tenant.clock() })
    const url = `${tenant.issuer}${SIGN_UP_PATH}?${new URLSearchParams({ ...query, token })}`
    return [{ to: email, letter: signUpLetter(await aboutTenant(context, lang), url) }]
  })
}

// One mailbox has many spellings: case, tags behind a plus, a domain in Unicode or not.
function mailboxKey(email: string): string {
  const [local, domain] = email.split('@') as [string, string]
  return `${usernameKey(local).replace(/\+.*/, '')}@${domainToASCII(domain)}`
}

/** The address to which a link was sent; null where it is none of ours, or too old. */
export function readSignUpLink({ tenant }: InboundContext, token: string): string | null {
  const claims = links.open(tenant.keys, token)
  if (!claims || tenant.clock() - (claims['at'] as number) > LIFETIME_MS) return null
  return claims['email'] as string
}

/** Who wants an account. */
export interface NewPerson {
  readonly username: string
  readonly name: string | undefined
  readonly email: string | undefined
  /** By a link to that mailbox. */
  readonly email_verified: boolean
  readonly password: string
  readonly address: string | undefined
  /** Of the page, for a letter. */
  readonly lang?: string
}

/**
 * Makes an account for whoever asks for one, without a role. A username must be told to be taken, as it is chosen by
 * its user; so tries are few for each address. An address that was only typed gets a letter, and is nobody's until then.
 */
export async function signUp(
  context: InboundContext,
  { settings, name: tenant_name }: Configuration,
  person: NewPerson,
): Promise<UserWithPassword | 'taken' | { readonly fault: PasswordFault }> {
  const { tenant } = context
  const { tenant_id, store } = tenant
  const { address, lang, ...described } = person
  const { username, email, password } = described
  checkChosenUsername(username, described.email_verified)
  const fault = findPasswordFault(password, { shortest: shortestPassword(settings, []), username, email, tenant_name })
  if (fault) return { fault }
  await takeTurn(context, 'sign_up', { address })
  const user_id = await createUser(tenant, described, { actor: 'sign_up' })
  const user = user_id === null ? null : await store.findUser({ tenant_id, user_id })
  if (!user) return 'taken'
  if (email !== undefined && !described.email_verified && context.outbox.on) {
    // The account is there already: that too many letters were asked for is no reason to refuse it.
    await askToConfirmEmail(context, user, email, { address, lang }).catch(ignoreRefusal)
  }
  return user
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof OAuthError)) throw error
}
