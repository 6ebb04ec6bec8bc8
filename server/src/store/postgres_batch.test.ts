import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import pg from 'pg'
import { createDatabase, type PostgresServer, startPostgres } from '../../../test/parts/postgres.ts'
import { openPostgres } from './postgres.ts'
import { type Driver, type Run, read, sql, together, type Verb, write } from './sql.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server.stop())

interface Named {
  readonly name: string
}

async function open(t: TestContext, options: { clock?: () => number; connections?: number } = {}) {
  const database = await createDatabase(server.url)
  const driver = openPostgres({ url: database.url, ...options })
  t.after(async () => {
    await driver.close()
    await database.drop()
  })
  await driver.exclusively((session) =>
    session.transaction(`create table things (name text primary key, changes bigint not null, note text);
      insert into things select chr(96 + n), 0 from generate_series(1, 8) n`),
  )
  return { driver, url: database.url }
}

/** Notes the first word of each statement, without those that begin, lock and end. */
async function statements(work: () => Promise<unknown>): Promise<string[]> {
  const original = pg.Client.prototype.query
  const seen: string[] = []
  pg.Client.prototype.query = function (this: pg.Client, query: string | pg.QueryConfig, ...rest: never[]) {
    const said = typeof query === 'string' ? query : query.text
    const ours = typeof query === 'string' ? query.startsWith('discard') : query.name !== 'lock'
    if (ours) seen.push(said.trim().split(/\s+/, 1)[0]!)
    return Reflect.apply(original, this, [query, ...rest])
  } as never
  try {
    await work()
  } finally {
    pg.Client.prototype.query = original
  }
  return seen
}
const settle = async (calls: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(calls)).map((call) => (call.status === 'rejected' ? 'refused' : call.value))
const each = <Result>(driver: Driver, verb: Verb<Named, Result>, names: string) =>
  settle([...names].map((name) => driver.run(verb, { name })))
const counts = async (driver: Driver) => {
  const [row] = await driver.exclusively((session) =>
    session.query("select string_agg(changes::text, '' order by name) as all from things"),
  )
  return row!['all']
}

const change = write(
  function* ({ name }: Named): Run<number | null> {
    const [row] = yield* sql<{ changes: number }>`
      update things set changes = changes + 1 where name = ${name} returning changes`
    return row?.changes ?? null
  },
  { key: ({ name }) => name },
)
const find = read(function* ({ name }: Named): Run<string[]> {
  const rows = yield* sql<{ name: string }>`select name from things where name >= ${name} order by name limit 2`
  return rows.map((row) => row.name)
})

test('calls that wait at the same time go out as one statement, and each gets its own rows', async (t) => {
  const { driver } = await open(t)
  let answers: unknown[] = []
  const seen = await statements(async () => {
    answers = await each(driver, change, 'hgxfa')
  })
  assert.deepEqual(answers, [1, 1, null, 1, 1])
  assert.deepEqual(seen, ['update'])
  assert.equal(await counts(driver), '10000111')
})

test('callers that ask for the same rows, for several or for none get what is theirs, in order', async (t) => {
  const { driver } = await open(t)
  const seen = await statements(async () => {
    assert.deepEqual(await each(driver, find, 'gbzbh'), [['g', 'h'], ['b', 'c'], [], ['b', 'c'], ['h']])
  })
  assert.deepEqual(seen, ['select'])
})

test('two calls with one key arrive at what they would have done one after the other', async (t) => {
  const { driver } = await open(t)
  const answers = await each(driver, change, 'abaaba')
  assert.deepEqual([answers[1], answers[4]].sort(), [1, 2])
  assert.deepEqual([answers[0], answers[2], answers[3], answers[5]], [1, 2, 3, 4])
  assert.equal(await counts(driver), '42000000')
})

