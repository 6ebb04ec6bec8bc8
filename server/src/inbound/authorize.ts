import { sha256 } from '../crypto/hash.ts'
import { verifyOwnJwt } from '../crypto/jwt.ts'
import {
  type AuthorizationRequest,
  type AuthorizationTarget,
  readAuthorizationRequest,
} from '../oauth/authorization_request.ts'
import {
  type AuthorizationResponse,
  authorizationErrorParams,
  buildAuthorizationResponse,
} from '../oauth/authorization_response.ts'
import { type Client, skipsConsent } from '../oauth/client.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Params } from '../oauth/params.ts'
import { decideResources } from '../oauth/resource.ts'
import { decideScope, IDENTITY_SCOPES } from '../oauth/scope.ts'
import type { Configuration } from '../store/tenant.ts'
import type { BrowserAuthority } from '../store/verbs/sessions.ts'
import { readTarget, type TrustedTarget } from './authorization_target.ts'
import {
  type ConnectionChoice,
  type ConnectionWish,
  chooseConnections,
  grantedDetails,
  offerConnections,
  readConnectionWishes,
} from './connections.ts'
import { coversRequest, findNewScopes, readConnections } from './consents.ts'
import type { InboundContext } from './context.ts'
import { type GrantType, listResponseTypes } from './grant_types/grant_type.ts'
import { createGrant } from './grants.ts'
import { fitsUrl, type Interaction, LONGEST_QUERY } from './interactions.ts'
import { offerRoles, pickRole } from './one_role.ts'
import { isSelfRegistered } from './register_client.ts'
import {
  defaultScopes,
  knownResources,
  presentScopes,
  type Rights,
  rightsOf,
  scopeRules,
  scopesOfResources,
} from './rights.ts'
import { judgeSession, type SessionToken, type SignedIn, touchSession } from './sessions.ts'

/** What the consent page asks, and what the user may answer. */
export interface ConsentQuestion {
  readonly client: Client
  /** Whether an administrator registered it, and not whoever runs it. */
  readonly verified: boolean
  readonly redirect_uri: string
  readonly signed_in: SignedIn
  readonly scope: readonly string[]
  readonly new_scope: readonly string[]
  readonly resource: readonly string[]
  readonly connections: readonly ConnectionWish[]
  /** The roles of which a one-role client gets one, each with what of `scope` it gives; null for any other client. */
  readonly roles: readonly { readonly role: string; readonly scope: readonly string[] }[] | null
  readonly configuration: Configuration
  /** Stands for the scopes and resources shown; the answer names it. */
  readonly shown: string
}

/** The user's answer on the consent page; `again` when what was posted came from a page of another session. */
export type ConsentAnswer = 'again' | GivenAnswer

interface GivenAnswer {
  readonly decision: 'allow' | 'deny'
  /** Connector to the chosen connection. */
  readonly connections: Readonly<Record<string, string>>
  /** The role that was picked for a one-role client. */
  readonly role?: string | undefined
  /** Who was shown the page: another user by now means that it must be shown again. */
  readonly user_id: string
  /** What the page said. */
  readonly shown: string
}

/** Where an authorization request stands. */
export type AuthorizationOutcome =
  /** Shown on a page, never redirected: the address is not trusted. */
  | { readonly kind: 'refused'; readonly error: OAuthError }
  | { readonly kind: 'respond'; readonly response: AuthorizationResponse }
  | {
      readonly kind: 'login'
      readonly client: Client
      readonly login_hint: string | undefined
      readonly former: SignedIn | null
    }
  | { readonly kind: 'consent'; readonly question: ConsentQuestion }

const LONGEST_LOCATION = 8192

/**
 * The authorization endpoint (RFC 6749 section 4.1.1, OpenID Connect Core section 3.1.2): from the request's text, the
 * browser's session and, once given, the user's answer, to a page or a response. Everything is checked anew each time,
 * so that nothing which changed in between is missed.
 */
export async function authorize(
  context: InboundContext,
  grant_types: readonly GrantType[],
  interaction: Interaction,
  session: SessionToken | null,
  answer: ConsentAnswer | null,
): Promise<AuthorizationOutcome> {
  let trusted: TrustedTarget
  try {
    trusted = await readTarget(context, interaction.query, session)
  } catch (error) {
    if (error instanceof OAuthError) return { kind: 'refused', error }
    throw error
  }
  const { params, refusals, client, target, authority } = trusted
  const configuration = await context.tenant.configuration(authority.tenant.config_version)
  const signed_in = judgeSession(authority, session, configuration.settings.session_idle_seconds)
  try {
    for (const refusal of refusals.values()) throw refusal
    if (!fitsUrl(interaction)) {
      throw new OAuthError('invalid_request', `The authorization request is longer than ${LONGEST_QUERY} bytes`)
    }
    const response_types = listResponseTypes(grant_types)
    const request = readAuthorizationRequest(params, client, target, { response_types })
    const direct = grant_types.find(({ response }) => response?.response_type === request.response_type)?.response
    return await proceed(context, {
      params,
      client,
      request,
      direct,
      authority,
      signed_in,
      configuration,
      interaction,
      answer,
    })
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    const response = respond(context, target, authorizationErrorParams(error))
    const too_long = 'location' in response && response.location.length > LONGEST_LOCATION
    if (too_long || !mayRedirectError(authority, signed_in, answer)) return { kind: 'refused', error }
    return { kind: 'respond', response }
  }
}

