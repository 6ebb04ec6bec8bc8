import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OAuthError } from './errors.ts'
import { type ApplicationType, matchRedirectUri, redirectUriKind, validateRedirectUri } from './redirect_uri.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const web = { application_type: 'web' } as const
const native = { application_type: 'native' } as const
const refused = (error: unknown) => error instanceof OAuthError && error.error === 'invalid_redirect_uri'
const accepts = (uri: string, application_type: ApplicationType) => {
  try {
    validateRedirectUri(uri, { application_type })
    return true
  } catch (error) {
    assert.ok(refused(error), `${uri}: ${error}`)
    return false
  }
}

test('N-01 N-02 N-03 each shape of redirect URI is accepted where it belongs', () => {
  assert.equal(validateRedirectUri('https://app.example/callback', web), 'https')
  assert.equal(validateRedirectUri('https://app.example', web), 'https')
  assert.equal(validateRedirectUri('https://app.example:8443/cb?tenant=1', web), 'https')
  assert.equal(validateRedirectUri('https://medium.example/@user/cb', web), 'https')
  assert.equal(validateRedirectUri('https://xn--bcher-kva.example/cb', web), 'https')
  assert.equal(validateRedirectUri('https://app.example/claimed', native), 'https')
  assert.equal(validateRedirectUri('http://127.0.0.1/cb', native), 'loopback')
  assert.equal(validateRedirectUri('http://127.0.0.1:4711/cb', native), 'loopback')
  assert.equal(validateRedirectUri('http://[::1]/cb', native), 'loopback')
  assert.equal(validateRedirectUri('http://localhost/callback', native), 'localhost')
  assert.equal(validateRedirectUri('com.example.app:/oauth2redirect', native), 'private_use')
})

test('the shape of a registered redirect URI is read from its start', () => {
  for (const uri of [
    'https://app.example/cb',
    'http://127.0.0.1/cb',
    'http://[::1]:1/cb',
    'http://localhost/cb',
    'com.example:/cb',
  ]) {
    assert.equal(redirectUriKind(uri), validateRedirectUri(uri, native))
  }
})

test('http at loopback is for native clients, unless an administrator says otherwise', () => {
  for (const uri of ['http://127.0.0.1:3000/callback', 'http://localhost:3000/callback', 'http://[::1]/']) {
    assert.throws(() => validateRedirectUri(uri, web), refused)
    validateRedirectUri(uri, { application_type: 'web', web_loopback: true })
  }
  for (const uri of ['http://app.example/cb', 'http://10.0.0.1/cb', 'http://127.0.0.2/cb', 'http://0.0.0.0/cb']) {
    assert.throws(() => validateRedirectUri(uri, { application_type: 'web', web_loopback: true }), refused, uri)
  }
})

test('N-02 a private-use scheme needs a native client, a dot and a single slash', () => {
  assert.throws(() => validateRedirectUri('com.example.app:/cb', web), refused)
  for (const uri of [
    'myapp:/cb',
    'myapp://cb',
    'com.example.app://cb',
    'com.example.app:cb',
    'com.example.app:',
    '.com:/cb',
    'com..example:/cb',
    'com.example.:/cb',
    'Com.example:/cb',
  ]) {
    assert.throws(() => validateRedirectUri(uri, native), refused, uri)
  }
})

