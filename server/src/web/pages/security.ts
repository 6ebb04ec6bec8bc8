import { event } from '../../inbound/event.ts'
import type { SignedIn } from '../../inbound/sessions/sessions.ts'
import { isFresh } from '../../inbound/sessions/step_up.ts'
import { ADMINISTRATOR } from '../../inbound/tenants.ts'
import {
  beginTotp,
  factorsAt,
  finishTotp,
  needsSecondFactor,
  reachableAcr,
  renewRecoveryCodes,
} from '../../inbound/users/factors.ts'
import { type Change, tellChange } from '../../inbound/users/letters.ts'
import { addPasskey, offerPasskey, relyingParty } from '../../inbound/users/passkeys.ts'
import { askToConfirmEmail, confirmEmail, findLink } from '../../inbound/users/recovery.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { listSignInWays } from '../../outbound/connect/sign_in.ts'
import type { Factors } from '../../store/verbs/factors.ts'
import { nameDevice } from '../device_name.ts'
import { ours, redirect, send, type Visit } from '../page.ts'
import { readTold, redirectTelling } from '../told_once.ts'
import { name } from '../ui/name.ts'
import { paths } from '../ui/paths.ts'
import { tell } from '../ui/view.ts'
import { signedInPage, signedInSubmit } from './account.ts'
import { renderConfirmEmail } from './templates/reset.ts'
import { renderSecurity, type SecurityData } from './templates/security.ts'
import { renderRecoveryCodes, renderTotp } from './templates/totp.ts'

/** Somebody who has proved just now, as surely as they can, who they are. */
export interface Sure extends SignedIn {
  readonly factors: Factors
}

/** Goes on with whoever has signed in just now; others sign in anew, and come `back`. */
export async function makeSure(
  visit: Visit,
  signed_in: SignedIn,
  back: string | (() => string),
  answer: (sure: Sure) => Promise<Response> | Response,
): Promise<Response> {
  const { tenant_id, store } = visit.web.tenant
  const { session, user } = signed_in
  const factors = await store.loadFactors({ tenant_id, user_id: user.user_id })
  const reachable = reachableAcr(factorsAt(factors, session.auth_time))
  if (isFresh(session, reachable, factors.now)) return answer({ ...signed_in, factors })
  const way_back = typeof back === 'string' ? back : back()
  return redirect(visit, ours(visit.web, paths.login, { return_to: ours(visit.web, way_back), again: 'yes' }))
}

/** A page for which one signs in anew: what it shows or changes decides who signs in next time (ASVS 7.5.1, 7.5.3). */
export function surePage(back: string, answer: (visit: Visit, sure: Sure) => Promise<Response> | Response) {
  return signedInPage((visit, signed_in) => makeSure(visit, signed_in, back, (sure) => answer(visit, sure)))
}

/** A form of such a page. */
export function sureSubmit(
  back: string,
  answer: (visit: Visit, sure: Sure, values: Readonly<Record<string, string>>) => Promise<Response>,
) {
  return signedInSubmit((visit, signed_in, values) =>
    makeSure(visit, signed_in, back, (sure) => answer(visit, sure, values)),
  )
}

/** GET /account/security: how somebody signs in. */
export const securityPage = surePage(paths.account_security, (visit, sure) => show(visit, sure, readDone(visit)))

/** GET /account/security/totp: a new key for an authenticator app. */
export const totpPage = surePage(paths.account_totp, (visit, sure) =>
  sure.factors.totp ? done(visit, 'totp_known') : showTotp(visit, sure),
)

/** POST /account/security/totp: keeps the app once it has said a right code. */
export const totpSubmit = sureSubmit(paths.account_totp, async (visit, sure, { enrolment = '', code = '' }) => {
  const enrolled = await finishTotp(visit.web.tenant, sure.user.user_id, enrolment, code)
  if (enrolled.kind === 'wrong') return showTotp(visit, sure, enrolment)
  if (enrolled.kind === 'known') return done(visit, 'totp_known')
  tellChange(visit.web.inbound, sure.user, 'totp_added', visit.view.lang)
  return showCodes(visit, sure.user, enrolled.recovery_codes)
})

