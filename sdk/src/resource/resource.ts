import { OAuthError } from '../oauth_error.ts'
import { type Access, checkAccess, checkRequirements, type Requirements, toAccess } from './access.ts'
import { type RequestLike, readBearerToken } from './bearer.ts'
import { addChallenge } from './challenge.ts'
import { checkClaims } from './claims.ts'
import { type ResourceOptions, readSeconds } from './options.ts'
import {
  answerMetadata,
  describeResource,
  metadataUrl,
  type ProtectedResourceMetadata,
} from './protected_resource_metadata.ts'
import { readSecureUrl } from './secure_url.ts'
import { TokenReader } from './token_reader.ts'

export { OAuthError, type OAuthErrorCode } from '../oauth_error.ts'
export type { Access, Requirements } from './access.ts'
export type { RequestLike } from './bearer.ts'
export type { Actor } from './claims.ts'
export type { Fetch } from './fetch_json.ts'
export type { Algorithm } from './key_set.ts'
export type {
  AuthorizationServerOptions,
  IntrospectionOptions,
  ResourceOptions,
  ResourceSettings,
} from './options.ts'
export type { ProtectedResourceMetadata } from './protected_resource_metadata.ts'

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
   * 400 invalid_request, 401 invalid_token or insufficient_user_authentication, 403 insufficient_scope, 503
   * temporarily_unavailable when an authorization server is needed and does not answer (RFC 6750, RFC 9068, RFC 9470).
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
  const metadata = describeResource(options, tokens.issuers)
  const metadataResponse: Resource['metadataResponse'] = (request) => answerMetadata(request, metadata_url, metadata)

  const refuse = (error: unknown, requirements: Requirements, request?: RequestLike) => {
    if (!(error instanceof OAuthError)) return error
    const refusal = addChallenge(error, { realm: options.realm, resource_metadata: metadata_url }, requirements)
    options.onRefusal?.(refusal, request)
    return refusal
  }

  const verify = async (request: RequestLike, requirements: Requirements = {}) => {
    checkRequirements(requirements)
    try {
      const claims = await tokens.read(readBearerToken(request))
      const now = clock()
      checkClaims(claims, { resource: options.resource, now, clock_tolerance_seconds })
      const access = toAccess(claims)
      checkAccess(access, requirements, now)
      return access
    } catch (error) {
      throw refuse(error, requirements, request)
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
        throw refuse(error, requirements)
      }
    },
    protect: (handler, requirements = {}) => {
      checkRequirements(requirements)
      return async (request, ...rest) => {
        const answer = metadataResponse(request)
        if (answer !== undefined) return answer
        try {
          return await handler(request, await verify(request, requirements), ...rest)
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
