import { randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { isSubset, parseScope } from '../../oauth/scope.ts'
import { SettingError } from '../../providers/setting_error.ts'
import { buildAuthorizationUrl, readAskedScope } from '../../relying/authorization_url.ts'
import type { DeviceAuthorization } from '../../relying/device_authorization.ts'
import { DiscoveryError } from '../../relying/discovery.ts'
import { PushRefused } from '../../relying/push_request.ts'
import { stepBeforeAuthorization } from '../../relying/steps.ts'
import type { ConnectSessionRecord } from '../../store/verbs/connect_sessions.ts'
import type { ConnectionOwner, ConnectionRecord } from '../../store/verbs/connections.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import type { ChosenTerms } from '../connections/connection_end.ts'
import { type Connector, grantTypeOf, openConnector, relyingParty } from '../connectors/connector.ts'
import { noteConnectorRefused } from '../connectors/connector_error.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'
import { isSameOwner } from '../owner.ts'
import { type BrokeredMemory, chooseRedirectUri, enlistBroker } from './brokers.ts'
import { readReturnTo } from './return_to.ts'
import { checkConnectorOf, newSessionFlow, ownerOfSession, ownerOfUser, sessionHref } from './session_flow.ts'
import { startDevice } from './start_device.ts'

/** What a consent flow starts from. */
export interface ConnectStart {
  /** The signed-in user: the one who finishes must be the same. Null where a session is bound to its browser alone. */
  readonly user_id: string | null
  /** The connect session that it is a try of. */
  readonly session?: ConnectSessionRecord | undefined
  readonly connector: string
  /** The connection to repair; a new one otherwise. */
  readonly connection_id?: string | undefined
  /** The secret of the connect cookie that the browser holds, if it does. */
  readonly browser_secret?: string | undefined
  readonly return_to?: string | undefined
  /** Less than the connector's scope, where less is enough. */
  readonly scope?: string | undefined
  /** One of the connector's redirect URIs: its first, or that of before, unless told otherwise. */
  readonly redirect_uri?: string | undefined
  /** How long the connection is to last; no longer than the connector allows. */
  readonly lifetime_seconds?: number | null | undefined
}

/** Where to send the browser, and the cookie that proves it to be the same one when it comes back. */
export interface ConnectStarted {
  readonly authorization_url: string
  readonly browser_secret: string
  readonly cookie_seconds: number
}

/** What a flow keeps sealed until its answer comes back. */
export interface FlowMemory {
  readonly code_verifier: string | null
  readonly nonce: string | null
  readonly return_to: string
  readonly scope: string
  readonly terms?: ChosenTerms
  /** The connect session that it is a try of. */
  readonly session_id?: string
  /** What the tokens will be bound to, where they will be. */
  readonly proof_key?: string
  /** Where the person consents at the provider, by a code that our page shows. */
  readonly device?: DeviceAuthorization
  /** Where it goes through a redirect broker. */
  readonly through?: BrokeredMemory
}

/** How long a person may take at the provider. */
export const FLOW_SECONDS = 600
const SECRET = /^[\w-]{43}$/

/**
 * Starts a consent flow (RFC 6749 section 4.1.1): its state is random, used once within ten minutes, and bound to
 * tenant, user, connector at its present version, connection and browser (RFC 9700 section 4.7.1).
 */
export async function startConnect(context: OutboundContext, start: ConnectStart): Promise<ConnectStarted> {
  const { tenant_id, store, keys, issuer } = context.tenant
  const { user_id, session, connection_id = null } = start
  const record = await store.findConnector({ tenant_id, connector: start.connector })
  if (!record) throw new OAuthError('invalid_request', 'There is no connector of this name', { status: 404 })
  if (record.disabled_at !== null) throw new OAuthError('invalid_request', 'This connector is disabled')
  const connector = openConnector(context, record)
  // It may have been another one when the session was made.
  if (session) checkConnectorOf(session, connector)
  const { return_uris } = connector.settings
  const return_to = session
    ? sessionHref(issuer, session.session_id)
    : readReturnTo(issuer, return_uris, start.return_to)
  const owner = session ? ownerOfSession(session) : ownerOfUser(user_id ?? '')
  const former = connection_id === null ? null : await checkRepair(context, owner, record.connector, connection_id)
  // Nobody is sent away for a consent that could not be kept.
  await context.vault_keys.newest()
  const { redirect_uri, broker } = await chooseRedirectUri(context, connector, start.redirect_uri, former?.redirect_uri)
  const own_page = findOwnPage(connector)
  const party = { ...relyingParty(context, connector), redirect_uri }
  const scope = readScope(readAskedScope(party), start.scope)
  const state = session ? newSessionFlow('state') : randomSecret()
  const device = own_page === 'device' ? await startDevice(context, connector, { ...party, scope }) : undefined
  const lifetime = device?.expires_in ?? FLOW_SECONDS
  const of_session = session && { session_id: session.session_id }
  const { url, remember } = own_page
    ? { url: ownPageUrl(context, record.connector, own_page, { state, ...of_session }), remember: NOTHING }
    : await buildFlowUrl(context, record, { ...party, scope }, state)
  const known = start.browser_secret
  const browser_secret = known !== undefined && SECRET.test(known) ? known : randomSecret()
  const brokered =
    broker && enlistBroker(broker, { redirect_uri, state, authorization_url: url }, session !== undefined)
  const state_hash = keys.hashSecret(brokered?.flow ?? state)
  const memory: FlowMemory = {
    ...remember,
    return_to,
    scope,
    terms: { lifetime_seconds: start.lifetime_seconds ?? null, redirect_uri },
    ...(brokered && { through: brokered.memory }),
    ...of_session,
    ...(device && { device }),
  }
  const detail = { connector: record.connector, ...of_session }
  const actor = user_id === null ? `client:${session?.client_id}` : `user:${user_id}`
  await store.startConnectFlow({
    ...{ tenant_id, state_hash, lifetime_ms: lifetime * 1000, broker: broker?.url, poll_seconds: device?.interval },
    flow: {
      ...{
        connector: record.connector,
        connector_version: record.version,
        user_id: session ? '' : (user_id ?? ''),
        connection_id,
      },
      browser_hash: keys.hashSecret(browser_secret),
      sealed: keys.seal(JSON.stringify(memory), flowPlace(state_hash)),
    },
    event: outboundEvent(context, 'connect.started', actor, { user_id, connection_id, detail }),
  })
  return { authorization_url: brokered?.start_url ?? url, browser_secret, cookie_seconds: lifetime }
}

const NOTHING = { code_verifier: null, nonce: null }

// Where nobody is sent to a provider and back, the person goes to a page of ours in place of one of the provider's.
function findOwnPage(connector: Connector): 'key' | 'ask' | 'device' | null {
  if (connector.provider.credential !== 'oauth') return 'key'
  const grant_type = grantTypeOf(connector)
  if (grant_type === 'urn:ietf:params:oauth:grant-type:device_code') return 'device'
  return grant_type === 'authorization_code' ? null : 'ask'
}

function ownPageUrl(
  { tenant }: OutboundContext,
  connector: string,
  own_page: string,
  query: Readonly<Record<string, string>>,
): string {
  return `${tenant.issuer}/connect/${connector}/${own_page}?${new URLSearchParams(query)}`
}

/** Where the memory of a flow is sealed. */
export function flowPlace(state_hash: Uint8Array) {
  const row = Buffer.from(state_hash).toString('hex')
  return { table: 'connect_flows', row, column: 'sealed', version: 1 }
}

/** The connection that is to be repaired; refuses what is not the owner's, is not of this connector, or was ended. */
export async function checkRepair(
  context: OutboundContext,
  owner: ConnectionOwner,
  connector: string,
  connection_id: string,
): Promise<ConnectionRecord> {
  const { tenant_id, store } = context.tenant
  const found = (await store.loadConnection({ tenant_id, connection_id }))?.connection
  // A connection that its owner ended stays ended: whoever was allowed to use it does not get it back.
  if (!found || !isSameOwner(found, owner) || found.connector !== connector || found.state === 'disconnected') {
    throw new OAuthError('invalid_request', 'Parameter connection_id is not a connection of yours', { status: 404 })
  }
  return found
}

/** The scope of a flow: the connector's, or less. */
export function readScope(allowed: readonly string[], scope: string | undefined): string {
  if (scope === undefined) return allowed.join(' ')
  const asked = parseScope(scope)
  if (asked.length === 0 || !isSubset(asked, allowed)) {
    throw new OAuthError('invalid_scope', 'Parameter scope asks for more than the connector does')
  }
  return asked.join(' ')
}

/** The provider's authorization URL for a flow; a connector that cannot make one is told apart from a provider that is away. */
export async function buildFlowUrl(
  context: OutboundContext,
  record: ConnectorRecord,
  party: ReturnType<typeof relyingParty>,
  state: string,
  params: Readonly<Record<string, string>> = {},
) {
  try {
    const stepped = await stepBeforeAuthorization(context.relying, party)
    if (stepped.kind === 'params') {
      return await buildAuthorizationUrl(context.relying, party, { state, params: { ...stepped.params, ...params } })
    }
    const cause = stepped.kind === 'unknown' ? stepped.cause : undefined
    throw new OAuthError('temporarily_unavailable', 'The provider did not prepare the consent', { cause })
  } catch (cause) {
    if (cause instanceof PushRefused) {
      const { outcome } = cause
      if (outcome.kind === 'client_refused') await noteConnectorRefused(context, record, outcome)
      throw new OAuthError('server_error', cause.message, { cause })
    }
    if (cause instanceof DiscoveryError && cause.reason === 'unreachable') {
      throw new OAuthError('temporarily_unavailable', 'The provider cannot be reached', { cause })
    }
    if (!(cause instanceof DiscoveryError || cause instanceof SettingError)) throw cause
    throw new OAuthError('server_error', 'The connector is not set up rightly', { cause })
  }
}