/**
 * Whether an error may be sent on without anybody's doing. A client that a stranger registered must not turn this
 * endpoint into a redirector: its users have answered just now, or have allowed it before (RFC 9700 section 4.11.2).
 */
function mayRedirectError(
  authority: BrowserAuthority,
  signed_in: SignedIn | null,
  answer: ConsentAnswer | null,
): boolean {
  if (!isSelfRegistered(authority.client!.source)) return true
  return signed_in !== null && (readGiven(signed_in, answer) !== null || authority.consent !== null)
}

/** The answer, if who is signed in gave it. */
function readGiven(signed_in: SignedIn, answer: ConsentAnswer | null): GivenAnswer | null {
  return answer !== null && answer !== 'again' && answer.user_id === signed_in.user.user_id ? answer : null
}

interface Trusted {
  readonly params: Params
  readonly client: Client
  readonly request: AuthorizationRequest
  /** Who answers instead of a code. */
  readonly direct: GrantType['response']
  readonly authority: BrowserAuthority
  readonly signed_in: SignedIn | null
  readonly configuration: Configuration
  readonly interaction: Interaction
  readonly answer: ConsentAnswer | null
}

async function proceed(context: InboundContext, asked: Trusted): Promise<AuthorizationOutcome> {
  const { tenant } = context
  const { client, request, configuration, signed_in, answer, authority } = asked
  const { issuer } = tenant
  const resource = decideResources({
    requested: request.resource,
    registered: knownResources(issuer, configuration),
    default_resource: client.default_resource,
    issuer,
  })
  const connectors = await readConnectionWishes(tenant, asked.params, resource)
  const silent = request.prompt.includes('none')
  const must_sign_in = !signed_in || needsLogin(context, asked, signed_in)
  if (must_sign_in && silent) throw new OAuthError('login_required', 'The user must sign in')
  if (must_sign_in) {
    // The scopes are checked before anybody is asked to sign in for nothing.
    decideScope(scopeQuestion(context, asked, resource, rightsOf(configuration, client, null)))
    return { kind: 'login', client, login_hint: request.login_hint, former: signed_in }
  }
  await touchSession(tenant, signed_in, authority.now, configuration.settings.session_idle_seconds)
  const offered = offerRoles(client, signed_in.user)
  const only = pickRole(offered, undefined)
  const decide = (role: string | null) =>
    decideScope(scopeQuestion(context, asked, resource, rightsOf(configuration, client, signed_in.user, role)))
  const scope = decide(only ?? null)
  const { consent } = authority
  const wishes = await offerConnections(tenant, signed_in.user.user_id, connectors, readConnections(consent))
  const given = readGiven(signed_in, answer)
  const shown = sha256(JSON.stringify([scope, resource, offered])).toString('base64url')
  const role = pickRole(offered, given?.role)
  // What the page said may have changed under the user's eyes: a scope that was not shown is not allowed.
  if (given && (given.decision === 'deny' || (given.shown === shown && role !== undefined))) {
    if (given.decision === 'deny') throw new OAuthError('access_denied', 'The user refused')
    const connections = chooseConnections(wishes, given.connections)
    const allowed = { scope: decide(role ?? null), resource, connections, role: role ?? null, remember: true }
    return { kind: 'respond', response: await approve(context, asked, signed_in, allowed) }
  }
  const remembered =
    only === undefined ? null : rememberedConsent(asked, issuer, signed_in, { scope, resource, wishes })
  // Who answered a page that was shown to somebody else has to see whose account it is about.
  if (remembered && answer === null && !request.prompt.includes('consent')) {
    const allowed = { scope, resource, role: only ?? null, ...remembered }
    return { kind: 'respond', response: await approve(context, asked, signed_in, allowed) }
  }
  if (silent) throw new OAuthError('consent_required', 'The user must consent')
  const question = {
    client,
    verified: !isSelfRegistered(authority.client!.source),
    redirect_uri: request.redirect_uri,
    signed_in,
    scope,
    new_scope: consent ? findNewScopes(consent, { scope, resource }, issuer, configuration) : [],
    resource,
    connections: wishes,
    roles: describeRoles(asked, signed_in, offered, scope),
    configuration,
    shown,
  }
  return { kind: 'consent', question }
}

