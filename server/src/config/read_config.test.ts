import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from './config_error.ts'
import { readConfig } from './read_config.ts'
import type { ConfigSources } from './sources.ts'

const read = (sources: Partial<ConfigSources>) => readConfig({ flags: {}, env: {}, cwd: '/srv', ...sources })
const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')

function refuses(sources: Partial<ConfigSources>, ...sentences: RegExp[]): void {
  assert.throws(
    () => read(sources),
    (error) => {
      assert.ok(error instanceof ConfigError)
      for (const sentence of sentences) {
        assert.ok(
          error.sentences.some((said) => sentence.test(said)),
          `${sentence} in ${error.sentences.join('\n')}`,
        )
      }
      assert.equal(error.sentences.length, sentences.length, error.message)
      return true
    },
  )
}

test('without any setting the server listens on loopback, port 9400, in development', () => {
  const { root_key, ...config } = read({})
  assert.deepEqual(config, {
    host: '127.0.0.1',
    port: 9400,
    issuer: 'http://localhost:9400',
    production: false,
    data_dir: '/srv/.sallyport',
    database_url: undefined,
    trusted_proxies: [],
    endpoint_aliases: {},
    client_certificates: undefined,
    egress_allow: [],
    proxy_limits: { timeout_ms: 300_000, idle_ms: 30_000, largest_body: 268_435_456, largest_header: 16_384 },
    mail: undefined,
    claims_hook: undefined,
    metrics: undefined,
    connectors_file: undefined,
    log_level: 'info',
    log_format: 'text',
    log_file: undefined,
    playground: 'development',
    vault_key: undefined,
  })
  assert.deepEqual(root_key, { kind: 'made', file: '/srv/.sallyport/root_key' })
})

test('certificates of clients come in one header, from proxies that are named', () => {
  const env = {
    SALLYPORT_TRUSTED_PROXIES: '10.0.0.0/8',
    SALLYPORT_CLIENT_CERTIFICATE_HEADER: 'Client-Cert',
    SALLYPORT_CLIENT_CERTIFICATE_AUTHORITIES: 'ca.pem',
    SALLYPORT_CLIENT_CERTIFICATE_ORIGIN: 'https://mtls.example.com/',
  }
  assert.deepEqual(read({ env }).client_certificates, {
    header: 'client-cert',
    authorities_file: '/srv/ca.pem',
    origin: 'https://mtls.example.com',
  })
  refuses({ env: { ...env, SALLYPORT_TRUSTED_PROXIES: '' } }, /needs trusted_proxies/)
  refuses({ env: { ...env, SALLYPORT_CLIENT_CERTIFICATE_HEADER: 'Client Cert' } }, /must be the name of a header/)
  for (const origin of ['http://mtls.example.com', 'https://mtls.example.com/token', 'mtls']) {
    refuses({ env: { ...env, SALLYPORT_CLIENT_CERTIFICATE_ORIGIN: origin } }, /must be an https origin/)
  }
})

test('calls through the proxy have the limits that the operator sets', () => {
  const env = {
    ...{ SALLYPORT_PROXY_TIMEOUT_SECONDS: '3600', SALLYPORT_PROXY_IDLE_SECONDS: '600' },
    ...{ SALLYPORT_PROXY_BODY_BYTES: '0', SALLYPORT_PROXY_HEADER_BYTES: '32768' },
  }
  const proxy_limits = { timeout_ms: 3_600_000, idle_ms: 600_000, largest_body: 0, largest_header: 32_768 }
  assert.deepEqual(read({ env }).proxy_limits, proxy_limits)
  for (const [name, text] of [
    ...[['TIMEOUT_SECONDS', '0'] as const, ['TIMEOUT_SECONDS', '1e3'] as const, ['IDLE_SECONDS', '-1'] as const],
    ...[['BODY_BYTES', '1 MB'] as const, ['HEADER_BYTES', '100'] as const, ['HEADER_BYTES', '9999999'] as const],
  ]) {
    refuses({ env: { [`SALLYPORT_PROXY_${name}`]: text } }, /must be a whole number from \d+ to \d+$/)
  }
})

test('a flag wins over the environment, the environment over the file, the file over the default', () => {
  const file = { port: '1003', host: '127.0.0.3', log_level: 'warn' } as const
  const env = { PORT: '1002', HOST: '127.0.0.2' }
  const { port, host, log_level, log_format } = read({ flags: { port: '1001' }, env, file })
  assert.deepEqual([port, host, log_level, log_format], [1001, '127.0.0.2', 'warn', 'text'])
})

test('the default issuer has the port, and an empty variable counts as absent', () => {
  assert.equal(read({ env: { PORT: '9500', SALLYPORT_ISSUER: '' } }).issuer, 'http://localhost:9500')
})

