import { equalBytes, sha256 } from '../crypto/hash.ts'
import { openSealed } from '../crypto/jwe.ts'
import { randomSecret } from '../crypto/random.ts'
import { BROKER_CREDENTIAL_TYP } from '../oauth/broker.ts'
import type { BrokerCredential } from '../relying/brokered.ts'
import { findAsset } from '../web/ui/assets.ts'
import { pageHeaders } from '../web/ui/headers.ts'
import type { SafeHtml } from '../web/ui/html.ts'
import { type BrokerContext, type BrokerParts, createBrokerContext, describeBroker } from './context.ts'
import type { BrokerFlow } from './flows.ts'
import { type BrokerTrouble, renderCarry, renderTrouble, viewOf } from './pages.ts'
import { askPrimary, greetPrimary, PrimaryDown, PrimaryRefused } from './primary.ts'
import { redeem } from './redeem.ts'
import { Starts } from './starts.ts'

/** A redirect broker without a socket. */
export interface Broker {
  /** What the operator of the primary registers. */
  readonly description: object
  /** How many flows it holds now. */
  readonly flows: number
  fetch(request: Request, sender?: BrokerSender): Promise<Response>
  /** Asks the primary whether it knows this broker; throws NotRegistered where not, and PrimaryDown where it is away. */
  greet(): Promise<void>
  /** Forgets everything. */
  close(): void
}

/** Who sent a request, as far as the listener can say. */
export interface BrokerSender {
  readonly address?: string | undefined
}

/** Makes a redirect broker: four URLs, of which a provider knows one. */
export function createBroker(parts: BrokerParts): Broker {
  const context = createBrokerContext(parts)
  const base = new URL(parts.url).pathname.replace(/\/$/, '')
  const site: Site = { context, base, cookie: cookieOf(parts.url, base), starts: new Starts(parts.clock) }
  return {
    description: describeBroker(context),
    get flows() {
      return context.flows.size
    },
    fetch: (request, sender = {}) => answer(site, request, sender),
    greet: () => greetPrimary(context),
    close: () => context.flows.clear(),
  }
}

interface Site {
  readonly context: BrokerContext
  readonly base: string
  readonly starts: Starts
  readonly cookie: { readonly name: string; readonly attributes: string }
  /** Of the request that is answered. */
  readonly accept_language?: string | undefined
}

const FLOW = /^sp_b[cr]_[\w-]{43}$/
const BROWSER = /^[\w-]{43}$/
const PLAIN = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }

async function answer(of: Site, request: Request, { address }: BrokerSender): Promise<Response> {
  const site = { ...of, accept_language: request.headers.get('accept-language') ?? undefined }
  const { log } = site.context
  const url = new URL(request.url)
  const path = url.pathname.startsWith(`${site.base}/`) ? url.pathname.slice(site.base.length) : ''
  // Whoever only looks (HEAD) may not use up a flow.
  const methods = path === '/callback' ? ['GET', 'POST'] : ['GET']
  if (!methods.includes(request.method)) {
    const allow = methods.join(', ')
    return new Response(`This URL takes ${allow}\n`, { status: 405, headers: { ...PLAIN, allow } })
  }
  try {
    if (path === '/start') return await startWithin(site, url, request, address)
    if (request.method === 'POST') return await postBack(site, url, request)
    if (path === '/callback') return callBack(site, url, request)
    if (path === '/finish') return await finish(site, url, request)
    if (path === '/healthz' || path === '/readyz') return new Response('ok\n', { headers: PLAIN })
    const asset = findAsset(path)
    return asset ? new Response(asset.body, { headers: asset.headers }) : trouble(site, 'not_found', 404)
  } catch (error) {
    log.error({ err: error }, 'failed')
    return trouble(site, 'broken', 500)
  }
}

async function startWithin(site: Site, url: URL, request: Request, address: string | undefined): Promise<Response> {
  const started = await site.starts.within(address, () => start(site, url, request))
  if (started instanceof Response) return started
  const again = trouble(site, 'busy', 429, undefined, `${url.pathname}${url.search}`)
  again.headers.set('retry-after', String(started.retry_seconds))
  return again
}

/** GET /start: fetches what the flow needs, binds this browser to it, and sends it to the provider. */
async function start(site: Site, url: URL, request: Request): Promise<Response> {
  const { context, cookie } = site
  const [flow = '', ...more] = url.searchParams.getAll('flow')
  if (more.length > 0 || !FLOW.test(flow)) return trouble(site, 'over', 400)
  let credential: BrokerCredential
  try {
    const { credential: sealed } = await askPrimary(context, { act: 'open', flow })
    const text = openSealed(context.agreement_key, BROKER_CREDENTIAL_TYP, String(sealed))
    credential = JSON.parse(text) as BrokerCredential
  } catch (error) {
    if (error instanceof PrimaryRefused) return trouble(site, 'over', 400)
    if (!(error instanceof PrimaryDown)) throw error
    context.log.warn({ cause: describe(error) }, 'the primary is down')
    return trouble(site, 'down_start', 503, undefined, `${url.pathname}${url.search}`)
  }
  const known = readCookie(site, request)
  const browser = known !== null && BROWSER.test(known) ? known : randomSecret()
  context.flows.keep({ flow, credential, browser: sha256(browser), params: null, sealed: null, working: null })
  const response = redirect(credential.authorization_url)
  response.headers.append('set-cookie', `${cookie.name}=${browser}; ${cookie.attributes}; Max-Age=600`)
  return response
}

