import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mailer } from './mailer.ts'
import { Outbox } from './outbox.ts'

const letter = { lang: 'en', dir: 'ltr' as const, subject: 's', paragraphs: [], closing: [] }

function mailer(send: (to: string) => Promise<void>): Mailer {
  return { send: (to) => send(to), close() {} }
}

test('a letter leaves after the answer, and settle waits for it', async () => {
  const sent: string[] = []
  const outbox = new Outbox(
    mailer(async (to) => void sent.push(to)),
    assert.fail,
  )
  for (let i = 0; i < 20; i++)
    assert.equal(
      outbox.post(async () => [{ to: `${i}@example.test`, letter }]),
      true,
    )
  assert.deepEqual(sent, [])
  await outbox.settle()
  assert.equal(sent.length, 20)
})

test('a letter that fails is reported, and holds up no other', async () => {
  const sent: string[] = []
  const reports: string[] = []
  const outbox = new Outbox(
    mailer(async (to) => (to === 'bad' ? Promise.reject(new Error('550')) : void sent.push(to))),
    (what) => reports.push(what),
  )
  outbox.post(async () => [{ to: 'bad', letter }])
  outbox.post(() => Promise.reject(new Error('no database')))
  outbox.post(async () => [{ to: 'good', letter }])
  await outbox.settle()
  assert.deepEqual(sent, ['good'])
  assert.equal(reports.length, 2)
})

test('2.4.1 what waits to be sent is bounded, and without a mailer nothing waits', async () => {
  const reports: string[] = []
  const outbox = new Outbox(
    mailer(async () => {}),
    (what) => reports.push(what),
  )
  const taken = Array.from({ length: 1100 }, () => outbox.post(async () => []))
  assert.equal(taken.filter(Boolean).length, 1000)
  assert.equal(reports.length, 100)
  await outbox.settle()
  const none = new Outbox(null, assert.fail)
  assert.equal(none.on, false)
  assert.equal(none.post(assert.fail), false)
})
