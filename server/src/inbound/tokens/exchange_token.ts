import { verifyOwnJwt } from '../../crypto/jwt.ts'
import type { Actor, Forebear } from '../../oauth/access_token.ts'
import { isConfidential, PAIRWISE } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { parseScope, type ScopeSet } from '../../oauth/scope.ts'
import {
  type ExchangeRequest,
  MOST_EXCHANGES,
  mayAct,
  nestActor,
  readActor,
  readExchangeRequest,
  tokenRefused,
  tokenTypeUri,
} from '../../oauth/token_exchange.ts'
import { buildTokenResponse, type TokenResponse } from '../../oauth/token_response.ts'
import type { UserRecord } from '../../store/records.ts'
import { ProofReplayed } from '../../store/verbs/proofs.ts'
import { narrowDetails } from '../authorization/connections.ts'
import type { Loaded, TokenRequest } from '../authorization/grant_type.ts'
import { requireRole } from '../authorization/one_role.ts'
import { requireKeyOfToken } from '../client_authentication/sender_constraint.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { whyGrantIsDead } from '../liveness.ts'
import { connectorOfResource, scopesOfResources } from '../rights.ts'
import { subjectOf } from '../subjects.ts'
import { meetsPolicy } from '../users/factors.ts'
import { findLivingToken, type IssuedAccessToken, issueAccessToken, type LivingToken } from './access_tokens.ts'
import { issueAsserted, readAuthTime } from './asserted_grant.ts'
import { decideTarget, notAsJwt } from './exchange_target.ts'
import { resourcesOfCaller } from './introspection_rights.ts'
import { verifyAssertion } from './trusted_issuers.ts'

/** A request of the token endpoint whose client is known. */
export type Asked = TokenRequest<Loaded>

/** Token exchange (RFC 8693 section 2): a token that somebody else presented, for one that says what this client does with it. */
export async function exchangeToken(context: InboundContext, asked: Asked): Promise<TokenResponse> {
  const wanted = readExchangeRequest(asked.params)
  const exchange = EXCHANGES[wanted.subject_token_type]
  const { token, scope, authorization_details } = await refuseTokens(() => exchange(context, asked, wanted))
  const issued_token_type = tokenTypeUri(wanted.requested_token_type)
  if (wanted.requested_token_type === 'jwt' && !token.access_token.startsWith('ey')) throw notAsJwt()
  return buildTokenResponse({ ...token, scope, authorization_details, issued_token_type })
}

// What assertions and grants are refused by elsewhere has a name of its own here.
async function refuseTokens<Result>(exchange: () => Promise<Result>): Promise<Result> {
  try {
    return await exchange()
  } catch (error) {
    if (error instanceof ProofReplayed && error.kind === 'assertion') {
      throw tokenRefused('subject_token', 'The assertion was used before: its jti must be new', error)
    }
    if (!(error instanceof OAuthError) || error.error !== 'invalid_grant') throw error
    throw tokenRefused('subject_token', error.error_description, error.cause)
  }
}

type Exchange = (
  context: InboundContext,
  asked: Asked,
  wanted: ExchangeRequest,
) => Promise<{ token: IssuedAccessToken; scope: string[]; authorization_details?: readonly object[] | undefined }>

const EXCHANGES: { readonly [type in ExchangeRequest['subject_token_type']]: Exchange } = {
  access_token: exchangeAccessToken,
  id_token: exchangeIdToken,
  jwt: exchangeAssertion,
}

/**
 * An access token of ours, the client's own or sent to a resource that it stands for. What comes of it descends from the
 * same grant, ends with it and not after the token presented, and is kept nowhere.
 */
async function exchangeAccessToken(...[context, asked, wanted]: Parameters<Exchange>): ReturnType<Exchange> {
  const { client, authority, configuration, cnf } = asked
  const { living, grant, user, own } = await findSubject(context, asked, wanted.subject_token)
  const { claims } = living
  const actor = await findActor(context, asked, wanted, own)
  if (!mayAct((claims as { may_act?: unknown }).may_act, actor ?? { sub: client.client_id })) {
    throw tokenRefused('subject_token', 'The subject token does not let this party act')
  }
  const act = nestActor(actor, claims.act)
  const { issuer } = context.tenant
  const allowed = client.token_exchange?.resources ?? []
  // What was sent here reaches a connection by a way of its own, which asks what its user allowed: exchange_connection.ts.
  const policy = own ? allowed : allowed.filter((name) => connectorOfResource(issuer, name) === null)
  const role = requireRole(client, user, asked.params.values['role'], living.role)
  const { resource, scope } = decideTarget(context, asked, {
    ...{ user, role, inherited: living.scope },
    resources: own ? [...living.resource, ...policy] : policy,
    consented: consentedScopes(context, asked, living, { grant, own }),
  })
  const { narrowed } = narrowDetails(asked.params, heldDetails({ living, grant, own }))
  const [tenant_epoch, , user_epoch, session_epoch] = claims.ep
  const token = await issueAccessToken(context, {
    ...{ configuration, scope, resource, cnf, act, user, now: authority.now },
    // Where one client knows the user by another name only, no other learns more by it.
    client: claims.sub.startsWith(PAIRWISE) ? { ...client, subject_type: 'pairwise' } : client,
    // What the token presented may not do of its grant, what comes of it may not either.
    authorization_details: narrowed ?? claims.authorization_details,
    epochs: [tenant_epoch, authority.client!.epoch, user_epoch, session_epoch],
    grant: { ...grant, grant_id: claims.grant_id! },
    ...(grant.role === null && role !== null && { one_role: role }),
    ends_at: claims.exp * 1000,
    exchanged_from: descend(living),
  })
  if (actor === null && !own) await recordImpersonation(context, asked, living, resource)
  return { token, scope, authorization_details: narrowed }
}

