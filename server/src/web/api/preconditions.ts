import { sha256 } from '../../crypto/hash.ts'
import { OAuthError } from '../../oauth/errors.ts'

/** The entity tag of a version (RFC 9110 section 8.8.3). */
export function entityTag(version: string): string {
  return `"${sha256(version).toString('base64url').slice(0, 27)}"`
}

/**
 * Refuses a change of what is no longer what was seen (RFC 9110 section 13.1.1), and one that does not say what it has
 * seen where it would overwrite what somebody else wrote (RFC 6585 section 3).
 */
export function checkIfMatch(if_match: string | undefined, version: string, required: boolean): void {
  if (if_match === undefined) {
    if (!required) return
    const text = 'The header If-Match is missing: it names the ETag of what is changed, so that no change is lost'
    throw new OAuthError('invalid_request', text, { status: 428 })
  }
  if (if_match.trim() === '*') return
  const tags = if_match.split(',').map((tag) => tag.trim())
  if (tags.some((tag) => !/^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) {
    throw new OAuthError('invalid_request', 'The header If-Match must be * or ETags in quotes')
  }
  // A weak one never matches here (RFC 9110 section 8.8.3.2).
  if (!tags.includes(entityTag(version))) throw stale()
}

/** The refusal of a change of what somebody else has changed since it was seen. */
export function stale(): OAuthError {
  return new OAuthError('invalid_request', 'It has changed since: read it again, and decide anew', { status: 412 })
}
