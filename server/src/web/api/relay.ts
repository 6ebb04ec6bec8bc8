import type { Context } from 'hono'
import { renewNonce } from '../../inbound/client_authentication/sender_constraint.ts'
import type { ResourceRequest } from '../../inbound/tokens/require_access_token.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { type BridgeAsk, forwardForClient } from '../../outbound/proxy/bridge.ts'
import type { ConnectionUser } from '../../outbound/uses.ts'
import { readFailure } from '../machine.ts'
import type { PageEnv } from '../page.ts'
import type { Web } from '../web.ts'
import { readResourceRequest, refuse } from './api.ts'

/** Whose connection a request uses, and who uses it. */
export interface RelayAsk extends BridgeAsk {
  readonly used_by: ConnectionUser
  /** Told when the provider has answered. */
  readonly onUsed?: () => Promise<void>
}

/**
 * Relays a request below a path of ours to a provider's API, once `authorize` has said by which connection. The
 * provider's token never leaves the server.
 */
export async function relay(
  c: Context<PageEnv>,
  mount: string,
  authorize: (web: Web, request: ResourceRequest) => Promise<RelayAsk>,
): Promise<Response> {
  const web = c.get('web')
  try {
    const request = readResourceRequest(c)
    const { used_by, onUsed, ...ask } = await authorize(web, request)
    const { pathname, search } = new URL(c.req.url)
    // A name that is written with escapes is no name of ours.
    if (!pathname.startsWith(web.base + mount))
      throw new OAuthError('invalid_request', 'The path is not in its normal form')
    const { raw } = c.req
    const answer = await forwardForClient(web.outbound, ask, {
      used_by,
      method: raw.method,
      path: pathname.slice(web.base.length + mount.length) || '/',
      query: search.slice(1),
      headers: withoutCertificate(web, raw.headers),
      body: raw.body,
      signal: raw.signal,
    })
    const renewed = Object.entries(renewNonce(web.inbound, request.dpop))
    if (answer.kind === 'response') {
      await onUsed?.()
      for (const [name, value] of renewed) answer.response.headers.set(name, value)
      return breakOpenly(answer.response, (cause) => {
        web.log.warn({ request_id: c.get('request_id'), err: cause }, 'an answer of a provider broke off')
        return c.env?.cut
      })
    }
    for (const [name, value] of renewed) c.header(name, value)
    if (answer.kind === 'unreachable') {
      c.header(OUR_ERROR, 'provider_unreachable')
      const error_description = 'The provider could not be reached'
      return c.json({ error: 'provider_unreachable', error_description, reason: answer.reason }, answer.status)
    }
    if (answer.kind === 'paused') {
      c.header(OUR_ERROR, 'rate_limited')
      c.header('Retry-After', String(answer.retry_after_seconds))
      return c.json({ error: 'rate_limited', error_description: 'The provider wants no calls for so long' }, 429)
    }
    const { kind: _, status, retry_after_seconds, ...refusal } = answer
    if (retry_after_seconds !== undefined) c.header('Retry-After', String(retry_after_seconds))
    c.header(OUR_ERROR, refusal.error)
    return c.json(refusal, status)
  } catch (error) {
    const failure = readFailure(error, c.get('request_id'), web.log)
    c.header(OUR_ERROR, failure.error)
    return refuse(c, failure)
  }
}

/** An answer that breaks off with its connection, where there is one: its beginning must not pass for all of it. */
function breakOpenly(response: Response, onBroken: (cause: unknown) => (() => void) | undefined): Response {
  if (response.body === null) return response
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (cause) {
          const cut = onBroken(cause)
          if (cut) cut()
          else controller.error(cause)
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, response)
}

// By this a caller knows our refusals from those of the provider, which cannot send it: see proxy_headers.ts.
const OUR_ERROR = 'X-Sallyport-Error'

// Whatever its name is here: the certificate of the client is between it and us.
function withoutCertificate({ inbound }: Web, given: Headers): Headers {
  const forwarding = inbound.certificate_forwarding
  if (!forwarding || !given.has(forwarding.header)) return given
  const headers = new Headers(given)
  headers.delete(forwarding.header)
  return headers
}
