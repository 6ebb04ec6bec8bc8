import { migrate } from './migrate.ts'
import type { Driver, Verb } from './sql.ts'
import { openSqlite } from './sqlite.ts'
import * as verbs from './verbs/index.ts'

type Verbs = typeof verbs
type Port = {
  readonly [Name in keyof Verbs as Verbs[Name] extends Verb<never, unknown> ? Name : never]: Verbs[Name] extends Verb<
    infer Args,
    infer Result
  >
    ? (args: Args) => Promise<Result>
    : never
}

/** The store: every verb of the registry as an async function, each atomic. */
export type Store = Port & { readonly driver: Driver; close(): Promise<void> }

/** The store over a driver. */
export function createStore(driver: Driver): Store {
  const port: Record<string, unknown> = { driver, close: () => driver.close() }
  for (const [name, verb] of Object.entries(verbs)) {
    if (isVerb(verb)) port[name] = (args: unknown) => driver.run(verb, args)
  }
  return port as unknown as Store
}

/** Where the data lives: a SQLite file of this process, or PostgreSQL. */
export type StoreLocation = { readonly sqlite: string; readonly clock?: () => number } | PostgresLocation

interface PostgresLocation {
  readonly postgres: string
  readonly connections?: number
  readonly clock?: () => number
}

/** Opens a store and, unless told otherwise, brings its schema up to date. */
export async function openStore(location: StoreLocation, options: { migrate?: boolean } = {}): Promise<Store> {
  const driver =
    'sqlite' in location
      ? openSqlite({ path: location.sqlite, clock: location.clock ?? Date.now })
      : await openPostgresDriver(location)
  try {
    if (options.migrate !== false) await migrate(driver)
  } catch (error) {
    await driver.close()
    throw error
  }
  return createStore(driver)
}

// The client of PostgreSQL is loaded where there is one.
async function openPostgresDriver({ postgres, connections, clock }: PostgresLocation): Promise<Driver> {
  const { openPostgres } = await import('./postgres.ts')
  return openPostgres({
    url: postgres,
    ...(connections === undefined ? {} : { connections }),
    ...(clock === undefined ? {} : { clock }),
  })
}

function isVerb(value: unknown): value is Verb<unknown, unknown> {
  return typeof value === 'object' && value !== null && 'run' in value && 'kind' in value
}
