import { type Run, read, Statement } from '../../server/src/store/sql.ts'
import { makeDatabase } from './stores.ts'

/** How SQLite would go about the first statement of each of these verbs: the steps of its plan, in one line each. */
export async function planOf(...runs: readonly Run<unknown>[]): Promise<string[]> {
  const database = await makeDatabase('sqlite')
  try {
    const { driver } = await database.open()
    const explain = read(function* ({ run }: { run: Run<unknown> }): Run<string> {
      const { strings, values } = run.next().value as Statement<unknown>
      const [first, ...rest] = strings
      const explained = [`explain query plan ${first}`, ...rest]
      const rows = yield* new Statement<{ detail: string }>(Object.assign(explained, { raw: explained }), values)
      return rows.map(({ detail }) => detail).join()
    })
    return await Promise.all(runs.map((run) => driver.run(explain, { run })))
  } finally {
    await database.drop()
  }
}
