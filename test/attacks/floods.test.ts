import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { LIMITS, type LimitName } from '../../server/src/inbound/limits.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'

let server: TestServer
let now = Date.UTC(2026, 10, 21)
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

before(async () => {
  server = await startSallyport({ clock: () => now })
  await server.addResource({ resource: 'https://api.example', scopes: '{"use":"Use it"}', default_scopes: '["use"]' })
  const client = { default_resource: 'https://api.example', scope: 'use', redirect_uris: ['https://app.example/cb'] }
  const grant_types = [DEVICE, 'authorization_code']
  for (const client_id of ['tv', 'radio']) {
    await server.addClient({ ...client, client_id, token_endpoint_auth_method: 'none', grant_types })
  }
})
after(() => server.stop())

/** A request as it comes from an address, without a socket. */
async function send(path: string, form: Record<string, string> | null, address: string, headers = {}) {
  const init = form ? { method: 'POST', body: new URLSearchParams(form), headers } : { headers }
  const response = await server.app.fetch(new Request(server.issuer + path, init), { address })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

type Sent = Awaited<ReturnType<typeof send>>

/** Sends as often as a limit allows, and once more; answers what the last one got. */
async function exceed(name: LimitName, work: (i: number) => Promise<Sent>): Promise<Sent> {
  now += 86_400_000
  const { most, seconds } = LIMITS[name]
  for (let i = 0; i < most; i++) assert.notEqual((await work(i)).status, 429, `${name} ${i}`)
  const over = await work(most)
  assert.equal(over.status, 429, name)
  assert.equal(over.headers.get('retry-after'), String(seconds), name)
  assert.equal(over.headers.get('cache-control'), 'no-store')
  return over
}

const startDevice = (client_id: string, address: string) => send('/device_authorization', { client_id }, address)

test('2.4.1 RFC 8628 5.2 one address starts so many devices of a client, and others theirs', async () => {
  const { text } = await exceed('device_code', () => startDevice('tv', '192.0.2.1'))
  assert.equal(JSON.parse(text).error, 'temporarily_unavailable')
  assert.equal((await startDevice('tv', '192.0.2.2')).status, 200)
  assert.equal((await startDevice('radio', '192.0.2.1')).status, 200)
  now += 60_000
  assert.equal((await startDevice('tv', '192.0.2.1')).status, 200)
})

test('2.4.1 2.3.2 of all addresses together a client starts so many devices', async () => {
  await exceed('device_code_of_client', (i) => startDevice('tv', `198.51.${i >> 8}.${i & 255}`))
})

test('2.4.1 2.3.2 RFC 9126 2.3 a client pushes so many requests', async () => {
  const request = {
    ...{ response_type: 'code', redirect_uri: 'https://app.example/cb', scope: 'use' },
    ...{ code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' },
  }
  const push = (client_id: string) => send('/par', { ...request, client_id }, '192.0.2.1')
  const { text } = await exceed('pushed_request', () => push('tv'))
  assert.equal(JSON.parse(text).error, 'temporarily_unavailable')
  assert.equal((await push('radio')).status, 201)
})

test('2.4.1 6.6.3 an address tries so many one-time links, and is then told to wait', async () => {
  const links = ['/setup?token=sp_setup_guessed', '/reset/password?token=sp_reset_guessed']
  const look = (address: string, i = 0) => send(links[i % 2]!, null, address)
  const { text } = await exceed('one_time_link', async (i) => {
    // What another site embeds is refused, and uses up nothing of whoever looks at that site.
    const embedded = await send(links[i % 2]!, null, '192.0.2.1', { 'sec-fetch-dest': 'image' })
    assert.match(embedded.text, /is not embedded/)
    return look('192.0.2.1', i)
  })
  assert.match(text, /<h1>Too many tries<\/h1>/)
  assert.equal((await look('192.0.2.2')).status, 403)
})
