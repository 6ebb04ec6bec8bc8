import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearestName, suggest } from './nearest.ts'

test('letters left out, put in, mistaken or swapped are near', () => {
  const known = ['client_id', 'client_secret', 'scope']
  for (const name of ['cleint_id', 'client_i', 'client_idd', 'Client_ID', 'clientid']) {
    assert.equal(nearestName(name, known), 'client_id')
  }
})

test('what is far from everything gets the list instead', () => {
  assert.equal(nearestName('colour', ['host', 'port']), undefined)
  assert.equal(suggest('colour', ['host', 'port']), 'known are host, port')
  assert.equal(suggest('hots', ['host', 'port']), 'did you mean host?')
})
