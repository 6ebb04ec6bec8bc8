import { readCount, readSeconds } from '../resource/options.ts'
import { type Connection, createConnection } from './connection.ts'
import type { ClientTokenOptions, ConnectionOptions, VaultOptions } from './options.ts'
import { sleep } from './patience.ts'
import { Sallyport } from './sallyport.ts'

export type { Fetch } from '../resource/fetch_json.ts'
export type { Connection } from './connection.ts'
export type {
  ClientTokenOptions,
  ConnectionOptions,
  ProviderToken,
  UserToken,
  VaultEvent,
  VaultOptions,
} from './options.ts'
export { VaultError, type VaultErrorCode } from './vault_error.ts'

/** The connections of users to other people's APIs, which a Sallyport keeps. */
export interface Vault {
  /**
   * A connection to use. It keeps the provider's token for a moment where it does not go through the proxy, so make one for
   * each user and connector, not for each request, where many come. Throws a TypeError when the options cannot be right.
   */
  connection(options: ConnectionOptions): Connection
  /**
   * An access token of this app itself (client credentials, RFC 6749 section 4.4), kept until it is nearly over; parallel
   * callers share one request. `failed` is one that was refused. Rejects with a VaultError.
   */
  clientToken(options?: ClientTokenOptions, failed?: string): Promise<string>
}

/** Describes how a Sallyport is asked; throws a TypeError when the description cannot be right. */
export function createVault(options: VaultOptions): Vault {
  const sallyport = new Sallyport(options)
  const { onEvent, wait = sleep } = options
  const retries = readCount(options.retries, 'retries', 2)
  const longest_wait_seconds = readSeconds(options.longest_wait_seconds, 'longest_wait_seconds', 10)
  const surroundings = { sallyport, patience: { retries, longest_wait_seconds, wait }, onEvent }
  return {
    connection: (asked) => createConnection(surroundings, asked),
    clientToken: (asked = {}, failed) => sallyport.clientToken(asked, failed),
  }
}
