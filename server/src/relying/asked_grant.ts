import { type AuthorizationServer, type ClientAuth, genericTokenEndpointRequest } from 'oauth4webapi'
import { SettingError } from '../providers/setting_error.ts'
import { signAsClient } from './client_auth.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { hasIssuer } from './discovery.ts'
import type { TokenOutcome } from './outcome.ts'
import { callTokenEndpoint } from './token_call.ts'

/** What tokens are asked for with, where no code brings them. */
export type AskedGrant =
  /** RFC 6749 section 4.4: for the client itself. */
  | { readonly grant_type: 'client_credentials' }
  /** RFC 7523 section 2.1: for whom the assertion names; without a subject for the client. */
  | { readonly grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer'; readonly subject?: string | undefined }
  /** RFC 8628 section 3.4. */
  | { readonly grant_type: 'urn:ietf:params:oauth:grant-type:device_code'; readonly device_code: string }
  /** RFC 6749 section 4.3. */
  | { readonly grant_type: 'password'; readonly username: string; readonly password: string }

// Where the assertion says it all, nothing else does.
const ANONYMOUS: ClientAuth = () => {}

/** Asks for tokens by a grant that needs no redirect (RFC 6749 sections 4.3 and 4.4, RFC 7523, RFC 8628). */
export async function askToken(
  context: RelyingContext,
  party: RelyingParty,
  grant: AskedGrant,
  options: { readonly timeoutMs?: number; readonly again?: boolean } = {},
): Promise<TokenOutcome> {
  const { assertion_grant, token_params } = party.provider
  const { grant_type } = grant
  const secrets = 'password' in grant ? [grant.password] : 'device_code' in grant ? [grant.device_code] : []
  return callTokenEndpoint(context, party, { ...options, refresh: false, secrets }, async (server, call) => {
    const asserts = grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
    const auth = asserts && assertion_grant.client === 'anonymous' ? ANONYMOUS : call.auth
    const params = asserts
      ? await assertionParams(context, party, server, grant.subject)
      : { ...(grant_type.endsWith('device_code') ? {} : scopeParams(party)), ...grant }
    return genericTokenEndpointRequest(
      server,
      call.client,
      auth,
      grant_type,
      { ...token_params, ...params },
      call.options,
    )
  })
}

async function assertionParams(
  context: RelyingContext,
  party: RelyingParty,
  server: AuthorizationServer,
  subject: string | undefined,
): Promise<Record<string, string>> {
  const { audience, scope, subject: needed } = party.provider.assertion_grant
  const aud = audience ?? (hasIssuer(server) ? server.issuer : null)
  if (aud === null) throw new SettingError('issuer', 'What a key signs needs the issuer of the provider')
  const sub = subject ?? (needed === 'required' ? party.client_id : undefined)
  const { provider, scope: asked } = party
  const claimed = scope === 'claim' && asked !== '' ? { scope: asked.split(' ').join(provider.scope_separator) } : {}
  // RFC 7523 section 3: iss, sub, aud and exp.
  const claims = { iss: party.client_id, ...(sub !== undefined && { sub }), aud, ...claimed }
  const assertion = await signAsClient(context, party, 'JWT', claims)
  return { assertion, ...(scope === 'parameter' ? scopeParams(party) : {}) }
}

function scopeParams({ provider, scope }: RelyingParty): Record<string, string> {
  if (provider.scope_parameter === null || scope === '') return {}
  return { [provider.scope_parameter]: scope.split(' ').join(provider.scope_separator) }
}
