import { OAuthError } from '../../oauth/errors.ts'
import type { Params } from '../../oauth/params.ts'
import { type ExchangeRequest, readExchangeRequest, TOKEN_EXCHANGE_GRANT } from '../../oauth/token_exchange.ts'
import type { TokenResponse } from '../../oauth/token_response.ts'
import { connectionAskUrl } from '../authorization/connection_ask.ts'
import { ACTIONS } from '../authorization/connections.ts'
import type { GrantType } from '../authorization/grant_type.ts'
import { connectorOfResource } from '../rights.ts'
import { issueProxyToken, requireConnectionUse } from '../tokens/exchange_connection.ts'
import { exchangeToken, findSubject } from '../tokens/exchange_token.ts'
import { noteConnectionUse } from '../tokens/note_connection_use.ts'

/** How the vault is asked for a provider's token: given by whoever wires inbound and outbound together. */
export type HandOutToken = (ask: {
  readonly tenant_id: string
  readonly connection_id: string
  readonly connector: string
  readonly user_id: string
  readonly client_id: string
  /** It may do less than the provider's token does, which is then not for it. */
  readonly narrowed: boolean
  /** The page on which the user can choose another connection. */
  readonly ask_url: string
  /** As they came: how much life the token is to have left, and the one that the provider's API has refused. */
  readonly min_seconds: string | undefined
  readonly failed_token: string | undefined
}) => Promise<TokenResponse>

const CONNECTOR = /^connector:([a-z0-9][a-z0-9_-]{0,63})$/

/**
 * Token exchange (RFC 8693): for a token of ours that says who acts and for what. Where the target is a connector, or the
 * proxy of one, for what the user has allowed the client to use through it: a provider's token, or one for the proxy.
 */
export function createTokenExchange(handOutToken: HandOutToken): GrantType {
  return {
    grant_type: TOKEN_EXCHANGE_GRANT,

    load(context, _params, client_id) {
      return context.tenant.store.loadClientAuthority({ tenant_id: context.tenant.tenant_id, client_id })
    },

    async issue(context, asked) {
      const { tenant } = context
      const { params, client } = asked
      const target = readTarget(params, tenant.issuer)
      if (target === null) return exchangeToken(context, asked)
      const { connector, is_proxy } = target
      const { subject_token, ...wanted } = readExchangeRequest(params)
      const wrong = findWrong(wanted)
      // Of a client's own token, and of what is none, the proxy is a resource like any other.
      if (wrong && is_proxy) return exchangeToken(context, asked)
      if (wrong) {
        const text = `Parameter ${wrong} does not go with a connector: its token is given for an access token alone`
        throw new OAuthError('invalid_request', text)
      }
      const subject = await findSubject(context, asked, subject_token)
      if (subject.own && is_proxy) return exchangeToken(context, asked)
      const use = await requireConnectionUse(context, asked, subject, connector)
      if (is_proxy) return issueProxyToken(context, asked, subject, use)
      const { living, grant } = subject
      const { connection_id } = use.choice
      const { min_seconds, failed_token } = params.values
      const response = await handOutToken({
        ...{ tenant_id: tenant.tenant_id, connection_id, connector, user_id: grant.user_id },
        ...{ client_id: client.client_id, min_seconds, failed_token },
        narrowed: use.actions.length < ACTIONS.length,
        ask_url: connectionAskUrl(tenant, use.ask),
      })
      await noteConnectionUse(tenant, living, use, client.client_id)
      return response
    },
  }
}

function findWrong({ subject_token_type, requested_token_type, actor }: Omit<ExchangeRequest, 'subject_token'>) {
  if (subject_token_type !== 'access_token') return 'subject_token_type'
  if (requested_token_type !== 'access_token') return 'requested_token_type'
  return actor && 'actor_token'
}

/** The connector, or its proxy, that audience or resource names, alone; null where they name neither. */
function readTarget(
  { audience, resource }: Params,
  issuer: string,
): { readonly connector: string; readonly is_proxy: boolean } | null {
  const [named, ...more] = [...resource, ...audience]
  const proxied = more.length === 0 && named !== undefined ? connectorOfResource(issuer, named) : null
  if (proxied !== null) return { connector: proxied, is_proxy: true }
  if (!audience.some((name) => name.startsWith('connector:'))) return null
  const connector = CONNECTOR.exec(audience[0]!)?.[1]
  if (connector === undefined || audience.length > 1 || resource.length > 0) {
    throw new OAuthError('invalid_target', 'Parameter audience must be one connector, as connector:name')
  }
  return { connector, is_proxy: false }
}
