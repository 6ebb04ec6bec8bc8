import type { Client } from './clients/client.ts'
import { OAuthError } from './errors.ts'
import type { Params } from './params.ts'

/** What a client asks at the end of a session (OpenID Connect RP-Initiated Logout 1.0 section 2). */
export interface EndSessionRequest {
  readonly client_id: string | null
  readonly post_logout_redirect_uri: string | null
  readonly state: string | null
  /** The session that a hint of ours names; null where there is no hint, or a forged one. */
  readonly sid: string | null
}

/** What of an ID token that we signed, expired or not, a logout goes by. */
export interface IdTokenHint {
  readonly aud: string
  readonly sid: string | null
}

const LONGEST_STATE = 2000

/** The client that a request is for: by name, else by its hint; refused when the two differ (section 2). */
export function whoLogsOut(params: Params, hint: IdTokenHint | null): string | null {
  const { client_id } = params.values
  if (client_id !== undefined && hint !== null && hint.aud !== client_id) {
    throw new OAuthError('invalid_request', 'Parameter id_token_hint was issued to another client than client_id')
  }
  return client_id ?? hint?.aud ?? null
}

/** Reads a request against its client; an address to return to is one that the client registered, letter by letter. */
export function readEndSessionRequest(
  params: Params,
  client: Pick<Client, 'client_id' | 'post_logout_redirect_uris'> | null,
  hint: IdTokenHint | null,
): EndSessionRequest {
  const { post_logout_redirect_uri, state } = params.values
  if (state !== undefined && state.length > LONGEST_STATE) {
    throw new OAuthError('invalid_request', `Parameter state is longer than ${LONGEST_STATE} characters`)
  }
  if (post_logout_redirect_uri !== undefined) {
    if (!client) {
      const text = 'Parameter post_logout_redirect_uri needs client_id, or id_token_hint, of a client that is known'
      throw new OAuthError('invalid_request', text)
    }
    if (!client.post_logout_redirect_uris?.includes(post_logout_redirect_uri)) {
      throw new OAuthError('invalid_request', 'Parameter post_logout_redirect_uri is not registered for the client')
    }
  }
  return {
    client_id: client?.client_id ?? null,
    post_logout_redirect_uri: post_logout_redirect_uri ?? null,
    state: state ?? null,
    sid: hint?.sid ?? null,
  }
}

/** Where the browser goes after the end of the session: the registered address, with the state added to its query. */
export function afterLogoutUrl({ post_logout_redirect_uri, state }: EndSessionRequest): string | null {
  if (post_logout_redirect_uri === null) return null
  if (state === null) return post_logout_redirect_uri
  const [before, ...fragment] = post_logout_redirect_uri.split('#')
  const joint = before!.includes('?') ? '&' : '?'
  return [`${before}${joint}${new URLSearchParams({ state })}`, ...fragment].join('#')
}
