import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OAuthError } from '../../oauth/errors.ts'
import { joinPath } from './proxy_path.ts'

const BASE = 'https://api.example.com/v1/'

test('a path is joined to the base of the API as it came', () => {
  const join = (path: string, query = '') => joinPath(BASE, path, query).href
  assert.equal(join('/me'), 'https://api.example.com/v1/me')
  assert.equal(join('/'), 'https://api.example.com/v1/')
  assert.equal(join('/a//b/'), 'https://api.example.com/v1/a//b/')
  assert.equal(
    join('/projects/group%2Fname/x', 'a=1&a=2&b=%20'),
    'https://api.example.com/v1/projects/group%2Fname/x?a=1&a=2&b=%20',
  )
  assert.equal(join('/@scope/~user/a:b;c=1,2'), 'https://api.example.com/v1/@scope/~user/a:b;c=1,2')
  assert.equal(join('/...'), 'https://api.example.com/v1/...')
  assert.equal(joinPath('http://127.0.0.1:4001', '/me', '').href, 'http://127.0.0.1:4001/me')
})

const HOSTILE = [
  ...['', 'me', '@evil.example/', '.evil.example/', ':8443/', 'https://evil.example/', '//evil.example/', '///evil'],
  ...[
    '/..',
    '/../x',
    '/a/../../x',
    '/a/..',
    '/./x',
    '/%2e%2e/x',
    '/%2E./x',
    '/.%2e/x',
    '/a/%2e',
    '/..;/x',
    '/%2e%2e;a=1/x',
  ],
  ...['/..%2fx', '/%2e%2e%2fx', '/a%2f..%2fx', '/%252e%252e/x', '/%252e%252e%252fx', '/%25252e%25252e/x', '/..%5cx'],
  ...[
    '/\\evil.example',
    '/a\\..\\b',
    '/%5cevil.example',
    '/%255c',
    '/a\r\nHost: evil',
    '/%0d%0aHost:%20evil',
    '/%00',
    '/a\0b',
  ],
  ...[
    '/%250d%250a',
    '/a b',
    '/é',
    '/a?b',
    '/a#b',
    '/a%',
    '/a%2',
    '/a%zz',
    '/\t',
    '/a"b',
    '/<a>',
    `/${'a'.repeat(8192)}`,
  ],
  // The same by look-alikes that some servers read as dots and slashes, and by longer spellings than there are.
  ...[
    '/%e2%80%a4%e2%80%a4/x',
    '/%ef%bc%8e%ef%bc%8e/x',
    '/a%ef%bc%8f..%ef%bc%8fx',
    '/%c0%ae%c0%ae/x',
    '/%e0%80%ae',
    '/%f0%80%80%ae',
  ],
  ...['/%7f', '/\u2024\u2024/x', '/\uff0e\uff0e/x', '\\\\evil.example', '/|', '/^', '/{x}'],
]

test('Z-07 Q-03 a path that could leave the base of the API is refused', () => {
  for (const path of HOSTILE) {
    assert.throws(
      () => joinPath(BASE, path, ''),
      (error) => error instanceof OAuthError,
      JSON.stringify(path),
    )
  }
})

test('a query that could break out of the request line is refused', () => {
  for (const query of ['a b', 'a\r\nb', '#', 'é', '%', '%0', 'a\0', '"', '\\']) {
    assert.throws(() => joinPath(BASE, '/', query), OAuthError, JSON.stringify(query))
  }
})
