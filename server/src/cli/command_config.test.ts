import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type CommandOptions, readCommandConfig } from './command_config.ts'

let cwd: string
before(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-config-'))
  await mkdir(path.join(cwd, 'etc'))
})
after(() => rm(cwd, { recursive: true, force: true }))

const read = (options: Partial<CommandOptions>, env: Record<string, string> = {}) =>
  readCommandConfig({ flags: {}, config_file: undefined, ...options }, { env, cwd })
const write = (name: string, text: string) => writeFile(path.join(cwd, name), text)

test('the server section of the file holds settings, its paths read from the folder of the file', async () => {
  await write('etc/key', Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64'))
  await write(
    'etc/platform.yaml',
    `
    server:
      port: 9500
      host: "127.0.0.2"
      data_dir: data
      log_file: ../log/sallyport.log
      log_level: null
      root_key: { file: key }
      egress_allow: [10.0.0.0/8, "crm.internal:8443"]
    roles: []`,
  )
  const { config, platform } = await read({ config_file: 'etc/platform.yaml' })
  assert.deepEqual(
    [config.port, config.host, config.log_level, config.root_key.kind],
    [9500, '127.0.0.2', 'info', 'given'],
  )
  assert.deepEqual(
    [config.data_dir, config.log_file],
    [path.join(cwd, 'etc/data'), path.join(cwd, 'log/sallyport.log')],
  )
  assert.deepEqual(config.egress_allow, ['10.0.0.0/8', 'crm.internal:8443'])
  assert.deepEqual(platform, { roles: [] })
})

test('the file of SALLYPORT_CONFIG is used where no flag names one, and -f where there is neither', async () => {
  await write('a.yaml', 'server: { port: 9501 }\nroles: [{ role: a }]')
  await write('b.yaml', 'server: { port: 9502 }\nroles: [{ role: b }]')
  const port = async (...args: Parameters<typeof read>) => {
    const { config, platform } = await read(...args)
    return [config.port, (platform as { roles: { role: string }[] } | undefined)?.roles[0]?.role]
  }
  assert.deepEqual(await port({}, { SALLYPORT_CONFIG: 'a.yaml' }), [9501, 'a'])
  assert.deepEqual(await port({ config_file: 'b.yaml' }, { SALLYPORT_CONFIG: 'a.yaml' }), [9502, 'b'])
  assert.deepEqual(await port({ platform_file: 'b.yaml' }), [9502, 'b'])
  assert.deepEqual(await port({ platform_file: 'b.yaml', config_file: 'a.yaml' }), [9501, 'b'])
  assert.deepEqual(await port({}), [9400, undefined])
})

test('connectors for everyone are read from a file of their own, with their secrets', async () => {
  await write('etc/secret', 'of everyone\n')
  await write('etc/everyone.yaml', 'connectors: [{ connector: crm, provider: oidc, client_secret: { file: secret } }]')
  await write('etc/e.yaml', 'server: { connectors_file: everyone.yaml }')
  const { connectors, config } = await read({ config_file: 'etc/e.yaml' })
  assert.deepEqual(connectors, [{ connector: 'crm', provider: 'oidc', client_secret: 'of everyone' }])
  assert.equal(config.connectors_file, path.join(cwd, 'etc/everyone.yaml'))
  assert.equal((await read({})).connectors, undefined)
  const named = (file: string) => read({}, { SALLYPORT_CONNECTORS_FILE: file })
  await write('empty.yaml', '{}')
  assert.deepEqual((await named('empty.yaml')).connectors, [])
  await write('more.yaml', 'connectors: []\nroles: []')
  await assert.rejects(named('more.yaml'), /more\.yaml holds roles: connectors_file is for connectors alone/)
  await assert.rejects(named('etc/e.yaml'), /holds server/)
  await assert.rejects(named('nowhere.yaml'), /cannot be read \(ENOENT\)/)
})

test('what is no setting, or no text, is refused by its place in the file', async () => {
  await write('c.yaml', 'server: { prot: 1, toString: x, host: [1], log_level: true }')
  await assert.rejects(read({ config_file: 'c.yaml' }), {
    sentences: [
      'server.prot is not a setting; did you mean port?',
      `server.toString is not a setting; known are host, port, issuer, data_dir, database_url, root_key, root_key_file, vault_key, vault_key_file, trusted_proxies, endpoint_aliases, client_certificate_header, client_certificate_authorities, client_certificate_origin, egress_allow, proxy_timeout_seconds, proxy_idle_seconds, proxy_body_bytes, proxy_header_bytes, connectors_file, smtp_url, mail_from, claims_hook_url, claims_hook_secret, metrics_listen, metrics_token, log_level, log_format, log_file, playground`,
      'server.host must be text',
      'server.log_level must be text',
    ],
  })
  await write('d.yaml', 'server: { root_key: hunter2 }')
  await assert.rejects(read({ config_file: 'd.yaml' }), {
    sentences: ['server.root_key must be one of { value: ... }, { env: NAME } or { file: path }'],
  })
})
