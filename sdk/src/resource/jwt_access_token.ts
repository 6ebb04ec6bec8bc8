import { compactVerify } from 'jose'
import { OAuthError } from '../oauth_error.ts'
import type { AuthorizationServer } from './authorization_server.ts'
import { type Claims, readJwtClaims } from './claims.ts'
import { decodeJson, isCanonical, splitJws } from './compact_jws.ts'
import { type Algorithm, findKey, type KeySet } from './key_set.ts'
import { RecentMap } from './recent_map.ts'
import { hashToken } from './token_hash.ts'

/** A token in the form of a JWT whose signature nobody has looked at yet. */
export interface UnverifiedJwt {
  readonly token: string
  readonly header: Readonly<Record<string, unknown>>
}

/** Claims whose signature was verified with a key of `keys`. */
interface Verified {
  readonly claims: Claims
  readonly keys: KeySet
}

/** The header of a token in JWS compact form (RFC 7515 section 7.1); undefined for every other token. */
export function readJwt(token: string): UnverifiedJwt | undefined {
  const parts = splitJws(token)
  const header = parts && decodeJson(parts[0])
  return header === undefined || typeof header.alg !== 'string' ? undefined : { token, header }
}

/** Verifies JWT access tokens of the trusted servers (RFC 9068 section 4). */
export class JwtVerifier {
  readonly #servers: ReadonlyMap<string, AuthorizationServer>
  readonly #algorithms: readonly Algorithm[]
  readonly #verified: RecentMap<Verified> | undefined

  constructor(
    servers: ReadonlyMap<string, AuthorizationServer>,
    algorithms: readonly Algorithm[],
    cache_entries: number,
  ) {
    this.#servers = servers
    this.#algorithms = algorithms
    this.#verified = cache_entries > 0 ? new RecentMap(cache_entries) : undefined
  }

  /**
   * The claims of a token with a good signature; whether they are acceptable now is checkClaims' business. A cached
   * result serves only while the very key set that verified it is the server's current one.
   */
  async verify(jwt: UnverifiedJwt): Promise<Claims> {
    if (this.#verified === undefined) return (await this.#verifySignature(jwt)).claims
    const hash = await hashToken(jwt.token)
    const known = this.#verified.get(hash)
    if (known !== undefined && known.keys === (await this.#serverOf(known.claims.iss).keys())) return known.claims
    const verified = await this.#verifySignature(jwt)
    this.#verified.set(hash, verified)
    return verified.claims
  }

  async #verifySignature({ token, header }: UnverifiedJwt): Promise<Verified> {
    const { alg, kid } = this.#checkHeader(header)
    const [, payload, signature] = splitJws(token)!
    const raw = decodeJson(payload)
    if (raw === undefined) throw invalid('The payload of the access token is not a JSON object')
    const server = this.#serverOf(raw.iss)
    const { key, keys } = await findServerKey(server, alg, kid)
    if (!isCanonical(signature)) throw invalid('The signature of the access token is malformed')
    try {
      await compactVerify(token, key, { algorithms: [alg] })
    } catch (cause) {
      throw invalid('The signature of the access token is wrong', cause)
    }
    return { claims: readJwtClaims(raw), keys }
  }

  /** Type, algorithm and extensions (RFC 9068 section 4, RFC 8725 sections 3.1 and 3.11, RFC 7515 section 4.1.11). */
  #checkHeader({ typ, alg, kid, crit, b64 }: UnverifiedJwt['header']): { alg: Algorithm; kid: string | undefined } {
    const type = typeof typ === 'string' ? typ.toLowerCase() : undefined
    if (type !== 'at+jwt' && type !== 'application/at+jwt') throw invalid('The JWT is not of the type at+jwt')
    const allowed = this.#algorithms.find((algorithm) => algorithm === alg)
    if (allowed === undefined) throw invalid('The algorithm of the access token is not accepted')
    if (crit !== undefined || b64 !== undefined) throw invalid('The access token uses a JWS extension')
    if (kid !== undefined && typeof kid !== 'string') throw invalid('The kid of the access token is not a string')
    return { alg: allowed, kid }
  }

  #serverOf(iss: unknown): AuthorizationServer {
    const server = typeof iss === 'string' ? this.#servers.get(iss) : undefined
    if (server === undefined) throw invalid('The issuer of the access token is not trusted')
    return server
  }
}

async function findServerKey(server: AuthorizationServer, alg: Algorithm, kid: string | undefined) {
  let keys = await server.keys()
  let key = findKey(keys, alg, kid)
  if (key === undefined) {
    // The server may have rotated its keys since they were fetched.
    keys = await server.keys('missed')
    key = findKey(keys, alg, kid)
  }
  if (key === undefined) throw invalid('The access token is signed with an unknown key')
  if (key === 'ambiguous') throw invalid('The header of the access token does not single out one key')
  return { key, keys }
}

function invalid(error_description: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_token', error_description, { cause })
}
