import { KeptToken } from './kept_token.ts'
import type { UserToken } from './options.ts'
import { readToken, type Sallyport } from './sallyport.ts'
import { VaultError } from './vault_error.ts'

/** How the token is read by which Sallyport knows for whom it works; `failed` is one that it has refused. */
export type Credential = (failed?: string) => Promise<string>

/** The user's own access token, as the app has it. */
export function userCredential(given: UserToken): Credential {
  if (typeof given === 'string') return async () => given
  // The app is asked each time, by one call for all who ask at once.
  const kept = new KeptToken(
    async (failed) => ({ token: { access_token: await given(failed) }, until: 0 }),
    () => 0,
  )
  return async (failed) => (await kept.get(failed)).access_token
}

/** What every token exchange here says (RFC 8693 section 2.1). */
export const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
}

/** The detail that says what of a connection is wanted (RFC 9396), where that is not all of it. */
export function describeActions(connector: string, actions: readonly string[] | undefined): Record<string, string> {
  return actions ? { authorization_details: JSON.stringify([{ type: 'connection', connector, actions }]) } : {}
}

/** A token for the proxy of a connector, by which this app acts for the client that sent it the user's token. */
export function exchangedCredential(
  sallyport: Sallyport,
  asked: {
    readonly connector: string
    readonly actions?: readonly string[] | undefined
    readonly access_token: UserToken
  },
): Credential {
  const { connector, actions } = asked
  const given = userCredential(asked.access_token)
  const form = { ...EXCHANGE, resource: `${sallyport.base}/proxy/${connector}`, ...describeActions(connector, actions) }
  const kept = new KeptToken(async () => {
    const begun = sallyport.clock()
    const answer = await present(given, true, (subject_token) => sallyport.askTokenEndpoint({ ...form, subject_token }))
    const life_ms = typeof answer.expires_in === 'number' ? answer.expires_in * 1000 : 0
    return { token: { access_token: readToken(answer) }, until: begun + life_ms / 2 }
  }, sallyport.clock)
  return async (failed) => (await kept.get(failed)).access_token
}

/** The token of a platform that may have any user's tokens, call the proxy by any user's connections, or both by its own's. */
export function platformCredential(
  sallyport: Sallyport,
  scope: 'vault:token' | 'vault:proxy' | 'connect:token',
): Credential {
  const wish = { resource: `${sallyport.base}/api`, scope }
  return (failed) => sallyport.clientToken(wish, failed)
}

/** Uses a token, and once more another one where Sallyport refuses the first, if that makes sense again. */
export async function present<T>(
  credential: Credential,
  again: boolean,
  use: (access_token: string) => Promise<T>,
): Promise<T> {
  const first = await credential()
  try {
    return await use(first)
  } catch (error) {
    if (!(error instanceof VaultError && /^(invalid_(token|grant)|subject_token_refused)$/.test(error.error)))
      throw error
    const second = await credential(first)
    if (second === first || !again) throw error
    return await use(second)
  }
}
