import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import { readExchangeRequest, TOKEN_EXCHANGE_GRANT } from '../../oauth/token_exchange.ts'
import type { TokenResponse } from '../../oauth/token_response.ts'
import { connectionOfToken } from '../authorization/connections.ts'
import type { GrantType } from '../authorization/grant_type.ts'
import { requireKeyOfToken } from '../client_authentication/sender_constraint.ts'
import { findLivingToken } from '../tokens/access_tokens.ts'
import { exchangeToken } from '../tokens/exchange_token.ts'

/** How the vault is asked for a provider's token: given by whoever wires inbound and outbound together. */
export type HandOutToken = (ask: {
  readonly tenant_id: string
  /** Null where the user has not allowed the client to use one. */
  readonly connection_id: string | null
  readonly connector: string
  readonly user_id: string
  readonly client_id: string
  /** As they came: how much life the token is to have left, and the one that the provider's API has refused. */
  readonly min_seconds: string | undefined
  readonly failed_token: string | undefined
}) => Promise<TokenResponse>

const CONNECTOR = /^connector:([a-z0-9][a-z0-9_-]{0,63})$/

/**
 * Token exchange (RFC 8693): for a token of ours that says who acts and for what, or, where the audience is a connector,
 * for a provider's token, if the subject token's grant holds a connection of it.
 */
export function createTokenExchange(handOutToken: HandOutToken): GrantType {
  return {
    grant_type: TOKEN_EXCHANGE_GRANT,

    load(context, _params, client_id) {
      return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
    },

    async issue(context, asked) {
      const { params, client, cnf } = asked
      const connector = readConnector(params)
      if (connector === null) return exchangeToken(context, asked)
      const { subject_token, subject_token_type, actor, requested_token_type } = readExchangeRequest(params)
      const wrong =
        subject_token_type !== 'access_token'
          ? 'subject_token_type'
          : requested_token_type !== 'access_token'
            ? 'requested_token_type'
            : actor && 'actor_token'
      if (wrong) {
        const text = `Parameter ${wrong} does not go with a connector: its token is given for an access token alone`
        throw new OAuthError('invalid_request', text)
      }
      const { living, reason } = await findLivingToken(context, subject_token, '')
      if (!living || living.claims.client_id !== client.client_id || living.claims.grant_id === undefined) {
        const cause = reason ?? 'issued to another client, or without a user'
        throw new OAuthError('invalid_grant', 'The subject token is unknown, expired, revoked or not yours', { cause })
      }
      requireKeyOfToken(client, living.claims.cnf, cnf)
      const connection_id = connectionOfToken(living, connector)
      const { tenant_id, store } = context.tenant
      if (connection_id === null && !(await store.findConnector({ tenant_id, connector }))) {
        throw new OAuthError('invalid_target', `There is no connector of the name ${connector}`)
      }
      const { min_seconds, failed_token } = params.values
      const asked_token = { tenant_id, connection_id, connector, user_id: living.user_id!, min_seconds, failed_token }
      return handOutToken({ ...asked_token, client_id: client.client_id })
    },
  }
}

/** The connector that the audience names, alone; null where it names none. */
function readConnector({ audience, resource }: Params): string | null {
  if (!audience.some((name) => name.startsWith('connector:'))) return null
  const connector = CONNECTOR.exec(audience[0]!)?.[1]
  if (connector === undefined || audience.length > 1 || resource.length > 0) {
    throw new OAuthError('invalid_target', 'Parameter audience must be one connector, as connector:name')
  }
  return connector
}
