import { type ClaimsRequest, readClaimsRequest } from './claims_request.ts'
import { type Client, isConfidential } from './clients/client.ts'
import { isThumbprint } from './dpop.ts'
import { OAuthError } from './errors.ts'
import { type Params, requireParam } from './params.ts'
import { type CodeChallenge, readCodeChallenge } from './pkce.ts'
import { PROFILES, type ProfileRules, requireNamedResource } from './profile.ts'
import { matchRedirectUri } from './redirect_uri.ts'
import { validateResource } from './resource.ts'
import { parseScope } from './scope.ts'

/** How an authorization response travels (OAuth 2.0 Multiple Response Types section 2.1, Form Post section 2). */
export type ResponseMode = 'query' | 'fragment' | 'form_post'

/** The response modes this server has. */
export const RESPONSE_MODES: readonly ResponseMode[] = ['query', 'fragment', 'form_post']

/** What the login and consent pages are told (OpenID Connect Core section 3.1.2.1, Initiating User Registration 4). */
export type Prompt = 'none' | 'login' | 'consent' | 'select_account' | 'create'

/** Where and how the answer goes: all that an error needs to be sent back. */
export interface AuthorizationTarget {
  client_id: string
  redirect_uri: string
  response_mode: ResponseMode
  state?: string
}

/** An authorization request whose every parameter was checked (RFC 6749 section 4.1.1). */
export interface AuthorizationRequest extends AuthorizationTarget, Partial<CodeChallenge> {
  response_type: string
  /** Empty when the request names none. */
  scope: string[]
  resource: string[]
  prompt: Prompt[]
  acr_values: string[]
  ui_locales: string[]
  nonce?: string
  max_age?: number
  login_hint?: string
  id_token_hint?: string
  /** The key that the code is bound to (RFC 9449 section 10). */
  dpop_jkt?: string
  claims?: ClaimsRequest
}

/** What the server offers at its authorization endpoint. */
export interface AuthorizationRules {
  response_types: readonly string[]
  /** The values `prompt` may have; without it, all but `create`. */
  prompts?: readonly Prompt[]
  /** The rules that the client stands under; without them the standard ones. */
  profile?: ProfileRules
  /** The request came over the back channel (RFC 9126), where client credentials have their place. */
  pushed?: boolean
}

const LONGEST_STATE = 4096
const LONGEST_NONCE = 255
const LONGEST_HINT = 255
const MOST_VALUES = 20
const PROMPTS: readonly Prompt[] = ['none', 'login', 'consent', 'select_account']

/**
 * First phase: who asks, and where the answer may go (RFC 6749 section 4.1.2.1). What this refuses is shown on a
 * page and never redirected, because the address is not yet trusted. `client` is the one that `client_id` names.
 */
export function readAuthorizationTarget(params: Params, client: Client | undefined): AuthorizationTarget {
  const client_id = requireParam(params, 'client_id')
  if (client === undefined || client.client_id !== client_id) {
    throw new OAuthError('invalid_request', 'Parameter client_id names no client that is registered here')
  }
  const redirect_uri = readRedirectUri(params, client)
  const response_mode = readResponseMode(params, client, redirect_uri) ?? defaultResponseMode(params)
  const target: AuthorizationTarget = { client_id, redirect_uri, response_mode }
  const { state } = params.values
  if (state !== undefined && isState(state)) target.state = state
  return target
}

function readRedirectUri(params: Params, client: Client): string {
  const requested = params.values['redirect_uri']
  if (requested !== undefined) {
    if (matchRedirectUri(requested, client.redirect_uris, client)) return requested
    throw new OAuthError('invalid_request', 'Parameter redirect_uri is not one that is registered for this client')
  }
  const [only, ...others] = client.redirect_uris
  // OpenID Connect Core section 3.1.2.1 wants it always, RFC 6749 section 3.1.2.3 where there are several.
  const openid = (params.values['scope'] ?? '').split(' ').includes('openid')
  if (only === undefined || others.length > 0 || openid) {
    throw new OAuthError('invalid_request', 'Parameter redirect_uri is missing')
  }
  return only
}

function defaultResponseMode(params: Params): ResponseMode {
  // OAuth 2.0 Multiple Response Types section 5: what holds a token goes into the fragment.
  return /(?:^| )(?:id_)?token(?: |$)/.test(params.values['response_type'] ?? '') ? 'fragment' : 'query'
}

/** The response mode to use; undefined where the request asks for one that it may not have. */
function readResponseMode(params: Params, client: Client, redirect_uri: string): ResponseMode | undefined {
  const standard = defaultResponseMode(params)
  const requested = params.values['response_mode'] ?? standard
  const mode = RESPONSE_MODES.find((known) => known === requested)
  // A token in a query string would end up in logs (RFC 6749 section 4.2.2).
  if (mode === undefined || (mode === 'query' && standard === 'fragment')) return undefined
  // A form is posted to a web server; what else a browser would make of its address is not ours to find out.
  if (mode === 'form_post' && !/^https?:/.test(redirect_uri)) return undefined
  return client.response_modes === undefined || client.response_modes.includes(mode) ? mode : undefined
}

function isState(state: string): boolean {
  return state.length <= LONGEST_STATE && !/\p{Cc}/u.test(state)
}

/**
 * Second phase: what is asked for (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2.1). What this refuses is
 * sent to the target of the first phase.
 */
