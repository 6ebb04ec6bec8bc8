import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import pg from 'pg'
import { createDatabase, type PostgresServer, startPostgres } from '../../../test/parts/postgres.ts'
import { replaceBytes, startTcpProxy, type TcpProxy } from '../../../test/parts/tcp_proxy.ts'
import { openPostgres } from './postgres.ts'
import { readFault } from './postgres_connection.ts'
import { type Driver, type Run, read, StoreUnavailable, sql, type Verb, write } from './sql.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server.stop())

interface Named {
  readonly name: string
}
const set = function* ({ name }: Named): Run<string> {
  yield* sql`update things set changes = changes + 1 where name = ${name}`
  return name
}
const change = write(set, { key: ({ name }) => name })
const changeOnce = write(
  function* ({ name }: Named): Run<string> {
    const [changed] = yield* sql`update things set changes = 1 where name = ${name} and changes = 0 returning name`
    return changed ? 'changed' : 'changed before'
  },
  { key: ({ name }) => name, repeatable: true },
)
const changesOf = read(function* ({ name }: Named): Run<number> {
  const [row] = yield* sql<{ changes: number }>`select changes from things where name = ${name}`
  return row!.changes
})

interface Table {
  readonly driver: Driver
  readonly direct: pg.Client
  readonly proxy: TcpProxy
}

/** A table of things from a to h, a driver that reaches it through a proxy, and a client beside them. */
async function openTable(t: TestContext, options: { statementTimeoutMs?: number } = {}): Promise<Table> {
  const database = await createDatabase(server.url)
  const direct = new pg.Client({ connectionString: database.url })
  await direct.connect()
  await direct.query(`create table things (name text primary key, changes bigint not null);
    insert into things select chr(96 + n), 0 from generate_series(1, 8) n`)
  const proxy = await startTcpProxy(database.url)
  const driver = openPostgres({ url: proxy.url, ...options })
  t.after(async () => {
    proxy.handle({})
    await driver.close()
    await proxy.close()
    await direct.end()
    await database.drop()
  })
  return { driver, direct, proxy }
}

const settle = async (calls: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(calls)).map((call) => (call.status === 'rejected' ? call.reason : call.value))
const all = (driver: Driver, verb: Verb<Named, unknown>, names: string) =>
  settle([...names].map((name) => driver.run(verb, { name })))
const counts = async (direct: pg.Client) => {
  const { rows } = await direct.query('select string_agg(changes::text, $1 order by name) as all from things', [''])
  return rows[0].all as string
}
const unavailable = (outcome: StoreUnavailable['outcome']) => (error: unknown) =>
  error instanceof StoreUnavailable && error.outcome === outcome
function assertAll(answers: unknown[], check: (error: unknown) => boolean): void {
  for (const answer of answers) assert.ok(check(answer), String(answer))
}

// The whole message: `show synchronous_commit` ends alike.
const COMMIT = 'Q\0\0\0\x0bcommit\0'
/** Waits until a backend of the driver waits for a lock; answers its process id. */
async function findWaiting(direct: pg.Client): Promise<number> {
  for (;;) {
    // Inside a transaction the first look would be remembered.
    await direct.query('select pg_stat_clear_snapshot()')
    const { rows } = await direct.query(
      `select pid from pg_stat_activity where datname = current_database() and application_name = 'sallyport'
        and wait_event_type = 'Lock'`,
    )
    if (rows.length > 0) return rows[0].pid
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a connection lost before COMMIT arrives: what may be repeated is done once, the rest is of unknown outcome', async (t) => {
  const { driver, direct, proxy } = await openTable(t)
  const cutFirst = () => {
    let cuts = 0
    proxy.handle({
      toServer(bytes, { cut }) {
        if (!bytes.includes(COMMIT) || ++cuts > 1) return bytes
        cut()
        return null
      },
    })
  }
  cutFirst()
  assert.deepEqual(await all(driver, changeOnce, 'abc'), ['changed', 'changed', 'changed'])
  cutFirst()
  assertAll(await all(driver, change, 'def'), unavailable('unknown'))
  assert.equal(await counts(direct), '11100000')
})

test('a connection lost after COMMIT arrived: what may be repeated finds its own traces, the rest is of unknown outcome', async (t) => {
  const { driver, direct, proxy } = await openTable(t)
  const cutFirst = () => {
    let cuts = 0
    proxy.handle({
      toClient(bytes, { cut }) {
        if (!bytes.includes('COMMIT\0') || ++cuts > 1) return bytes
        cut()
        return null
      },
    })
  }
  cutFirst()
  assert.deepEqual(await all(driver, changeOnce, 'abc'), ['changed before', 'changed before', 'changed before'])
  cutFirst()
  assertAll(await all(driver, change, 'def'), unavailable('unknown'))
  assert.equal(await counts(direct), '11111100')
})

