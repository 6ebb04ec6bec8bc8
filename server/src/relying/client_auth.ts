import { type AuthorizationServer, type ClientAuth, ClientSecretPost, None } from 'oauth4webapi'
import { signJwt } from '../crypto/jwt.ts'
import { randomSecret } from '../crypto/random.ts'
import type { OwnSigningKey } from '../crypto/signing_keys.ts'
import type { ClientAuthMethod } from '../providers/provider.ts'
import { SettingError } from '../providers/setting_error.ts'
import type { RelyingContext, RelyingParty } from './context.ts'
import { hasIssuer } from './discovery.ts'

/**
 * How we authenticate at the provider (RFC 6749 section 2.3.1, RFC 7523 section 2.2, RFC 8705). Without a secret we are a public
 * client. What our key signs names the issuer as its only audience (RFC 10070), so that no server can use it at another.
 */
export function readClientAuth(
  context: Pick<RelyingContext, 'clock'>,
  party: RelyingParty,
  server: AuthorizationServer,
  method: ClientAuthMethod = party.provider.token_endpoint_auth_method,
): ClientAuth {
  const { client_secret, provider } = party
  if (method === 'private_key_jwt') {
    const sign = signer(context, party, server)
    return async (_server, { client_id }, body) => {
      body.set('client_id', client_id)
      body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      body.set('client_assertion', await sign('client-authentication+jwt', client_id))
    }
  }
  if (method === 'tls_client_auth' || method === 'self_signed_tls_client_auth') {
    // RFC 8705 section 2: the connection itself says who we are.
    if (!party.identity) throw new SettingError('certificate', 'The connector has no certificate')
    return None()
  }
  if (method === 'none') return None()
  const chosen = chooseSecretMethod(method, server)
  const bySecret = (secret: string) =>
    chosen === 'client_secret_post' ? ClientSecretPost(secret) : basic(secret, provider.basic_credentials)
  if (provider.client_secret_form === 'signed_jwt') {
    const { team_id } = party
    if (team_id === undefined) throw new SettingError('team_id', 'The connector has no team_id')
    const sign = signer(context, party, server)
    return async (...call) => bySecret(await sign('JWT', team_id))(...call)
  }
  return client_secret === null ? None() : bySecret(client_secret)
}

// What is signed is good for one call: it lives for a minute, and carries an identifier of its own.
const SIGNED_SECONDS = 60

function signer(context: Pick<RelyingContext, 'clock'>, party: RelyingParty, server: AuthorizationServer) {
  requireKey(party)
  if (!hasIssuer(server)) throw new SettingError('issuer', 'What a key signs needs the issuer of the provider')
  const { issuer: aud } = server
  return (typ: string, iss: string) => signAsClient(context, party, typ, { iss, sub: party.client_id, aud })
}

/** Signs claims by the key of the client, for one call. */
export async function signAsClient(
  { clock }: Pick<RelyingContext, 'clock'>,
  party: RelyingParty,
  typ: string,
  claims: object,
): Promise<string> {
  const iat = Math.floor(clock() / 1000)
  return signJwt(requireKey(party), typ, { ...claims, iat, exp: iat + SIGNED_SECONDS, jti: randomSecret() })
}

function requireKey({ private_key }: RelyingParty): OwnSigningKey {
  if (!private_key) throw new SettingError('private_key', 'The connector has no private key')
  return private_key
}

// Metadata that takes a secret in one way only is believed over a record that says the other.
function chooseSecretMethod(method: ClientAuthMethod, server: AuthorizationServer): ClientAuthMethod {
  const supported = server.token_endpoint_auth_methods_supported
  const other = method === 'client_secret_basic' ? 'client_secret_post' : 'client_secret_basic'
  return supported && !supported.includes(method) && supported.includes(other) ? other : method
}

function basic(client_secret: string, form: 'encoded' | 'raw'): ClientAuth {
  return (_server, client, _body, headers) => {
    const pair = [client.client_id, client_secret].map((part) => (form === 'raw' ? part : encode(part)))
    headers.set('authorization', `Basic ${Buffer.from(pair.join(':')).toString('base64')}`)
  }
}

// The serializer of URLSearchParams leaves letters, digits and *-._ as they are: servers that forget to decode
// (RFC 6749 appendix B) still understand all that it does not have to touch.
function encode(part: string): string {
  return new URLSearchParams({ '': part }).toString().slice(1)
}
