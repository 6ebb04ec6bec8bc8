import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lintRedirects } from './lint_redirects.ts'

test('each redirect URI is told what is wrong with it, or what would be better', () => {
  const lint = (uri: string, application_type: 'web' | 'native' = 'web') => {
    const [{ refused, warnings }] = lintRedirects([uri], application_type) as [ReturnType<typeof lintRedirects>[number]]
    return refused ?? warnings
  }
  for (const [uri, expected] of [
    ['https://notes.example/callback', []],
    ['https://notes.example/', ['start_page']],
    ['https://192.0.2.7/', ['start_page', 'ip_host']],
    ['https://[2001:db8::7]/cb', ['ip_host']],
    ['http://127.0.0.1:3000/cb', ['this_machine']],
    ['http://localhost:3000/cb', ['localhost', 'this_machine']],
    ['http://notes.example/cb', 'A redirect URI may be http only at 127.0.0.1, [::1] or localhost'],
    ['https://notes.example/cb#x', 'A redirect URI must not have a fragment'],
    ['app.notes:/cb', 'A redirect URI may have a private-use scheme only for a native client'],
  ] as const) {
    assert.deepEqual(lint(uri), expected, uri)
  }
  assert.deepEqual(lint('http://127.0.0.1/cb', 'native'), [])
  assert.deepEqual(lint('http://localhost/cb', 'native'), ['localhost'])
  assert.deepEqual(lint('app.notes:/cb', 'native'), ['private_use'])
  const uris = ['https://a.example/#', 'https://b.example/cb', 'nothing']
  assert.deepEqual(
    lintRedirects(uris, 'web').map(({ uri, refused }) => [uri, refused !== undefined]),
    [
      [uris[0], true],
      [uris[1], false],
      [uris[2], true],
    ],
    'not the first alone',
  )
})