/** GET /callback: the redirect URI. The answer is kept in memory, and leaves the address bar. */
function callBack(site: Site, url: URL, request: Request): Response {
  const found = findFlow(site, url, request)
  if (found instanceof Response) return found
  const { state } = found.credential
  // One answer: whatever comes later changes nothing about it (RFC 9700 section 4.7.1).
  const again = found.sealed !== null || found.working !== null
  if (found.params !== null && String(found.params) !== String(url.searchParams)) return trouble(site, 'over', 400)
  if (!again) found.params = url.searchParams
  return redirect(`${site.base}/finish?state=${encodeURIComponent(state)}`)
}

// What an answer may hold that is posted; a name or an ID token beside it belongs into no URL.
const POSTED = ['code', 'state', 'iss', 'error', 'error_description']
const LARGEST_FORM = 16_384

/** POST /callback (Form Post Response Mode): another site's form comes without our cookie, the redirect brings it. */
async function postBack(site: Site, { pathname }: URL, request: Request): Promise<Response> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  const form = type === 'application/x-www-form-urlencoded' ? await readForm(request) : null
  if (form === null) return trouble(site, 'over', 400)
  const told = new URLSearchParams([...form].filter(([name]) => POSTED.includes(name)))
  return redirect(`${pathname}?${told}`)
}

async function readForm({ body }: Request): Promise<URLSearchParams | null> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > LARGEST_FORM) return null
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

/** GET /finish: takes the answer on to the primary; repeated while that is down, and over once it went on. */
async function finish(site: Site, url: URL, request: Request): Promise<Response> {
  const found = findFlow(site, url, request)
  if (found instanceof Response) return found
  if (found.params === null && found.sealed === null) return trouble(site, 'over', 400, found)
  found.working ??= goOn(site, found, url).finally(() => {
    found.working = null
  })
  return (await found.working).clone()
}

async function goOn(site: Site, found: BrokerFlow, url: URL): Promise<Response> {
  const { context } = site
  const { finish_uri } = found.credential
  try {
    const redeemed = await redeem(context, found)
    if (redeemed.kind === 'delivered') {
      context.flows.forget(found)
      const back = { flow: found.flow, receipt: redeemed.receipt }
      return redirect(`${finish_uri}?${new URLSearchParams(back)}`)
    }
    // What is left of the flow is sealed: whoever comes back to this page finds it again.
    const hidden = { message: redeemed.message, receipt: redeemed.receipt }
    return send(site, renderCarry(view(site, found), { ...namesOf(found), action: finish_uri, hidden }), 200)
  } catch (error) {
    if (error instanceof PrimaryDown) {
      context.log.warn({ cause: describe(error) }, 'the primary is down')
      return trouble(site, 'down', 503, found, `${url.pathname}${url.search}`)
    }
    context.flows.forget(found)
    if (error instanceof PrimaryRefused) return trouble(site, 'over', 400, found)
    throw error
  }
}

/** The flow that a URL names by its state, in the browser that began it. */
function findFlow(site: Site, url: URL, request: Request): BrokerFlow | Response {
  const [state = '', ...more] = url.searchParams.getAll('state')
  const found = more.length > 0 ? undefined : site.context.flows.find(state)
  if (!found) return trouble(site, 'over', 400)
  const here = equalBytes(found.browser, sha256(readCookie(site, request) ?? ''))
  return here ? found : trouble(site, 'other_browser', 400)
}

function cookieOf(broker_url: string, base: string): Site['cookie'] {
  const secure = broker_url.startsWith('https:')
  const prefix = secure ? (base === '' ? '__Host-' : '__Secure-') : ''
  // Cookies do not know ports, so that servers on one machine need names of their own.
  const suffix = secure ? '' : `_${sha256(broker_url).toString('hex').slice(0, 8)}`
  const attributes = `Path=${base || '/'}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
  return { name: `${prefix}sallyport_broker${suffix}`, attributes }
}

function readCookie({ cookie }: Site, request: Request): string | null {
  const pairs = (request.headers.get('cookie') ?? '').split(';').map((pair) => pair.trim())
  const [found, ...more] = pairs.filter((pair) => pair.startsWith(`${cookie.name}=`))
  return found === undefined || more.length > 0 ? null : found.slice(cookie.name.length + 1)
}

function trouble(site: Site, kind: BrokerTrouble, status: number, found?: BrokerFlow, retry_href?: string): Response {
  return send(site, renderTrouble(view(site, found), kind, { ...namesOf(found), retry_href }), status)
}

function view({ base, context, accept_language }: Site, found: BrokerFlow | undefined) {
  return viewOf(base, context.clock(), namesOf(found), accept_language)
}

function namesOf(found: BrokerFlow | undefined) {
  return { primary: found?.credential.primary_name, provider: found?.credential.provider_name }
}

function send({ context, accept_language }: Site, html: SafeHtml, status: number): Response {
  const { lang } = viewOf('', 0, { primary: undefined }, accept_language)
  const headers = pageHeaders({ production: context.url.startsWith('https:'), lang })
  return new Response(String(html), { status, headers })
}

function redirect(location: string): Response {
  const headers = { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }
  return new Response(null, { status: 303, headers })
}

function describe(error: Error): string {
  const { cause } = error
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message
}
