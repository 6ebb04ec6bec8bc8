import { base64url } from 'jose'

/** SHA-256 of a token: what caches are keyed by, so that they hold nothing that could be presented. */
export async function hashToken(token: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return base64url.encode(new Uint8Array(digest))
}
