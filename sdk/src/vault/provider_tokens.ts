import { readSeconds } from '../resource/options.ts'
import { type Credential, describeActions, EXCHANGE, present } from './credential.ts'
import { isAnother, KeptToken } from './kept_token.ts'
import type { ConnectionOptions, ProviderToken } from './options.ts'
import { type Json, readToken, type Sallyport } from './sallyport.ts'

const LONGEST_SECONDS = 3600

/** The provider's tokens of one connection: by token exchange (RFC 8693) for a user, by the API for a platform. */
export function createProviderTokens(
  sallyport: Sallyport,
  options: ConnectionOptions,
  credential: Credential,
  onRefreshed: () => void,
): KeptToken<ProviderToken> {
  const min_seconds = Math.ceil(readSeconds(options.min_seconds, 'min_seconds', 30, LONGEST_SECONDS))
  const keep_seconds = readSeconds(options.keep_seconds, 'keep_seconds', 60, LONGEST_SECONDS)
  const { connector, connection_id, actions } = options

  const ask = (access_token: string, failed: string | undefined): Promise<Json> => {
    if (connector === undefined) {
      const path = `/connections/${encodeURIComponent(connection_id)}`
      if (failed !== undefined) return sallyport.askApi('POST', `${path}/refresh`, access_token)
      return sallyport.askApi('GET', `${path}/token?min_seconds=${min_seconds}`, access_token)
    }
    return sallyport.askTokenEndpoint({
      ...EXCHANGE,
      ...{ subject_token: access_token, audience: `connector:${connector}`, min_seconds: `${min_seconds}` },
      ...(failed !== undefined && { failed_token: failed }),
      ...describeActions(connector, actions),
    })
  }

  return new KeptToken(async (failed) => {
    const asked = sallyport.clock()
    const token = readProviderToken(await present(credential, true, (mine) => ask(mine, failed)), asked)
    if (failed !== undefined && isAnother(token, failed)) onRefreshed()
    return { token, until: Math.min(asked + keep_seconds * 1000, (token.expires_at ?? Infinity) - min_seconds * 1000) }
  }, sallyport.clock)
}

function readProviderToken(answer: Json, asked: number): ProviderToken {
  const { issued_token_type: _, token_type, scope, expires_in, ...others } = answer
  return Object.freeze({
    ...others,
    access_token: readToken(answer),
    token_type: typeof token_type === 'string' ? token_type : 'Bearer',
    scope: typeof scope === 'string' ? scope : '',
    expires_at: typeof expires_in === 'number' ? asked + expires_in * 1000 : undefined,
  })
}