test('an issuer on this machine says where its server listens, unless the port is given', () => {
  const port = (env: Record<string, string>) => read({ env: { SALLYPORT_ROOT_KEY: KEY, ...env } }).port
  assert.equal(port({ SALLYPORT_ISSUER: 'http://localhost:9500' }), 9500)
  assert.equal(port({ SALLYPORT_ISSUER: 'http://127.0.0.1:9500/hub' }), 9500)
  assert.equal(port({ SALLYPORT_ISSUER: 'http://localhost:9500', PORT: '9600' }), 9600, 'a proxy stands in front')
  assert.equal(port({ SALLYPORT_ISSUER: 'http://localhost' }), 9400)
  assert.equal(port({ SALLYPORT_ISSUER: 'http://localhost:0' }), 9400, 'nor is it any port that is free')
  assert.equal(port({ SALLYPORT_ISSUER: 'https://login.example.com:8443' }), 9400, 'TLS ends in front')
})

test('an https issuer means production: JSON logs, and a root key that is given', () => {
  const env = { SALLYPORT_ISSUER: 'https://login.example.com/hub', SALLYPORT_ROOT_KEY: KEY }
  const config = read({ env })
  assert.deepEqual([config.production, config.log_format, config.root_key.kind], [true, 'json', 'given'])
  refuses({ env: { SALLYPORT_ISSUER: 'https://login.example.com' } }, /production, which needs a root key/)
})

