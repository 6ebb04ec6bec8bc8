import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NewEvent } from '../store/records.ts'
import type { Tenant } from '../store/tenant.ts'
import { RefusedLogins } from './refused_logins.ts'

function start() {
  const written: NewEvent[] = []
  let broken = false
  const recordEvent = async (event: NewEvent) => {
    if (broken) throw new Error('the database is away')
    written.push(event)
  }
  const tenant = { tenant_id: 't', clock: () => 0, store: { recordEvent } } as unknown as Tenant
  const seen = () => written.splice(0).map(({ user_id, detail }) => ({ user_id, ...detail }))
  return { refused: new RefusedLogins(tenant), seen, breakDown: (is: boolean) => (broken = is) }
}

test('many refused sign-ins are one event each for a user and for nobody', async () => {
  const { refused, seen } = start()
  for (let i = 0; i < 9; i++) refused.count('alice', `192.0.2.${i}`, i === 8)
  refused.count(null, undefined, false)
  refused.count(null, '2001:db8::1', false)
  await refused.flush(false)
  const addresses = [0, 1, 2, 3, 4].map((i) => `192.0.2.${i}`)
  assert.deepEqual(seen(), [{ user_id: 'alice', count: 9, blocked: true, addresses }])
  await refused.flush()
  assert.deepEqual(seen(), [{ user_id: null, count: 2, blocked: false, addresses: ['2001:db8:0:0::/64'] }])
  await refused.flush()
  assert.deepEqual(seen(), [])
})

test('what could not be written is written the next time', async () => {
  const { refused, seen, breakDown } = start()
  refused.count('alice', '192.0.2.1', true)
  breakDown(true)
  await assert.rejects(refused.flush(), /away/)
  refused.count('alice', '192.0.2.2', false)
  breakDown(false)
  await refused.flush()
  const addresses = ['192.0.2.1', '192.0.2.2']
  assert.deepEqual(seen(), [{ user_id: 'alice', count: 2, blocked: true, addresses }])
})
