// Made of sdk/src/connect/connect.ts, the module @sallyport/sdk/connect, by npm run openapi.
export class ConnectError extends Error {
           reason
  constructor(reason) {
    super(`Nothing was connected: ${reason}`)
    this.name = 'ConnectError'
    this.reason = reason
  }
}
const MESSAGE = 'sallyport:connect'
const FIRST_POLL_MS = 1000
const SLOWEST_POLL_MS = 4000
export async function connect(options) {
  const { issuer, session_token, signal, closed_ms = 30_000, timeout_ms = 1_800_000 } = options
  if (signal?.aborted) throw new ConnectError('aborted')
  const verifier = randomVerifier()
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
export function connectByRedirect({ issuer, session_token }) {
  submit(`${issuer}/connect/session`, '_self', { session_token })
}
async function finish(
  { issuer, session_token, signal },
  popup,
  more,
) {
  const { verifier, closed_ms, timeout_ms, ended } = more
  const started = Date.now()
  let closed_at
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
function hear(popup, origin, ms, ended, aborted) {
  return new Promise((resolve) => {
    const done = (told) => {
      clearTimeout(timer)
      window.removeEventListener('message', onMessage)
      aborted?.removeEventListener('abort', stop)
      resolve(told)
    }
    const stop = () => done(false)
    const onMessage = (event) => {
      if (event.origin === origin && event.source === popup && event.data?.type === MESSAGE) done(true)
    }
    const timer = setTimeout(stop, ms)
    window.addEventListener('message', onMessage, { signal: ended })
    aborted?.addEventListener('abort', stop, { once: true })
  })
}
async function ask(issuer, form) {
  const waiting= { status: 'opened' }
  try {
    const init= {
      method: 'POST',
      body: new URLSearchParams(form),
      credentials: 'omit',
      cache: 'no-store',
    }
    const response = await fetch(`${issuer}/connect/session/status`, init)
    if (response.status === 404) return { status: 'expired' }
    return response.ok ? ((await response.json())) : waiting
  } catch {
    return waiting
  }
}
function readReason(reason) {
  const told = ['refused', 'other_account', 'already_connected']
  return told.find((known) => known === reason) ?? 'failed'
}
function submit(action, target, values) {
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
function randomVerifier() {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
}
async function hash(text) {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))
}
function toBase64Url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