// Each of these was, or could have been, accepted by some server (security.md, section 3.A).
const NEVER = [
  '',
  'callback',
  '/callback',
  '//app.example/cb',
  '?cb',
  'https:',
  'https:/app.example/cb',
  'https:///app.example/cb',
  'https:app.example/cb',
  'https://',
  'https://app.example/cb#',
  'https://app.example/cb#fragment',
  'https://app.example/*',
  'https://*.app.example/cb',
  'https://app.example*/cb',
  'https://user@app.example/cb',
  'https://user:password@app.example/cb',
  'https://@app.example/cb',
  'https://:@app.example/cb',
  'https://app.example@evil.example/cb',
  'http://localhost:80@evil.example/cb',
  'http://127.0.0.1@evil.example/cb',
  'http://127.0.0.1:80@evil.example/cb',
  'https://app.example\\@evil.example/cb',
  'https://app.example\\.evil.example/cb',
  'https:\\\\app.example\\cb',
  'https://app.example/cb\\..\\x',
  'https://app.example/./cb',
  'https://app.example/a/../cb',
  'https://app.example/..',
  'https://app.example/.',
  'https://app.example/%2e/cb',
  'https://app.example/%2e%2e/cb',
  'https://app.example/.%2E/cb',
  'https://app.example/a%2fb',
  'https://app.example/a%5cb',
  'https://app.example/a%252e',
  'https://app.example/a%00',
  'https://app.example/a%0d%0aSet-Cookie',
  'https://app.example/cb?x=%0a',
  'https://app.example/a%7f',
  'https://app.example/a%',
  'https://app.example/a%2',
  'https://app.example/a%zz',
  'https://app.example/a b',
  ' https://app.example/cb',
  'https://app.example/cb ',
  'https://app.example/cb\n',
  '\thttps://app.example/cb',
  'https://app.exa\tmple/cb',
  'https://app.example/c\u0000b',
  'https://app.example/cb"',
  'https://app.example/<script>',
  'https://app.example/{cb}',
  'https://app.example/cb|x',
  'https://app.example/cb^',
  'https://app.example/`',
  'https://app.example/caf\u00e9',
  'https://b\u00fccher.example/cb',
  'https://app\u3002example/cb',
  'https://\uff41pp.example/cb',
  'https://app.example\u2028/cb',
  'https://app.example./cb',
  'https://APP.example/cb',
  'HTTPS://app.example/cb',
  'https://app.example:443/cb',
  'https://app.example:/cb',
  'https://app.example:0443/cb',
  'https://app.example:99999/cb',
  'https://app.example:port/cb',
  'https://ex%61mple.com/cb',
  'https://app.example?x=1',
  'https://2130706433/cb',
  'https://0x7f000001/cb',
  'https://0177.0.0.1/cb',
  'https://127.1/cb',
  'https://[0:0:0:0:0:0:0:1]/cb',
  'https://[::ffff:127.0.0.1]/cb',
  'https://[::1/cb',
  'https://app.example/[cb]',
  'http://127.0.0.1:80/cb',
  'http://127.0.0.1:0/cb',
  'http://127.0.0.1:/cb',
  'http://127.0.0.1:65536/cb',
  'http://127.0.0.1.evil.example/cb',
  'http://localhost.evil.example/cb',
  'http://localhost./cb',
  'http://LOCALHOST/cb',
  'http://127.1/cb',
  'http://2130706433/cb',
  'http://0.0.0.0/cb',
  'http://[::]/cb',
  'http://[::ffff:7f00:1]/cb',
  'http://app.example/cb',
  'http://192.168.0.1/cb',
  'javascript:alert(1)',
  'javascript://app.example/%0aalert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,hello',
  'data:text/html;base64,aGVsbG8=',
  'vbscript:x',
  'file:///etc/passwd',
  'blob:https://app.example/1',
  'about:blank',
  'ftp://app.example/cb',
  'ws://app.example/cb',
  'wss://app.example/cb',
  'mailto:user@app.example',
  'urn:ietf:wg:oauth:2.0:oob',
  'view-source:https://app.example/cb',
  'intent://app.example/#Intent;end',
  'com.example.app:/../cb',
  'com.example.app:/.//evil.example',
  'com.example.app:///evil.example',
  'com.example.app:\\\\evil.example',
  'https://app.example/cb?code=1',
  'https://app.example/cb?a=1&state=2',
  'https://app.example/cb?iss=x',
  'https://app.example/cb?%63ode=1',
  'https://app.example/cb?error=x',
  `https://app.example/${'a'.repeat(2048)}`,
]

