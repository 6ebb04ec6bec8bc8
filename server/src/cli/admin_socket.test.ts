import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { PlatformError } from '../apply/platform_error.ts'
import type { Log } from '../web/log.ts'
import { findAdministration, serveAdministration } from './admin_socket.ts'
import type { Administration } from './administration.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-socket-'))
})
after(() => rm(folder, { recursive: true, force: true }))

const QUIET: Log = { debug() {}, info() {}, warn() {}, error() {} }
const ECHO: Administration = {
  plan: async (platform) => ({ changes: [], warnings: [JSON.stringify(platform)] }),
  apply: async () => {
    throw new PlatformError(['clients[0]: is wrong', 'users[0]: too'])
  },
  exportPlatform: async () => ({ platform: {}, secrets: [] }),
  allowCommandLine: async () => 'there',
  createSetupLink: async () => ({ url: 'http://localhost:9400/setup?token=x', expires_at: 1 }),
  examine: async () => {
    throw new Error('hunter2')
  },
  listKeys: async () => [],
  rotateKeys: async () => [],
  revokeKey: async (kid) => [{ kid: String(kid), alg: 'ES256', state: 'revoked', since: '2026-01-01T00:00:00Z' }],
  rekey: async () => ({ rewrapped_keys: 0, rewrapped_data_keys: 0, destroyed_keys: 0, unreadable: 0, after: null }),
  createRegistrationToken: async () => {
    throw new Error('not asked for')
  },
  listRegistrationTokens: async () => [],
  endRegistrationToken: async () => [],
  listClientSecrets: async () => [],
  rotateClientSecret: async () => {
    throw new Error('not asked for')
  },
  endFormerClientSecret: async () => [],
  askToConnect: async () => {
    throw new Error('not asked for')
  },
  findConnected: async () => null,
  copyDatabase: async () => ({ file: 'copy', made_at: 1 }),
  listTenants: async () => [],
  switchTenant: async () => {
    throw new Error('not asked for')
  },
}

let sockets = 0
async function serve(t: TestContext, log = QUIET): Promise<string> {
  const file = path.join(folder, `${sockets++}.sock`)
  const server = await serveAdministration(file, ECHO, log)
  t.after(() => server?.close())
  return file
}

function send(file: string, method: string, url: string, body = ''): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: file, method, path: url, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    outgoing.on('error', reject).end(body)
  })
}

test('commands reach the server through a socket that its owner alone may open', async (t) => {
  const file = await serve(t)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const remote = await findAdministration(file)
  assert.deepEqual(await remote?.plan({ roles: ['ü'] }), { changes: [], warnings: ['{"roles":["ü"]}'] })
  assert.equal((await remote?.createSetupLink())?.expires_at, 1)
})

test('refusals arrive as they were said; of a defect only the log says more', async (t) => {
  const logged: unknown[] = []
  const file = await serve(t, { ...QUIET, error: (fields) => logged.push(fields) })
  const remote = (await findAdministration(file))!
  await assert.rejects(remote.apply({}), { sentences: ['clients[0]: is wrong', 'users[0]: too'] })
  await assert.rejects(remote.examine(), { sentences: ['The server failed; its log says why'] })
  assert.equal(logged.length, 1)
})

test('what is no command is refused', async (t) => {
  const file = await serve(t)
  assert.equal((await send(file, 'POST', '/toString')).status, 404)
  assert.equal((await send(file, 'GET', '/plan')).status, 404)
  assert.equal((await send(file, 'POST', '/plan', 'no json')).status, 400)
  const large = await send(file, 'POST', '/plan', `"${'x'.repeat(8 * 2 ** 20)}"`)
  assert.match(large.text, /more than 8388608 bytes were sent/)
})

test('a second server leaves the first its socket, and takes over what a dead one left', async (t) => {
  const file = await serve(t)
  assert.equal(await serveAdministration(file, ECHO, QUIET), null)
  const left = path.join(folder, 'left.sock')
  await writeFile(left, '')
  assert.equal(await findAdministration(left), null)
  const server = await serveAdministration(left, ECHO, QUIET)
  t.after(() => server?.close())
  assert.ok(await findAdministration(left))
  assert.equal(await findAdministration(path.join(folder, 'none.sock')), null)
})

test('a path that no socket address can hold is refused with a sentence', async () => {
  const long = path.join(folder, 'x'.repeat(100), 'admin.sock')
  await assert.rejects(serveAdministration(long, ECHO, QUIET), /choose a shorter data folder$/)
})
