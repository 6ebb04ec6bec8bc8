import { generateRandomCodeVerifier, genericTokenEndpointRequest } from 'oauth4webapi'
import type { RelyingContext, RelyingParty } from './context.ts'
import type { TokenOutcome } from './outcome.ts'
import { callTokenEndpoint, refreshToken } from './token_call.ts'

// Nobody's: a provider that looks at it has first looked at who sends it.
const NOBODYS = 'sallyport-connector-test'

/**
 * Asks a token endpoint whether it knows us, with a code that is none. Where it accepts the client it refuses the code by
 * `invalid_grant`, and else the client by `invalid_client` (RFC 6749 section 5.2): nothing is issued, spent or changed.
 */
export function probeWithCode(context: RelyingContext, party: RelyingParty, timeoutMs: number): Promise<TokenOutcome> {
  const { provider, redirect_uri } = party
  const verifier: Record<string, string> =
    provider.pkce === 'refused' ? {} : { code_verifier: generateRandomCodeVerifier() }
  const params = { ...provider.token_params, code: NOBODYS, redirect_uri, ...verifier }
  return callTokenEndpoint(context, party, { refresh: false, secrets: [], timeoutMs }, (server, call) => {
    const { client, auth, options } = call
    return genericTokenEndpointRequest(server, client, auth, 'authorization_code', params, options)
  })
}

/** The same with a refresh token that is none, for where codes say nothing. */
export function probeWithRefreshToken(
  context: RelyingContext,
  party: RelyingParty,
  timeoutMs: number,
): Promise<TokenOutcome> {
  return refreshToken(context, party, { refresh_token: NOBODYS, timeoutMs })
}
