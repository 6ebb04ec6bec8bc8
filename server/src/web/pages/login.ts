import { getCookie } from 'hono/cookie'
import { checkLogin } from '../../inbound/check_login.ts'
import { type Interaction, openInteraction } from '../../inbound/interactions.ts'
import { rememberDevice } from '../../inbound/known_device.ts'
import { startSession } from '../../inbound/sessions.ts'
import { readDocumentUrl } from '../../oauth/metadata_document.ts'
import { readParams } from '../../oauth/params.ts'
import { ours, page, redirect, send, submit, type Visit, writeCookie } from '../page.ts'
import { afterSignIn, expired } from './authorize.ts'
import { type LoginData, renderLogin } from './templates/login.ts'

/** GET /login: the sign-in page, for a client's request or for a page of ours. */
export const loginPage = page(async (visit) => {
  const place = await readPlace(visit, visit.query['request'], visit.query['return_to'])
  if (!place) return expired(visit)
  if (place.interaction === null && visit.signed_in) return redirect(visit, place.next)
  return show(visit, place, { username: place.login_hint })
})

/** POST /login: checks username and password, starts a session and goes on. */
export const loginSubmit = submit(
  async (visit, form) => {
    const { values } = form
    const place = await readPlace(visit, visit.query['request'], visit.query['return_to'])
    if (!place) return expired(visit)
    const { username, password } = values
    if (username === undefined) return show(visit, place, { refusal: { reason: 'username_missing' } }, 400)
    if (password === undefined) return show(visit, place, { username, refusal: { reason: 'password_missing' } }, 400)
    const { web, view } = visit
    const device = getCookie(visit.c, web.cookies.device)
    const result = await checkLogin(web.inbound, { username, password, address: visit.address, device })
    if (result.kind === 'refused') {
      return show(visit, place, { username, refusal: { reason: 'wrong_credentials' } }, 401)
    }
    if (result.kind !== 'signed_in') {
      const wait_ms = result.kind === 'busy' ? 1000 : Math.max(1000, result.until - web.tenant.clock())
      visit.c.header('Retry-After', String(Math.ceil(wait_ms / 1000)))
      const minutes = Math.ceil(wait_ms / 60_000)
      return show(visit, place, { username, refusal: { reason: 'too_many_tries', minutes } }, 429)
    }
    const { cookie, expires_at, session_id } = await startSession(web.tenant, {
      user_id: result.user_id,
      user_epoch: result.epoch,
      amr: ['pwd'],
      former: visit.signed_in,
      user_agent: visit.c.req.header('user-agent') ?? null,
    })
    writeCookie(visit.c, web, web.cookies.session, cookie, expires_at)
    const remembered = rememberDevice(web.tenant, device, result, view.now)
    writeCookie(visit.c, web, web.cookies.device, remembered.cookie, remembered.expires_at)
    return redirect(visit, place.interaction ? afterSignIn(visit, place.interaction, session_id) : place.next)
  },
  async (visit) => {
    const place = await readPlace(visit, visit.query['request'], visit.query['return_to'])
    return place ? show(visit, place, { refusal: { reason: 'stale' } }, 403) : expired(visit)
  },
)

/** Where a sign-in belongs: what it is for, and where it goes on. */
interface Place {
  readonly interaction: Interaction | null
  readonly action: string
  readonly next: string
  readonly client: LoginData['client']
  readonly login_hint: string | undefined
}

async function readPlace(
  visit: Visit,
  request: string | undefined,
  return_to: string | undefined,
): Promise<Place | null> {
  const { web } = visit
  if (request === undefined) {
    const next = readReturnTo(visit, return_to)
    const action = ours(web, '/login', { return_to: next })
    return { interaction: null, action, next, client: undefined, login_hint: undefined }
  }
  const interaction = openInteraction(web.inbound, request, visit.browser)
  if (!interaction) return null
  const { client_id } = readParams(interaction.query).values
  const { login_hint } = interaction
  const { tenant_id, store } = web.tenant
  const known = await store.findClient({ tenant_id, client_id: client_id ?? '' })
  // What its metadata document says is asked for once somebody is signed in; until then its host is its name.
  const url = known ? null : readDocumentUrl(client_id ?? '')
  const client = known ?? (url && { client_id: url.href, client_name: url.host })
  if (!client) return null
  return {
    interaction,
    action: ours(web, '/login', { request }),
    next: ours(web, '/consent', { request }),
    client: { client_id: client.client_id, client_name: client.client_name },
    login_hint,
  }
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

function show(visit: Visit, place: Place, data: Partial<LoginData>, status = 200): Response {
  const html = renderLogin(visit.view, { action: place.action, client: place.client, ...data })
  return send(visit, html, { status, script: true })
}
