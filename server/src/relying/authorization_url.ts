import {
  type AuthorizationServer,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomNonce,
} from 'oauth4webapi'
import { newProofKey, readProofKey } from '../crypto/proof_key.ts'
import { SettingError } from '../providers/setting_error.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { DiscoveryError, discoverProvider, hasIssuer } from './discovery.ts'
import { pushRequest } from './push_request.ts'

/** What has to be kept, sealed, until the answer comes back. */
export interface Remembered {
  /** Null where the provider refuses PKCE. */
  readonly code_verifier: string | null
  /** Null where no ID token was asked for, or none that could be held against it. */
  readonly nonce: string | null
  /** The key that the tokens will be bound to, where they will be. */
  readonly proof_key?: string
}

/** What one authorization request adds to what the provider and the connector say. */
export interface AuthorizationInput {
  readonly state: string
  /** Further parameters, such as login_hint or prompt; those of the protocol itself cannot be set here. */
  readonly params?: Readonly<Record<string, string>>
}

/**
 * The scope that a connector asks for: its own, or the provider's default with what makes a refresh token come. To its
 * own nothing is added in secret (ASVS 10.2.3).
 */
export function readAskedScope({ scope, provider }: Pick<RelyingParty, 'scope' | 'provider'>): string[] {
  const asked = scope === '' ? `${provider.default_scope} ${provider.offline_scope ?? ''}` : scope
  return [...new Set(asked.split(' ').filter((part) => part !== ''))]
}

/** A new key for the tokens to be bound to, where they are to be (RFC 9449 section 5.1); null where they are not. */
export async function chooseProofKey(
  { dpop }: RelyingParty['provider'],
  { dpop_signing_alg_values_supported: known }: AuthorizationServer,
): Promise<string | null> {
  if (dpop === 'refused' || (dpop === 'supported' && !known?.includes('ES256'))) return null
  if (known && !known.includes('ES256')) throw new SettingError('dpop', 'The provider takes no proofs by ES256')
  return newProofKey()
}

/**
 * Builds the URL that the browser is sent to (RFC 6749 section 4.1.1, RFC 7636, RFC 9126, OpenID Connect Core 1.0
 * section 3.1.2.1), and what must be remembered for the way back.
 */
export async function buildAuthorizationUrl(
  context: RelyingContext,
  party: RelyingParty,
  input: AuthorizationInput,
): Promise<{ url: string; remember: Remembered }> {
  const { provider } = party
  const server = await discoverProvider(context, provider)
  const url = URL.parse(server.authorization_endpoint ?? '')
  // The browser goes there, not the guard: the scheme alone decides what could be run.
  if (!url || (url.protocol !== 'https:' && !context.egress.mayUseHttp(url))) {
    throw new DiscoveryError('missing', 'The provider has no authorization endpoint that can be used')
  }
  const asked = readAskedScope(party)
  // Without an issuer there is nothing to hold an ID token against: then it is no matter of ours.
  const isChecked = asked.includes('openid') && hasIssuer(server) && provider.id_token_nonce
  const nonce = isChecked ? generateRandomNonce() : null
  const methods = server.code_challenge_methods_supported
  const unsupported = provider.pkce === 'supported' && methods !== undefined && !methods.includes('S256')
  const code_verifier = provider.pkce === 'refused' || unsupported ? null : generateRandomCodeVerifier()
  const offline = provider.offline_scope === null || asked.includes(provider.offline_scope)

  const sent = new URLSearchParams()
  const set = (params: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(params)) sent.set(name, value)
  }
  set(provider.authorization_params)
  if (offline) set(provider.offline_params)
  set(input.params ?? {})
  set({ response_type: 'code', client_id: party.client_id, redirect_uri: party.redirect_uri, state: input.state })
  if (provider.response_mode !== null) set({ response_mode: provider.response_mode })
  if (nonce !== null) set({ nonce })
  const proof_key = await chooseProofKey(provider, server)
  // RFC 9449 section 10: the code is of use to this key alone.
  if (proof_key !== null) set({ dpop_jkt: readProofKey(proof_key).thumbprint })
  if (code_verifier !== null) {
    set({ code_challenge: await calculatePKCECodeChallenge(code_verifier), code_challenge_method: 'S256' })
  }
  if (provider.scope_parameter !== null && asked.length > 0) {
    set({ [provider.scope_parameter]: asked.join(provider.scope_separator) })
  }
  const request_uri = await pushRequest(context, party, server, sent)
  // RFC 9126 section 4: what was pushed is only named.
  const shown = request_uri === null ? sent : Object.entries({ client_id: party.client_id, request_uri })
  for (const [name, value] of shown) url.searchParams.set(name, value)
  return { url: url.href, remember: { code_verifier, nonce, ...(proof_key !== null && { proof_key }) } }
}