/** The roles to pick from, each with what it gives of the scopes; identity goes with any. */
function describeRoles(
  { client, configuration }: Trusted,
  { user }: SignedIn,
  offered: readonly string[] | null,
  scope: readonly string[],
): ConsentQuestion['roles'] {
  if (offered === null) return null
  const given = scope.filter((name) => !IDENTITY_SCOPES.has(name))
  return offered.map((role) => ({ role, scope: presentScopes(given, rightsOf(configuration, client, user, role)) }))
}

function scopeQuestion(context: InboundContext, asked: Trusted, resource: readonly string[], rights: Rights) {
  const { request, configuration } = asked
  return {
    requested: request.scope,
    resource_defaults: defaultScopes(configuration, resource),
    ...scopeRules(rights),
    known_scopes: scopesOfResources(context.tenant.issuer, configuration, resource),
  }
}

// OpenID Connect Core section 3.1.2.1: prompt, max_age and id_token_hint may each ask for a fresh or another sign-in.
function needsLogin(context: InboundContext, asked: Trusted, signed_in: SignedIn): boolean {
  const { request, interaction, authority } = asked
  const { auth_time } = signed_in.session
  // By this very request, and not in another tab or by whoever came before or after.
  const since_request = auth_time >= interaction.started_at && interaction.session_id === signed_in.session.session_id
  if ((request.prompt.includes('login') || request.prompt.includes('select_account')) && !since_request) return true
  if (request.max_age !== undefined && authority.now - auth_time > request.max_age * 1000 && !since_request) return true
  if (request.id_token_hint === undefined) return false
  const { verifying_keys } = asked.configuration
  const hint = verifyOwnJwt(request.id_token_hint, 'JWT', (kid) => verifying_keys.get(kid))
  if (!hint || hint['iss'] !== context.tenant.issuer) {
    throw new OAuthError('invalid_request', 'Parameter id_token_hint is not an ID token of this issuer')
  }
  if (hint['sub'] === signed_in.user.user_id) return false
  // To ask again would get the same answer: the client is told (OpenID Connect Core section 3.1.2.1).
  if (since_request) throw new OAuthError('login_required', 'Somebody else has signed in than id_token_hint names')
  return true
}

/** What needs no question: what a trusted client asks, or what the same user allowed the same client before. */
function rememberedConsent(
  asked: Trusted,
  issuer: string,
  signed_in: SignedIn,
  wanted: { scope: readonly string[]; resource: readonly string[]; wishes: readonly ConnectionWish[] },
): { connections: ConnectionChoice[]; remember: false } | null {
  const { client, request, authority, configuration } = asked
  const { wishes } = wanted
  if (skipsConsent(client, request.redirect_uri)) {
    const connections = wishes.flatMap(({ connector, choices }) =>
      choices.length === 1 ? [{ connector, connection_id: choices[0]!.connection_id }] : [],
    )
    return connections.length === wishes.length ? { connections, remember: false } : null
  }
  // Any program can claim to be a public client on the user's machine (RFC 8252 section 8.6).
  const provable = client.token_endpoint_auth_method !== 'none' || request.redirect_uri.startsWith('https:')
  const { consent } = authority
  if (!provable || !consent || signed_in.user.user_id !== signed_in.session.user_id) return null
  if (!coversRequest(consent, wanted, issuer, configuration)) return null
  const before = readConnections(consent)
  const connections = wishes.map(({ connector, choices }) => {
    const chosen = before.find((choice) => choice.connector === connector)?.connection_id
    return choices.some(({ connection_id }) => connection_id === chosen) ? { connector, connection_id: chosen! } : null
  })
  return connections.includes(null) ? null : { connections: connections as ConnectionChoice[], remember: false }
}

async function approve(
  context: InboundContext,
  asked: Trusted,
  signed_in: SignedIn,
  allowed: {
    scope: readonly string[]
    resource: readonly string[]
    connections: readonly ConnectionChoice[]
    role: string | null
    remember: boolean
  },
): Promise<AuthorizationResponse> {
  const authorization_details = grantedDetails(asked.params, allowed.connections)
  const approval = { ...asked, ...allowed, authorization_details, signed_in }
  const { direct } = asked
  const params = direct ? await direct.respond(context, approval) : { code: await createGrant(context, approval) }
  return respond(context, asked.request, params)
}

function respond(
  context: InboundContext,
  target: AuthorizationTarget,
  params: Readonly<Record<string, string | number>>,
): AuthorizationResponse {
  const { redirect_uri, response_mode, state } = target
  return buildAuthorizationResponse({ redirect_uri, response_mode, params, state, iss: context.tenant.issuer })
}
