import { getCookie } from 'hono/cookie'
import { readMetadata } from '../../inbound/clients/client_record.ts'
import { isSelfRegistered } from '../../inbound/clients/register_client.ts'
import { type Interaction, openInteraction } from '../../inbound/interactions.ts'
import { openPending, PENDING_MS, type PendingSignIn, sealPending } from '../../inbound/sessions/pending_sign_in.ts'
import type { StartedSession } from '../../inbound/sessions/sessions.ts'
import { rememberDevice } from '../../inbound/users/known_device.ts'
import { askForPasskey } from '../../inbound/users/passkeys.ts'
import { readDocumentUrl } from '../../oauth/clients/metadata_document.ts'
import { readSoundParams } from '../../oauth/params.ts'
import type { ClientRecord } from '../../store/records.ts'
import type { Factors } from '../../store/verbs/factors.ts'
import type { UserWithPassword } from '../../store/verbs/users.ts'
import { findClientLogo } from '../client_logos.ts'
import { ours, redirect, type Visit, writeCookie } from '../page.ts'
import { paths } from '../ui/paths.ts'
import { afterSignIn } from './authorize.ts'
import type { LoginData } from './templates/login.ts'
import type { PasskeyQuestion } from './templates/passkey.ts'

/** Where a sign-in belongs: what it is for, and where it goes on. */
export interface Place {
  readonly interaction: Interaction | null
  /** What the pages of the sign-in carry in their query. */
  readonly query: Readonly<Record<string, string>>
  readonly next: string
  readonly client: LoginData['client']
  readonly login_hint: string | undefined
}

/** Reads it from the query of a page; null for a request that is over, or of another browser. */
export async function readPlace(
  visit: Visit,
  query: Readonly<Record<string, string | undefined>> = visit.query,
): Promise<Place | null> {
  const { web } = visit
  const { request, return_to, again } = query
  if (request === undefined) {
    const next = readReturnTo(visit, return_to)
    const query = { return_to: next, ...(again === undefined ? {} : { again: 'yes' }) }
    return { interaction: null, query, next, client: undefined, login_hint: undefined }
  }
  const interaction = openInteraction(web.inbound, request, visit.browser)
  if (!interaction) return null
  const { client_id } = readSoundParams(interaction.query).params.values
  const { tenant_id, store } = web.tenant
  const known = await store.findClient({ tenant_id, client_id: client_id ?? '' })
  // What its metadata document says is asked for once somebody is signed in; until then its host is its name.
  const url = known ? null : readDocumentUrl(client_id ?? '')
  const client = known ?? (url && { client_id: url.href, client_name: url.host })
  if (!client) return null
  return {
    interaction,
    query: { request },
    next: ours(web, '/consent', { request }),
    client: {
      ...{ client_id: client.client_id, client_name: client.client_name },
      logo_uri: known ? await findLogo(visit, known) : undefined,
    },
    login_hint: interaction.login_hint,
  }
}

function findLogo({ web }: Visit, { client_id, metadata, source }: ClientRecord): Promise<string | undefined> {
  const { logo_uri } = readMetadata(metadata)
  return findClientLogo(web, { client_id, logo_uri }, !isSelfRegistered(source))
}

/** Who is signed in and is asked to sign in all the same must prove it anew, whatever another server remembers. */
export function isAnew({ signed_in }: Visit, { query, interaction }: Place): boolean {
  return 'again' in query || (interaction !== null && signed_in !== null)
}

/** A path of ours to go back to; anything else becomes the account page (ASVS 3.7.2). */
export function readReturnTo(visit: Visit, return_to: string | undefined): string {
  const home = ours(visit.web, '/account')
  if (return_to === undefined || !return_to.startsWith('/') || !URL.canParse(return_to, visit.web.origin)) return home
  const url = new URL(return_to, visit.web.origin)
  const inside = url.origin === visit.web.origin && url.pathname.startsWith(`${visit.web.base}/`)
  // Compared as written, so that no spelling is read one way here and another way by the browser.
  return inside && url.pathname + url.search === return_to ? return_to : home
}

/** After the last factor: the new session's cookie, and that this device is known; answers where to go on. */
export function endSignIn(
  visit: Visit,
  place: Place,
  session: StartedSession,
  user: { readonly user_id: string; readonly epoch: number },
): string {
  const { c, web, view } = visit
  const { cookies } = web
  writeCookie(c, web, cookies.session, session.cookie, session.expires_at)
  const known = rememberDevice(web.tenant, getCookie(c, cookies.device), user, view.now)
  writeCookie(c, web, cookies.device, known.cookie, known.expires_at)
  forgetPending(visit)
  return place.interaction ? afterSignIn(visit, place.interaction, session.session_id) : place.next
}

/** After a factor that is not enough: remembers it in this browser alone, and goes on to what is missing. */
export function goOnToFactor(
  visit: Visit,
  place: Place,
  missing: { readonly step: 'second_factor' | 'enrol'; readonly user: UserWithPassword },
  amr: readonly string[] = ['pwd'],
): Response {
  const { c, web, browser } = visit
  const sealed = sealPending(web.tenant, { user: missing.user, amr }, browser)
  writeCookie(c, web, web.cookies.pending, sealed, { after_ms: PENDING_MS })
  return redirect(visit, ours(web, missing.step === 'enrol' ? paths.enrol : paths.second_factor, place.query))
}

/** Whose first factor was right in this browser a moment ago; null where nobody's was. */
export function findPending(visit: Visit): Promise<PendingSignIn | null> {
  const { tenant, cookies } = visit.web
  return openPending(tenant, getCookie(visit.c, cookies.pending), visit.browser)
}

/** Forgets it. */
export function forgetPending(visit: Visit): void {
  const { c, web } = visit
  if (getCookie(c, web.cookies.pending) !== undefined) writeCookie(c, web, web.cookies.pending, '', 0)
}

/** What a page asks of this browser's passkeys; of a user whose password was right, those alone. */
export function passkeyQuestion(visit: Visit, place: Place, of: Factors | null = null): PasskeyQuestion | undefined {
  const asked = askForPasskey(visit.web.tenant, visit.browser, of)
  return asked ? { ...asked, action: ours(visit.web, paths.login_passkey, place.query) } : undefined
}

/** In which browser somebody signs in, and which session of it this one replaces. */
export function inBrowser(visit: Visit) {
  return { former: visit.signed_in, user_agent: visit.c.req.header('user-agent') ?? null }
}
