import { PAIRWISE } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { mayAct, nestActor, tokenRefused } from '../../oauth/token_exchange.ts'
import { buildTokenResponse, type TokenResponse } from '../../oauth/token_response.ts'
import type { Tenant } from '../../store/tenant.ts'
import { connectionAskUrl } from '../authorization/connection_ask.ts'
import { type Action, hasActions, readConnectionDetails, requireReading } from '../authorization/connections.ts'
import type { InboundContext } from '../context.ts'
import { proxyResource } from '../rights.ts'
import { issueAccessToken } from './access_tokens.ts'
import { type ConnectionUse, detailOfUse, findConnectionUse, type NoConnectionUse } from './connection_use.ts'
import { type Asked, descend, type Subject } from './exchange_token.ts'

/** Finds what the token presented reaches through a connector, by the client that presents it; else refuses. */
export async function requireConnectionUse(
  context: InboundContext,
  asked: Asked,
  { living, own }: Subject,
  connector: string,
): Promise<ConnectionUse> {
  const { tenant } = context
  const { client } = asked
  if (!own && !mayAct((living.claims as { may_act?: unknown }).may_act, { sub: client.client_id })) {
    throw tokenRefused('subject_token', 'The subject token does not let this party act')
  }
  const actions = readActions(asked, connector)
  const use = findConnectionUse(tenant.issuer, living, client, { connector, actions })
  if (use.kind === 'use' && hasActions(actions, ['write'])) return use
  const record = await tenant.store.findConnector({ tenant_id: tenant.tenant_id, connector })
  if (!record) throw new OAuthError('invalid_target', `There is no connector of the name ${connector}`)
  requireReading(context, record, actions)
  if (use.kind === 'use') return use
  throw refuseUse(tenant, use)
}

/**
 * A token for the proxy of one connector, for the server that was sent the user's own: it says who acts and for whom, is
 * for this one use, ends with the token presented, and is kept nowhere.
 */
export async function issueProxyToken(
  context: InboundContext,
  asked: Asked,
  { living, grant, user }: Subject,
  use: ConnectionUse,
): Promise<TokenResponse> {
  const { client, authority, configuration, cnf } = asked
  const { claims } = living
  const [tenant_epoch, , user_epoch, session_epoch] = claims.ep
  const detail = detailOfUse(use)
  const token = await issueAccessToken(context, {
    ...{ configuration, cnf, user, now: authority.now, scope: [] },
    resource: [proxyResource(context.tenant.issuer, use.choice.connector)],
    act: nestActor({ sub: client.client_id }, claims.act),
    // Where one client knows the user by another name only, no other learns more by it.
    client: claims.sub.startsWith(PAIRWISE) ? { ...client, subject_type: 'pairwise' } : client,
    authorization_details: [detail],
    epochs: [tenant_epoch, authority.client!.epoch, user_epoch, session_epoch],
    grant: { ...grant, grant_id: claims.grant_id! },
    ...(claims.one_role !== undefined && { one_role: claims.one_role }),
    ends_at: Math.min(claims.exp * 1000, use.choice.expires_at ?? Infinity),
    exchanged_from: descend(living),
  })
  const issued_token_type = 'urn:ietf:params:oauth:token-type:access_token'
  return buildTokenResponse({ ...token, scope: [], authorization_details: [detail], issued_token_type })
}

/** The refusal at the token endpoint; `reason` and `connect_url` are what a program goes by. */
function refuseUse(tenant: Tenant, { error_description, ask }: NoConnectionUse): OAuthError {
  const connect_url = ask && connectionAskUrl(tenant, ask)
  return new OAuthError('invalid_target', error_description, {
    members: { reason: 'connection_not_allowed', ...(connect_url && { connect_url }) },
  })
}

/** Which actions the request names, by a detail of this connector (RFC 9396 section 6); undefined where it names none. */
function readActions({ params }: Asked, connector: string): readonly Action[] | undefined {
  const details = readConnectionDetails(params)
  if (details === null) return undefined
  const [detail, ...more] = details
  if (detail?.connector === connector && more.length === 0 && detail.locations === undefined) return detail.actions
  throw new OAuthError(
    'invalid_authorization_details',
    `Parameter authorization_details must be one detail of ${connector}`,
  )
}
