import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { randomBytes } from '../crypto/random.ts'
import type { Sender } from '../inbound/client_address.ts'
import {
  findFormerUser,
  judgeSession,
  readSessionToken,
  type SessionToken,
  type SignedIn,
} from '../inbound/sessions/sessions.ts'
import type { Language } from '../languages/languages.ts'
import { OAuthError } from '../oauth/errors.ts'
import { type Params, readParams } from '../oauth/params.ts'
import type { Configuration } from '../store/tenant.ts'
import { brandOf } from './brand.ts'
import { type Asked, chooseLanguage, readAsked } from './language.ts'
import { decodeUtf8, LARGEST_BODY, readFailure } from './machine.ts'
import { type ErrorData, type ErrorKind, renderError } from './pages/templates/error.ts'
import { pageHeaders } from './ui/headers.ts'
import type { SafeHtml } from './ui/html.ts'
import { paths } from './ui/paths.ts'
import type { Text } from './ui/text/en.ts'
import type { View } from './ui/view.ts'
import { csrfToken, isCsrfToken, type Web } from './web.ts'

/** What Hono carries for one request. */
export interface PageEnv {
  /** Where the request comes from, as the listener or the embedder knows it. */
  Bindings: Sender
  Variables: { web: Web; request_id: string }
}

/** A request of a browser: its cookies read, its session judged. */
export interface Visit {
  readonly c: Context<PageEnv>
  readonly web: Web
  readonly request_id: string
  /** Of the client, where it is known: never from a header that anybody may send. */
  readonly address: string | undefined
  /** The path and query of this page, for links back to it. */
  readonly here: string
  /** The parameters of the URL; reading them refuses what is repeated, too long, not UTF-8 or has a NUL in it. */
  readonly query: Readonly<Record<string, string>>
  /** The tenant is disabled: nobody is signed in, and nobody can sign in. */
  readonly disabled: boolean
  /** The browser's own secret: it ties forms and connect flows to this browser. */
  readonly browser: string
  readonly session: SessionToken | null
  readonly signed_in: SignedIn | null
  /** Whose session it was, where it is over: what they had typed may wait for them, and nothing else is theirs. */
  readonly former_user_id: string | null
  readonly configuration: Configuration
  readonly view: View
}

/** A page for browsers; what it throws becomes an error page, once. */
export function page(answer: (visit: Visit) => Promise<Response> | Response) {
  return async (c: Context<PageEnv>): Promise<Response> => {
    const visit = await readVisit(c).catch((error) => failedVisit(c, error))
    if (visit instanceof Response) return visit
    try {
      if (visit.disabled) throw new OAuthError('temporarily_unavailable', 'Sign-in is switched off here')
      return await answer(visit)
    } catch (error) {
      return refusalPage(visit, error)
    }
  }
}

/** How a posted form is read, and how much of it, which follows from who sends it. */
export type ReadForm = (c: Context<PageEnv>, signed_in: SignedIn | null) => Promise<Params>

/** A page whose form was posted: the post is proved to come from a page of ours before it is looked at. */
export function submit(
  answer: (visit: Visit, form: Params) => Promise<Response>,
  onStale?: (visit: Visit, form: Params) => Promise<Response>,
  read: ReadForm = readPostedForm,
) {
  return page(async (visit) => {
    requireSameOrigin(visit)
    const form = await read(visit.c, visit.signed_in)
    const { tenant } = visit.web
    const session_id = visit.signed_in?.session.session_id ?? null
    if (!isCsrfToken(tenant, visit.browser, session_id, form.values['csrf_token'])) {
      logRefusal(visit, 'forged')
      if (onStale) return onStale(visit, form)
      return errorPage(visit, 'forged', 403)
    }
    return answer(visit, form)
  })
}

/** Sends a page with its headers. */
export function send(
  visit: Visit,
  html: SafeHtml,
  options: { status?: number; script?: boolean; headers?: Record<string, string> } = {},
): Response {
  const { web, view } = visit
  const headers = pageHeaders({ production: web.production, script: options.script ?? false, lang: view.lang })
  for (const [name, value] of Object.entries({ ...headers, ...options.headers })) visit.c.header(name, value)
  return visit.c.body(html.toString(), (options.status ?? 200) as 200)
}

/** Sends the browser on: always 303, so that no password is posted again (RFC 9700 section 4.12). */
export function redirect(visit: Visit, location: string): Response {
  visit.c.header('Location', location)
  return visit.c.body(null, 303)
}

