import { OAuthError } from './errors.ts'

const LONGEST_RESOURCE = 2048
const MOST_RESOURCES = 20
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=[\]]|%[0-9A-Fa-f]{2})+$/

/** Checks that a resource indicator is an absolute URI without fragment (RFC 8707 section 2). */
export function validateResource(resource: string): void {
  if (resource.length > LONGEST_RESOURCE) throw new OAuthError('invalid_target', 'Parameter resource is too long')
  if (resource.includes('#')) throw new OAuthError('invalid_target', 'Parameter resource must not have a fragment')
  if (!ABSOLUTE_URI.test(resource)) throw new OAuthError('invalid_target', 'Parameter resource must be an absolute URI')
}

/** What `decideResources` looks at. */
export interface ResourceQuestion {
  /** The `resource` parameters of the request. */
  requested: readonly string[]
  /** The resources a grant already has; their presence makes this a narrowing (RFC 8707 section 2.2). */
  granted?: readonly string[] | undefined
  /** The tenant's resources, or those of them that the request names. */
  registered: { has(resource: string): boolean }
  /** The client's own default, used when the request names none. */
  default_resource?: string | undefined
  /** The tenant's issuer, itself a resource, and the last default. */
  issuer: string
}

/**
 * The resources a token is for (RFC 8707 section 2): those the request names, each registered under exactly this
 * string, else the grant's, else the client's default, else the issuer. A request against a grant may only choose
 * from what was granted and is still there. Everything else is `invalid_target`.
 */
export function decideResources(question: ResourceQuestion): readonly string[] {
  const { requested, granted, registered, issuer } = question
  if (requested.length === 0) {
    if (granted !== undefined) return stillRegistered(question, granted)
    const resource = question.default_resource ?? issuer
    if (resource !== issuer && !registered.has(resource)) {
      throw new OAuthError(
        'invalid_target',
        "The client's default resource is not registered; name one with parameter resource",
      )
    }
    return [resource]
  }
  if (requested.length > MOST_RESOURCES) throw new OAuthError('invalid_target', 'Parameter resource is given too often')
  const resources: string[] = []
  for (const resource of requested) {
    if (granted !== undefined && !granted.includes(resource)) {
      validateResource(resource)
      throw new OAuthError('invalid_target', `Resource '${shorten(resource)}' is not part of the grant`)
    }
    if (resource !== issuer && !registered.has(resource)) {
      validateResource(resource)
      throw new OAuthError('invalid_target', `Resource '${shorten(resource)}' is not registered here`)
    }
    if (!resources.includes(resource)) resources.push(resource)
  }
  return resources
}

// A resource that was deleted since gets no tokens, and takes none of the others with it.
function stillRegistered({ registered, issuer }: ResourceQuestion, granted: readonly string[]): readonly string[] {
  const left = granted.filter((resource) => resource === issuer || registered.has(resource))
  if (left.length > 0 || granted.length === 0) return left
  throw new OAuthError('invalid_target', 'None of the resources of the grant is registered any more')
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}
