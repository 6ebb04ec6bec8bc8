import { randomSecret } from '../../crypto/random.ts'
import { type AuthorizationTarget, readAuthorizationRequest } from '../../oauth/authorization_request.ts'
import { readClientCredentials } from '../../oauth/client_credentials.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import { requireProfile, rulesOf } from '../../oauth/profile.ts'
import { authenticateClient, requireGrantType } from '../client_authentication/authenticate_client.ts'
import type { DirectRequest } from '../client_authentication/direct_request.ts'
import { refuseReplays } from '../client_authentication/proofs.ts'
import { readPushedKey } from '../client_authentication/sender_constraint.ts'
import type { InboundContext } from '../context.ts'
import { takeTurn } from '../limits.ts'
import { offeredPrompts } from '../users/sign_up.ts'
import { readWanted, requireTarget } from './wanted.ts'

const URN = 'urn:ietf:params:oauth:request_uri:'
/** How long a browser may take to arrive with a pushed request (RFC 9126 section 2.2, FAPI 2.0 section 5.3.2.2). */
const LIFETIME_SECONDS = 90
const CREDENTIALS = new Set(['client_secret', 'client_assertion', 'client_assertion_type'])

/** What a client that pushed its request is told (RFC 9126 section 2.2). */
export interface PushedAnswer {
  readonly request_uri: string
  readonly expires_in: number
}

/**
 * The pushed authorization request endpoint (RFC 9126 section 2): the request is checked as if it had come through the
 * browser, by now with its client authenticated, and kept sealed until the browser comes with its name.
 */
export async function pushAuthorizationRequest(
  context: InboundContext,
  response_types: readonly string[],
  request: DirectRequest,
): Promise<PushedAnswer> {
  const { tenant } = context
  const { tenant_id, store, issuer } = tenant
  const { authorization } = request
  const credentials = readClientCredentials({ authorization, params: request.params, realm: issuer })
  const authority = await store.loadClientAuthority({ tenant_id, client_id: credentials.client_id })
  if (!authority || authority.tenant.disabled_at !== null) {
    throw new OAuthError('temporarily_unavailable', 'This server is switched off')
  }
  const { client, proofs } = await authenticateClient(context, request, credentials, authority)
  const { client_id } = client
  await takeTurn(context, 'pushed_request', { client_id })
  requireGrantType(client, 'authorization_code')
  const configuration = await tenant.configuration(authority.tenant.config_version)
  const profile = rulesOf(client, configuration.settings)
  requireProfile(client, profile, 'authorization_code')
  const dpop_jkt = readPushedKey(context, request, { client, now: authority.now, proofs })
  const params = withoutCredentials(request.params, { client_id, ...(dpop_jkt !== undefined && { dpop_jkt }) })
  if (params.values['request_uri'] !== undefined) {
    throw new OAuthError('invalid_request', 'Parameter request_uri must not be pushed itself')
  }
  const target: AuthorizationTarget = requireTarget(params, client, profile)
  const prompts = offeredPrompts(context, configuration)
  const asked = readAuthorizationRequest(params, client, target, { response_types, profile, pushed: true, prompts })
  // What could never be granted is told to the client at once, and not to its user.
  await readWanted(context, { params, client, request: asked, configuration })
  const secret = randomSecret('')
  const request_hash = tenant.keys.hashSecret(secret)
  await refuseReplays(issuer, () =>
    store.pushRequest({
      ...{ tenant_id, request_hash, client_id },
      sealed: tenant.keys.seal(JSON.stringify(params), placeOf(request_hash)),
      created_at: authority.now,
      expires_at: authority.now + LIFETIME_SECONDS * 1000,
      proofs: proofs.list(),
    }),
  )
  proofs.settle()
  return { request_uri: URN + secret, expires_in: LIFETIME_SECONDS }
}

/** A pushed request that a browser has come with. */
export interface PushedRequest {
  readonly params: Params
  readonly request_hash: Uint8Array
}

/**
 * The pushed request that the parameters of the front channel name, or null where they name none of ours. It stands for
 * all of them but client_id (RFC 9126 section 4): it is that client's, in time, and not answered before.
 */
export async function readPushedRequest(
  { tenant }: InboundContext,
  { values }: Params,
  started_at: number,
): Promise<PushedRequest | null> {
  const { request_uri, client_id } = values
  if (!request_uri?.startsWith(URN)) return null
  const { tenant_id, store, keys } = tenant
  const request_hash = keys.hashSecret(request_uri.slice(URN.length))
  const row = await store.findPushedRequest({ tenant_id, request_hash })
  if (!row || row.client_id !== client_id || row.expires_at <= started_at) throw spent()
  const params = JSON.parse(keys.open(row.sealed, placeOf(request_hash)).toString()) as Params
  return { params, request_hash }
}

/** The refusal of a request URI that is unknown, another client's, too old or answered; one for all of them. */
export function spent(): OAuthError {
  const text = 'Parameter request_uri is unknown, expired, used before, or was given to another client'
  return new OAuthError('invalid_request_uri', text)
}

/** Takes the pushed request that the user has refused out of use: whoever comes with it once more is told so. */
export async function dropPushedRequest({ tenant }: InboundContext, request_hash: Uint8Array | null): Promise<void> {
  if (request_hash) await tenant.store.dropPushedRequest({ tenant_id: tenant.tenant_id, request_hash })
}

// What proves the client is nobody's business later.
function withoutCredentials({ values, resource, audience }: Params, known: Readonly<Record<string, string>>): Params {
  const kept = Object.entries(values).filter(([name]) => !CREDENTIALS.has(name))
  return { values: { ...Object.fromEntries(kept), ...known }, resource, audience }
}

function placeOf(request_hash: Uint8Array) {
  const row = Buffer.from(request_hash).toString('base64url')
  return { table: 'pushed_requests', row, column: 'sealed', version: 1 }
}
