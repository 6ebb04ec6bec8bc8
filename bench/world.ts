import { createHash } from 'node:crypto'

// The same small world on every server of the benchmark.

/** A resource whose access tokens are JWTs. */
export const JWT_RESOURCE = 'https://jwt.example/api'
/** A resource whose access tokens are opaque. */
export const OPAQUE_RESOURCE = 'https://opaque.example/api'
/** The scope of both. */
export const SCOPE = 'api:read'

export const REDIRECT_URI = 'https://app.example/callback'
export const CODE_VERIFIER = 'v'.repeat(43)
export const CODE_CHALLENGE = createHash('sha256').update(CODE_VERIFIER).digest('base64url')

/** The secret of every client. */
export const CLIENT_SECRET = 'a-secret-of-the-benchmark-that-is-long-enough'
/** `web` asks for users, `machine` for itself, `api` is a resource server. */
export type ClientId = 'web' | 'machine' | 'api'
/** How many users take turns. */
export const USERS = 100

/** Codes to make: for which scope, and which resource. */
export interface CodeOrder {
  readonly count: number
  readonly scope: string
  readonly resource: string
}

/** HTTP Basic of a client (RFC 6749 section 2.3.1). */
export function basic(client_id: ClientId): string {
  return `Basic ${Buffer.from(`${client_id}:${CLIENT_SECRET}`).toString('base64')}`
}
