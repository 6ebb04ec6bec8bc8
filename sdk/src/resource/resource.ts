import { OAuthError } from '../oauth_error.ts'
import { type Access, checkAccess, checkRequirements, type Requirements, toAccess } from './access.ts'
import { addChallenge, type Challenger } from './challenge.ts'
import { checkClaims } from './claims.ts'
import { type ResourceOptions, readSeconds } from './options.ts'
import { type RequestLike, readPresentedToken, readScheme, type Scheme } from './presented_token.ts'
import {
  answerMetadata,
  describeResource,
  metadataUrl,
  type ProtectedResourceMetadata,
} from './protected_resource_metadata.ts'
import { readSecureUrl } from './secure_url.ts'
import { SenderConstraint } from './sender_constraint.ts'
import { TokenReader } from './token_reader.ts'

export { OAuthError, type OAuthErrorCode } from '../oauth_error.ts'
export type { Access, Requirements } from './access.ts'
export type { Actor } from './claims.ts'
export type { DpopAlgorithm } from './dpop_proof.ts'
export type { Fetch } from './fetch_json.ts'
export type { Algorithm } from './key_set.ts'
export type {
  AuthorizationServerOptions,
  DpopOptions,
  IntrospectionOptions,
  ResourceOptions,
  ResourceSettings,
  RevocationOptions,
} from './options.ts'
export type { RequestLike, Scheme } from './presented_token.ts'
export type { ProtectedResourceMetadata } from './protected_resource_metadata.ts'
export type { ReplayStore } from './replays.ts'

/** A handler that runs only when access was granted; further arguments of the runtime (env, context) are passed on. */
export type ProtectedHandler<Rest extends unknown[]> = (
  request: Request,
  access: Access,
  ...rest: Rest
) => Response | Promise<Response>

/** An API that takes access tokens, ready to decide about requests. */
export interface Resource {
  /** The resource identifier. */
  readonly resource: string
  /** Where the metadata is published (RFC 9728 section 3.1). */
  readonly metadata_url: string
  /**
   * Decides about a request. Resolves with the access; rejects with an OAuthError that is ready to be sent:
   * 400 invalid_request, 401 invalid_token, invalid_dpop_proof, use_dpop_nonce or insufficient_user_authentication, 403
   * insufficient_scope, 503 temporarily_unavailable when an authorization server is needed and does not answer (RFC
   * 6750, RFC 9068, RFC 9449, RFC 9470).
   */
  verify(request: RequestLike, requirements?: Requirements): Promise<Access>
  /** Holds an access, once it is there, against further requirements; throws the same refusals as verify. */
  require(access: Access, requirements: Requirements): void
  /** Puts verify in front of a fetch handler, answers its refusals, and serves the metadata. */
  protect<Rest extends unknown[]>(
    handler: ProtectedHandler<Rest>,
    requirements?: Requirements,
  ): (request: Request, ...rest: Rest) => Promise<Response>
  /** The metadata document (RFC 9728 section 2). */
  metadata(): ProtectedResourceMetadata
  /** The answer to a request for the metadata; undefined when the request is for something else (RFC 9728 section 3). */
  metadataResponse(request: Pick<RequestLike, 'method' | 'url'>): Response | undefined
}

const LARGEST_TOLERANCE = 10

/** Describes an API once; throws a TypeError when the description cannot be right. */
export function createResource(options: ResourceOptions): Resource {
  const clock = options.clock ?? Date.now
  const metadata_url = metadataUrl(readSecureUrl(options.resource, 'resource'))
  const given = options.clock_tolerance_seconds
  const clock_tolerance_seconds = readSeconds(given, 'clock_tolerance_seconds', LARGEST_TOLERANCE, LARGEST_TOLERANCE)
  const tokens = new TokenReader(options, clock)
  const senders = new SenderConstraint(options, clock)
  const metadata = describeResource(options, tokens.issuers, senders)
  const challenger: Challenger = {
    realm: options.realm,
    resource_metadata: metadata_url,
    algs: senders.algorithms.join(' '),
    schemes: senders.required ? ['DPoP'] : ['Bearer', 'DPoP'],
  }
  const metadataResponse: Resource['metadataResponse'] = (request) => answerMetadata(request, metadata_url, metadata)

  const refuse = (error: unknown, scheme: Scheme, requirements: Requirements, request?: RequestLike) => {
    if (!(error instanceof OAuthError)) return error
    const refusal = addChallenge(error, challenger, scheme, requirements)
    options.onRefusal?.(refusal, request)
    return refusal
  }

  const verify = async (request: RequestLike, requirements: Requirements = {}) => {
    checkRequirements(requirements)
    let scheme = senders.required ? 'DPoP' : readScheme(request)
    try {
      const presented = readPresentedToken(request)
      const claims = await tokens.read(presented.token)
      const now = clock()
      checkClaims(claims, { resource: options.resource, now, clock_tolerance_seconds })
      if (!senders.required) scheme = claims.token_type
      const sender = await senders.check(claims, presented, request)
      const access = toAccess(claims, sender.dpop_nonce)
      checkAccess(access, requirements, now)
      await sender.spend()
      return access
    } catch (error) {
      throw refuse(error, scheme, requirements, request)
    }
  }

  return {
    resource: options.resource,
    metadata_url,
    verify,
    require: (access, requirements) => {
      checkRequirements(requirements)
      try {
        checkAccess(access, requirements, clock())
      } catch (error) {
        throw refuse(error, access.token_type, requirements)
      }
    },
    protect: (handler, requirements = {}) => {
      checkRequirements(requirements)
      return async (request, ...rest) => {
        const answer = metadataResponse(request)
        if (answer !== undefined) return answer
        try {
          const access = await verify(request, requirements)
          return addNonce(await handler(request, access, ...rest), access)
        } catch (error) {
          if (error instanceof OAuthError) return error.getResponse()
          throw error
        }
      }
    },
    metadata: () => metadata,
    metadataResponse,
  }
}

/** The answer with the nonce for the client's next proof; an answer that was fetched from elsewhere cannot be changed. */
function addNonce(response: Response, { dpop_nonce }: Access): Response {
  if (dpop_nonce === undefined) return response
  const changeable = new Response(response.body, response)
  changeable.headers.set('dpop-nonce', dpop_nonce)
  return changeable
}
