import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { type Algorithm, describeKey, newSigningKey, type OwnSigningKey } from '../../crypto/signing_keys.ts'
import type { ConnectorGrantType } from '../../providers/grant_types.ts'
import type { ProviderFields } from '../../providers/provider.ts'
import { SettingError } from '../../providers/setting_error.ts'

/** What a connector's settings tell of the private key that is sealed in place of a client secret. */
export interface ConnectorKey {
  readonly kid: string
  readonly alg: Algorithm
  readonly public_jwk: JsonWebKey
  /** It was made here, so that another can be. */
  readonly made?: true
}

/** A connector's key, and its private half in the one form that is sealed. */
export interface PrivateConnectorKey extends ConnectorKey {
  readonly pem: string
}

type HowWeSign = Pick<ProviderFields, 'token_endpoint_auth_method' | 'client_secret_form'>

/** Whether the client secret of such a provider is one that a key signs, in the name of a team. */
export function signsSecret({ token_endpoint_auth_method: method, client_secret_form }: HowWeSign): boolean {
  return client_secret_form === 'signed_jwt' && (method === 'client_secret_basic' || method === 'client_secret_post')
}

/** Whether a connector to such a provider has a private key and no client secret. */
export function needsKey(provider: HowWeSign, grant_type?: ConnectorGrantType): boolean {
  const asserts = grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const { token_endpoint_auth_method: method } = provider
  const by_key =
    method === 'private_key_jwt' || method === 'tls_client_auth' || method === 'self_signed_tls_client_auth'
  return asserts || by_key || signsSecret(provider)
}

/** Makes a private key for a connector, as PEM. */
export async function makeConnectorKey(): Promise<string> {
  const { pkcs8 } = await newSigningKey()
  return writePem(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
}

/**
 * Reads a private key, as PEM or JWK, under the name that the provider has for it, or else its thumbprint (RFC 7638). An
 * RSA key signs by RS256 unless `alg` says PS256.
 */
export function readConnectorKey(given: string, key_id?: string, alg?: string): PrivateConnectorKey {
  const jwk = readJwk(given)
  let key: KeyObject
  try {
    key = jwk ? createPrivateKey({ key: jwk, format: 'jwk' }) : createPrivateKey(given)
  } catch {
    // What the parser says of a key is not repeated.
    throw refusal()
  }
  const named = jwk && typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined
  return describe(key, chooseAlgorithm(key, alg ?? jwk?.['alg']), key_id ?? named)
}

/** Private keys that stand one behind the other, each as PEM. */
export function splitPems(pems: string): string[] {
  return pems.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----\n?/g) ?? []
}

/** The key as it signs. */
export function openConnectorKey({ kid, alg }: ConnectorKey, pem: string): OwnSigningKey {
  return { kid, alg, privateKey: createPrivateKey(pem) }
}

function readJwk(given: string): JsonWebKey | null {
  if (!given.trimStart().startsWith('{')) return null
  try {
    return JSON.parse(given) as JsonWebKey
  } catch {
    throw refusal()
  }
}

function chooseAlgorithm({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, alg: unknown): Algorithm {
  const { namedCurve, modulusLength = 0 } = asymmetricKeyDetails ?? {}
  if (asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return 'ES256'
  if (asymmetricKeyType === 'ed25519') return 'EdDSA'
  if (asymmetricKeyType === 'rsa' && modulusLength >= 2048) return alg === 'PS256' ? 'PS256' : 'RS256'
  throw refusal()
}

function describe(key: KeyObject, alg: Algorithm, key_id?: string): PrivateConnectorKey {
  if (key_id !== undefined && !/^[\x21-\x7e]{1,256}$/.test(key_id)) {
    throw new SettingError('key_id', 'A key_id has 1 to 256 printable ASCII characters')
  }
  const { kid, public_jwk } = describeKey(alg, createPublicKey(key).export({ format: 'jwk' }))
  const name = key_id ?? kid
  return { kid: name, alg, public_jwk: { ...public_jwk, kid: name }, pem: writePem(key) }
}

function writePem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString()
}

function refusal(): SettingError {
  return new SettingError(
    'private_key',
    'A private key is a PEM or JWK of P-256, Ed25519 or RSA with 2048 bits or more',
  )
}
