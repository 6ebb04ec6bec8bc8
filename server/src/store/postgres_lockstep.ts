import type { Renderer } from './postgres_batch.ts'
import type { PostgresConnection } from './postgres_connection.ts'
import { makeRow, type Run, type Statement } from './sql.ts'

/** A verb of a batch threw by itself; the batch is rolled back, and only that verb's caller fails. */
export class VerbThrew extends Error {
  readonly index: number

  constructor(index: number, cause: unknown) {
    super('a verb threw', { cause })
    this.index = index
  }
}

/** What sends a query and gathers its rows. */
export type Asker = Pick<PostgresConnection, 'query'>

/** What one run asked for in one step, a statement or several, and the rows of each. */
interface Asked {
  readonly index: number
  readonly question: Statement<unknown> | readonly Statement<unknown>[]
  readonly answers: unknown[][]
}

interface Call {
  readonly asked: Asked
  readonly place: number
  readonly statement: Statement<unknown>
}

/** Runs verbs side by side: what they ask with the same template in the same step goes out as one statement. */
export async function runInLockstep(
  connection: Asker,
  renderer: Renderer,
  runs: readonly Run<unknown>[],
): Promise<unknown[]> {
  const results: unknown[] = new Array(runs.length)
  let asked: Asked[] = []
  const advance = (index: number, answer: unknown[]) => {
    const step = resume(runs[index]!, index, answer)
    if (step.done) results[index] = step.value
    else asked.push({ index, question: step.value, answers: [] })
  }
  for (const index of runs.keys()) advance(index, [])
  while (asked.length > 0) {
    const step = asked
    asked = []
    await Promise.all(groupByTemplate(step).map((calls) => execute(connection, renderer, calls)))
    for (const { index, question, answers } of step) advance(index, isList(question) ? answers : answers[0]!)
  }
  return results
}

function resume(run: Run<unknown>, index: number, answer: unknown[]): ReturnType<Run<unknown>['next']> {
  try {
    return run.next(answer)
  } catch (cause) {
    throw new VerbThrew(index, cause)
  }
}

function groupByTemplate(step: readonly Asked[]): Call[][] {
  const groups = new Map<TemplateStringsArray, Call[]>()
  for (const asked of step) {
    const statements = isList(asked.question) ? asked.question : [asked.question]
    for (const [place, statement] of statements.entries()) {
      const group = groups.get(statement.strings)
      if (group) group.push({ asked, place, statement })
      else groups.set(statement.strings, [{ asked, place, statement }])
    }
  }
  return [...groups.values()]
}

async function execute(connection: Asker, renderer: Renderer, calls: readonly Call[]): Promise<void> {
  const many = calls.length > 1 ? renderer.many(calls.map(({ statement }) => statement)) : null
  if (!many) {
    await Promise.all(calls.map((call) => executeOne(connection, renderer, call)))
    return
  }
  const { columns, rows } = await connection.query(many)
  for (const { asked, place } of calls) asked.answers[place] = []
  for (const values of rows) {
    const { asked, place } = calls[(values[0] as number) - 1]!
    asked.answers[place]!.push(makeRow(columns, values, 1))
  }
}

async function executeOne(connection: Asker, renderer: Renderer, call: Call): Promise<void> {
  const { columns, rows } = await connection.query(renderer.one(call.statement))
  call.asked.answers[call.place] = rows.map((values) => makeRow(columns, values))
}

function isList(question: Asked['question']): question is readonly Statement<unknown>[] {
  return Array.isArray(question)
}