test('10.4.7 CVE-2024-8883 CVE-2026-7504 CVE-2019-3778 a redirect URI that could be read in two ways is never registered', () => {
  for (const uri of NEVER) {
    assert.equal(accepts(uri, 'web'), false, `web ${JSON.stringify(uri)}`)
    assert.equal(accepts(uri, 'native'), false, `native ${JSON.stringify(uri)}`)
  }
})

/** Strings an attacker would send instead of a registered URI. */
function mutate(uri: string): string[] {
  const url = new URL(uri)
  const rest = uri.slice(uri.indexOf(url.host) + url.host.length)
  const { protocol, host, hostname } = url
  const variants = new Set<string>()
  for (let at = 0; at <= uri.length; at++) {
    const [head, tail] = [uri.slice(0, at), uri.slice(at)]
    variants.add(head)
    for (const insert of ['%', '%2e', '.', '/', '\\', '@', '#', '?', '\t', ';', '\u00ad', '*', '\n', ' ', '%00']) {
      variants.add(head + insert + tail)
    }
    if (tail !== '') {
      variants.add(head + tail.slice(1))
      variants.add(head + tail.charAt(0).toUpperCase() + tail.slice(1))
      variants.add(head + `%${tail.charCodeAt(0).toString(16)}` + tail.slice(1))
      variants.add(head + tail.charAt(0) + tail)
    }
  }
  for (const authority of [
    `${host}.evil.example`,
    `${host}@evil.example`,
    `${host}:80@evil.example`,
    `evil.example@${host}`,
    `evil-${host}`,
    `evil.example%2f.${host}`,
    `evil.example\\.${host}`,
    `sub.${host}`,
    `${hostname}.`,
    hostname.toUpperCase(),
    `${hostname}:443`,
    `${hostname}:0`,
    `${hostname}:65536`,
    `${hostname}:080`,
    `${hostname}:`,
    '127.0.0.1',
    'localhost',
    '[::1]',
    '2130706433',
    '127.1',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
    'evil.example',
    '',
  ]) {
    variants.add(`${protocol}//${authority}${rest}`)
  }
  for (const other of ['http:', 'https:', 'HTTP:', 'HTTPS:', 'javascript:', 'data:', 'com.evil:', 'ws:', '']) {
    variants.add(other + uri.slice(protocol.length))
  }
  for (const end of [
    '/',
    '//',
    '/..',
    '/../x',
    '/.',
    '/%2e%2e',
    '#',
    '#_',
    '?',
    '?x',
    '&x=1',
    '?code=1',
    '/*',
    '%20',
    '\u2028',
  ]) {
    variants.add(uri + end)
  }
  variants.delete(uri)
  return [...variants]
}

const REGISTERED = [
  'https://app.example/callback',
  'https://app.example:8443/cb?tenant=1&x=a%20b',
  'https://app.example',
  'https://xn--bcher-kva.example/a/b/c.d',
  'http://127.0.0.1/callback',
  'http://127.0.0.1:4711/callback?x=1',
  'http://[::1]/callback',
  'http://localhost/callback',
  'com.example.app:/oauth2redirect',
]

/** What a variant may change for a native client: the port, and nothing else. */
function differsInPortOnly(requested: string, registered: string): boolean {
  const shape = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]*))?(.*)$/s
  const [one, other] = [shape.exec(requested), shape.exec(registered)]
  if (one === null || other === null || Number(one[2] ?? 0) > 65_535) return false
  return one[1] === other[1] && one[3] === other[3] && !/^[^/?]/.test(one[3] ?? '')
}

test('10.4.1 B-01 CVE-2019-11269 of thousands of variants only the registered string passes, and the port of a native loopback URI', () => {
  let tried = 0
  for (const uri of REGISTERED) {
    const variants = mutate(uri)
    assert.ok(variants.length >= 400, `${uri} has only ${variants.length} variants`)
    tried += variants.length
    assert.ok(matchRedirectUri(uri, REGISTERED, web))
    assert.ok(matchRedirectUri(uri, REGISTERED, native))
    for (const variant of variants) {
      assert.equal(matchRedirectUri(variant, [uri], web), false, `web ${JSON.stringify(variant)}`)
      assert.equal(matchRedirectUri(variant, [uri], native), differsInPortOnly(variant, uri), JSON.stringify(variant))
    }
  }
  for (const uri of NEVER) assert.equal(matchRedirectUri(uri, REGISTERED, native), false, JSON.stringify(uri))
  assert.ok(tried >= 400 * REGISTERED.length)
})

