import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettingError } from './setting_error.ts'
import { expandUrl, type Placeholder, readLearnedOrigin, readPlaceholderValue } from './template.ts'

const label: Placeholder = { label: 'Tenant', form: 'label' }
const host: Placeholder = { label: 'Login host', form: 'host', suffixes: ['login.example.com', '.my.example.com'] }
const anyHost: Placeholder = { label: 'Host', form: 'host' }
const segment: Placeholder = { label: 'Realm', form: 'segment' }
const base: Placeholder = { label: 'Base URL', form: 'base_url' }
const choice: Placeholder = { label: 'Region', form: 'choice', choices: ['us', 'eu'], default: 'us' }
const placeholders = { label, host, anyHost, segment, base, choice }

const expand = (template: string, values: Record<string, string>) => expandUrl(template, placeholders, values)

test('a template takes values of every form', () => {
  assert.equal(expand('https://{label}.example.com/a', { label: 'Acme-1' }), 'https://acme-1.example.com/a')
  assert.equal(expand('https://{host}/token', { host: 'Acme.my.example.com' }), 'https://acme.my.example.com/token')
  assert.equal(expand('https://{host}/token', { host: 'login.example.com' }), 'https://login.example.com/token')
  assert.equal(expand('https://{anyHost}/x', { anyHost: 'idp.internal' }), 'https://idp.internal/x')
  assert.equal(
    expand('https://a.com/realms/{segment}/auth', { segment: 'r_1.x~y' }),
    'https://a.com/realms/r_1.x~y/auth',
  )
  assert.equal(expand('{base}/oauth/token', { base: 'https://git.example.com' }), 'https://git.example.com/oauth/token')
  assert.equal(
    expand('{base}/token', { base: 'https://Git.example.com/Sub/Path/' }),
    'https://git.example.com/Sub/Path/token',
  )
  assert.equal(expand('{base}/token', { base: 'http://127.0.0.1:8080' }), 'http://127.0.0.1:8080/token')
  assert.equal(expand('https://{choice}.example.com', {}), 'https://us.example.com')
  assert.equal(expand('https://{choice}.example.com', { choice: 'eu' }), 'https://eu.example.com')
  assert.equal(
    expand('https://{label}.a.com/{segment}?p={segment}', { label: 'x', segment: 'y' }),
    'https://x.a.com/y?p=y',
  )
})

test('a value that is missing, of an unknown placeholder or inherited from Object is refused', () => {
  assert.throws(() => expand('https://{label}.example.com', {}), /Value for label is missing/)
  assert.throws(() => expand('https://{label}.example.com', { label: '' }), /Value for label is missing/)
  assert.throws(() => expand('https://{other}.example.com', { other: 'x' }), /Placeholder other is not known/)
  assert.throws(() => expand('https://{constructor}.example.com', {}), /Placeholder constructor is not known/)
  assert.throws(() => expand('https://{}.example.com', {}), /Placeholder {2}is not known/)
})

// Values that try to leave the place the template gives them: host, port, path, query, userinfo, encodings, controls.
const HOSTILE = [
  'evil.com#',
  'evil.com?',
  'evil.com/',
  'evil.com/#',
  'evil.com/?x=',
  'evil.com\\',
  'evil.com\\@x',
  'evil.com%2f',
  'evil.com%2F%2e%2e',
  'evil.com%00',
  'evil.com:443',
  'evil.com:443/',
  'evil.com:@x',
  'user@evil.com',
  'user:pass@evil.com',
  'user:pass@evil.com/',
  '@evil.com',
  ':@evil.com',
  'a@b',
  'a:b',
  'a/b',
  'a\\b',
  'a?b',
  'a#b',
  'a b',
  ' a',
  'a ',
  '\ta',
  'a\t',
  'a\n',
  'a\r\nHost: evil.com',
  '\n',
  '\r',
  '\0',
  'a\0',
  'a\0b',
  '\x7f',
  '\u0085',
  '\u00a0',
  'a\u00adb',
  '\u200b',
  'a\u200bb',
  '\u2028',
  '\u2060',
  '\u3002',
  'evil\u3002com',
  '\uff0e',
  'evil\uff0ecom',
  '\uff61',
  '\uff0f',
  'evil.com\uff0f',
  '\u2044',
  '\u2215',
  '\u2100',
  '\ufeff',
  '\ud800',
  '\u{1f600}',
  'ａ',
  'é',
  'xn--',
  '.',
  '..',
  '...',
  './',
  '../',
  '../../',
  '..%2f',
  '%2e%2e',
  '%2e%2e%2f',
  '%252e%252e',
  '%',
  '%%',
  '%0a',
  '%0d%0a',
  '%00',
  '%23',
  '%3f',
  '%40',
  '%5c',
  '//',
  '//evil.com',
  '///evil.com',
  '\\\\evil.com',
  'https://evil.com',
  'https:evil.com',
  'http://evil.com/?',
  'http://evil.com/#',
  'http://evil.com@x',
  'http://a:b@evil.com',
  'http://evil.com/../',
  'http://evil.com/a/../b',
  'http://evil.com//x',
  'http://evil.com/%2e%2e/',
  'http://evil.com\\x',
  'http://evil.com/;x=y',
  'http://0x7f.1/',
  'http://2130706433',
  'http://[::1',
  'http://',
  'http:///',
  'http://evil.com:99999',
  'https://evil.com:443',
  'javascript:alert(1)',
  'data:text/html,x',
  'file:///etc/passwd',
  'ftp://evil.com',
  'blob:https://evil.com',
  '{label}',
  '{',
  '}',
  '{{label}}',
  '${7*7}',
  '{{7*7}}',
  '$(id)',
  '`id`',
  '$&',
  "$'",
  '$1',
  '*',
  '|',
  '^',
  '<x>',
  '"',
  "'",
  ';',
  ',',
  '=',
  '&a=b',
  '+',
  '[',
  ']',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '-a-',
  'a.',
  '.a',
  'a..b',
  'a'.repeat(64) + '.' + 'b'.repeat(300),
]

