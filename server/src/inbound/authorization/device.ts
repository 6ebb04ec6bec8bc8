import { sha256 } from '../../crypto/hash.ts'
import { newId, randomSecret } from '../../crypto/random.ts'
import { readClientCredentials } from '../../oauth/client_credentials.ts'
import type { Client } from '../../oauth/clients/client.ts'
import {
  buildDeviceAuthorizationResponse,
  DEVICE_CODE_GRANT,
  DEVICE_CODE_SECONDS,
  newUserCode,
  POLLING_INTERVAL_SECONDS,
  readUserCode,
} from '../../oauth/device.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { readCodeChallenge } from '../../oauth/pkce.ts'
import { requireNamedResource, requireProfile, rulesOf } from '../../oauth/profile.ts'
import { decideResources } from '../../oauth/resource.ts'
import { decideScope, parseScope } from '../../oauth/scope.ts'
import type { Configuration, Tenant } from '../../store/tenant.ts'
import type { DeviceCode } from '../../store/verbs/device_codes.ts'
import { authenticateClient, requireGrantType } from '../client_authentication/authenticate_client.ts'
import type { DirectRequest } from '../client_authentication/direct_request.ts'
import { refuseReplays } from '../client_authentication/proofs.ts'
import { readClientRecord } from '../clients/client_record.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { takeTurn } from '../limits.ts'
import { defaultScopes, knownResources, type Rights, rightsOf, scopeRules, scopesOfResources } from '../rights.ts'
import { isToldOfLogout } from '../sessions/backchannel_logout.ts'
import type { SignedIn } from '../sessions/sessions.ts'
import { type Choices, type Chosen, choose, offerChoices } from './choices.ts'
import { describeGrant } from './new_grant.ts'
import { describeRoles, type OfferedRole, offerRoles, pickRole } from './one_role.ts'

// Two requests that wait may draw the same user code; more than a few times in a row they do not.
const MOST_DRAWS = 5

/** The device authorization endpoint (RFC 8628 section 3.1): what the device shows its user, and polls with. */
export async function startDevice(
  context: InboundContext,
  request: DirectRequest,
  device: { readonly user_agent: string | undefined; readonly address: string | undefined },
): Promise<ReturnType<typeof buildDeviceAuthorizationResponse>> {
  const { tenant } = context
  const { tenant_id, store, keys, issuer } = tenant
  const { params, authorization } = request
  const credentials = readClientCredentials({ authorization, params, realm: issuer })
  const authority = await store.loadClientAuthority({ tenant_id, client_id: credentials.client_id })
  if (!authority || authority.tenant.disabled_at !== null) {
    throw new OAuthError('temporarily_unavailable', 'This server is switched off')
  }
  const { client, proofs } = await authenticateClient(context, request, credentials, authority)
  requireGrantType(client, DEVICE_CODE_GRANT)
  const source = { client_id: client.client_id, address: device.address }
  await takeTurn(context, 'device_code', source)
  await takeTurn(context, 'device_code_of_client', source)
  const configuration = await tenant.configuration(authority.tenant.config_version)
  const profile = rulesOf(client, configuration.settings)
  requireProfile(client, profile, DEVICE_CODE_GRANT)
  requireNamedResource(client, profile, params.resource)
  const asked = { scope: params.values['scope'] ?? '', resource: params.resource }
  // What could never be granted is told to the device at once, and not to its user.
  decide(tenant, configuration, { client, asked, rights: rightsOf(configuration, client, null) })
  const challenge = readCodeChallenge(params, { required: false })
  await refuseReplays(issuer, () => proofs.accept(context))
  const device_code = randomSecret('sp_dc_')
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const user_code = newUserCode()
    const kept = await store.startDeviceCode({
      tenant_id,
      device_code_hash: keys.hashSecret(device_code),
      user_code_hash: keys.hashSecret(user_code),
      client_id: client.client_id,
      scope: asked.scope,
      resource: JSON.stringify(asked.resource),
      code_challenge: challenge?.code_challenge ?? null,
      user_agent: device.user_agent?.slice(0, 300) ?? null,
      address: device.address ?? null,
      interval_seconds: POLLING_INTERVAL_SECONDS,
      lifetime_ms: DEVICE_CODE_SECONDS * 1000,
    })
    if (kept) return buildDeviceAuthorizationResponse({ device_code, user_code, verification_uri: `${issuer}/device` })
  }
  throw new OAuthError('temporarily_unavailable', 'Too many devices wait at once: try again in a minute')
}

/** What the page asks whoever entered a code: which client, from where, for what. */
export interface DeviceQuestion extends Choices {
  readonly user_code: string
  readonly client: Client
  readonly code: DeviceCode
  readonly scope: readonly string[]
  readonly resource: readonly string[]
  readonly configuration: Configuration
  /** Whether an administrator registered the client, and not whoever runs it. */
  readonly source: string
  /** The roles of which a one-role client gets one; null for any other client. */
  readonly roles: readonly OfferedRole[] | null
  /** Stands for the scopes, resources, roles and choices shown; the answer names it. */
  readonly shown: string
}

/** What the user answers; `shown` is what the page said. */
export interface DeviceAnswer extends Chosen {
  readonly decision: 'allow' | 'deny'
  readonly shown: string
  /** The role that was picked for a one-role client. */
  readonly role?: string | undefined
}

/** Where a code that somebody entered stands. */
export type DeviceOutcome =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'answered' }
  /** The user may not give what the device asks for. */
  | { readonly kind: 'refused'; readonly error: OAuthError }
  | { readonly kind: 'question'; readonly question: DeviceQuestion }
  | { readonly kind: 'done'; readonly decision: 'allow' | 'deny'; readonly client: Client }