/** A link of ours, under the path of the issuer. */
export function ours(web: Web, path: string, query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString()
  return web.base + path + (search === '' ? '' : `?${search}`)
}

const NEEDS_A_WAY_ON: readonly ErrorKind[] = ['forged', 'expired']
const LEADS_NOWHERE: readonly ErrorKind[] = ['forbidden', 'not_found', 'bad_request', 'too_many']

/** Sends an error page. */
export function errorPage(visit: Visit, kind: ErrorKind, status: number, data: Partial<ErrorData> = {}): Response {
  if (kind === 'forbidden') logRefusal(visit, kind)
  const lost = NEEDS_A_WAY_ON.includes(kind) || (visit.signed_in && LEADS_NOWHERE.includes(kind))
  // Whoever is in the console goes on there, and whoever is not signed in does so on the way to their account.
  const to = kind !== 'forbidden' && visit.here.startsWith(visit.web.base + paths.admin) ? 'console' : 'account'
  const usual = { to, href: ours(visit.web, to === 'console' ? paths.admin : paths.account) } as const
  const { way_on = lost ? usual : undefined, ...rest } = data
  return send(visit, renderError(visit.view, { kind, request_id: visit.request_id, way_on, ...rest }), { status })
}

function logRefusal({ web, request_id, signed_in }: Visit, error: ErrorKind): void {
  web.log.info({ request_id, error, ...(signed_in && { user_id: signed_in.user.user_id }) }, 'refused')
}

/** The error page of a refusal, or of whatever else was thrown, which the log says; its words follow from the code. */
export function refusalPage(visit: Visit, thrown: unknown, kind: ErrorKind = 'bad_request'): Response {
  const error = readFailure(thrown, visit.request_id, visit.web.log)
  visit.web.observer?.refused('pages', error.error)
  for (const [name, value] of Object.entries(error.headers)) visit.c.header(name, value)
  const by_status: Partial<Record<number, ErrorKind>> = { 429: 'too_many', 503: 'unavailable' }
  const shown = by_status[error.status] ?? (error.status >= 500 ? 'server_error' : kind)
  const { error: code, error_description } = error
  return errorPage(visit, shown, error.status, { error: code, error_description })
}

// Without the store not even a session can be read: the answer is plain text then.
function failedVisit(c: Context<PageEnv>, error: unknown): Response {
  const web = c.get('web')
  const refusal = readFailure(error, c.get('request_id'), web.log)
  const headers = { ...pageHeaders({ production: web.production }), ...refusal.headers }
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
  return c.text(`${refusal.error_description}\n`, refusal.status as 500)
}

/**
 * Refuses a development server's pages under a public host name: a site that points its own name at this machine would
 * otherwise be of one origin with them (DNS rebinding). Production stands behind https, which its name has to prove.
 */
function requireLocalName(host: string): void {
  const name = host.replace(/:\d*$/, '').toLowerCase()
  if (/^\[.*\]$|^[\d.]+$|^[^.]+$|\.localhost$/.test(name)) return
  throw new OAuthError('invalid_request', 'This server is for development: open it by localhost or by its address', {
    status: 421,
  })
}

// What came of an answer from elsewhere: to ask for it a second time would say that it came twice.
const COUNTS_ONCE = /\/(callback|finish|answer)$/

async function readVisit(c: Context<PageEnv>): Promise<Visit> {
  const web = c.get('web')
  const { tenant, cookies } = web
  if (!web.production) requireLocalName(c.req.header('host') ?? new URL(c.req.url).host)
  const session = readSessionToken(tenant, getCookie(c, cookies.session))
  const authority = await tenant.store.loadBrowserAuthority({
    tenant_id: tenant.tenant_id,
    session_id: session?.session_id ?? '',
    client_id: '',
  })
  if (!authority) throw new Error(`tenant ${tenant.tenant_id} is gone`)
  const configuration = await tenant.configuration(authority.tenant.config_version)
  const signed_in = judgeSession(authority, session, configuration.settings)
  const browser = readBrowser(c, web)
  const theme = getCookie(c, cookies.theme)
  const { pathname, search, searchParams } = new URL(c.req.url)
  const here = pathname + search
  const asked = search === '' ? null : readAsked(web, searchParams, authority.now)
  const view: View = {
    ...inLanguage(chooseLanguage(c, web, { configuration, user: signed_in?.user, asked })),
    languages: web.languages.all,
    here: c.req.method === 'GET' && !COUNTS_ONCE.test(pathname) ? here : undefined,
    now: authority.now,
    base: web.base,
    playground: web.playground,
    tenant: brandOf(configuration, web.base),
    theme: theme === 'light' || theme === 'dark' ? theme : undefined,
    csrf_token: csrfToken(tenant, browser, signed_in?.session.session_id ?? null),
  }
  const disabled = authority.tenant.disabled_at !== null
  return {
    here,
    address: c.env?.address,
    ...{ c, web, request_id: c.get('request_id'), disabled, browser, session, signed_in, configuration, view },
    former_user_id: signed_in ? null : findFormerUser(authority, session),
    get query() {
      return readQuery(c)
    },
  }
}

