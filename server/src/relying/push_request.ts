import { type AuthorizationServer, allowInsecureRequests, customFetch, pushedAuthorizationRequest } from 'oauth4webapi'
import { SettingError } from '../providers/setting_error.ts'
import { readClientAuth } from './client_auth.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { DiscoveryError } from './discovery.ts'
import { readErrorResponse } from './error_response.ts'
import type { ClientRefused, Refused } from './outcome.ts'
import { type JsonObject, readJsonObject } from './read_json.ts'

/** The provider refuses an authorization request before anybody is sent there. */
export class PushRefused extends Error {
  readonly outcome: Refused | ClientRefused

  constructor(outcome: Refused | ClientRefused) {
    super(`The provider refuses the authorization request (${outcome.error})`)
    this.name = 'PushRefused'
    this.outcome = outcome
  }
}

/**
 * Sends an authorization request to the provider from here (RFC 9126 section 2), so that no browser can read or change it;
 * answers what stands for it, or null where the provider takes none. Where it must and cannot be done, nobody is sent.
 */
export async function pushRequest(
  context: RelyingContext,
  party: RelyingParty,
  server: AuthorizationServer,
  params: URLSearchParams,
): Promise<string | null> {
  const { par } = party.provider
  const endpoint = server.pushed_authorization_request_endpoint
  const isNeeded = par === 'required' || server.require_pushed_authorization_requests === true
  if (par === 'refused') return null
  if (!endpoint) {
    if (!isNeeded) return null
    throw new SettingError('pushed_authorization_request_endpoint', 'The provider has no endpoint for pushed requests')
  }
  const auth = readClientAuth(context, party, server)
  let response: Response
  let text: string
  try {
    response = await pushedAuthorizationRequest(server, { client_id: party.client_id }, auth, params, {
      [customFetch]: (url, { method, headers, body }) =>
        context.egress.fetch(url, { purpose: 'token', identity: party.identity, method, headers, body: String(body) }),
      [allowInsecureRequests]: context.egress.mayUseHttp(endpoint),
    })
    text = await response.text()
  } catch (cause) {
    if (cause instanceof SettingError) throw cause
    throw new DiscoveryError('unreachable', 'The provider did not take the authorization request', { cause })
  }
  return readAnswer(party, response, text)
}

function readAnswer({ provider, client_secret }: RelyingParty, { status }: Response, text: string): string {
  let body: JsonObject
  try {
    body = readJsonObject(text)
  } catch (cause) {
    throw new DiscoveryError('unreachable', `The authorization request was answered with status ${status}`, { cause })
  }
  // RFC 9126 section 2.2 says 201; some say 200.
  if (status === 200 || status === 201) {
    const { request_uri } = body
    if (typeof request_uri === 'string' && /^[\x21-\x7e]{1,2048}$/.test(request_uri)) return request_uri
    throw new DiscoveryError('invalid', 'The answer to the authorization request has no request_uri')
  }
  const secrets = [client_secret ?? '']
  const refusal = status < 500 && readErrorResponse(provider.error_response, body, status, null, secrets)
  if (refusal && (refusal.kind === 'refused' || refusal.kind === 'client_refused')) throw new PushRefused(refusal)
  throw new DiscoveryError('unreachable', `The authorization request was answered with status ${status}`)
}