/**
 * A signed-in user has entered a code (RFC 8628 section 3.3), and may have answered the question. The first user who
 * enters a code has it to answer; to everybody else it is unknown.
 */
export async function answerDevice(
  context: InboundContext,
  signed_in: SignedIn,
  typed: string,
  answer: DeviceAnswer | null,
): Promise<DeviceOutcome> {
  const { tenant } = context
  const { tenant_id, store, keys } = tenant
  const user_code = readUserCode(typed)
  if (user_code === null) return { kind: 'unknown' }
  const { user_id } = signed_in.user
  const actor = `user:${user_id}`
  const user_code_hash = keys.hashSecret(user_code)
  const passed_around = event(tenant, 'device_code.passed_around', actor, { user_id })
  const code = await store.openDeviceCode({ tenant_id, user_code_hash, user_id, event: passed_around })
  if (code === null || code === 'taken' || code.state === 'dead') return { kind: 'unknown' }
  if (code.state !== 'pending') return { kind: 'answered' }
  const authority = await store.loadClientAuthority({ tenant_id, client_id: code.client_id })
  const record = authority?.client
  if (!authority || !record || record.disabled_at !== null) return { kind: 'unknown' }
  const client = readClientRecord(record)
  const about = { client_id: client.client_id, user_id }
  if (answer?.decision === 'deny') {
    const refused = event(tenant, 'device_code.denied', actor, about)
    const denied = await store.denyDeviceCode({ tenant_id, user_code_hash, user_id, event: refused })
    return denied ? { kind: 'done', decision: 'deny', client } : { kind: 'answered' }
  }
  const configuration = await tenant.configuration(authority.tenant.config_version)
  const asked = { scope: code.scope, resource: JSON.parse(code.resource) as string[] }
  let judged: ReturnType<typeof judgeRequest>
  try {
    requireGrantType(client, DEVICE_CODE_GRANT)
    judged = judgeRequest(tenant, configuration, { client, signed_in, asked, answer, now: authority.now })
  } catch (error) {
    if (error instanceof OAuthError) return { kind: 'refused', error }
    throw error
  }
  const { granted, wanted, choices, shown, roles, role } = judged
  // What the page said may have changed under the user's eyes: a scope that was not shown is not allowed.
  if (answer?.shown !== shown || granted === null) {
    const about_client = { client, configuration, source: record.source }
    const question = { user_code, code, ...about_client, ...wanted, ...choices, roles, shown }
    return { kind: 'question', question }
  }
  if (granted.scope.length === 0) {
    return { kind: 'refused', error: new OAuthError('access_denied', 'The user left out everything') }
  }
  const grant_id = newId(authority.now)
  const { tenant: state, now } = authority
  const allowed = {
    ...{ grant_id, now, tenant: state, client, client_epoch: record.epoch, signed_in, configuration, ...granted },
    ...{ connections: [], authorization_details: null, role },
  }
  const made = await store.approveDeviceCode({
    tenant_id,
    user_code_hash,
    approval: {
      tenant_id,
      grant: describeGrant(allowed, {
        code_hash: code.device_code_hash,
        code_expires_at: code.expires_at,
        code_challenge: code.code_challenge,
        redirect_uri: null,
      }),
      consent: null,
      tells_logout: isToldOfLogout(client, granted.scope.join(' ')),
      event: event(tenant, 'grant.created', actor, {
        ...about,
        grant_id,
        detail: { scope: granted.scope.join(' '), resource: granted.resource, device: true },
      }),
    },
  })
  return made ? { kind: 'done', decision: 'allow', client } : { kind: 'answered' }
}

/** What the user may give, and what of it the answer gives: in the picked role, without what was left out. */
function judgeRequest(
  tenant: Tenant,
  configuration: Configuration,
  args: { client: Client; signed_in: SignedIn; asked: DeviceWish; answer: DeviceAnswer | null; now: number },
) {
  const { client, asked, answer, now } = args
  const { user, session } = args.signed_in
  const rightsIn = (role: string | null) => rightsOf(configuration, client, user, role)
  const decideIn = (role: string | null) => decide(tenant, configuration, { client, asked, rights: rightsIn(role) })
  const offered = offerRoles(client, user)
  const wanted = decideIn(pickRole(offered, undefined) ?? null)
  const role = pickRole(offered, answer?.role)
  const choices = offerChoices(client, configuration, { scope: wanted.scope, session, now })
  const chosen = role !== undefined && answer !== null && choose(choices, answer, { ...decideIn(role), now })
  const seen = [wanted.scope, wanted.resource, offered, choices.optional_scope]
  return {
    wanted,
    choices,
    granted: chosen ? { ...chosen, resource: wanted.resource } : null,
    role: role ?? null,
    roles: describeRoles(offered, wanted.scope, rightsIn),
    shown: sha256(JSON.stringify(seen)).toString('base64url'),
  }
}

/** What a device asks for. */
interface DeviceWish {
  readonly scope: string
  readonly resource: readonly string[]
}

/** The scopes and resources of a device's request: what it may ask for at all, or what this user may give it. */
function decide(
  { issuer }: Tenant,
  configuration: Configuration,
  { client, asked, rights }: { client: Client; asked: DeviceWish; rights: Rights },
): { scope: readonly string[]; resource: readonly string[] } {
  const resource = decideResources({
    requested: asked.resource,
    registered: knownResources(issuer, configuration),
    default_resource: client.default_resource,
    issuer,
  })
  const scope = decideScope({
    requested: parseScope(asked.scope),
    resource_defaults: defaultScopes(configuration, resource),
    known_scopes: scopesOfResources(issuer, configuration, resource),
    ...scopeRules(rights),
  })
  return { scope, resource }
}
