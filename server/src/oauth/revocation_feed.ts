/** The `typ` of the signed feed: no other token of ours can be taken for it (RFC 8725 section 3.11). */
export const REVOCATION_FEED_TYPE = 'revocations+jwt'

/** One revocation as the feed says it, named as the claim of the token that it is compared with. */
export interface Revoked {
  readonly kind: 'jti' | 'grant_id' | 'client_id' | 'sub' | 'iss' | 'kid'
  readonly value: string
  readonly epoch: number | null
}

/**
 * The claims of the feed: tokens by `jti` or `grant_id`, and whatever a `kid` signed, are dead; tokens of a client, a
 * user or the issuer are dead when the epoch in their `ep` (tenant, client, user, session) is below the one here.
 */
export interface RevocationFeedClaims {
  readonly iss: string
  readonly aud: string
  readonly iat: number
  /** Where the next question goes on. */
  readonly cursor: string
  /** Whether there is more to ask for at once. */
  readonly more: boolean
  /** How long what is said here may still concern a token. */
  readonly keep_seconds: number
  readonly jti: readonly string[]
  readonly grant_id: readonly string[]
  readonly kid: readonly string[]
  readonly client_id: Readonly<Record<string, number>>
  readonly sub: Readonly<Record<string, number>>
  readonly epoch: number
}

/** Builds the claims of one answer of the feed. */
export function buildRevocationFeed(
  about: Pick<RevocationFeedClaims, 'iss' | 'aud' | 'cursor' | 'more' | 'keep_seconds'> & { readonly now: number },
  revoked: readonly Revoked[],
): RevocationFeedClaims {
  const values = (kind: Revoked['kind']) => revoked.filter((one) => one.kind === kind).map(({ value }) => value)
  const epochs = (kind: Revoked['kind']) =>
    // In their order, so that the latest of one value stays.
    Object.fromEntries(revoked.filter((one) => one.kind === kind).map(({ value, epoch }) => [value, epoch ?? 0]))
  return {
    iss: about.iss,
    aud: about.aud,
    iat: Math.floor(about.now / 1000),
    cursor: about.cursor,
    more: about.more,
    keep_seconds: about.keep_seconds,
    jti: values('jti'),
    grant_id: values('grant_id'),
    kid: values('kid'),
    client_id: epochs('client_id'),
    sub: epochs('sub'),
    epoch: Math.max(0, ...revoked.filter(({ kind }) => kind === 'iss').map(({ epoch }) => epoch ?? 0)),
  }
}

/** The number in a cursor; null for none, or for what is none of ours. */
export function readCursor(cursor: string | undefined): number | null {
  return cursor !== undefined && /^(0|[1-9]\d{0,14})$/.test(cursor) ? Number(cursor) : null
}