test('CVE-2020-15234 case matters', () => {
  assert.equal(matchRedirectUri('https://app.example/CALLBACK', ['https://app.example/callback'], native), false)
})

test('CVE-2024-52289 a client without redirect URIs has none, and a dot is a dot', () => {
  assert.equal(matchRedirectUri('https://app.example/callback', [], native), false)
  assert.equal(matchRedirectUri('https://appxexample/callback', ['https://app.example/callback'], native), false)
})

test('V-15 N-01 a native client may use any port at a loopback address', () => {
  for (const registered of ['http://127.0.0.1/cb?x=1', 'http://127.0.0.1:9/cb?x=1']) {
    for (const port of ['', ':1', ':80', ':443', ':9400', ':65535']) {
      assert.ok(matchRedirectUri(`http://127.0.0.1${port}/cb?x=1`, [registered], native), port)
    }
    for (const bad of [
      ':0',
      ':',
      ':65536',
      ':99999',
      ':100000',
      ':01',
      ':1e3',
      ':+1',
      ': 1',
      ':1:2',
      ':a',
      ':80@evil.example',
    ]) {
      assert.equal(matchRedirectUri(`http://127.0.0.1${bad}/cb?x=1`, [registered], native), false, bad)
    }
  }
  assert.ok(matchRedirectUri('http://[::1]:5/cb', ['http://[::1]/cb'], native))
  assert.equal(matchRedirectUri('http://[::1]:5/cb', ['http://127.0.0.1/cb'], native), false)
})

test('N-08 CVE-2020-15233 the loopback rule relaxes neither scheme, host, path nor query', () => {
  const registered = ['http://127.0.0.1/cb?x=1']
  for (const requested of [
    'https://127.0.0.1:5/cb?x=1',
    'http://localhost:5/cb?x=1',
    'http://evil.example:5/cb?x=1',
    'http://127.0.0.1:5/cb',
    'http://127.0.0.1:5/cb?x=2',
    'http://127.0.0.1:5/cb?x=1&y=2',
    'http://127.0.0.1:5/cb/?x=1',
    'http://127.0.0.1:5/cb?x=1#f',
    'http://user@127.0.0.1:5/cb?x=1',
  ]) {
    assert.equal(matchRedirectUri(requested, registered, native), false, requested)
  }
  assert.equal(matchRedirectUri('http://127.0.0.1:5/cb', ['https://app.example/cb'], native), false)
  assert.equal(matchRedirectUri('http://127.0.0.1:5/cb', ['https://127.0.0.1/cb'], native), false)
})

test('localhost takes any port only where it is flagged', () => {
  const registered = ['http://localhost/callback']
  assert.equal(matchRedirectUri('http://localhost:5/callback', registered, native), false)
  const flagged = { ...native, loopback_localhost: true }
  assert.ok(matchRedirectUri('http://localhost:5/callback', registered, flagged))
  assert.equal(matchRedirectUri('http://127.0.0.1:5/callback', registered, flagged), false)
  assert.equal(matchRedirectUri('http://localhost:5/callback', registered, { ...web, loopback_localhost: true }), false)
  assert.equal(matchRedirectUri('http://localhost.evil.example:5/callback', registered, flagged), false)
})

