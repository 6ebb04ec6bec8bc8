import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOME, type Hub, startHub } from '../parts/hub.ts'

let hub: Hub
before(async () => {
  hub = await startHub()
})
after(() => hub.stop())

const FLOWS = 'implicitFlowEnabled,resourceOwnerFlowEnabled'
const body = { name: 'App', homeUrl: HOME, redirectUris: ['/auth'] }
async function register(more: Record<string, unknown> = {}, token?: null) {
  const made = await hub.rest('POST', `services?fields=id,${FLOWS}`, {
    body: { ...body, ...more },
    ...(token === null && { token }),
  })
  assert.equal(made.status, 200, JSON.stringify(made.body))
  return made.body
}
const flowsOf = ({ implicitFlowEnabled, resourceOwnerFlowEnabled }: Record<string, boolean>) => [
  implicitFlowEnabled,
  resourceOwnerFlowEnabled,
]
const asks = { implicitFlowEnabled: true, resourceOwnerFlowEnabled: true }

test('H10 without the switch the legacy flows stay off, unless the tenant gives them to who asks', async () => {
  await hub.server.saveSettings({})
  assert.deepEqual(flowsOf(await register()), [false, false])
  assert.deepEqual(flowsOf(await register({ ...asks, trusted: true })), [false, false], 'asking is not enough')
  await hub.server.saveSettings({ legacy_grants: 'on_request' })
  assert.deepEqual(flowsOf(await register()), [false, false], 'nobody gets what was not asked for')
  const made = await register(asks)
  assert.deepEqual(flowsOf(made), [true, true])
  await hub.server.saveSettings({})
  const kept = await hub.rest('POST', `services/${made.id}?fields=${FLOWS}`, { body: { version: '2' } })
  assert.deepEqual(flowsOf(kept.body), [true, true], 'what was given stays')
  const off = await hub.rest('POST', `services/${made.id}?fields=${FLOWS}`, { body: { implicitFlowEnabled: false } })
  assert.deepEqual(flowsOf(off.body), [false, true])
})

test('H10 with the switch the POST gives implicit, and Trust gives the password flow; the tenant can still say no', async () => {
  await hub.server.saveSettings({ compat: 'hub' })
  const made = await register()
  assert.deepEqual(flowsOf(made), [true, false])
  const trusted = await hub.rest('POST', `services/${made.id}?fields=${FLOWS}`, { body: { trusted: true } })
  assert.deepEqual(flowsOf(trusted.body), [true, true])
  await hub.server.saveSettings({ compat: 'hub', legacy_grants: 'off' })
  assert.deepEqual(flowsOf(await register({ trusted: true })), [false, false])
})

test('H10 a service that a stranger registered gets no legacy flow, whatever the tenant says', async () => {
  await hub.server.saveSettings({ compat: 'hub', legacy_grants: 'on_request', service_registration: 'open' })
  const made = await register(asks, null)
  assert.deepEqual(flowsOf(made), [false, false])
  const later = await hub.rest('POST', `services/${made.id}?fields=${FLOWS}`, { body: asks })
  assert.deepEqual(flowsOf(later.body), [false, false], 'not by an administrator later either: it is registered anew')
  assert.equal((await hub.rest('POST', 'services', { body: { ...body, implicitFlowEnabled: 'yes' } })).status, 400)
})
