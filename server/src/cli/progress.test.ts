import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showProgress } from './progress.ts'

function place(is_terminal: boolean) {
  const told: string[] = []
  const clock = { now: 0 }
  const at = { is_terminal, width: 60, write: (text: string) => void told.push(text), now: () => clock.now }
  return { told, clock, at }
}

test('on a terminal progress is one line that is written anew, and leaves nothing behind', () => {
  const { told, clock, at } = place(true)
  const progress = showProgress('backup', 'rows', false, at)
  progress.tell(1, 1000)
  assert.equal(told.length, 0, 'work that is over at once says nothing')
  for (const [now, done] of [
    [500, 250],
    [510, 260],
    [1000, 500],
  ] as const) {
    clock.now = now
    progress.tell(done, 1000)
  }
  progress.end()
  progress.end()
  assert.deepEqual(told, [
    '\r\u001b[Kbackup: 250 of 1 000 rows (25 %), 500 a second, 2 s left',
    '\r\u001b[Kbackup: 500 of 1 000 rows (50 %), 500 a second, 1 s left',
    '\r\u001b[K',
  ])
  clock.now = 9e6
  progress.tell(400_000_000, 900_000_000)
  assert.ok(told.at(-1)!.length <= 59 + '\r\u001b[K'.length, 'it never wraps')
})

test('without a terminal progress is a line every ten seconds, with --json an object', () => {
  for (const json of [false, true]) {
    const { told, clock, at } = place(json)
    const progress = showProgress('rekey', 'keys', json, at)
    for (clock.now = 1000; clock.now <= 25_000; clock.now += 1000) progress.tell(clock.now / 10)
    progress.end()
    const lines = [1000, 2000].map((done) =>
      json
        ? `{"progress":{"work":"rekey","unit":"keys","done":${done},"total":null,"per_second":100,"seconds_left":null}}\n`
        : `sallyport: rekey: ${done.toLocaleString('en').replace(',', ' ')} keys, 100 a second\n`,
    )
    assert.deepEqual(told, lines)
  }
})