test('once a commit was lost on the way, a database that stays away leaves the outcome unknown', async (t) => {
  const { driver, direct, proxy } = await openTable(t)
  let lost = false
  proxy.handle({
    toServer(bytes, { cut }) {
      if (!lost) return bytes
      cut()
      return null
    },
    toClient(bytes, { cut }) {
      lost ||= bytes.includes('COMMIT\0')
      if (!lost) return bytes
      cut()
      return null
    },
  })
  assertAll(await all(driver, changeOnce, 'ab'), unavailable('unknown'))
  assertAll(await all(driver, changeOnce, 'c'), unavailable('not committed'))
  assert.equal(await counts(direct), '11000000')
})

test('a COMMIT that is answered by ROLLBACK was none', async (t) => {
  const { driver, direct, proxy } = await openTable(t)
  proxy.handle({ toServer: (bytes) => replaceBytes(bytes, COMMIT, 'Q\0\0\0\x0babort \0') ?? bytes })
  assertAll(await all(driver, change, 'abc'), unavailable('not committed'))
  proxy.handle({})
  assert.deepEqual(await all(driver, change, 'a'), ['a'])
  assert.equal(await counts(direct), '10000000')
})

test('when BEGIN fails, what was sent behind it does not commit by itself', async (t) => {
  const { driver, direct, proxy } = await openTable(t)
  await driver.run(changesOf, { name: 'a' })
  proxy.handle({ toServer: (bytes) => replaceBytes(bytes, 'begin isolation', 'begix isolation') ?? bytes })
  assertAll(await all(driver, change, 'ab'), (error) => /begix/.test(String(error)))
  assert.equal(await counts(direct), '00000000')
})

test('a read that writes is refused', async (t) => {
  const { driver, direct } = await openTable(t)
  await assert.rejects(driver.run(read(set), { name: 'a' }), ({ cause }: Error) => /read-only/.test(String(cause)))
  assert.equal(await counts(direct), '00000000')
})

test('a backend that is ended before COMMIT is no reason to fail: the batch runs again', async (t) => {
  const { driver, direct } = await openTable(t)
  await direct.query('begin')
  await direct.query("update things set changes = 5 where name = 'b'")
  const calls = [all(driver, change, 'abc'), all(driver, changeOnce, 'b')]
  for (let ended = 0; ended < 4; ended++) {
    const pid = await findWaiting(direct)
    await direct.query(`select pg_terminate_backend(${pid}, 1000)`)
  }
  await findWaiting(direct)
  await direct.query('commit')
  assert.deepEqual(await Promise.all(calls), [['a', 'b', 'c'], ['changed before']])
  assert.equal(await counts(direct), '16100000')
})

test('a deadlock with somebody else is resolved, and the batch runs again', async (t) => {
  const { driver, direct } = await openTable(t)
  // So that the driver's backend is the one that notices, and is ended.
  await direct.query("set deadlock_timeout = '20s'")
  await direct.query('begin')
  await direct.query("update things set changes = 5 where name = 'b'")
  const touchBoth = write(
    function* ({ name }: Named): Run<string> {
      yield* set({ name: 'a' })
      yield* set({ name: 'b' })
      return name
    },
    { key: ({ name }) => name },
  )
  const call = driver.run(touchBoth, { name: 'x' })
  await findWaiting(direct)
  await direct.query("update things set changes = 5 where name = 'a'")
  await direct.query('commit')
  assert.equal(await call, 'x')
  assert.equal(await counts(direct), '66000000')
})

test('a serialization failure is tried again, and not for ever', async (t) => {
  const { driver, direct } = await openTable(t)
  await direct.query(`create sequence tries;
    create function fail_until(most bigint) returns bigint language plpgsql as $$
      begin
        if nextval('tries') <= most then raise exception 'conflict' using errcode = '40001'; end if;
        return 1;
      end $$`)
  const conflict = write(function* ({ most }: { most: number }): Run<string> {
    yield* set({ name: 'a' })
    yield* sql`select fail_until(${most})`
    return 'done'
  })
  assert.equal(await driver.run(conflict, { most: 3 }), 'done')
  assert.equal(await counts(direct), '10000000')
  await direct.query("select setval('tries', 1)")
  await assert.rejects(driver.run(conflict, { most: 1000 }), unavailable('not committed'))
  const { rows } = await direct.query('select last_value from tries')
  assert.ok(Number(rows[0].last_value) < 20)
  assert.equal(await counts(direct), '10000000')
})

test('a statement that waits too long fails its batch as unavailable, and nobody else', async (t) => {
  const { driver, direct } = await openTable(t, { statementTimeoutMs: 200 })
  await direct.query('begin')
  await direct.query("update things set changes = 5 where name = 'b'")
  assertAll(await all(driver, change, 'abc'), unavailable('not committed'))
  assert.deepEqual(await all(driver, change, 'd'), ['d'])
  await direct.query('commit')
  assert.deepEqual(await all(driver, change, 'abc'), ['a', 'b', 'c'])
  assert.equal(await counts(direct), '16110000')
})

