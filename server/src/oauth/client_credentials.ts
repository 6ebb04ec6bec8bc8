import { JwtError, type UnverifiedJwt } from '../crypto/foreign_jwt.ts'
import { basicChallenge } from './challenge.ts'
import { methodOfAssertion, readClientAssertion } from './client_assertion.ts'
import type { Client } from './clients/client.ts'
import { OAuthError } from './errors.ts'
import type { Params } from './params.ts'

/** The one assertion type of client authentication (RFC 7523 section 2.2). */
export const JWT_BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** How a request says who its client is (RFC 6749 section 2.3, RFC 7521 section 4.2). */
export type ClientCredentials =
  | { method: 'none'; client_id: string }
  | { method: 'client_secret_post'; client_id: string; client_secret: string }
  | {
      method: 'client_secret_basic'
      client_id: string
      client_secret: string
      /** The secret as sent, where form-decoding changed it: many clients leave the encoding out. */
      verbatim_client_secret?: string
    }
  /** `private_key_jwt` or `client_secret_jwt`; the client is the one that the JWT names, nothing of it is verified. */
  | { method: 'client_assertion'; client_id: string; assertion: UnverifiedJwt }

/** What `readClientCredentials` looks at. */
export interface ClientAuthInput {
  /** The Authorization header. */
  authorization?: string | null | undefined
  params: Params
  /** What the 401 answer names as its realm: the issuer. */
  realm: string
}

/**
 * Reads the client's credentials, by exactly one method (RFC 6749 section 2.3). Credentials in a query string never
 * reach this function: `params` are those of the body. Nothing is verified here.
 */
export function readClientCredentials({ authorization, params, realm }: ClientAuthInput): ClientCredentials {
  const { client_id, client_secret, client_assertion, client_assertion_type } = params.values
  const assertion = client_assertion !== undefined || client_assertion_type !== undefined
  if (authorization !== undefined && authorization !== null && authorization !== '') {
    const basic = readBasic(authorization, realm)
    if (client_secret !== undefined || assertion) throw severalMethods()
    if (client_id !== undefined && client_id !== basic.client_id) {
      throw new OAuthError('invalid_request', 'Parameter client_id differs from the client of the Authorization header')
    }
    return basic
  }
  if (assertion) {
    if (client_secret !== undefined) throw severalMethods()
    return readAssertion(params, realm)
  }
  if (client_id === undefined) {
    if (client_secret !== undefined) throw new OAuthError('invalid_request', 'Parameter client_id is missing')
    throw clientAuthenticationError(realm, 'The request has no client credentials')
  }
  if (client_secret !== undefined) return { method: 'client_secret_post', client_id, client_secret }
  return { method: 'none', client_id }
}

function readAssertion(params: Params, realm: string): ClientCredentials {
  const { client_id, client_assertion, client_assertion_type } = params.values
  if (client_assertion === undefined) throw new OAuthError('invalid_request', 'Parameter client_assertion is missing')
  if (client_assertion_type !== JWT_BEARER_ASSERTION) {
    throw new OAuthError('invalid_request', `Parameter client_assertion_type must be ${JWT_BEARER_ASSERTION}`)
  }
  let read: ReturnType<typeof readClientAssertion>
  try {
    read = readClientAssertion(client_assertion)
  } catch (error) {
    if (!(error instanceof JwtError)) throw error
    throw clientAuthenticationError(realm, `Parameter client_assertion ${error.message}`)
  }
  // RFC 7521 section 4.2.
  if (client_id !== undefined && client_id !== read.client_id) {
    throw clientAuthenticationError(realm, 'Parameter client_id differs from the client that client_assertion names')
  }
  return { method: 'client_assertion', ...read }
}

const BASIC = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i

function readBasic(authorization: string, realm: string): ClientCredentials & { client_id: string } {
  const token = BASIC.exec(authorization)?.[1]
  if (token === undefined) throw clientAuthenticationError(realm, 'The Authorization header is not Basic with base64')
  const text = Buffer.from(token, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 1) throw clientAuthenticationError(realm, 'The Authorization header has no client_id before a colon')
  // A replacement character is what Buffer puts where the bytes were not UTF-8.
  if (/[\p{Cc}\ufffd]/u.test(text)) {
    throw clientAuthenticationError(realm, 'The Authorization header has a character that is not allowed')
  }
  const client_id = decodeFormPart(text.slice(0, colon), realm)
  const sent = text.slice(colon + 1)
  // RFC 6749 section 2.3.1: an empty secret is no secret.
  if (sent === '') return { method: 'none', client_id }
  const client_secret = decodeFormPart(sent, realm)
  if (client_secret === sent) return { method: 'client_secret_basic', client_id, client_secret }
  return { method: 'client_secret_basic', client_id, client_secret, verbatim_client_secret: sent }
}

/** Undoes the form encoding that RFC 6749 section 2.3.1 asks for inside Basic. */
function decodeFormPart(text: string, realm: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  let decoded: string
  try {
    decoded = decodeURIComponent(spaced)
  } catch (cause) {
    throw clientAuthenticationError(realm, 'The Authorization header has a percent-encoding that cannot be read', cause)
  }
  if (/\p{Cc}/u.test(decoded)) {
    throw clientAuthenticationError(realm, 'The Authorization header has a character that is not allowed')
  }
  return decoded
}

function severalMethods(): OAuthError {
  return new OAuthError('invalid_request', 'The request authenticates its client by more than one method')
}

/** The refusal of a client that did not prove who it is: 401 with a challenge (RFC 6749 section 5.2). */
export function clientAuthenticationError(
  realm: string,
  error_description = 'The client is unknown or its credentials are wrong',
  cause?: unknown,
): OAuthError {
  const headers = { 'WWW-Authenticate': basicChallenge(realm) }
  return new OAuthError('invalid_client', error_description, cause === undefined ? { headers } : { headers, cause })
}

/**
 * Refuses credentials of another method than the client's registered one (RFC 7591 section 2,
 * `token_endpoint_auth_method`): a confidential client must not pass by its identifier alone.
 */
export function checkMethodAllowed(
  client: Pick<Client, 'token_endpoint_auth_method'>,
  credentials: ClientCredentials,
  realm: string,
): void {
  const registered = client.token_endpoint_auth_method
  const { method } = credentials
  const shown = method === 'client_assertion' ? methodOfAssertion(credentials.assertion) : method
  const allowed = shown === registered
  if (!allowed) throw clientAuthenticationError(realm, 'The client is not registered for this authentication method')
}
