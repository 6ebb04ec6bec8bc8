import { OAuthError } from '../oauth_error.ts'
import { type Asking, AuthorizationServer } from './authorization_server.ts'
import { type Claims, readJwtClaims } from './claims.ts'
import { Introspector } from './introspection.ts'
import { JwtVerifier, readJwt } from './jwt_access_token.ts'
import { ALGORITHMS } from './key_set.ts'
import { type AuthorizationServerOptions, type ResourceOptions, readCount, readSeconds } from './options.ts'
import { RevocationFeed } from './revocation_feed.ts'

/** Reads access tokens of both forms: JWTs here, opaque ones by asking the server that is set up for it. */
export class TokenReader {
  /** The issuers whose tokens are accepted. */
  readonly issuers: readonly string[]
  readonly #jwts: JwtVerifier
  readonly #feeds = new Map<string, RevocationFeed>()
  readonly #introspection:
    | { readonly introspector: Introspector; readonly issuer: string; readonly jwt: boolean }
    | undefined

  constructor(options: ResourceOptions, clock: () => number) {
    const asking = readAsking(options, clock)
    const list = listServers(options)
    const servers = new Map<string, AuthorizationServer>()
    for (const { issuer, jwks_uri, introspection, revocation } of list) {
      if (servers.has(issuer)) throw new TypeError('authorization_servers names an issuer twice')
      const server = new AuthorizationServer(issuer, jwks_uri, asking)
      servers.set(issuer, server)
      if (revocation !== undefined) this.#feeds.set(issuer, new RevocationFeed(server, revocation, asking))
      if (introspection === undefined) continue
      // An opaque token does not say whose it is, and asking around would show it to servers that did not issue it.
      if (this.#introspection !== undefined) throw new TypeError('Only one authorization server can have introspection')
      const introspector = new Introspector(server, introspection, asking)
      this.#introspection = { introspector, issuer, jwt: introspection.jwt ?? false }
    }
    this.issuers = [...servers.keys()]
    const cache_entries = readCount(options.jwt_cache_entries, 'jwt_cache_entries', 1000)
    this.#jwts = new JwtVerifier(servers, readAlgorithms(options), cache_entries)
  }

  /** The claims of a genuine token. Time, audience and rights are still to be checked. */
  async read(token: string): Promise<Claims> {
    const introspection = this.#introspection
    const jwt = readJwt(token)
    if (jwt === undefined) {
      if (introspection !== undefined) return await introspection.introspector.introspect(token)
      throw new OAuthError('invalid_token', 'The access token is not a JWT, and this resource takes no others')
    }
    const claims = await this.#jwts.verify(jwt)
    await this.#feeds.get(claims.iss)?.check(claims, jwt.header.kid)
    if (introspection?.jwt !== true || introspection.issuer !== claims.iss) return claims
    // The server knows better what the token may do now.
    const answer = await introspection.introspector.introspect(token)
    return readJwtClaims({ ...claims.raw, ...answer.raw })
  }
}

function listServers(options: ResourceOptions): readonly AuthorizationServerOptions[] {
  if (options.issuer !== undefined && options.authorization_servers !== undefined) {
    throw new TypeError('Give either issuer or authorization_servers')
  }
  if (options.issuer !== undefined) return [options as AuthorizationServerOptions]
  const list = options.authorization_servers ?? []
  if (list.length === 0) throw new TypeError('issuer or authorization_servers must be given')
  return list.map((server) => (typeof server === 'string' ? { issuer: server } : server))
}

function readAlgorithms({ algorithms = ALGORITHMS }: ResourceOptions) {
  if (algorithms.length > 0 && algorithms.every((algorithm) => ALGORITHMS.includes(algorithm))) return algorithms
  throw new TypeError(`algorithms must be some of ${ALGORITHMS.join(', ')}`)
}

function readAsking(options: ResourceOptions, clock: () => number): Asking {
  return {
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    clock,
    timeout_seconds: readSeconds(options.timeout_seconds, 'timeout_seconds', 5, 60),
    keeping: {
      max_age_seconds: readSeconds(options.jwks_max_age_seconds, 'jwks_max_age_seconds', 600),
      stale_seconds: readSeconds(options.jwks_stale_seconds, 'jwks_stale_seconds', 3600),
      cooldown_seconds: readSeconds(options.jwks_cooldown_seconds, 'jwks_cooldown_seconds', 30),
    },
  }
}
