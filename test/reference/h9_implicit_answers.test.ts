import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOME, type Hub, JOHN, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

let hub: Hub
let id: string
before(async () => {
  hub = await startHub({ compat: 'hub' })
  id = (await hub.register()).id
})
after(() => hub.stop())

const url = (more: Record<string, string> = {}) =>
  hub.authUrl({
    response_type: 'token',
    client_id: id,
    redirect_uri: `${HOME}/auth`,
    scope: id,
    state: 'a b&c',
    ...more,
  })
const read = (address: string | URL) => {
  const { search, hash } = new URL(address)
  assert.equal(search, '')
  return Object.fromEntries(new URLSearchParams(hash.slice(1)))
}

test('H9 the fragment holds access_token, token_type, expires_in, state and scope, whatever the access type', async () => {
  const { access_token, iss, ...rest } = read(await new UserAgent().authorize(url({ access_type: 'offline' }), JOHN))
  assert.ok(access_token)
  assert.equal(iss, hub.base)
  assert.deepEqual(rest, { token_type: 'Bearer', expires_in: '3600', state: 'a b&c', scope: id })
})

test('H9 errors stand there too: error, error_description and state', async () => {
  const denied = read(await new UserAgent().authorize(url({ prompt: 'consent' }), JOHN, 'deny'))
  assert.deepEqual([denied['error'], denied['state']], ['access_denied', 'a b&c'])
  assert.ok(denied['error_description'])
  for (const [more, error] of [
    [{ request_credentials: 'silent' }, 'login_required'],
    [{ scope: 'nothing-here' }, 'invalid_scope'],
    [{ prompt: 'nonsense' }, 'invalid_request'],
  ] as const) {
    const answer = read((await new UserAgent().follow(url(more))).url)
    assert.deepEqual([answer['error'], answer['state']], [error, 'a b&c'])
  }
})