/** POST /account/security/totp/remove: turns the app off. */
export const removeTotpSubmit = sureSubmit(paths.account_security, (visit, sure) =>
  removeFactor(visit, sure, { kind: 'totp' }, 'totp_removed'),
)

/** POST /account/security/passkeys: keeps a new passkey. */
export const addPasskeySubmit = sureSubmit(paths.account_security, async (visit, sure, values) => {
  const { tenant, inbound } = visit.web
  const {
    challenge = '',
    credential = '',
    name = nameDevice(visit.view, visit.c.req.header('user-agent') ?? null),
  } = values
  const enrolled = await addPasskey(tenant, visit.browser, sure.user.user_id, { challenge, credential, name })
  if (enrolled.kind === 'wrong') return done(visit, 'passkey_wrong')
  if (enrolled.kind === 'known') return done(visit, 'passkey_known')
  tellChange(inbound, sure.user, 'passkey_added', visit.view.lang)
  return enrolled.recovery_codes ? showCodes(visit, sure.user, enrolled.recovery_codes) : done(visit, 'passkey_added')
})

/** POST /account/security/passkeys/remove: forgets a passkey. */
export const removePasskeySubmit = sureSubmit(paths.account_security, (visit, sure, { credential_id = '' }) =>
  removeFactor(visit, sure, { kind: 'passkey', credential_id }, 'passkey_removed'),
)

async function removeFactor(
  visit: Visit,
  { user }: Sure,
  factor: { kind: 'totp' } | { kind: 'passkey'; credential_id: string },
  change: Change & ToldKey,
): Promise<Response> {
  const { tenant, inbound } = visit.web
  const { user_id } = user
  const outcome = await tenant.store.removeFactor({
    ...{ tenant_id: tenant.tenant_id, user_id, factor },
    keep_one: needsSecondFactor(visit.configuration.settings, JSON.parse(user.roles) as string[]),
    event: event(tenant, 'factor.removed', `user:${user_id}`, { user_id, detail: { factor: factor.kind } }),
  })
  if (outcome === 'last') return done(visit, 'last')
  if (outcome === 'removed') tellChange(inbound, user, change, visit.view.lang)
  return done(visit, change)
}

/** POST /account/security/recovery_codes: new ones, shown once. */
export const recoveryCodesSubmit = sureSubmit(paths.account_security, async (visit, { user, factors }) => {
  // Without a second factor there is nothing to recover.
  if (reachableAcr(factors) === 'pwd') return redirect(visit, ours(visit.web, paths.account_security))
  const codes = await renewRecoveryCodes(visit.web.tenant, user.user_id)
  tellChange(visit.web.inbound, user, 'recovery_codes', visit.view.lang)
  return showCodes(visit, user, codes)
})

/** POST /account/security/email: sends a link to an address that the user names. */
export const emailSubmit = sureSubmit(paths.account_security, async (visit, sure, { email = '' }) => {
  const { inbound } = visit.web
  if (!inbound.outbox.on) return redirect(visit, ours(visit.web, paths.account_security))
  try {
    await askToConfirmEmail(inbound, sure.user, email.trim(), { address: visit.address, lang: visit.view.lang })
  } catch (error) {
    if (!(error instanceof OAuthError) || error.status !== 400) throw error
    return done(visit, 'email_wrong')
  }
  const text = tell(visit.view, visit.view.text.security.page.done.link_sent, { email: name(email.trim()) })
  return show(visit, sure, { tone: 'note', text })
})

/** GET /account/security/email/confirm: the page behind the link to an address. To open it changes nothing. */
export const confirmEmailPage = signedInPage(async (visit, { user }) => {
  const { web, view, query } = visit
  const token = query['token'] ?? ''
  const link = await findLink(web.inbound, 'email', token, visit.address)
  if (link?.user.user_id !== user.user_id) return done(visit, 'email_over')
  const back_href = ours(web, paths.account)
  const action = ours(web, paths.account_confirm_email)
  return send(visit, renderConfirmEmail(view, { action, token, email: link.email, back_href }))
})

