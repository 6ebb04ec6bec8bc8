import { OAuthError } from '../../oauth/errors.ts'
import { requireParam } from '../../oauth/params.ts'
import type { TokenResponse } from '../../oauth/token_response.ts'
import { findLivingToken } from '../access_tokens.ts'
import { connectionOfToken } from '../connections.ts'
import { requireKeyOfToken } from '../sender_constraint.ts'
import type { GrantType } from './grant_type.ts'

/** How the vault is asked for a provider's token: given by whoever wires inbound and outbound together. */
export type HandOutToken = (ask: {
  readonly tenant_id: string
  readonly connection_id: string
  readonly connector: string
  readonly user_id: string
  readonly client_id: string
}) => Promise<TokenResponse>

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const CONNECTOR = /^connector:([a-z0-9][a-z0-9_-]{0,63})$/

/** Token exchange (RFC 8693) for a provider's token: the subject token's grant must hold a connection of the connector. */
export function createTokenExchange(handOutToken: HandOutToken): GrantType {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',

    load(context, _params, client_id) {
      return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
    },

    async issue(context, { params, client, cnf }) {
      const subject_token = requireParam(params, 'subject_token')
      if (requireParam(params, 'subject_token_type') !== ACCESS_TOKEN) {
        throw new OAuthError('invalid_request', `Parameter subject_token_type must be ${ACCESS_TOKEN}`)
      }
      if (params.values['actor_token'] !== undefined) {
        throw new OAuthError('invalid_request', 'Parameter actor_token is not supported')
      }
      const wanted = params.values['requested_token_type'] ?? ACCESS_TOKEN
      if (wanted !== ACCESS_TOKEN) {
        throw new OAuthError('invalid_request', `Parameter requested_token_type must be ${ACCESS_TOKEN}`)
      }
      const [audience, ...more] = params.audience
      const connector = audience === undefined ? undefined : CONNECTOR.exec(audience)?.[1]
      if (connector === undefined || more.length > 0 || params.resource.length > 0) {
        throw new OAuthError('invalid_target', 'Parameter audience must be one connector, as connector:name')
      }
      const { living, reason } = await findLivingToken(context, subject_token, '')
      if (!living || living.claims.client_id !== client.client_id || living.claims.grant_id === undefined) {
        const cause = reason ?? 'issued to another client, or without a user'
        throw new OAuthError('invalid_grant', 'The subject token is unknown, expired, revoked or not yours', { cause })
      }
      requireKeyOfToken(client, living.claims.cnf, cnf)
      const connection_id = connectionOfToken(living, connector)
      if (connection_id === null) {
        throw new OAuthError('invalid_target', `The user has not allowed this client to use ${connector}`)
      }
      const { tenant_id } = context.tenant
      const user_id = living.user_id!
      return handOutToken({ tenant_id, connection_id, connector, user_id, client_id: client.client_id })
    },
  }
}