test('O-05 CVE-2026-92804 no hostile value leaves the place that the template gives it', () => {
  assert.ok(HOSTILE.length >= 100)
  const templates = [
    ['label', 'https://{label}.example.com/oauth/token'],
    ['label', 'https://{label}/oauth/token'],
    ['host', 'https://{host}/oauth/token'],
    ['anyHost', 'https://{anyHost}/oauth/token'],
    ['segment', 'https://example.com/realms/{segment}/token'],
    ['base', '{base}/oauth/token'],
    ['choice', 'https://{choice}.example.com/oauth/token'],
  ] as const
  for (const value of HOSTILE) {
    for (const [name, template] of templates) {
      let expanded: string
      try {
        expanded = expand(template, { [name]: value })
      } catch (error) {
        assert.ok(error instanceof SettingError, `${name} ${JSON.stringify(value)}`)
        assert.doesNotMatch(error.message, /evil/)
        continue
      }
      // A few are harmless in one place: "-a-" as a path segment is a name like any other.
      const url = new URL(expanded)
      const before = new URL(template.replaceAll(`{${name}}`, name === 'base' ? 'https://base.example' : 'x'))
      assert.ok(url.href === expanded, `${name} ${JSON.stringify(value)}`)
      assert.equal(url.pathname.split('/').length, before.pathname.split('/').length, expanded)
      assert.equal(url.hostname.split('.').length, before.hostname.split('.').length, expanded)
      assert.deepEqual([url.port, url.search, url.hash, url.username], ['', '', '', ''], expanded)
      assert.ok(url.pathname.endsWith('/token'), expanded)
    }
  }
})

test('O-05 numbers and addresses do not become hosts', () => {
  for (const value of ['127.0.0.1', '2130706433', '0x7f000001', '127.1', '0', 'localhost', '1.1.1.1.', '10.0.0']) {
    assert.throws(() => expand('https://{anyHost}/', { anyHost: value }), SettingError, value)
  }
  for (const value of ['2130706433', '0x7f000001', '0']) {
    assert.throws(() => expand('https://{label}/', { label: value }), SettingError, value)
    assert.equal(expand('https://{label}.example.com/', { label: value }), `https://${value}.example.com/`)
  }
})

test('O-05 a host outside its suffixes is refused, however it is dressed', () => {
  const hosts = ['example.com', 'my.example.com', 'evilmy.example.com', 'login.example.com.evil.com', 'evil.com']
  hosts.push(
    'xlogin.example.com',
    'a.login.example.com',
    '.my.example.com',
    'my.example.com.evil.com',
    'a.my.example.comx',
  )
  for (const value of hosts) assert.throws(() => readPlaceholderValue('host', host, value), SettingError, value)
})

test('O-05 a learned API origin must be https, on the default port and under its suffixes', () => {
  const suffixes = ['.example.com', 'api.example.org']
  assert.equal(readLearnedOrigin('https://eu1.example.com/services/data', suffixes), 'https://eu1.example.com')
  assert.equal(readLearnedOrigin('eu1.example.com', suffixes), 'https://eu1.example.com')
  assert.equal(readLearnedOrigin('https://api.example.org', suffixes), 'https://api.example.org')
  const hostile = ['http://eu1.example.com', 'https://eu1.example.com:8443', 'https://evil.com', 'https://example.com']
  hostile.push('https://evil.com/.example.com', 'https://evil.com?.example.com', 'https://a:b@eu1.example.com', '')
  hostile.push(
    'https://eu1.example.com.evil.com',
    'https://evilexample.com',
    'https://127.0.0.1',
    'javascript:alert(1)',
  )
  hostile.push(
    'https://x.api.example.org',
    '//evil.com',
    'https://evil.com\\.example.com',
    'https://evil.com#.example.com',
  )
  for (const value of hostile) assert.equal(readLearnedOrigin(value, suffixes), null, value)
  for (const value of [
    null,
    undefined,
    1,
    {},
    ['https://eu1.example.com'],
    `https://a.example.com/${'x'.repeat(3_000)}`,
  ]) {
    assert.equal(readLearnedOrigin(value, suffixes), null)
  }
  assert.equal(readLearnedOrigin('https://eu1.example.com', []), null)
})