/** What a token presented may do of its grant's details; of another client's, no more than it says by itself. */
function heldDetails({ living, grant, own }: Pick<Subject, 'living' | 'grant' | 'own'>): string | null {
  const said = living.claims.authorization_details
  if (said !== undefined) return JSON.stringify(said)
  return own ? grant.authorization_details : null
}

/** What the new token descends from: the one presented, and what that one descends from. */
export function descend({ claims, kid }: LivingToken): readonly Forebear[] {
  const { exchanged_from = [], client_id, ep, jti } = claims
  if (exchanged_from.length >= MOST_EXCHANGES) {
    throw new OAuthError('invalid_request', `Parameter subject_token comes of ${MOST_EXCHANGES} exchanges already`)
  }
  return [...exchanged_from, [client_id, ep[1], jti, kid]]
}

/**
 * The scopes that the user stands behind: at the resources of a client's own token what it has, elsewhere what the grant
 * has. Those that the user has not allowed are for trusted clients alone.
 */
function consentedScopes(
  { tenant: { issuer } }: InboundContext,
  { params, client, configuration }: Asked,
  living: LivingToken,
  { grant, own }: { readonly grant: { readonly scope: string }; readonly own: boolean },
): ScopeSet | null {
  const elsewhere = client.trusted ? null : grant.scope.split(' ')
  const requested = [...params.resource, ...params.audience]
  const kept = own ? requested.filter((name) => living.resource.includes(name)) : []
  if (kept.length === 0) return elsewhere
  if (kept.length === requested.length) return living.scope
  const held = scopesOfResources(issuer, configuration, kept)
  return { includes: (scope) => (held.includes(scope) ? living.scope : elsewhere)?.includes(scope) ?? true }
}

/** A token that may be presented: the client's own, or one that was sent to a resource that it stands for. */
export interface Subject {
  readonly living: LivingToken
  readonly grant: NonNullable<LivingToken['authority']['grant']>
  readonly user: UserRecord
  readonly own: boolean
}

/** The token presented, its user and its grant; one refusal for all reasons. */
export async function findSubject(
  context: InboundContext,
  { client, configuration, cnf }: Asked,
  subject_token: string,
): Promise<Subject> {
  const { living, reason } = await findLivingToken(context, subject_token, '')
  const text = 'The subject token is unknown, expired, revoked or not for you to present'
  const refuse = (cause: string) => tokenRefused('subject_token', text, cause)
  if (!living) throw refuse(reason ?? '')
  const { grant } = living.authority
  if (!grant || living.user_id === null || living.claims.grant_id === undefined) throw refuse('without a grant')
  const own = living.claims.client_id === client.client_id
  const stands_for = resourcesOfCaller(configuration, client.client_id)
  if (!own && !living.resource.some((name) => stands_for.includes(name))) throw refuse('sent to somebody else')
  if (!own && !isConfidential(client)) throw refuse('a public client stands for nobody')
  // A resource server is shown tokens whose key it does not have; a client has to show its own.
  if (own) requireKeyOfToken('subject_token', client, living.claims.cnf, cnf)
  const user = await findUser(context, living.user_id)
  if (!user) throw refuse('its user is gone')
  return { living, grant, user, own }
}

async function findUser({ tenant }: InboundContext, user_id: string): Promise<UserRecord | null> {
  const found = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id })
  if (!found) return null
  const { password_hash: _, ...user } = found
  return user
}

/**
 * Who acts (RFC 8693 section 1.1): whoever the actor token speaks for, else the client itself. Null where nobody is to be
 * named: a token of the client's own stays its own, and impersonation is for the client's policy to allow.
 */
async function findActor(
  context: InboundContext,
  { client, cnf }: Asked,
  { actor }: ExchangeRequest,
  own: boolean,
): Promise<Actor | null> {
  if (actor === null) {
    return own || client.token_exchange?.impersonation === true ? null : { sub: client.client_id }
  }
  const { living, reason } = await findLivingToken(context, actor.token, '')
  if (!living || living.claims.client_id !== client.client_id) {
    const cause = reason ?? 'issued to another client'
    throw tokenRefused('actor_token', 'The actor token is unknown, expired, revoked or not yours', cause)
  }
  requireKeyOfToken('actor_token', client, living.claims.cnf, cnf)
  const { sub: name, act } = living.claims
  // A name that one resource alone knows its user by does not travel on to others.
  const sub = name.startsWith(PAIRWISE) ? client.client_id : name
  return act === undefined ? { sub } : { sub, act }
}

