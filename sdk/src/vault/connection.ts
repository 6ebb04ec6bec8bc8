import { findTarget, mayRepeat, readApiBase, readApiRequest } from './api_request.ts'
import { exchangedCredential, platformCredential, userCredential } from './credential.ts'
import type { ConnectionOptions, ProviderToken, VaultEvent } from './options.ts'
import { type Patience, type PutOff, persist } from './patience.ts'
import { createProviderTokens } from './provider_tokens.ts'
import { readRetryAfter, type Sallyport } from './sallyport.ts'
import { throughProxy, withToken } from './send.ts'
import { VaultError } from './vault_error.ts'

/** A user's account at somebody else's API, as this app may use it. */
export interface Connection {
  /**
   * Calls the provider's API: the path is below its base, whatever else is as for the Fetch API. A token that is refused
   * is renewed once, and the request repeated where its body is still there: no stream, and no Request that has a body. An
   * answer 429, or 503 to an idempotent request, is waited for by Retry-After, within bounds. Redirects are not followed.
   * Every other answer of the API is the answer. Rejects with a VaultError where Sallyport has no token or does not reach
   * the API, with a TypeError for a URL elsewhere, and with the errors of the runtime's fetch.
   */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /**
   * The provider's access token, for a client that cannot take `fetch`; `failed` is one that the API has refused. Rejects
   * with a VaultError, `token_not_handed_out` where the connector keeps its tokens.
   */
  readonly token: (failed?: string) => Promise<ProviderToken>
}

/** What all connections of a vault have from it. */
export interface Surroundings {
  readonly sallyport: Sallyport
  readonly patience: Patience
  readonly onEvent: ((event: VaultEvent) => void) | undefined
}

/** Describes a connection once; throws a TypeError when the description cannot be right. */
export function createConnection(surroundings: Surroundings, options: ConnectionOptions): Connection {
  const { sallyport, patience, onEvent } = surroundings
  const { connector, connection_id, api_base_url, via } = options
  const about = { connector, connection_id }
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(connector ?? 'none'))
    throw new TypeError('connector must be the name of a connector')
  if (connection_id === '') throw new TypeError('connection_id must not be empty')
  const isProxied = via !== 'token'
  if (!isProxied || connector === undefined || options.exchange) sallyport.requireClient()
  const api_base = api_base_url === undefined ? undefined : readApiBase(api_base_url)
  const proxied = connector ?? `connections/${encodeURIComponent(connection_id)}`
  const base = isProxied ? `${sallyport.base}/proxy/${proxied}` : api_base
  const of_user = connector === undefined ? undefined : userCredential(options.access_token)
  const credentialFor = (scope: 'vault:token' | 'vault:proxy') =>
    of_user ?? platformCredential(sallyport, options.scope ?? scope)
  const onRefreshed = () => onEvent?.({ type: 'refreshed', ...about })
  const tokens = createProviderTokens(sallyport, options, credentialFor('vault:token'), onRefreshed)
  const proxying =
    connector !== undefined && options.exchange ? exchangedCredential(sallyport, options) : credentialFor('vault:proxy')
  const send = isProxied ? throughProxy(sallyport, proxying) : withToken(sallyport, tokens)

  const patiently = async <T>(
    attempt: () => Promise<T>,
    mayTryAgain: (status?: number) => boolean,
    init?: RequestInit,
  ) => {
    const judge = (outcome: unknown) => {
      const put_off = readPutOff(outcome, sallyport.clock())
      return put_off && mayTryAgain(outcome instanceof Response ? outcome.status : undefined) ? put_off : undefined
    }
    const onRetry = (because: PutOff['because'], after_seconds: number, outcome: unknown) => {
      if (outcome instanceof Response) outcome.body?.cancel().catch(() => {})
      onEvent?.({ type: 'retrying', because, after_seconds, ...about })
    }
    try {
      return await persist(patience, { attempt, judge, onRetry, signal: init?.signal })
    } catch (error) {
      if (error instanceof VaultError && error.connect_url !== undefined) {
        onEvent?.({ type: 'needs_consent', error: error.error, connect_url: error.connect_url, ...about })
      }
      throw error
    }
  }

  return {
    fetch: async (input, init) => {
      const request = readApiRequest(input, init)
      if (base === undefined) throw new TypeError('api_base_url must say where the API is')
      const url = findTarget(base, api_base, request.url)
      const mayTryAgain = (status = 429) => mayRepeat(request, status)
      return await patiently(() => send(request, url), mayTryAgain, request.init)
    },
    token: (failed) =>
      patiently(
        () => tokens.get(failed),
        () => true,
      ),
  }
}

/** Why an answer of the API or a refusal of Sallyport, which comes before anything is done, may be another one soon. */
function readPutOff(outcome: unknown, now: number): PutOff | undefined {
  if (outcome instanceof Response) {
    return { because: outcome.status, after_seconds: readRetryAfter(outcome.headers, now) }
  }
  if (!(outcome instanceof VaultError && /^(connection|temporarily)_unavailable$/.test(outcome.error))) return undefined
  return { because: outcome.error, after_seconds: outcome.retry_after_seconds }
}
