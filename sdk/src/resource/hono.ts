import type { MiddlewareHandler } from 'hono'
import { OAuthError } from '../oauth_error.ts'
import { type Access, checkRequirements, type Requirements } from './access.ts'
import type { Resource } from './resource.ts'

/** What `protect` adds to Hono's context: `c.get('access')` or `c.var.access`. */
export type AccessEnv = { Variables: { access: Access } }

/**
 * Hono middleware that lets a request through when its access token is valid here and meets the requirements, and
 * answers it otherwise (RFC 6750 section 3). Metadata requests that pass by are answered too (RFC 9728 section 3).
 */
export function protect(resource: Resource, requirements: Requirements = {}): MiddlewareHandler<AccessEnv> {
  checkRequirements(requirements)
  return async (c, next) => {
    const answer = resource.metadataResponse(c.req.raw)
    if (answer !== undefined) return answer
    try {
      c.set('access', await resource.verify(c.req.raw, requirements))
    } catch (error) {
      if (error instanceof OAuthError) return error.getResponse()
      throw error
    }
    await next()
    const { dpop_nonce } = c.get('access')
    if (dpop_nonce !== undefined) c.header('dpop-nonce', dpop_nonce)
    return undefined
  }
}

/** Hono middleware that answers metadata requests, for an app whose protected routes do not cover the well-known path. */
export function serveMetadata(resource: Resource): MiddlewareHandler {
  return async (c, next) => resource.metadataResponse(c.req.raw) ?? (await next())
}