test('calls with one key wait here, and leave the connections to others', async (t) => {
  const { driver, url } = await open(t, { connections: 2 })
  const direct = new pg.Client({ connectionString: url })
  await direct.connect()
  await direct.query("begin; update things set changes = 5 where name = 'a'")
  const same = Array.from({ length: 10 }, () => driver.run(change, { name: 'a' }))
  assert.deepEqual(await driver.run(find, { name: 'h' }), ['h'])
  assert.equal(await driver.run(change, { name: 'b' }), 1)
  await direct.query('commit')
  await direct.end()
  assert.deepEqual(await Promise.all(same), [6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
})

test('a NUL byte in the data of one caller fails that caller alone', async (t) => {
  const { driver } = await open(t)
  assert.deepEqual(await each(driver, change, 'ab\0cd'), [1, 1, 'refused', 1, 1])
  assert.deepEqual(await each(driver, find, 'h\0g'), [['h'], 'refused', ['g', 'h']])
  assert.equal(await counts(driver), '11110000')
})

test('a unique violation of one caller fails that caller alone', async (t) => {
  const { driver } = await open(t)
  const add = write(
    function* ({ name }: Named): Run<string> {
      yield* sql`insert into things (name, changes) values (${name}, 0)`
      return name
    },
    { key: ({ name }) => name },
  )
  // By halves, not one by one: a bad caller in a full batch costs about a dozen statements more, not 64.
  const names = Array.from({ length: 64 }, (_, i) => String.fromCodePoint(0x100 + i)).join('')
  const seen = await statements(async () => {
    const answers = await each(driver, add, `${names.slice(0, 20)}a${names.slice(20, 63)}`)
    assert.equal(answers.indexOf('refused'), 20)
    assert.equal(answers.lastIndexOf('refused'), 20)
  })
  assert.ok(seen.length < 20, seen.join())
  assert.equal(await counts(driver), '0'.repeat(8 + 63))
})

test('a verb that throws fails alone: what it wrote is undone, its neighbours commit', async (t) => {
  const { driver } = await open(t)
  const careful = write(
    function* ({ name }: Named): Run<number | null> {
      const changes = yield* change.run({ name })
      if (name === 'c' || name === 'e') throw new Error(`not ${name}`)
      return changes
    },
    { key: ({ name }) => name },
  )
  assert.deepEqual(await each(driver, careful, 'abcdef'), [1, 1, 'refused', 1, 'refused', 1])
  await assert.rejects(driver.run(careful, { name: 'c' }), /^Error: not c$/)
  assert.equal(await counts(driver), '11010100')
})

test('what cannot be batched runs for one caller after the other, in the same transaction', async (t) => {
  const { driver } = await open(t)
  const odd = write(
    function* ({ name }: Named): Run<unknown[]> {
      const made = yield* sql`
        insert into things (name, changes) values (${name}, 0) on conflict do nothing returning name`
      const found = yield* sql`
        update things set note = (select max(t.name) from things t where t.name <= ${name}) where name = ${name} returning note`
      const joined = yield* sql`update things set changes = 1 from (select 1) x where name = ${name} returning changes`
      const plain = yield* sql`select 1 as one`
      return [made, found, joined, plain].map((rows) => Object.values((rows[0] as object | undefined) ?? {})[0])
    },
    { key: ({ name }) => name },
  )
  let answers: unknown[] = []
  const seen = await statements(async () => {
    answers = await each(driver, odd, 'axb')
  })
  assert.deepEqual(answers, [
    [undefined, 'a', 1, 1],
    ['x', 'x', 1, 1],
    [undefined, 'b', 1, 1],
  ])
  assert.equal(seen.length, 12)
})

test('verbs that take different ways through the same batch each get to their end', async (t) => {
  const { driver } = await open(t)
  const wander = write(
    function* ({ name }: Named): Run<string> {
      let way = ''
      if (name < 'c') way += `${yield* change.run({ name })}`
      way += (yield* find.run({ name })).join('')
      if (name > 'a') way += `${yield* change.run({ name })}`
      return way
    },
    { key: ({ name }) => name },
  )
  assert.deepEqual(await each(driver, wander, 'dabx'), ['de1', '1ab', '1bc2', 'null'])
})

test('several statements of one step go out as one, for one caller and for many', async (t) => {
  const { driver } = await open(t)
  const both = write(
    function* ({ name }: Named): Run<unknown[]> {
      const changes = (one: string) => sql<{ changes: number }>`
        update things set changes = changes + 1 where name = ${one} returning changes`
      const found = sql`select count(*) as n from things where name <= ${name}`
      const rows = yield* together<object>([changes(name), found, changes(String.fromCharCode(name.charCodeAt(0) + 1))])
      return rows.map((answer) => Object.values(answer[0] ?? {})[0])
    },
    { key: ({ name }) => name },
  )
  const seen = await statements(async () => {
    assert.deepEqual(await each(driver, both, 'a'), [[1, 1, 1]])
    assert.deepEqual(await each(driver, both, 'ceg'), [
      [1, 3, 1],
      [1, 5, 1],
      [1, 7, 1],
    ])
  })
  assert.deepEqual(seen.sort(), ['select', 'select', 'update', 'update'])
  assert.equal(await counts(driver), '11111111')
})

test('batches of two processes that share keys never end in a deadlock, in whatever order their callers came', async (t) => {
  const { driver, url } = await open(t)
  const other = openPostgres({ url })
  t.after(() => other.close())
  await driver.exclusively((session) =>
    session.transaction("insert into things select 'k' || n, 0 from generate_series(1, 64) n order by random()"),
  )
  // Two steps: what each batch locks in its second step, another one may hold from its first.
  const twoSteps = write(
    function* ({ name }: Named): Run<void> {
      const odd = Number(name.slice(1)) % 2
      if (odd) yield* change.run({ name })
      else yield* find.run({ name })
      yield* change.run({ name })
    },
    { key: ({ name }) => name },
  )
  const deadlocks: unknown[] = []
  const original = pg.Client.prototype.query
  pg.Client.prototype.query = function (this: pg.Client, ...args: never[]) {
    const answer = Reflect.apply(original, this, args) as unknown as Promise<unknown> | undefined
    answer?.catch?.((error: { code?: string }) => error.code === '40P01' && deadlocks.push(error))
    return answer
  } as never
  t.after(() => {
    pg.Client.prototype.query = original
  })
  const keys = Array.from({ length: 64 }, (_, i) => `k${i + 1}`)
  const both = (round: number) => [
    ...keys.map((name) => driver.run(twoSteps, { name })),
    ...keys.toReversed().map((name) => (round % 2 ? other.run(change, { name }) : other.run(twoSteps, { name }))),
  ]
  for (let round = 0; round < 10; round++) await Promise.all(both(round))
  // Both batches get as far as the key in the middle: what each holds then, the other must not want.
  const direct = new pg.Client({ connectionString: url })
  await direct.connect()
  await direct.query("select pg_advisory_lock(hashtextextended('k32', 0))")
  const calls = both(0)
  for (let waiting = 0; waiting < 2; ) {
    const { rows } = await direct.query(
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    waiting = rows.length
  }
  await direct.end()
  await Promise.all(calls)
  assert.deepEqual(deadlocks, [])
})

test('plans made while the tables were small do not last', async (t) => {
  const { driver } = await open(t, { connections: 1 })
  const seen = await statements(async () => {
    for (let i = 0; i < 200; i++) await driver.run(find, { name: 'a' })
  })
  assert.equal(seen.filter((word) => word === 'discard').length, 3)
  const plan = await driver.run(
    read(function* ({ name }: Named): Run<string> {
      const rows = yield* sql<object>`explain select * from things where name = ${name}`
      return rows.map((row) => Object.values(row)[0]).join()
    }),
    { name: 'a' },
  )
  assert.match(plan, /Index Scan/)
})