/**
 * An ID token of ours that this client was given: for trusted clients that prove themselves, while the grant lives that
 * it was issued under, and the session of which it speaks.
 */
async function exchangeIdToken(...[context, asked, wanted]: Parameters<Exchange>): ReturnType<Exchange> {
  const { tenant } = context
  const { client, authority, configuration } = asked
  const claims = verifyOwnJwt(wanted.subject_token, 'JWT', (kid) => configuration.verifying_keys.get(kid))
  const refuse = (cause: string) =>
    tokenRefused('subject_token', 'The subject token is not a living ID token of this client', cause)
  if (!client.trusted) throw refuse('the client is not trusted')
  // ID tokens travel in URLs (`id_token_hint`): by themselves they prove nothing of who shows them.
  if (!isConfidential(client)) throw refuse('the client is public')
  if (claims?.['iss'] !== tenant.issuer || claims['aud'] !== client.client_id) throw refuse('not issued to it')
  const { exp, sid, sub, grant_id } = claims
  if (typeof exp !== 'number' || exp * 1000 <= authority.now) throw refuse('expired')
  if (typeof sid !== 'string' || typeof grant_id !== 'string') throw refuse('without a session or a grant')
  const { tenant_id, store } = tenant
  const { client_id } = client
  const [issued, found] = await Promise.all([
    store.loadGrantAuthority({ tenant_id, client_id, grant_id }),
    store.findSessionBySid({ tenant_id, sid }),
  ])
  const dead = issued && whyGrantIsDead(issued)
  if (dead !== null || issued?.grant?.client_id !== client_id) throw refuse(dead ?? 'no such grant')
  if (!found || subjectOf(tenant, client, found.user.user_id) !== sub) throw refuse('its session has ended')
  const { session, user } = found
  if (!meetsPolicy(configuration.settings, user, session.acr)) throw refuse('its session has too few factors')
  refuseDetails(asked)
  const role = requireRole(client, user, asked.params.values['role'], issued.grant.role)
  const act = await findActor(context, asked, wanted, true)
  const resources = client.token_exchange?.resources ?? []
  const target = decideTarget(context, asked, { user, role, resources, consented: null, inherited: [] })
  const { auth_time, acr, amr } = session
  const token = await issueAsserted(context, asked, {
    ...{ ...target, user, role, session, signed_in: { auth_time, acr, amr }, ends_at: exp * 1000 },
    ...(act && { act }),
    detail: { grant_type: 'token-exchange', subject_token_type: 'id_token' },
  })
  return { token, scope: target.scope }
}

/** A JWT of an issuer that the tenant trusts, brought by a client that may; good once (RFC 7523 section 3). */
async function exchangeAssertion(...[context, asked, wanted]: Parameters<Exchange>): ReturnType<Exchange> {
  const { client, authority } = asked
  const { client_id } = client
  const { now } = authority
  const asserted = await verifyAssertion(context, wanted.subject_token, { client_id, now, parameter: 'subject_token' })
  const { user, claims, rules, proof } = asserted
  const actor = await findActor(context, asked, wanted, false)
  const act = nestActor(actor, readActor(claims['act'], claims.iss))
  if (!mayAct(claims['may_act'], actor ?? { sub: client_id })) {
    throw tokenRefused('subject_token', 'The subject token does not let this party act')
  }
  const role = requireRole(client, user, asked.params.values['role'])
  refuseDetails(asked)
  const resources = client.token_exchange?.resources ?? []
  const target = decideTarget(context, asked, {
    ...{ user, role, resources, consented: parseScope(rules.scope), inherited: [] },
  })
  const token = await issueAsserted(context, asked, {
    ...{ ...target, user, role, session: null, proof, act, ends_at: claims.exp * 1000 },
    signed_in: { auth_time: readAuthTime(claims['auth_time'], now), acr: null, amr: null },
    detail: { grant_type: 'token-exchange', issuer: claims.iss },
  })
  return { token, scope: target.scope }
}

// What says who somebody is carries no details that could be asked for (RFC 9396 section 6).
function refuseDetails({ params }: Asked): void {
  narrowDetails(params, null)
}

// A token that hides who acts is the exception, and each one is written down, with the proofs that it rests on.
async function recordImpersonation(
  { tenant }: InboundContext,
  { client, proofs }: Asked,
  { claims, user_id }: LivingToken,
  resource: readonly string[],
): Promise<void> {
  const { client_id } = client
  const about = { client_id, user_id, grant_id: claims.grant_id ?? null, detail: { resource } }
  await tenant.store.acceptProofs({
    ...{ tenant_id: tenant.tenant_id, proofs: proofs.list() },
    event: event(tenant, 'token.impersonated', `client:${client_id}`, about),
  })
  proofs.settle()
}
