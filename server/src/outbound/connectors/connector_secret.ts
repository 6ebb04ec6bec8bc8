import { OAuthError } from '../../oauth/errors.ts'
import type { ConnectorGrantType } from '../../providers/grant_types.ts'
import type { ResolvedProvider } from '../../providers/resolve.ts'
import { SettingError } from '../../providers/setting_error.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import type { OutboundContext } from '../context.ts'
import { type ConnectorSettings, openClientSecret } from './connector.ts'
import { isKnownByCertificate, needsCertificate } from './connector_certificate.ts'
import { type ConnectorKeys, keepPublished } from './connector_key_rotation.ts'
import {
  type ConnectorKey,
  makeConnectorKey,
  needsKey,
  readConnectorKey,
  signsSecret,
  splitPems,
} from './connector_keys.ts'

/** How a connector shows its provider who it is. */
export interface SecretInput {
  /** Left out where people type keys of their own. */
  readonly client_id?: string | undefined
  readonly scope?: string | undefined
  /** How tokens come; without it by a person's consent at the provider. */
  readonly grant_type?: ConnectorGrantType | undefined
  readonly client_secret?: string | undefined
  /** PEM or JWK, in place of a secret; for private_key_jwt one is made where none is given. */
  readonly private_key?: string | undefined
  /** PEM, of the private key, with those that signed it behind it. */
  readonly certificate?: string | undefined
  /** What the provider calls that key, and in whose name it signs a client secret. */
  readonly key_id?: string | undefined
  readonly team_id?: string | undefined
}

/** What authenticates us from now on: what is given, what there was for the same server, or a key that is made. */
export async function chooseSecret(
  context: OutboundContext,
  input: SecretInput,
  provider: ResolvedProvider,
  found: ConnectorRecord | null,
  stays: boolean,
): Promise<{ readonly secret: string | null } & ConnectorKeys> {
  // Each person brings what is theirs.
  if (provider.credential !== 'oauth') return { secret: null }
  const by_key = needsKey(provider, input.grant_type)
  const before: ConnectorKeys = found ? (JSON.parse(found.settings) as ConnectorSettings) : {}
  const { key: former, next_key, former_keys } = before
  const kept = found && stays && (former !== undefined) === by_key ? openClientSecret(context, found) : null
  const missing = (name: string) => {
    const elsewhere = found?.sealed_client_secret && !stays ? ': the present one is for another server' : ''
    return refusal(`${name} is missing${elsewhere}`)
  }
  if (!by_key) {
    const secret = input.client_secret ?? kept
    if (secret === null && provider.token_endpoint_auth_method !== 'none') throw missing('client_secret')
    return { secret }
  }
  const { private_key, key_id } = input
  const is_given = signsSecret(provider) || needsCertificate(provider)
  if (private_key === undefined && kept === null && is_given) throw missing('private_key')
  const [stored = '', ...next_pem] = splitPems(kept ?? (await makeConnectorKey()))
  const { pem, ...read } = withSettings(() => {
    return private_key === undefined
      ? readConnectorKey(stored, key_id, kept === null ? undefined : former?.alg)
      : readConnectorKey(private_key, key_id)
  })
  const is_made = private_key === undefined && (kept === null || former?.made)
  const key: ConnectorKey = { ...read, ...(is_made && { made: true }) }
  if (kept === null) return { secret: pem, key }
  // What was signed a moment ago by a key that goes is still looked at.
  if (pem !== stored) return { secret: pem, key, former_keys: keepPublished(before, context.clock()) }
  const rotation = { ...(next_key && { next_key }), ...(former_keys && { former_keys }) }
  return { secret: pem + next_pem.join(''), key, ...rotation }
}

/** What is given must be what the provider takes, so that nothing lies here that is never used. */
export function checkSecrets(provider: ResolvedProvider, input: SecretInput): void {
  const { token_endpoint_auth_method: method, revocation_endpoint_auth_method: other, issuer } = provider
  if (provider.credential !== 'oauth') {
    const given = (
      ['client_id', 'client_secret', 'private_key', 'key_id', 'team_id', 'scope', 'grant_type', 'certificate'] as const
    ).find((one) => input[one] !== undefined)
    if (given)
      throw refusal(`${given} does not go with provider ${provider.provider}, whose keys people type themselves`)
    return
  }
  const by_key = needsKey(provider, input.grant_type)
  const idle = (by_key ? ['client_secret'] : ['private_key', 'key_id']) as (keyof SecretInput)[]
  if (!signsSecret(provider)) idle.push('team_id')
  const certified = needsCertificate(provider)
  if (!certified) idle.push('certificate')
  const name = idle.find((one) => input[one] !== undefined)
  const asserts = input.grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const reason = asserts ? `grant_type ${input.grant_type}` : `token_endpoint_auth_method ${method}`
  if (name) throw refusal(`${name} does not go with ${reason}`)
  if (signsSecret(provider) && !/^[\x21-\x7e]{1,256}$/.test(input.team_id ?? '')) {
    throw refusal('team_id is missing: the client secret is signed in its name')
  }
  if (certified && !by_key) {
    throw refusal('tokens can be bound to a certificate only where the connector has a private key, and no secret')
  }
  if (certified && input.certificate === undefined) throw refusal('certificate is missing')
  const { audience, client } = provider.assertion_grant
  const anonymous = asserts && (client === 'anonymous' || method === 'none')
  const known_by_certificate = isKnownByCertificate(provider)
  if (asserts && !anonymous && method !== 'private_key_jwt' && !known_by_certificate) {
    throw refusal(`token_endpoint_auth_method ${method} does not go with a key that signs assertions`)
  }
  const signs = asserts ? audience === null || method === 'private_key_jwt' : !known_by_certificate
  if (by_key && issuer === null && signs && !(anonymous && audience !== null)) {
    throw refusal('issuer is missing: what the key signs is for it alone')
  }
  if (other && other !== 'none' && (other === 'private_key_jwt') !== (method === 'private_key_jwt')) {
    throw refusal(`revocation_endpoint_auth_method ${other} does not go with token_endpoint_auth_method ${method}`)
  }
}

/** Reads settings; what is wrong with one is said to whoever gave it. */
export function withSettings<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof SettingError)) throw cause
    throw new OAuthError('invalid_request', `${cause.message} (${cause.setting})`, { cause })
  }
}

/** Refuses a connector for what is said of it. */
export function refusal(what: string): OAuthError {
  return new OAuthError('invalid_request', `The connector's ${what}`)
}
