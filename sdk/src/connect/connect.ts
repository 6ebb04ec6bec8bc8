// Opens a connect session of a Sallyport server from a page of yours, in a popup or in the page itself.

/** Why nothing was connected; `reason` says it in a word. */
export class ConnectError extends Error {
  readonly reason: ConnectFailure

  constructor(reason: ConnectFailure) {
    super(`Nothing was connected: ${reason}`)
    this.name = 'ConnectError'
    this.reason = reason
  }
}

/**
 * `blocked`: the browser let no popup open. `closed`: the person closed it. `refused`: the person or the provider said
 * no. `failed`: the provider or the server did not do as it should. `other_account`: another account than the expected.
 * `already_connected`: that account is connected and works, and nothing was changed.
 * `timeout`: it took too long. `expired`: the session token was too old, used, or ended. `aborted`: your page did.
 */
export type ConnectFailure =
  | 'blocked'
  | 'closed'
  | 'refused'
  | 'failed'
  | 'other_account'
  | 'already_connected'
  | 'timeout'
  | 'expired'
  | 'aborted'

/** What your server got from the API, and how to go on. */
export interface ConnectOptions {
  /** The issuer of your Sallyport server. */
  readonly issuer: string
  /** The session_token of POST /api/connect_sessions: good once, for a page of one of its origins. */
  readonly session_token: string
  /** Gives up at once when it is aborted, and closes the popup. */
  readonly signal?: AbortSignal
  /** How long to wait after the popup seems closed: some providers cut it off from this page while it is still there. */
  readonly closed_ms?: number
  /** How long a person may take in all. */
  readonly timeout_ms?: number
}

/** What was connected. */
export interface Connected {
  readonly connection_id: string
  readonly session_id: string
  /**
   * Hand it to your server, in the session of your own user: the server confirms with it, and only then is the
   * connection live. Undefined where the owner is signed in at Sallyport, since then nobody has to confirm.
   */
  readonly confirmation_code: string | undefined
}

interface Status {
  readonly status: string
  readonly session_id?: string
  readonly reason?: string | null
  readonly connection_id?: string | null
  readonly confirmation_code?: string
}

const MESSAGE = 'sallyport:connect'
const FIRST_POLL_MS = 1000
const SLOWEST_POLL_MS = 4000

/**
 * Opens a popup and connects there. Call it in the handler of a click, or browsers block the popup. Resolves when an
 * account is connected; rejects with a ConnectError otherwise. No secret goes through a message between windows: they
 * only say that it is time to look.
 */
export async function connect(options: ConnectOptions): Promise<Connected> {
  const { issuer, session_token, signal, closed_ms = 30_000, timeout_ms = 1_800_000 } = options
  if (signal?.aborted) throw new ConnectError('aborted')
  const verifier = randomVerifier()
  // Before anything is awaited: a popup is opened for a click, and for nothing else.
  const name = `sallyport_${randomVerifier().slice(0, 12)}`
  const popup = window.open('about:blank', name, 'popup,width=520,height=720')
  if (!popup) throw new ConnectError('blocked')
  const watch = new AbortController()
  try {
    submit(`${issuer}/connect/session`, name, { session_token, code_challenge: await hash(verifier) })
    return await finish(options, popup, { verifier, closed_ms, timeout_ms, ended: watch.signal })
  } finally {
    watch.abort()
    popup.close()
  }
}

/**
 * The same without a popup: this page goes to the provider and comes back to the session's `return_uri`, with
 * `session_id` and `code` in its query, which your server confirms with, or with `error`.
 */
export function connectByRedirect({ issuer, session_token }: Pick<ConnectOptions, 'issuer' | 'session_token'>): void {
  submit(`${issuer}/connect/session`, '_self', { session_token })
}

async function finish(
  { issuer, session_token, signal }: ConnectOptions,
  popup: Window,
  more: { verifier: string; closed_ms: number; timeout_ms: number; ended: AbortSignal },
): Promise<Connected> {
  const { verifier, closed_ms, timeout_ms, ended } = more
  const started = Date.now()
  let closed_at: number | undefined
  for (let wait_ms = FIRST_POLL_MS; ; wait_ms = Math.min(wait_ms * 1.2, SLOWEST_POLL_MS)) {
    const told = await hear(popup, new URL(issuer).origin, wait_ms, ended, signal)
    if (signal?.aborted) throw new ConnectError('aborted')
    const now = await ask(issuer, { session_token, code_verifier: verifier })
    const { session_id, connection_id, confirmation_code } = now
    if (now.status === 'connected' || now.status === 'unconfirmed') {
      if (session_id && connection_id) return { session_id, connection_id, confirmation_code }
      throw new ConnectError('failed')
    }
    if (now.status === 'expired' || now.status === 'ended') throw new ConnectError('expired')
    if (told && now.status === 'failed') throw new ConnectError(readReason(now.reason))
    if (Date.now() - started > timeout_ms) throw new ConnectError('timeout')
    closed_at = popup.closed ? (closed_at ?? Date.now()) : undefined
    if (closed_at !== undefined && Date.now() - closed_at >= closed_ms) {
      throw new ConnectError(now.status === 'failed' ? readReason(now.reason) : 'closed')
    }
  }
}

/** Waits for a message of the popup, and no longer than that: what it says is read from the server. */
function hear(popup: Window, origin: string, ms: number, ended: AbortSignal, aborted?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (told: boolean) => {
      clearTimeout(timer)
      window.removeEventListener('message', onMessage)
      aborted?.removeEventListener('abort', stop)
      resolve(told)
    }
    const stop = () => done(false)
    const onMessage = (event: MessageEvent) => {
      if (event.origin === origin && event.source === popup && event.data?.type === MESSAGE) done(true)
    }
    const timer = setTimeout(stop, ms)
    window.addEventListener('message', onMessage, { signal: ended })
    aborted?.addEventListener('abort', stop, { once: true })
  })
}

async function ask(issuer: string, form: Record<string, string>): Promise<Status> {
  const waiting: Status = { status: 'opened' }
  try {
    const init: RequestInit = {
      method: 'POST',
      body: new URLSearchParams(form),
      credentials: 'omit',
      cache: 'no-store',
    }
    const response = await fetch(`${issuer}/connect/session/status`, init)
    if (response.status === 404) return { status: 'expired' }
    return response.ok ? ((await response.json()) as Status) : waiting
  } catch {
    // The network comes back, or the time is over.
    return waiting
  }
}

function readReason(reason: string | null | undefined): ConnectFailure {
  const told = ['refused', 'other_account', 'already_connected'] as const
  return told.find((known) => known === reason) ?? 'failed'
}

function submit(action: string, target: string, values: Record<string, string>): void {
  const form = document.createElement('form')
  Object.assign(form, { method: 'post', action, target, hidden: true })
  for (const [name, value] of Object.entries(values)) {
    const input = document.createElement('input')
    Object.assign(input, { type: 'hidden', name, value })
    form.append(input)
  }
  document.body.append(form)
  form.submit()
  form.remove()
}

function randomVerifier(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
}

async function hash(text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
