import { sha256 } from '../../crypto/hash.ts'
import { type Acr, isAcr, readAcrWish } from '../../oauth/acr.ts'
import {
  type AuthorizationRequest,
  type AuthorizationTarget,
  readAuthorizationRequest,
} from '../../oauth/authorization_request.ts'
import {
  type AuthorizationResponse,
  authorizationErrorParams,
  buildAuthorizationResponse,
} from '../../oauth/authorization_response.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireProfile } from '../../oauth/profile.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { BrowserAuthority } from '../../store/verbs/sessions.ts'
import { keepAllowedClient } from '../clients/document_clients.ts'
import { isSelfRegistered } from '../clients/register_client.ts'
import type { InboundContext } from '../context.ts'
import { type Interaction, refuseLongRequest } from '../interactions.ts'
import { rightsOf } from '../rights.ts'
import { findNeededSignIn } from '../sessions/needed_sign_in.ts'
import { judgeSession, type SessionToken, type SignedIn, touchSession } from '../sessions/sessions.ts'
import { findReachableAcr } from '../users/factors.ts'
import { offeredPrompts } from '../users/sign_up.ts'
import { readTarget, type TrustedTarget, type UnknownClient } from './authorization_target.ts'
import { type Choices, type Chosen, choose, offerChoices } from './choices.ts'
import { grantClaims, scopesOfClaims } from './claims_of_grant.ts'
import { type ConnectionWish, chooseConnections, grantedDetails, offerConnections } from './connections.ts'
import { findNewScopes, readConnections } from './consents.ts'
import { type GrantType, listResponseTypes } from './grant_type.ts'
import { type Approval, createGrant } from './grants.ts'
import { describeRoles, type OfferedRole, offerRoles, pickRole } from './one_role.ts'
import { dropPushedRequest } from './pushed_requests.ts'
import { findRemembered } from './remembered_consent.ts'
import { decideWantedScope, readWanted, type Wanted } from './wanted.ts'

/** What the consent page asks, and what the user may answer. */
export interface ConsentQuestion extends Choices {
  readonly client: Client
  /** Whether an administrator registered it, and not whoever runs it. */
  readonly verified: boolean
  readonly redirect_uri: string
  readonly ui_locales: readonly string[]
  readonly signed_in: SignedIn
  readonly scope: readonly string[]
  readonly new_scope: readonly string[]
  readonly resource: readonly string[]
  readonly connections: readonly ConnectionWish[]
  /** The roles of which a one-role client gets one, each with what of `scope` it gives; null for any other client. */
  readonly roles: readonly OfferedRole[] | null
  readonly configuration: Configuration
  /** Stands for the scopes and resources shown; the answer names it. */
  readonly shown: string
}

/** The user's answer on the consent page; `again` when what was posted came from a page of another session. */
export type ConsentAnswer = 'again' | GivenAnswer

