import {
  type AuthorizationServer,
  allowInsecureRequests,
  clockSkew,
  customFetch,
  getValidatedIdTokenClaims,
  processAuthorizationCodeResponse,
  validateApplicationLevelSignature,
} from 'oauth4webapi'
import type { RelyingContext, RelyingParty } from './context.ts'
import { DiscoveryError, discoverProvider, hasIssuer } from './discovery.ts'
import type { IdTokenClaims } from './outcome.ts'
import { readJsonObject } from './read_json.ts'
import { fetchJson } from './wire.ts'

/** What an ID token turned out to be; `unknown` where the provider's keys could not be had. */
export type IdTokenOutcome =
  | { readonly kind: 'valid'; readonly claims: IdTokenClaims }
  | { readonly kind: 'invalid'; readonly cause: Error }
  | { readonly kind: 'unknown'; readonly cause: Error }

/** What an ID token is held against. */
export interface IdTokenInput {
  readonly id_token: string
  /** The nonce that was sent; null where none was, and then none may come back. */
  readonly nonce: string | null
  /** The user that it must name, where one is known already (OpenID Connect Core 1.0 section 12.2). */
  readonly sub?: string
}

/** True where there is something to hold an ID token against: an issuer and its keys. */
export async function canValidateIdToken(context: RelyingContext, party: RelyingParty): Promise<boolean> {
  const server = await discoverProvider(context, party.provider)
  return hasIssuer(server) && server.jwks_uri !== undefined
}

/**
 * Validates an ID token (OpenID Connect Core 1.0 section 3.1.3.7): signature by the provider's keys, iss, aud, azp,
 * exp, nonce. Unsigned and symmetrically signed ones are refused.
 */
export async function validateIdToken(
  context: RelyingContext,
  party: RelyingParty,
  input: IdTokenInput,
): Promise<IdTokenOutcome> {
  try {
    const server = await discoverProvider(context, party.provider)
    if (!hasIssuer(server)) throw new Error('The provider has no issuer to hold an ID token against')
    return { kind: 'valid', claims: await readClaims(context, party, server, input) }
  } catch (thrown) {
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown))
    return { kind: cause instanceof DiscoveryError ? 'unknown' : 'invalid', cause }
  }
}

async function readClaims(
  context: RelyingContext,
  party: RelyingParty,
  server: AuthorizationServer,
  { id_token, nonce, sub }: IdTokenInput,
): Promise<IdTokenClaims> {
  const { client_id, provider } = party
  // The library reads the system's clock; this makes it ours.
  const client = { client_id, [clockSkew]: Math.round((context.clock() - Date.now()) / 1000) }
  // The library validates ID tokens only inside of a token answer: one is made around it.
  const answer = Response.json({ access_token: 'unused', token_type: 'bearer', id_token })
  const options = { requireIdToken: true, ...(nonce === null ? {} : { expectedNonce: nonce }) }
  const issuer = readTemplateIssuer(provider.id_token_issuer, id_token) ?? server.issuer
  const result = await processAuthorizationCodeResponse({ ...server, issuer }, client, answer, options)
  // The library remembers keys by this very object, which discovery keeps for as long as it is fresh.
  await validateApplicationLevelSignature(server, answer, {
    [customFetch]: fetchKeys(context),
    [allowInsecureRequests]: context.egress.mayUseHttp(server.jwks_uri ?? ''),
  })
  const claims = getValidatedIdTokenClaims(result)!
  if (claims.azp !== undefined && claims.azp !== client_id) throw new Error('The azp of the ID token is not us')
  if (sub !== undefined && claims.sub !== sub) throw new Error('The ID token names another user')
  return claims as IdTokenClaims
}

// Keys that cannot be had are no verdict on the token.
function fetchKeys({ egress }: RelyingContext): ReturnType<typeof fetchJson> {
  return async (url, request) => {
    let cause: unknown
    try {
      const response = await fetchJson(egress, 'jwks')(url, request)
      if (response.status === 200) return response
    } catch (thrown) {
      cause = thrown
    }
    throw new DiscoveryError('unreachable', 'The keys of the provider could not be fetched', { cause })
  }
}

// An authority that serves many tenants writes the tenant into each token's issuer: which one is read from the token
// itself, whose signature is checked all the same.
function readTemplateIssuer(template: string | null, id_token: string): string | null {
  if (template === null) return null
  const claims = readJsonObject(Buffer.from(id_token.split('.')[1] ?? '', 'base64url').toString())
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = claims[name]
    return typeof value === 'string' && /^[\w-]{1,128}$/.test(value) ? value : '(missing)'
  })
}
