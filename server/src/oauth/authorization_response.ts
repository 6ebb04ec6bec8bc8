import type { ResponseMode } from './authorization_request.ts'
import type { OAuthError } from './errors.ts'

/** What an authorization response is made of. */
export interface AuthorizationAnswer {
  /** A redirect URI that was matched before. */
  redirect_uri: string
  response_mode: ResponseMode
  /** The code, the tokens or the error; undefined values are left out. */
  params: Readonly<Record<string, string | number | undefined>>
  state?: string | undefined
  /** The issuer, in each answer (RFC 9207 section 2). */
  iss: string
}

/** An authorization response, ready to be sent: a redirect, or what a page posts by itself. */
export type AuthorizationResponse =
  | { response_mode: 'query' | 'fragment'; status: 303; location: string }
  | { response_mode: 'form_post'; status: 200; action: string; fields: [name: string, value: string][] }

/**
 * Builds the authorization response (RFC 6749 sections 4.1.2 and 4.2.2, OAuth 2.0 Form Post section 2). The redirect
 * URI and its own query stay as registered. 303 never repeats a POST with its password (RFC 9700 section 4.12).
 */
export function buildAuthorizationResponse(answer: AuthorizationAnswer): AuthorizationResponse {
  const { redirect_uri, response_mode } = answer
  const fields = listFields(answer)
  if (response_mode === 'form_post') return { response_mode, status: 200, action: redirect_uri, fields }
  const encoded = fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  if (response_mode === 'fragment') return { response_mode, status: 303, location: `${redirect_uri}#${encoded}` }
  // A fragment of our own keeps the browser from carrying over the one of the page before (RFC 9700 section 4.1.3).
  return { response_mode, status: 303, location: `${redirect_uri}${separator(redirect_uri)}${encoded}#_` }
}

/** The parameters of an error response (RFC 6749 section 4.1.2.1). */
export function authorizationErrorParams(error: OAuthError): { error: string; error_description: string } {
  return { error: error.error, error_description: error.error_description }
}

function listFields({ params, state, iss }: AuthorizationAnswer): [string, string][] {
  const fields: [string, string][] = []
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) fields.push([name, String(value).toWellFormed()])
  }
  if (state !== undefined) fields.push(['state', state.toWellFormed()])
  fields.push(['iss', iss])
  return fields
}

function separator(redirect_uri: string): string {
  if (!redirect_uri.includes('?')) return '?'
  return /[?&]$/.test(redirect_uri) ? '' : '&'
}