interface GivenAnswer extends Chosen {
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
  /** `legacy` names the client that was answered by a grant that RFC 9700 warns of. */
  | { readonly kind: 'respond'; readonly response: AuthorizationResponse; readonly legacy?: string }
  | {
      readonly kind: 'login'
      /** Null for one that nobody has asked for yet: the client_id is all there is. */
      readonly client: Client | null
      readonly login_hint: string | undefined
      readonly former: SignedIn | null
      /** How surely they must sign in, where they can. */
      readonly acr: Acr
      /** Nothing less will do. */
      readonly essential: boolean
      /** In which languages the client wants them to be asked (OpenID Connect Core section 3.1.2.1). */
      readonly ui_locales: readonly string[]
      /** The client takes them for somebody who has no account yet (OpenID Connect Prompt Create section 4.1). */
      readonly create: boolean
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
  let trusted: TrustedTarget | UnknownClient
  try {
    trusted = await readTarget(context, interaction, session)
  } catch (error) {
    if (error instanceof OAuthError) return { kind: 'refused', error }
    throw error
  }
  if ('sign_in_first' in trusted) {
    const { login_hint } = trusted
    const nothing = { acr: 'pwd', essential: false, ui_locales: [], create: false } as const
    return { kind: 'login', client: null, login_hint, former: null, ...nothing }
  }
  const { params, refusals, client, target, authority, configuration, profile } = trusted
  const signed_in = judgeSession(authority, session, configuration.settings)
  try {
    for (const refusal of refusals.values()) throw refusal
    refuseLongRequest(interaction)
    const response_types = listResponseTypes(grant_types)
    requirePushed(trusted)
    const pushed = trusted.request_hash !== null
    const prompts = offeredPrompts(context, configuration)
    const request = readAuthorizationRequest(params, client, target, { response_types, profile, pushed, prompts })
    const direct = grant_types.find(({ response }) => response?.response_type === request.response_type)?.response
    requireProfile(client, profile, direct ? 'implicit' : 'authorization_code')
    direct?.check(client, configuration, request)
    return await proceed(context, { ...trusted, request, direct, signed_in, interaction, answer })
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

/** Refuses what came through the browser where the client or its profile says that requests are pushed (RFC 9126 section 6). */
function requirePushed({ client, profile, configuration, request_hash }: TrustedTarget): void {
  const { settings } = configuration
  const required =
    profile.pushed_requests ||
    settings.require_pushed_authorization_requests ||
    client.require_pushed_authorization_requests === true
  if (request_hash !== null || !required) return
  throw new OAuthError('invalid_request', 'This client must push its request first: parameter request_uri is missing')
}

interface Trusted extends TrustedTarget {
  readonly request: AuthorizationRequest
  /** Who answers instead of a code. */
  readonly direct: GrantType['response']
  readonly signed_in: SignedIn | null
  readonly interaction: Interaction
  readonly answer: ConsentAnswer | null
}

async function proceed(context: InboundContext, asked: Trusted): Promise<AuthorizationOutcome> {
  const { client, request, signed_in, authority } = asked
  const wanted = await readWanted(context, asked)
  const acr = readAcrWish(request.acr_values, request.claims?.id_token['acr'])
  const asks = acr.acr_values.length > 0 && signed_in !== null
  const reachable = asks ? await findReachableAcr(context.tenant, signed_in.user.user_id) : 'pwd'
  const needed = signed_in
    ? findNeededSignIn(context, { ...asked, now: authority.now, reachable }, signed_in)
    : (acr.acr_values.find(isAcr) ?? 'pwd')
  if (needed === null) return askConsent(context, asked, wanted, signed_in!)
  if (request.prompt.includes('none')) throw new OAuthError('login_required', 'The user must sign in')
  return {
    kind: 'login',
    client,
    login_hint: request.login_hint,
    former: signed_in,
    acr: needed,
    essential: acr.essential,
    ui_locales: request.ui_locales,
    create: request.prompt.includes('create') && asked.interaction.session_id === undefined,
  }
}

/** What somebody who is signed in is asked, unless they have answered it now or before. */
async function askConsent(
  context: InboundContext,
  asked: Trusted,
  { resource, connectors }: Wanted,
  signed_in: SignedIn,
): Promise<AuthorizationOutcome> {
  const { tenant } = context
  const { client, request, configuration, answer, authority } = asked
  const { consent, now } = authority
  const { session, user } = signed_in
  await touchSession(tenant, signed_in, now, configuration.settings.session_idle_seconds)
  const offered = offerRoles(client, user)
  const only = pickRole(offered, undefined)
  const claim_scope = scopesOfClaims(request.claims, client)
  const decide = (role: string | null) =>
    decideWantedScope(context, asked, resource, rightsOf(configuration, client, user, role))
  const scope = [...new Set([...decide(only ?? null), ...claim_scope])]
  const choices = offerChoices(client, configuration, { scope, session, now })
  const { optional_scope } = choices
  const wishes = await offerConnections(tenant, user.user_id, connectors, readConnections(consent))
  const shown = sha256(JSON.stringify([scope, resource, offered, optional_scope])).toString('base64url')
  const given = readGiven(signed_in, answer)
  const role = pickRole(offered, given?.role)
  const cut = (allowed: readonly string[], picked: string | null) => ({
    scope: decide(picked).filter((name) => allowed.includes(name)),
    shown_scope: allowed,
    claims: grantClaims(request.claims, allowed),
  })
  if (given?.decision === 'deny') {
    await dropPushedRequest(context, asked.request_hash)
    throw new OAuthError('access_denied', 'The user refused')
  }
  // What the page said may have changed under the user's eyes: a scope that was not shown is not allowed.
  if (given && given.shown === shown && role !== undefined) {
    const { scope: allowed, ends_at } = choose(choices, given, { scope, now })
    return approve(context, asked, signed_in, {
      ...cut(allowed, role),
      ...{ resource, connections: chooseConnections(wishes, given.connections), role, ends_at, remember: true },
    })
  }
  const remembered = findRemembered(tenant.issuer, asked, { scope, optional_scope, resource, wishes })
  // Who answered a page that was shown to somebody else has to see whose account it is about.
  if (remembered && only !== undefined && answer === null && !request.prompt.includes('consent')) {
    const { scope: allowed, connections, ends_at, by_consent } = remembered
    const kept = { resource, connections, role: only, ends_at, by_consent, remember: false }
    return approve(context, asked, signed_in, { ...cut(allowed, only), ...kept })
  }
  if (request.prompt.includes('none')) throw new OAuthError('consent_required', 'The user must consent')
  const question = {
    ...{ client, signed_in, configuration, scope, resource, ...choices, shown },
    verified: !isSelfRegistered(authority.client!.source),
    redirect_uri: request.redirect_uri,
    ui_locales: request.ui_locales,
    new_scope: consent ? findNewScopes(consent, { scope, resource }, tenant.issuer, configuration) : [],
    connections: wishes,
    roles: describeRoles(offered, scope, (role) => rightsOf(configuration, client, signed_in.user, role)),
  }
  return { kind: 'consent', question }
}

type Allowance = Pick<
  Approval,
  'scope' | 'resource' | 'connections' | 'remember' | 'shown_scope' | 'claims' | 'ends_at' | 'by_consent'
> & {
  readonly role: string | null
}

async function approve(
  context: InboundContext,
  asked: Trusted,
  signed_in: SignedIn,
  allowance: Allowance,
): Promise<AuthorizationOutcome> {
  if (allowance.scope.length === 0) throw new OAuthError('access_denied', 'The user left out everything')
  const authorization_details = grantedDetails(asked.params, allowance.connections)
  const authority = await keepAllowedClient(context, asked, `user:${signed_in.user.user_id}`)
  const approval = { ...asked, authority, ...allowance, authorization_details, signed_in }
  const { direct } = asked
  const params = direct ? await direct.respond(context, approval) : { code: await createGrant(context, approval) }
  const response = respond(context, asked.request, params)
  return { kind: 'respond', response, ...(direct && { legacy: asked.client.client_id }) }
}

function respond(
  context: InboundContext,
  target: AuthorizationTarget,
  params: Readonly<Record<string, string | number>>,
): AuthorizationResponse {
  const { redirect_uri, response_mode, state } = target
  return buildAuthorizationResponse({ redirect_uri, response_mode, params, state, iss: context.tenant.issuer })
}
