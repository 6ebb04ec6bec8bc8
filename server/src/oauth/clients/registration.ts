import { parseUniqueJson } from '../../crypto/unique_json.ts'
import { OAuthError } from '../errors.ts'
import type { KeptMetadata } from './client.ts'
import { type Json, refusal } from './metadata_member.ts'
import type { OwnMetadata } from './own_metadata.ts'
import type { OwnRequestMetadata } from './request_metadata.ts'

// What RFC 7592 section 2.2 forbids in an update: the server alone says it.
const OF_THE_SERVER = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
]
// What no RFC names, and what follows from how a client came here: nobody outside is told.
const OURS = {
  ...{ trusted: true, require_pkce: true, default_resource: true, access_token_lifetime_seconds: true },
  ...{
    loopback_localhost: true,
    role_scopes: true,
    one_role: true,
    service_account: true,
    token_exchange: true,
    every_service: true,
  },
  ...{ offline_refresh_only: true, json_requests: true, bearer_authentication: true, redirect_uri_prefix: true },
  ...{ profile: true, grant_lifetime_seconds: true, optional_scope: true, require_dpop_nonce: true },
  ...{ unverified: true, scope_by_policy: true },
} satisfies Partial<Record<keyof KeptMetadata, true>> & Record<keyof OwnMetadata | keyof OwnRequestMetadata, true>

/** Reads the JSON object of a registration (RFC 7591 section 3.1): each member once, since two readers take two of them. */
export function readDescription(text: string): Json {
  let json: unknown
  try {
    json = parseUniqueJson(text)
  } catch (cause) {
    const what = 'The body is not JSON that names each member once'
    throw new OAuthError('invalid_client_metadata', what, { cause })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new OAuthError('invalid_client_metadata', 'Client metadata must be a JSON object')
  }
  return json as Json
}

/** Checks what an update says beside the metadata: whose it is, and nothing that the server says (RFC 7592 section 2.2). */
export function checkUpdate(source: Json, client_id: string, isSecret: (secret: string) => boolean): void {
  const forbidden = OF_THE_SERVER.find((name) => Object.hasOwn(source, name))
  if (forbidden !== undefined) throw refusal(forbidden, 'must not be sent')
  if (source['client_id'] !== client_id) throw refusal('client_id', 'must be that of this registration')
  const secret = source['client_secret']
  if (secret === undefined || secret === null) return
  if (typeof secret !== 'string' || !isSecret(secret)) throw refusal('client_secret', 'must be the present one')
}

/** What a registration answers beside the metadata. */
export interface RegistrationAnswer {
  readonly client_id: string
  /** In milliseconds, like every time here. */
  readonly issued_at: number
  /** Where one was made just now. */
  readonly client_secret: string | undefined
  /** The end of the present secret; null when it has none, undefined when there is no secret. */
  readonly secret_expires_at: number | null | undefined
  readonly registration_access_token: string
  readonly registration_client_uri: string
}

/** The client information response (RFC 7591 section 3.2.1, RFC 7592 section 3): every member as it is registered. */
export function buildRegistration(
  metadata: KeptMetadata,
  answer: RegistrationAnswer,
): Readonly<Record<string, unknown>> {
  const { client_secret, secret_expires_at } = answer
  return {
    ...Object.fromEntries(
      Object.entries(metadata).filter(([name, value]) => !Object.hasOwn(OURS, name) && value !== ''),
    ),
    client_id: answer.client_id,
    client_id_issued_at: Math.floor(answer.issued_at / 1000),
    ...(client_secret !== undefined && { client_secret }),
    ...(secret_expires_at !== undefined && { client_secret_expires_at: Math.floor((secret_expires_at ?? 0) / 1000) }),
    registration_access_token: answer.registration_access_token,
    registration_client_uri: answer.registration_client_uri,
  }
}