export function readAuthorizationRequest(
  params: Params,
  client: Client,
  target: AuthorizationTarget,
  rules: AuthorizationRules,
): AuthorizationRequest {
  refuseUnsupported(params, rules)
  const { values } = params
  if (values['state'] !== undefined && target.state === undefined) {
    throw invalid('state', `must have at most ${LONGEST_STATE} characters and no control character`)
  }
  const response_type = readResponseType(params, client, rules)
  if (readResponseMode(params, client, target.redirect_uri) === undefined) {
    throw invalid('response_mode', 'is not one by which this client may be answered at its redirect_uri')
  }
  const request: AuthorizationRequest = {
    ...target,
    response_type,
    scope: parseScope(values['scope'] ?? ''),
    resource: readResource(params.resource),
    prompt: readPrompt(params, rules.prompts ?? PROMPTS),
    acr_values: values['acr_values'] === undefined ? (client.default_acr_values ?? []) : readList(params, 'acr_values'),
    ui_locales: readList(params, 'ui_locales').filter((tag) => /^[A-Za-z0-9-]{2,35}$/.test(tag)),
  }
  const profile = rules.profile ?? PROFILES.standard
  requireNamedResource(client, profile, request.resource)
  if (response_type.split(' ').includes('code')) {
    Object.assign(request, readCodeChallenge(params, { required: mustUsePkce(client, profile) }))
  }
  readOptional(params, client, request)
  return request
}

/** Whether a code must be bound to a verifier (RFC 9700 section 2.1.1). */
function mustUsePkce(client: Client, { pkce }: ProfileRules): boolean {
  if (pkce === 'everybody' || !isConfidential(client)) return true
  return pkce === 'unless_excused' && client.require_pkce
}

function refuseUnsupported(params: Params, rules: AuthorizationRules): void {
  const { values } = params
  if (values['request'] !== undefined) {
    throw new OAuthError('request_not_supported', 'Parameter request is not supported')
  }
  if (values['request_uri'] !== undefined) {
    throw new OAuthError('request_uri_not_supported', 'Parameter request_uri is not supported')
  }
  if (values['registration'] !== undefined) {
    throw new OAuthError('registration_not_supported', 'Parameter registration is not supported')
  }
  for (const name of ['client_secret', 'client_assertion']) {
    if (rules.pushed !== true && values[name] !== undefined) throw invalid(name, 'must never be sent through a browser')
  }
}

function readResponseType(params: Params, client: Client, rules: AuthorizationRules): string {
  // The order of its values means nothing (RFC 6749 section 3.1.1).
  const response_type = requireParam(params, 'response_type').split(' ').sort().join(' ')
  if (!rules.response_types.includes(response_type)) {
    throw new OAuthError(
      'unsupported_response_type',
      `Parameter response_type must be ${rules.response_types.join(' or ')}`,
    )
  }
  if (!client.response_types.includes(response_type)) {
    throw new OAuthError('unauthorized_client', `This client may not use response_type ${response_type}`)
  }
  return response_type
}

function readResource(resource: readonly string[]): string[] {
  if (resource.length > MOST_VALUES) throw new OAuthError('invalid_target', 'Parameter resource is given too often')
  for (const uri of resource) validateResource(uri)
  return [...new Set(resource)]
}

function readPrompt(params: Params, known: readonly Prompt[]): Prompt[] {
  const prompt = readList(params, 'prompt').map((value) => {
    const found = known.find((one) => one === value)
    if (found === undefined) throw invalid('prompt', `may hold only ${known.join(', ')}`)
    return found
  })
  if (prompt.includes('none') && prompt.length > 1) throw invalid('prompt', 'must be none alone, or without none')
  return prompt
}

function readList(params: Params, name: string): string[] {
  const values = (params.values[name] ?? '').split(' ').filter((value) => value !== '')
  if (values.length > MOST_VALUES) throw invalid(name, `must have at most ${MOST_VALUES} values`)
  if (values.some((value) => !/^[\x21-\x7e]{1,255}$/.test(value)))
    throw invalid(name, 'has a value that is not allowed')
  return [...new Set(values)]
}

function readOptional(params: Params, client: Client, request: AuthorizationRequest): void {
  const { nonce, max_age, login_hint, id_token_hint, dpop_jkt, claims } = params.values
  if (nonce !== undefined) {
    if (nonce.length > LONGEST_NONCE) throw invalid('nonce', `must have at most ${LONGEST_NONCE} characters`)
    request.nonce = nonce
  }
  if (max_age !== undefined) {
    if (!/^[0-9]{1,9}$/.test(max_age)) throw invalid('max_age', 'must be a whole number of seconds')
    request.max_age = Number(max_age)
  } else if (client.default_max_age !== undefined) {
    request.max_age = client.default_max_age
  }
  if (login_hint !== undefined) {
    if (login_hint.length > LONGEST_HINT) throw invalid('login_hint', `must have at most ${LONGEST_HINT} characters`)
    request.login_hint = login_hint
  }
  if (id_token_hint !== undefined) request.id_token_hint = id_token_hint
  if (dpop_jkt !== undefined) {
    if (!isThumbprint(dpop_jkt)) throw invalid('dpop_jkt', 'must be the SHA-256 thumbprint of a key, in base64url')
    request.dpop_jkt = dpop_jkt
  }
  if (claims !== undefined) request.claims = readClaimsRequest(claims)
}

function invalid(name: string, what: string): OAuthError {
  return new OAuthError('invalid_request', `Parameter ${name} ${what}`)
}
