import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { mutateRedirectUri } from '../parts/redirect_uri_mutations.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const REGISTERED = 'https://dms.example.com/oauth/callback'
const alice = { username: 'alice', password: 'correct horse battery' }
let server: TestServer
before(async () => {
  server = await startSallyport()
  await server.addUser(alice)
  const app = { redirect_uris: [REGISTERED], scope: 'openid', require_pkce: false, trusted: true }
  await server.addClient({ ...app, client_id: 'exact', client_secret: 'exact-secret' })
  await server.addClient({ ...app, client_id: 'legacy', client_secret: 'legacy-secret', redirect_uri_prefix: true })
})
after(() => server.stop())

const authorize = (client_id: string, redirect_uri: string) => {
  const query = new URLSearchParams({ response_type: 'code', client_id, redirect_uri, scope: 'openid' })
  return new UserAgent().follow(`${server.issuer}/authorize?${query}`)
}

test('O4 a client marked legacy may come back under its registered callback, by whole segments; any other exactly', async () => {
  const below = `${REGISTERED}/tenant-7/done`
  const legacy = await authorize('legacy', below)
  assert.match(legacy.url, /\/login\?/, 'the request is taken')
  const back = await new UserAgent().authorize(
    `${server.issuer}/authorize?${new URLSearchParams({ response_type: 'code', client_id: 'legacy', redirect_uri: below, scope: 'openid' })}`,
    alice,
  )
  assert.ok(back.href.startsWith(`${below}?code=`), back.href)
  const exact = await authorize('exact', below)
  assert.deepEqual([exact.response.status, exact.response.headers.get('location')], [400, null])
})

const beyond = [
  'https://dms.example.com/oauth/callbackx',
  'https://dms.example.com/oauth',
  'https://dms.example.com/oauth/',
  'https://dms.example.com/',
]
const tricks = [
  '/../admin',
  '/..',
  '/.',
  '/./x',
  '/%2e%2e/admin',
  '/%2E%2E%2Fadmin',
  '/..%2fadmin',
  '/%2f..',
  '/%5c..',
  '/\\..\\admin',
  '//evil.example',
  '/x//y',
  '/?next=https://evil.example',
  '?x=1',
  '#x',
  '/x#y',
  '/x?code=1',
  '/%0d%0a',
  '/%00',
  '/ x',
  '/x y',
  '/*',
  '@evil.example',
  '.evil.example',
  ':444',
  '/é',
  '/%zz',
  '/x\t',
  '/[x]',
  ';/x',
]

test('3.A O4 a prefix is never met across a segment, a host or a spelling', async () => {
  for (const requested of [...beyond, ...tricks.map((trick) => REGISTERED + trick), ...mutateRedirectUri(REGISTERED)]) {
    const { response, url } = await authorize('legacy', requested)
    if (/\/login\?/.test(url)) {
      assert.ok(requested.startsWith(`${REGISTERED}/`) && new URL(requested).href === requested, requested)
      assert.ok(!tricks.includes(requested.slice(REGISTERED.length)), requested)
    } else assert.deepEqual([response.status, response.headers.get('location')], [400, null], requested)
  }
})
