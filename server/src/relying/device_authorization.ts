import { type AuthorizationServer, allowInsecureRequests, customFetch, deviceAuthorizationRequest } from 'oauth4webapi'
import { EgressError } from '../egress/egress_error.ts'
import { SettingError } from '../providers/setting_error.ts'
import { cleanText } from './clean_text.ts'
import { readClientAuth } from './client_auth.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { discoverProvider } from './discovery.ts'
import { readErrorResponse, readRetryAfter } from './error_response.ts'
import { type ClientRefused, type Refused, type Throttled, type Unknown, unknownOutcome } from './outcome.ts'
import { type JsonObject, readJsonObject } from './read_json.ts'

/** What a person types where, and what asks whether they did (RFC 8628 section 3.2). */
export interface DeviceAuthorization {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  /** The same with the code in it, where the provider has one. */
  readonly verification_uri_complete: string | null
  readonly expires_in: number
  /** Seconds between two questions, at least. */
  readonly interval: number
}

/** What a device authorization request came to. */
export type DeviceOutcome =
  | { readonly kind: 'authorization'; readonly authorization: DeviceAuthorization }
  | Refused
  | ClientRefused
  | Throttled
  | Unknown

const USUAL_INTERVAL = 5
const LONGEST_INTERVAL = 60
const LONGEST_LIFE = 1_800

/** Asks for a code that a person types at the provider (RFC 8628 section 3.1). */
export async function requestDeviceAuthorization(context: RelyingContext, party: RelyingParty): Promise<DeviceOutcome> {
  const { provider, scope } = party
  const params: Record<string, string> = { ...provider.token_params }
  if (provider.scope_parameter !== null && scope !== '') {
    params[provider.scope_parameter] = scope.split(' ').join(provider.scope_separator)
  }
  let response: Response
  let text: string
  try {
    const server = await discoverProvider(context, provider)
    response = await send(context, party, server, params)
    text = await response.text()
  } catch (cause) {
    if (cause instanceof SettingError) {
      const { message: error_description } = cause
      return { kind: 'client_refused', error: 'invalid_client', provider_error: '', error_description }
    }
    return unknownOutcome(cause, { sent: cause instanceof EgressError ? cause.sent : false })
  }
  return readAnswer(context, party, response, text)
}

function send(
  context: RelyingContext,
  party: RelyingParty,
  server: AuthorizationServer,
  params: Readonly<Record<string, string>>,
): Promise<Response> {
  const endpoint = server.device_authorization_endpoint
  if (!endpoint)
    throw new SettingError('device_authorization_endpoint', 'The provider has no device authorization endpoint')
  const auth = readClientAuth(context, party, server)
  return deviceAuthorizationRequest(server, { client_id: party.client_id }, auth, params, {
    [customFetch]: (url, { method, headers, body }) =>
      context.egress.fetch(url, { purpose: 'token', identity: party.identity, method, headers, body: String(body) }),
    [allowInsecureRequests]: context.egress.mayUseHttp(endpoint),
  })
}

function readAnswer(context: RelyingContext, party: RelyingParty, response: Response, text: string): DeviceOutcome {
  const { status } = response
  const retry_after_seconds = readRetryAfter(response.headers, context.clock())
  if (status === 429) return { kind: 'throttled', retry_after_seconds }
  try {
    const body = readJsonObject(text)
    if (status === 200) return { kind: 'authorization', authorization: readAuthorization(context, body) }
    const secrets = [party.client_secret ?? '']
    const shape = party.provider.error_response
    const refusal = status < 500 && readErrorResponse(shape, body, status, retry_after_seconds, secrets)
    return refusal || unknownOutcome(new Error(`The provider answered with status ${status}`), { status })
  } catch (cause) {
    return unknownOutcome(cause, { status, retry_after_seconds })
  }
}

function readAuthorization({ egress }: RelyingContext, body: JsonObject): DeviceAuthorization {
  const read = (name: string, most: number): string => {
    const value = body[name]
    if (typeof value === 'string' && value !== '' && value.length <= most && cleanText(value) === value) return value
    throw new Error(`The ${name} of the answer is none`)
  }
  // A person is sent there, so that only what a browser may be sent to is taken.
  const readUri = (name: string): string => {
    const uri = read(name, 2_048)
    const url = URL.parse(uri)
    if (url?.protocol === 'https:' || (url?.protocol === 'http:' && egress.mayUseHttp(url))) return url.href
    throw new Error(`The ${name} of the answer is no https URL`)
  }
  const seconds = (name: string, usual: number | null, most: number): number => {
    const value = body[name] ?? usual
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return Math.min(Math.ceil(value), most)
    throw new Error(`The ${name} of the answer is no time`)
  }
  // Google's own name of it, from before RFC 8628.
  const uri = body['verification_uri'] === undefined ? 'verification_url' : 'verification_uri'
  const complete = body['verification_uri_complete'] ?? null
  return {
    ...{ device_code: read('device_code', 4_096), user_code: read('user_code', 64) },
    verification_uri: readUri(uri),
    verification_uri_complete: complete === null ? null : readUri('verification_uri_complete'),
    expires_in: seconds('expires_in', null, LONGEST_LIFE),
    interval: seconds('interval', USUAL_INTERVAL, LONGEST_INTERVAL),
  }
}
