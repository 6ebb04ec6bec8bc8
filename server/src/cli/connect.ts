import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '../config/config_error.ts'
import type { CommandConfig } from './command_config.ts'
import { withAdministration } from './open_app.ts'

type Options = Readonly<Record<string, string | boolean | undefined>>

const LOOK_EVERY_MS = 1000
const LONGEST_SECONDS = 3600

/**
 * `connect <provider>`: prints where a user connects an account, waits until it is connected, and prints the id of the
 * connection. The person signs in there as always: the terminal lends nobody a session.
 */
export async function connectAccount({ config }: CommandConfig, name: string, options: Options): Promise<number> {
  const { user, connection, json } = options
  if (typeof user !== 'string') throw new ConfigError(['connect needs --user: whose the connection will be'])
  const seconds = readTimeout(options['timeout'])
  return withAdministration(config, async (administration, place) => {
    // Where the database is a file of this machine, its server is the one that could serve the page.
    if (config.database_url === undefined && !place.includes('running')) {
      throw new ConfigError(['No server runs on this data folder: start it first, it serves the page to connect on'])
    }
    const asked = await administration.askToConnect({ name, username: user, connection_id: connection })
    // For the person; what is printed on the standard output is for programs.
    process.stderr.write(`Open this address in a browser, and sign in as ${user}:\n  ${asked.url}\n`)
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(LOOK_EVERY_MS)) {
      const found = await administration.findConnected(asked)
      if (!found) continue
      const { connector, user_id } = asked
      const shown = json === true ? JSON.stringify({ ...found, connector, user_id }, null, 2) : found.connection_id
      process.stdout.write(`${shown}\n`)
      return 0
    }
    throw new ConfigError([`Nothing was connected within ${seconds} s; the address still works`])
  })
}

function readTimeout(text: string | boolean | undefined): number {
  const seconds = /^\d{1,4}$/.test(String(text)) ? Number(text) : Number.NaN
  if (seconds >= 1 && seconds <= LONGEST_SECONDS) return seconds
  throw new ConfigError([`--timeout must be a whole number of seconds from 1 to ${LONGEST_SECONDS}`])
}
