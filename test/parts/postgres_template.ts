import { openStore } from '../../server/src/store/store.ts'
import { createDatabase, runSql } from './postgres.ts'

/**
 * Makes a database with all tables, of which `createDatabase` makes copies: the migrations, which grow, run once and not
 * for each of hundreds of tests.
 */
export async function createTemplate(url: string): Promise<{ name: string; drop(): Promise<void> }> {
  const database = await createDatabase(url, { empty: true })
  const store = await openStore({ postgres: database.url })
  await store.close()
  const name = new URL(database.url).pathname.slice(1)
  await runSql(url, `ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`)
  return { name, drop: database.drop }
}