const piece = fc.constantFrom(
  'https:',
  'http:',
  'com.example:',
  'javascript:',
  '//',
  '/',
  '\\',
  '@',
  ':',
  '#',
  '?',
  '.',
  '..',
  '%2e',
  '%2f',
  '%5c',
  '127.0.0.1',
  'localhost',
  '[::1]',
  'app.example',
  'evil.example',
  '443',
  '80',
  '5',
  'cb',
  'x=1',
  '&',
  ';',
  ' ',
  '\t',
  '\u00e9',
  '\u3002',
  '%',
  'A',
  '*',
  '[',
  ']',
  "'",
  '"',
  '!',
  '-',
  '_',
  '~',
  'code=1',
)
const uriLike = fc.oneof(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc
    .tuple(fc.constantFrom('https://', 'http://127.0.0.1', 'com.example:/'), fc.array(piece, { maxLength: 8 }))
    .map(([start, pieces]) => start + pieces.join('')),
  fc.webUrl({ withQueryParameters: true, withFragments: true }),
  fc.string({ unit: 'binary' }),
)

test('1.5.3 GHSA-mpwq-j3xf-7m5w what is registered reads the same for RFC 3986 and for a browser', () => {
  let accepted = 0
  fc.assert(
    fc.property(uriLike, fc.constantFrom<ApplicationType>('web', 'native'), (uri, application_type) => {
      if (!accepts(uri, application_type)) return
      accepted++
      // The expression of RFC 3986 appendix B.
      const [, scheme, , authority, path, query] =
        /^([^:/?#]+):(\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?$/.exec(uri) ?? assert.fail(uri)
      const url = new URL(uri)
      assert.equal(url.protocol, `${scheme}:`)
      assert.equal(url.host, authority ?? '')
      assert.equal(url.pathname, path === '' ? '/' : path)
      assert.equal(url.search, query === '?' ? '' : (query ?? ''))
      assert.equal(url.username + url.password + url.hash, '')
      assert.ok(scheme === 'https' || scheme === 'http' || scheme?.includes('.'))
      assert.ok(matchRedirectUri(uri, [uri], web))
    }),
  )
  assert.ok(accepted > 0)
})

test('10.4.1 GHSA-mpwq-j3xf-7m5w whatever is matched leads a browser to the registered place', () => {
  const registered = fc.constantFrom(...REGISTERED)
  fc.assert(
    fc.property(
      fc.oneof(
        uriLike,
        registered.chain((uri) => fc.constantFrom(...mutate(uri))),
      ),
      (requested) => {
        for (const uri of REGISTERED) {
          if (!matchRedirectUri(requested, [uri], { ...native, loopback_localhost: true })) continue
          const [there, here] = [new URL(requested), new URL(uri)]
          assert.equal(there.hostname, here.hostname)
          assert.equal(there.protocol + there.pathname + there.search, here.protocol + here.pathname + here.search)
          assert.equal(there.username + there.password + there.hash, '')
          if (here.protocol === 'https:') assert.equal(there.origin, here.origin)
        }
      },
    ),
  )
})

test('3.A O4 CVE-2026-3872 a prefix, for a client marked legacy, ends at a segment and never has two readings', () => {
  const legacy = { application_type: 'web', redirect_uri_prefix: true } as const
  const registered = 'https://app.example/cb'
  const matches = (uri: string, from = registered) => matchRedirectUri(uri, [from], legacy)
  for (const under of ['/', '/a', '/a/b.c', '/a/']) assert.ok(matches(registered + under), under)
  for (const beyond of [
    'x',
    '//',
    '/a//b',
    '/../x',
    '/%2e%2e/x',
    '/..;/x',
    '/..;a=1/x',
    '/..%3b/x',
    '/.%3B/x',
    '/a;b',
    '/a%2f..%2fx',
    '/a?b=c',
    '?',
    '#',
    '@evil',
    '/a#b',
    '/\\x',
    '/a b',
  ]) {
    assert.ok(!matches(registered + beyond), beyond)
  }
  assert.ok(!matches(`${registered}?x=1/y`, `${registered}?x=1`), 'none under one with a query')
  assert.ok(matches('https://app.example/anything', 'https://app.example'), 'a host without a path is all of its paths')
  assert.ok(
    !matches('https://app.example.evil/', 'https://app.example') &&
      !matches('https://app.example:444/', 'https://app.example'),
  )
  assert.ok(!matchRedirectUri('com.app:/cb/x', ['com.app:/cb'], { ...legacy, application_type: 'native' }))
})
