import { type AuthorizationServer, type ClientAuth, ClientSecretPost, None, PrivateKeyJwt } from 'oauth4webapi'
import type { ClientAuthMethod } from '../providers/provider.ts'
import { SettingError } from '../providers/setting_error.ts'
import type { RelyingParty } from './context.ts'
import { hasIssuer } from './discovery.ts'

/**
 * How we authenticate at the provider (RFC 6749 section 2.3.1, RFC 7523 section 2.2). Without a secret we are a public
 * client. An assertion names the issuer as its only audience (RFC 10070), so that no server can use it at another.
 */
export function readClientAuth(
  party: RelyingParty,
  server: AuthorizationServer,
  method: ClientAuthMethod = party.provider.token_endpoint_auth_method,
): ClientAuth {
  if (method === 'private_key_jwt') {
    if (!party.private_key) throw new SettingError('private_key', 'The connector has no private key')
    if (!hasIssuer(server)) throw new SettingError('issuer', 'private_key_jwt needs the issuer of the provider')
    return PrivateKeyJwt(party.private_key)
  }
  if (method === 'none' || party.client_secret === null) return None()
  if (chooseSecretMethod(method, server) === 'client_secret_post') return ClientSecretPost(party.client_secret)
  return basic(party.client_secret, party.provider.basic_credentials)
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
