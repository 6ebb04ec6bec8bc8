import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { hashPassword, PasswordQueueFull, verifyPassword } from './password.ts'

test('11.4.2 a password is hashed with argon2id, 19 MiB, two passes, one lane, and a salt of its own', async () => {
  const hashes = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')])
  for (const hash of hashes) assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  assert.notEqual(hashes[0], hashes[1])
})

test('a password matches its own hash and no other', async () => {
  const hash = await hashPassword('correct horse')
  assert.equal(await verifyPassword(hash, 'correct horse'), true)
  for (const wrong of ['correct horsf', 'correct horse ', '', 'Correct horse']) {
    assert.equal(await verifyPassword(hash, wrong), false)
  }
})

test('a password typed in another Unicode form is the same password', async () => {
  assert.equal(await verifyPassword(await hashPassword('\u00fcber'), 'u\u0308ber'), true)
})

test('6.3.8 a user who does not exist costs the same work as a wrong password', async () => {
  const hash = await hashPassword('correct horse')
  const cost = async (phc: string | null): Promise<number> => {
    const before = process.cpuUsage()
    for (let i = 0; i < 8; i++) assert.equal(await verifyPassword(phc, 'guess'), false)
    const { user, system } = process.cpuUsage(before)
    return user + system
  }
  // The first unknown user too: nothing is prepared lazily.
  const unknown = await cost(null)
  const known = await cost(hash)
  assert.ok(unknown > known / 2 && unknown < known * 2, `${unknown} and ${known} microseconds`)
})

test('no password opens an account without a hash', async () => {
  for (const guess of ['', 'nobody has this password', '\0']) assert.equal(await verifyPassword(null, guess), false)
})

test('a full queue refuses at once, and is usable again when it has drained', async () => {
  const room = availableParallelism() + 96
  const answers = await Promise.allSettled(Array.from({ length: room + 5 }, () => verifyPassword(null, 'guess')))
  const refused = answers.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[]
  assert.equal(refused.length, 5)
  for (const { reason } of refused) assert.ok(reason instanceof PasswordQueueFull)
  assert.equal(await verifyPassword(null, 'guess'), false)
})

test('a hash that cannot be read fails its own call and leaves the queue as it was', async () => {
  const calls = Array.from({ length: 2 * availableParallelism() }, () => verifyPassword('not a hash', 'guess'))
  for (const { status } of await Promise.allSettled(calls)) assert.equal(status, 'rejected')
  assert.equal(await verifyPassword(null, 'guess'), false)
})