test('a server that falls silent keeps nobody waiting, and the pool works when it speaks again', async (t) => {
  const { driver, direct, proxy } = await openTable(t, { statementTimeoutMs: 200 })
  assert.deepEqual(await all(driver, change, 'a'), ['a'])
  proxy.handle({ toServer: () => null })
  const started = performance.now()
  assertAll(await all(driver, change, 'ab'), unavailable('not committed'))
  await assert.rejects(driver.run(changesOf, { name: 'a' }), unavailable('not committed'))
  assert.ok(performance.now() - started < 3500)
  proxy.handle({})
  assert.deepEqual(await all(driver, change, 'abc'), ['a', 'b', 'c'])
  assert.equal(await counts(direct), '21100000')
})

test('a server that falls silent during COMMIT leaves the outcome unknown, also of what may be repeated', async (t) => {
  const { driver, direct, proxy } = await openTable(t, { statementTimeoutMs: 200 })
  proxy.handle({ toClient: (bytes) => (bytes.includes('COMMIT\0') ? null : bytes) })
  assertAll(await all(driver, changeOnce, 'ab'), unavailable('unknown'))
  assert.equal(await counts(direct), '11000000')
})

test('while the database is down every call fails fast, and the pool heals after its restart', async (t) => {
  const own = await startPostgres({ own: true, fsync: true })
  t.after(() => own.stop())
  const driver = openPostgres({ url: own.url })
  const make = async (session: { transaction(text: string): Promise<void> }) =>
    session.transaction(
      "create table things (name text primary key, changes bigint); insert into things values ('a', 0)",
    )
  await driver.exclusively(make)
  const one = (i: number) => (i % 2 ? driver.run(change, { name: 'a' }) : driver.run(changesOf, { name: 'a' }))
  const crowd = () => Array.from({ length: 20 }, (_, i) => one(i))
  await settle(crowd())
  await own.crash()
  const started = performance.now()
  for (let round = 0; round < 3; round++) assertAll(await settle(crowd()), unavailable('not committed'))
  assert.ok(performance.now() - started < 1000)
  await own.start()
  assert.equal((await settle(crowd())).filter((answer) => answer instanceof Error).length, 0)
  assert.equal(await driver.run(changesOf, { name: 'a' }), 20)
  await driver.close()
})

test('a commit that gave up waiting for its synchronous standby is never reported as done', async (t) => {
  const own = await startPostgres({ own: true })
  t.after(() => own.stop())
  const driver = openPostgres({ url: own.url })
  const script = `create table things (name text primary key, changes bigint);
    insert into things values ('a', 0), ('b', 0)`
  await driver.exclusively((session) => session.transaction(script))
  const direct = new pg.Client({ connectionString: own.url })
  await direct.connect()
  await direct.query("alter system set synchronous_standby_names = 'nobody'")
  await direct.query('select pg_reload_conf()')
  await direct.query('select pg_sleep(0.2)')
  const giveUp = async () => {
    const waiting = "from pg_stat_activity where application_name = 'sallyport' and wait_event = 'SyncRep'"
    for (let ended = 0; ended === 0; ) {
      ended = (await direct.query(`select pg_cancel_backend(pid) ${waiting}`)).rows.length
    }
  }
  const changing = all(driver, change, 'a')
  await giveUp()
  assertAll(await changing, unavailable('unknown'))
  // Run again, it would find its own traces and say yes, though they are on this one server only.
  const changingOnce = all(driver, changeOnce, 'b')
  await giveUp()
  assertAll(await changingOnce, unavailable('unknown'))
  await direct.end()
  await driver.close()
})

test('only what the server itself answered counts as its answer', () => {
  const answered = (code: string) => Object.assign(new pg.DatabaseError('x', 1, 'error'), { code })
  assert.equal(readFault(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })), 'lost')
  assert.equal(readFault(new Error('Connection terminated unexpectedly')), 'lost')
  const faults: Record<string, string> = {
    ...{ '40001': 'conflict', '40P01': 'conflict', '57P01': 'lost', '57P02': 'lost', '25006': 'lost', '08006': 'lost' },
    ...{ '57014': 'busy', '53100': 'busy', '53300': 'busy', '55P03': 'busy', XX000: 'busy', '58030': 'busy' },
    ...{ '23505': 'data', '22021': 'data', '23503': 'data', '42601': 'data' },
  }
  for (const [code, fault] of Object.entries(faults)) assert.equal(readFault(answered(code)), fault, code)
})

test('every session gives up what it holds when its process falls silent, and commits to disk', async (t) => {
  const { driver, direct } = await openTable(t)
  await direct.query(`alter database ${direct.database} set synchronous_commit = off`)
  const setting = (name: string) =>
    driver.run(
      read(function* (_: object): Run<string> {
        const [row] = yield* sql<{ value: string }>`select current_setting(${name}) as value`
        return row!.value
      }),
      {},
    )
  assert.equal(await setting('idle_in_transaction_session_timeout'), '5s')
  assert.equal(await setting('statement_timeout'), '2s')
  assert.equal(await setting('synchronous_commit'), 'on')
})