function inLanguage({ tag, dir, text }: Language<Text>): Pick<View, 'lang' | 'dir' | 'text'> {
  return { lang: tag, dir, text }
}

/** A visit once it is known in which languages the client wants it answered, which the URL alone may not say. */
export function inLanguageAsked(visit: Visit, asked: Asked): Visit {
  const { c, web, configuration, signed_in } = visit
  const language = chooseLanguage(c, web, { configuration, user: signed_in?.user, asked })
  // Not a copy: that would read the query, which refuses what is wrong with it.
  return Object.create(visit, { view: { value: { ...visit.view, ...inLanguage(language) } } })
}

/** The parameters of a URL, each once. */
export function readQuery(c: Context<PageEnv>): Readonly<Record<string, string>> {
  return readParams(new URL(c.req.url).search.slice(1)).values
}

function readBrowser(c: Context<PageEnv>, web: Web): string {
  const known = getCookie(c, web.cookies.browser)
  if (known !== undefined && /^[A-Za-z0-9_-]{43}$/.test(known)) return known
  const browser = randomBytes(32).toString('base64url')
  writeCookie(c, web, web.cookies.browser, browser)
  return browser
}

/**
 * Sets one of our cookies: never readable by script, never sent with requests that other sites make in the background. What
 * lives for a moment is given its length: the clock of a browser may be wrong by more than that.
 */
export function writeCookie(
  c: Context<PageEnv>,
  web: Web,
  name: string,
  value: string,
  ends?: number | { readonly after_ms: number },
): void {
  setCookie(c, name, value, {
    path: web.cookies.path,
    secure: web.cookies.secure,
    httpOnly: true,
    sameSite: 'Lax',
    ...(typeof ends === 'number' && { expires: new Date(ends) }),
    ...(typeof ends === 'object' && { maxAge: ends.after_ms / 1000 }),
  })
}

/** Whether a page of ours sent this post: by Fetch Metadata, else by Origin; one of the two must be there. */
export function isOwnForm(c: Context<PageEnv>): boolean {
  const site = c.req.header('sec-fetch-site')
  return site !== undefined ? site === 'same-origin' : c.req.header('origin') === c.get('web').origin
}

/** Refuses a post that another site's page sent. */
function requireSameOrigin(visit: Visit): void {
  if (!isOwnForm(visit.c)) {
    const site = visit.c.req.header('sec-fetch-site')
    const origin = visit.c.req.header('origin')
    throw new OAuthError('invalid_request', 'The form was not posted by a page of this server', {
      status: 403,
      cause: `sec-fetch-site ${site ?? 'absent'}, origin ${origin ?? 'absent'}`,
    })
  }
}

/** Refuses what a page of another site embeds: nobody goes there, and it would use up what its visitors' addresses may try. */
export function requireVisitor({ c }: Visit): void {
  const dest = c.req.header('sec-fetch-dest')
  if (dest === undefined || dest === 'document') return
  throw new OAuthError('invalid_request', 'This page is for whoever goes to it, and is not embedded', { status: 403 })
}

/** Reads a form as pages send it unless they say otherwise. */
export async function readPostedForm(c: Context<PageEnv>): Promise<Params> {
  requireFormType(c)
  return readParams(decodeUtf8(await readBody(c)))
}

/** Refuses a post that is not a form. */
export function requireFormType(c: Context<PageEnv>): void {
  const type = (c.req.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type === 'application/x-www-form-urlencoded') return
  throw new OAuthError('invalid_request', 'The Content-Type must be application/x-www-form-urlencoded', { status: 415 })
}

/** Reads a body up to our limit. */
export async function readBody(c: Context<PageEnv>, largest = LARGEST_BODY): Promise<Uint8Array> {
  const tooLarge = () => new OAuthError('invalid_request', `The body is larger than ${largest} bytes`, { status: 413 })
  if (Number(c.req.header('content-length') ?? 0) > largest) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength
    if (size > largest) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
