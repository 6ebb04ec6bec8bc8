import { ConfigError } from '../config/config_error.ts'
import type { Config } from '../config/read_config.ts'
import { migrate } from '../store/migrate.ts'
import { listPendingMigrations } from '../store/pending_migrations.ts'
import { StoreUnavailable } from '../store/sql.ts'
import { openStore, type Store } from '../store/store.ts'
import { dataFiles, makeDataFolder } from './data_folder.ts'

/** Opens the database, its schema up to date: by itself, except that PostgreSQL in production waits for `migrate`. */
export async function openDatabase(config: Config): Promise<Store> {
  const store = await openAsItIs(config)
  try {
    const pending = await askDatabase(() => listPendingMigrations(store.driver))
    if (pending.length === 0) return store
    if (config.production && config.database_url !== undefined) {
      throw new ConfigError([`The database lacks ${pending.join(', ')}: run \`sallyport migrate\` first`])
    }
    await askDatabase(() => migrate(store.driver))
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Brings the database up to date and says what was missing. */
export async function migrateDatabase(
  config: Config,
  told: (done: number, total: number) => void = () => {},
): Promise<string[]> {
  const store = await openAsItIs(config)
  try {
    return await askDatabase(() => migrate(store.driver, undefined, told))
  } finally {
    await store.close()
  }
}

/** Opens the database without looking at its schema. */
export async function openAsItIs(config: Config): Promise<Store> {
  if (config.database_url !== undefined) return openStore({ postgres: config.database_url }, { migrate: false })
  makeDataFolder(config)
  try {
    return await openStore({ sqlite: dataFiles(config).database }, { migrate: false })
  } catch (error) {
    if (error instanceof StoreUnavailable) throw error
    throw new ConfigError([`${dataFiles(config).database} cannot be opened: ${(error as Error).message}`])
  }
}

/** Asks the database, and says in a sentence why it cannot be used. */
export async function askDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StoreUnavailable && error.cause === undefined) throw error
    const reason = error instanceof StoreUnavailable ? (error.cause as Error) : (error as Error)
    throw new ConfigError([`The database cannot be used: ${reason.message || (reason as NodeJS.ErrnoException).code}`])
  }
}
