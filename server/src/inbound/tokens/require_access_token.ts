import { buildChallenge, type ChallengeParams } from '../../oauth/challenge.ts'
import { DPOP_ALGORITHMS } from '../../oauth/dpop.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { isSubset } from '../../oauth/scope.ts'
import { tokenType } from '../../oauth/sender_constraint.ts'
import { Proofs, refuseReplays } from '../client_authentication/proofs.ts'
import { readDpop, type Shown } from '../client_authentication/sender_constraint.ts'
import { readMetadata } from '../clients/client_record.ts'
import type { InboundContext } from '../context.ts'
import { findLivingToken, type LivingToken } from './access_tokens.ts'
import { noteTokenUse } from './permanent_tokens.ts'

/** A request to one of our own resources: what of its head says who may do it. */
export interface ResourceRequest extends Shown {
  readonly authorization: string | undefined
}

/** What a resource asks of the token of a request. */
interface Asked {
  readonly audience: readonly string[]
  readonly scope: readonly string[]
  /** Any one of these will do instead. */
  readonly or_scope?: readonly string[]
  /** Where the metadata of the resource is (RFC 9728 section 5.1). */
  readonly resource_metadata?: string
}

type Scheme = 'Bearer' | 'DPoP'

const ALGS = DPOP_ALGORITHMS.join(' ')
const AUTHORIZATION = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*)$/i

/**
 * The living token of an Authorization header, meant for one of our own resources (RFC 6750 section 2.1), and shown by
 * whoever it is bound to (RFC 9449 section 7.1).
 */
export async function requireAccessToken(
  context: InboundContext,
  request: ResourceRequest,
  asked: Asked,
): Promise<LivingToken> {
  const realm = context.tenant.issuer
  const { authorization } = request
  const { resource_metadata } = asked
  if (authorization === undefined) {
    const params = { realm, resource_metadata }
    const challenges = [buildChallenge('Bearer', params), buildChallenge('DPoP', { ...params, algs: ALGS })]
    throw new OAuthError('invalid_token', 'The request has no access token', {
      headers: { 'WWW-Authenticate': challenges.join(', ') },
    })
  }
  const [, named, token] = AUTHORIZATION.exec(authorization) ?? []
  const scheme = named?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer'
  let right_scheme: Scheme = scheme
  try {
    if (token === undefined) {
      throw new OAuthError('invalid_request', 'The Authorization header must be Bearer or DPoP and one token')
    }
    const { living, reason } = await findLivingToken(context, token, '')
    if (!living) {
      throw new OAuthError('invalid_token', 'The access token is unknown, expired or revoked', { cause: reason ?? '' })
    }
    right_scheme = tokenType(living.claims.cnf)
    checkRights(living, asked)
    await checkSender(context, request, { living, token, scheme })
    await noteTokenUse(context.tenant, living)
    return living
  } catch (error) {
    throw error instanceof OAuthError ? challenge(error, realm, right_scheme, asked) : error
  }
}

function checkRights({ claims, scope }: LivingToken, asked: Asked): void {
  const aud = [claims.aud].flat()
  if (!asked.audience.some((resource) => aud.includes(resource))) {
    throw new OAuthError('invalid_token', 'The access token is meant for another resource')
  }
  if (!isSubset(asked.scope, scope) && !asked.or_scope?.some((name) => scope.includes(name))) {
    throw new OAuthError('insufficient_scope', `The access token needs scope ${asked.scope.join(' ')}`)
  }
}

/** Holds the sender against the binding of the token: what is bound is never taken from the bearer (RFC 9449 section 7.2). */
async function checkSender(
  context: InboundContext,
  request: ResourceRequest,
  presented: { readonly living: LivingToken; readonly token: string; readonly scheme: Scheme },
): Promise<void> {
  const { living, token, scheme } = presented
  const { claims, authority } = living
  if (scheme !== tokenType(claims.cnf)) {
    const what = scheme === 'DPoP' ? 'is not bound to a DPoP key: its scheme is Bearer' : 'is bound to a DPoP key'
    throw new OAuthError('invalid_token', `The access token ${what}`)
  }
  const certified = claims.cnf?.['x5t#S256']
  if (certified !== undefined && request.certificate?.thumbprint !== certified) {
    throw new OAuthError('invalid_token', 'The access token is bound to a TLS certificate that was not shown')
  }
  if (scheme === 'Bearer') return
  const { require_dpop_nonce } = readMetadata(authority.token_client!.metadata)
  const { now } = authority
  const dpop = readDpop(context, request, { now, nonce_required: require_dpop_nonce === true, access_token: token })
  if (!dpop) throw new OAuthError('invalid_dpop_proof', 'The request has no DPoP header')
  if (dpop.jkt !== claims.cnf!.jkt) {
    throw new OAuthError('invalid_token', 'The access token is bound to another key than that of the DPoP proof')
  }
  const proofs = new Proofs([dpop.proof])
  await refuseReplays(context.tenant.issuer, () => proofs.accept(context))
}

/** The refusal with the challenge that says how to do better (RFC 6750 section 3, RFC 9449 section 7.1). */
function challenge(error: OAuthError, realm: string, scheme: Scheme, asked: Asked): OAuthError {
  const { error: code, error_description, cause } = error
  const params: ChallengeParams = {
    realm,
    error: code,
    error_description,
    ...(code === 'insufficient_scope' ? { scope: asked.scope.join(' ') } : {}),
    resource_metadata: asked.resource_metadata,
  }
  const value = scheme === 'DPoP' ? buildChallenge('DPoP', { ...params, algs: ALGS }) : buildChallenge('Bearer', params)
  const status = code === 'invalid_dpop_proof' || code === 'use_dpop_nonce' ? 401 : error.status
  const headers = { ...error.headers, 'WWW-Authenticate': value }
  return new OAuthError(code, error_description, { status, headers, ...(cause === undefined ? {} : { cause }) })
}
