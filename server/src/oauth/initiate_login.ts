import type { Client } from './clients/client.ts'

/**
 * Where somebody is sent who wants to sign in to a client from here (OpenID Connect Core section 4); undefined where the
 * client has no such place. The client then makes a request of its own: nothing of this one is believed there.
 */
export function initiateLoginUrl(client: Pick<Client, 'initiate_login_uri'>, iss: string): string | undefined {
  if (client.initiate_login_uri === undefined) return undefined
  const url = new URL(client.initiate_login_uri)
  url.searchParams.set('iss', iss)
  return url.href
}