/** POST /account/security/email/confirm: the address is the user's. */
export const confirmEmailSubmit = signedInSubmit(async (visit, { user }, { token = '' }) => {
  const { inbound } = visit.web
  const link = await findLink(inbound, 'email', token, visit.address)
  if (!link) return done(visit, 'email_over')
  const outcome = await confirmEmail(inbound, user, { token, email: link.email }, visit.view.lang)
  return done(visit, outcome === 'confirmed' ? 'email_confirmed' : 'email_over')
})

type ToldKey = Exclude<keyof Visit['view']['text']['security']['page']['done'], 'link_sent'>
const GOOD: ReadonlySet<ToldKey> = new Set<ToldKey>([
  'password',
  'totp_removed',
  'passkey_added',
  'passkey_removed',
  'email_confirmed',
  'unlinked',
])

/** Back to the page, which says what was done. */
export function done(visit: Visit, key: ToldKey): Response {
  return redirectTelling(visit, ours(visit.web, paths.account_security), key)
}

function readDone(visit: Visit): SecurityData['done'] {
  const { link_sent: _, ...sentences } = visit.view.text.security.page.done
  const key = readTold<ToldKey>(visit, sentences)
  return key && { tone: GOOD.has(key) ? 'good' : 'warning', text: sentences[key] }
}

function showTotp(visit: Visit, { user }: Sure, begun?: string): Response {
  const { web, view, configuration } = visit
  const names = { tenant: configuration.name, username: user.username }
  const html = renderTotp(view, {
    ...beginTotp(web.tenant, names, user.user_id, begun),
    action: ours(web, paths.account_totp),
    wrong: begun !== undefined,
    back: { href: ours(web, paths.account_security), label: view.text.security.page.open },
  })
  return send(visit, html, { status: begun === undefined ? 200 : 400 })
}

function showCodes(visit: Visit, { username }: { username: string }, codes: readonly string[] | null): Response {
  const continue_href = ours(visit.web, paths.account_security)
  if (!codes) return redirect(visit, continue_href)
  return send(visit, renderRecoveryCodes(visit.view, { codes, username, continue_href }))
}

async function show(visit: Visit, sure: Sure, done: SecurityData['done']): Promise<Response> {
  const { web, view, configuration } = visit
  const { tenant } = web
  const { user, factors } = sure
  const roles = JSON.parse(user.roles) as string[]
  const of_user = { tenant_id: tenant.tenant_id, user_id: user.user_id }
  const [named, identities, ways, sessions] = await Promise.all([
    tenant.store.findUser(of_user),
    tenant.store.listIdentitiesOfUser(of_user),
    listSignInWays(web.outbound),
    tenant.store.listSessionsOfUser(of_user),
  ])
  const nameOf = (connector: string) => ways.find((way) => way.connector === connector)?.provider_name ?? connector
  const offer = offerPasskey(tenant, visit.browser, user, { tenant: configuration.name, factors })
  const html = renderSecurity(view, {
    may_administer: roles.includes(ADMINISTRATOR),
    has_password: named?.password_hash != null,
    email: user.email === null ? undefined : { address: user.email, verified: user.email_verified === 1 },
    mail: web.inbound.outbox.on,
    passkeys: factors.passkeys.map(({ credential_id, name, backup_eligible, created_at, last_used_at }) => ({
      ...{ credential_id, name, synced: backup_eligible === 1, created_at, last_used_at: last_used_at ?? undefined },
    })),
    new_passkey: offer && { ...offer, action: ours(web, paths.account_passkeys) },
    device: nameDevice(visit.view, visit.c.req.header('user-agent') ?? null),
    host: relyingParty(tenant.issuer)?.id ?? new URL(tenant.issuer).host,
    identities: identities.map(({ authority, account, account_name, connector, last_used_at }) => ({
      ...{ authority, account, provider_name: nameOf(connector) },
      ...{ account_name: account_name ?? undefined, last_used_at: last_used_at ?? undefined },
    })),
    linkable: ways,
    totp: factors.totp !== null,
    recovery_codes_left: factors.recovery_codes_left,
    other_sessions: sessions.length > 1,
    required: needsSecondFactor(configuration.settings, roles),
    done,
  })
  return send(visit, html, { script: true })
}
