import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { makeDatabase } from '../../../test/parts/stores.ts'
import { openPostgres } from './postgres.ts'
import { bytes, type Driver, int, NOW, type Run, read, sql, text } from './sql.ts'

interface Named {
  readonly name: string
}

async function open(t: TestContext, options: { clock?: () => number; connections?: number } = {}): Promise<Driver> {
  const database = await makeDatabase('postgres')
  const driver = openPostgres({ url: database.location, ...options })
  t.after(async () => {
    await driver.close()
    await database.drop()
  })
  return driver
}
const settle = async (calls: Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(calls)).map((call) => (call.status === 'rejected' ? 'refused' : call.value))

test('every value arrives as it was sent, alone and in company', async (t) => {
  const driver = await open(t)
  const echo = read(function* (args: { s: string | null; n: number | null; b: Uint8Array | null }): Run<unknown> {
    const [row] = yield* sql`select ${text(args.s)} as s, ${int(args.n)} as n, ${bytes(args.b)} as b`
    return row
  })
  const value = fc.record(
    {
      s: fc.option(fc.string({ unit: fc.constantFrom('a', '"', '\\', '{', '}', ',', ' ', 'NULL', '\u{1f511}', '\n') })),
      n: fc.option(fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })),
      b: fc.option(fc.uint8Array({ maxLength: 40 })),
    },
    { noNullPrototype: true },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
      assert.deepStrictEqual(await Promise.all(values.map((one) => driver.run(echo, one))), values)
    }),
    { numRuns: 100 },
  )
})

test('a number that is no integer is refused, alone and in company', async (t) => {
  const driver = await open(t)
  const put = read(function* ({ n }: { n: number }): Run<unknown> {
    return yield* sql`select ${n} as n`
  })
  for (const n of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    const answers = await settle([driver.run(put, { n: 1 }), driver.run(put, { n })])
    assert.deepEqual(answers, [[{ n: 1 }], 'refused'], String(n))
    await assert.rejects(driver.run(put, { n }), RangeError)
  }
})

const now = read(function* ({ name }: Named): Run<unknown> {
  const [row] = yield* sql`select ${NOW} as a, ${name} as name, ${NOW} + 1 as b`
  return row
})

test('a clock that is given is the time; two databases of one process may have different ones', async (t) => {
  const given = await open(t, { clock: () => 1234 })
  const own = await open(t)
  const given_at = { a: 1234, name: 'x', b: 1235 }
  assert.deepStrictEqual(await given.run(now, { name: 'x' }), given_at)
  const there = (await own.run(now, { name: 'x' })) as { a: number; b: number }
  assert.ok(Math.abs(there.a - Date.now()) < 60_000)
  assert.equal(there.b, there.a + 1)
  assert.deepStrictEqual(await Promise.all(['x', 'y'].map((name) => given.run(now, { name }))), [
    given_at,
    { ...given_at, name: 'y' },
  ])
  const [first, second] = (await Promise.all(['x', 'y'].map((name) => own.run(now, { name })))) as { a: number }[]
  assert.equal(first!.a, second!.a)
  assert.ok(Number.isInteger(first!.a) && Math.abs(first!.a - Date.now()) < 60_000)
})