test('a root key is 32 random bytes as base64, base64url or hex, and is never repeated', () => {
  const bytes = Buffer.from(KEY, 'base64')
  for (const text of [
    KEY,
    `${KEY}\n`,
    bytes.toString('base64url'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ]) {
    assert.equal(read({ env: { SALLYPORT_ROOT_KEY: text } }).root_key.kind, 'given')
  }
  refuses(
    { env: { SALLYPORT_ROOT_KEY: 'hunter2' } },
    /^SALLYPORT_ROOT_KEY must be 32 bytes as base64, base64url or hex$/,
  )
  refuses({ env: { SALLYPORT_ROOT_KEY: '0'.repeat(64) } }, /^SALLYPORT_ROOT_KEY is not random/)
})

test('of two root keys the nearer source wins, and two from the same source are refused', () => {
  const env = { SALLYPORT_ROOT_KEY: KEY }
  assert.deepEqual(read({ env, flags: { root_key_file: 'key' } }).root_key, { kind: 'file', file: '/srv/key' })
  assert.equal(read({ env, file: { root_key_file: 'key' } }).root_key.kind, 'given')
  refuses(
    { env: { ...env, SALLYPORT_ROOT_KEY_FILE: 'key' } },
    /^Give SALLYPORT_ROOT_KEY or SALLYPORT_ROOT_KEY_FILE, not/,
  )
})

for (const [issuer, sentence] of [
  ['login.example.com', /must be a URL such as/],
  ['ftp://login.example.com', /must be a URL such as/],
  ['http://login.example.com', /may be http only at localhost/],
  ['http://10.0.0.1:9400', /may be http only at localhost/],
  ['http://localhost.example.com', /may be http only at localhost/],
  ['https://login.example.com/', /must be written as https:\/\/login\.example\.com$/],
  ['https://login.example.com/hub/', /must be written as https:\/\/login\.example\.com\/hub$/],
  ['https://login.example.com:443', /must be written as https:\/\/login\.example\.com$/],
  ['https://LOGIN.example.com', /must be written as https:\/\/login\.example\.com$/],
  ['https://login.example.com/a/../b', /must be written as https:\/\/login\.example\.com\/b$/],
  ['https://login.example.com/?tenant=1', /must not have a query or a fragment/],
  ['https://login.example.com/#', /must not have a query or a fragment/],
  ['https://a%20b.example.com/', /must be a URL such as/],
  ['https://login.example.com/a%20b', /may have a path of letters/],
  ['https://login.example.com/a//b', /may have a path of letters/],
  ['https://login.example.com/.well-known', /none called .well-known/],
] as const) {
  test(`the issuer ${issuer} is refused`, () => {
    refuses({ env: { SALLYPORT_ISSUER: issuer, SALLYPORT_ROOT_KEY: KEY } }, sentence)
  })
}

test('an issuer with a password is refused without repeating it', () => {
  refuses({ flags: { issuer: 'http://alice:hunter2@localhost' } }, /^--issuer must not have a user name or password$/)
})

test('an http issuer may be at any name of this machine, with a path', () => {
  for (const issuer of ['http://localhost:9400/hub', 'http://127.0.0.1:1', 'http://[::1]:9400', 'http://a.localhost']) {
    assert.deepEqual([read({ flags: { issuer } }).issuer, read({ flags: { issuer } }).production], [issuer, false])
  }
})

test('every wrong setting is told at once, each by the name under which it was set', () => {
  refuses(
    {
      flags: { port: '0', log_level: 'loud' },
      env: { HOST: '127.0.0.1:80 ', DATABASE_URL: 'mysql://root:hunter2@db/x', SALLYPORT_EGRESS_ALLOW: '10.0.0.0/33' },
      file: { log_format: 'xml' },
    },
    /^--port must be a whole number from 1 to 65535$/,
    /^HOST must be an address or a host name, without port$/,
    /^DATABASE_URL must be a URL that begins with postgres:\/\/ or postgresql:\/\/$/,
    /^SALLYPORT_EGRESS_ALLOW: Egress allow entry "10\.0\.0\.0\/33" is not a CIDR range/,
    /^--log-level must be debug, info, warn, error or silent$/,
    /^server\.log_format must be text or json$/,
  )
})

test('an unknown SALLYPORT_ variable is refused with the nearest known one', () => {
  refuses({ env: { SALLYPORT_ISUER: 'x' } }, /^SALLYPORT_ISUER is not a setting; did you mean SALLYPORT_ISSUER\?$/)
  refuses({ env: { SALLYPORT_PORT: '9500' } }, /^SALLYPORT_PORT is not a setting; did you mean PORT\?$/)
  refuses({ env: { SALLYPORT_COLOUR: 'red' } }, /^SALLYPORT_COLOUR is not a setting$/)
})

test('the variables by which Kubernetes describes a neighbour called sallyport are no settings', () => {
  const env = {
    SALLYPORT_SERVICE_HOST: '10.0.0.7',
    SALLYPORT_SERVICE_PORT: '9400',
    SALLYPORT_SERVICE_PORT_HTTP: '9400',
    SALLYPORT_PORT: 'tcp://10.0.0.7:9400',
    SALLYPORT_PORT_9400_TCP: 'tcp://10.0.0.7:9400',
    SALLYPORT_PORT_9400_TCP_ADDR: '10.0.0.7',
  }
  assert.equal(read({ env }).port, 9400)
})

test('an SMTP server and a sender come together, and neither is repeated when it is wrong', () => {
  const smtp = 'smtps://sally:hunter2@mail.example.com:465'
  const { mail } = read({ env: { SALLYPORT_SMTP_URL: smtp, SALLYPORT_MAIL_FROM: 'Sallyport <login@example.com>' } })
  assert.deepEqual(mail, { url: smtp, from: 'Sallyport <login@example.com>' })
  refuses({ env: { SALLYPORT_SMTP_URL: smtp } }, /SALLYPORT_SMTP_URL needs SALLYPORT_MAIL_FROM/)
  refuses({ env: { SALLYPORT_MAIL_FROM: 'login@example.com' } }, /SALLYPORT_MAIL_FROM needs SALLYPORT_SMTP_URL/)
  const from = { SALLYPORT_MAIL_FROM: 'login@example.com' }
  for (const wrong of [
    'mail.example.com',
    'https://mail.example.com',
    'smtp://',
    'smtp://host/path',
    'smtp://host?tls=no',
  ]) {
    refuses({ env: { ...from, SALLYPORT_SMTP_URL: wrong } }, /SALLYPORT_SMTP_URL must be a URL/)
  }
  for (const wrong of [
    'login',
    'a@b@c',
    'x <y',
    'A\r\nBcc: x <login@example.com>',
    'login@example.com, other@example.com',
  ]) {
    refuses({ env: { SALLYPORT_SMTP_URL: smtp, SALLYPORT_MAIL_FROM: wrong } }, /SALLYPORT_MAIL_FROM must be an address/)
  }
})

test('a service of claims and its secret come together, over TLS but where the operator says otherwise', () => {
  const SALLYPORT_CLAIMS_HOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const at = (url: string, allow = '') => ({
    env: { SALLYPORT_CLAIMS_HOOK_SECRET, SALLYPORT_CLAIMS_HOOK_URL: url, SALLYPORT_EGRESS_ALLOW: allow },
  })
  assert.equal(read({}).claims_hook, undefined)
  assert.equal(read(at('https://claims.example.com/hook?a=b')).claims_hook?.url, 'https://claims.example.com/hook?a=b')
  assert.equal(read(at('https://claims.example.com/')).claims_hook?.secret.symmetricKeySize, 24)
  for (const url of ['http://localhost:9000/', 'http://127.0.0.1:9000/', 'http://[::1]:9000/']) {
    assert.equal(read(at(url)).claims_hook?.url, url)
  }
  refuses(
    at('http://claims.internal:9000/'),
    /CLAIMS_HOOK_URL may be http on this machine or at a host that egress_allow/,
  )
  assert.ok(read(at('http://claims.internal:9000/', 'claims.internal:9000')).claims_hook)
  for (const url of [
    'hunter2',
    'ftp://claims.example.com/',
    'https://u:hunter2@claims.example.com/',
    'https://a.example/#b',
  ])
    refuses(at(url), /^SALLYPORT_CLAIMS_HOOK_URL must be a URL such as https:/)
  const hook = { SALLYPORT_CLAIMS_HOOK_URL: 'https://claims.example.com/' }
  refuses({ env: hook }, /CLAIMS_HOOK_URL needs SALLYPORT_CLAIMS_HOOK_SECRET beside it/)
  refuses({ env: { SALLYPORT_CLAIMS_HOOK_SECRET } }, /CLAIMS_HOOK_SECRET needs SALLYPORT_CLAIMS_HOOK_URL beside it/)
  refuses(
    { env: { ...hook, SALLYPORT_CLAIMS_HOOK_SECRET: 'hunter2' } },
    /CLAIMS_HOOK_SECRET must be whsec_ and then 24/,
  )
})
