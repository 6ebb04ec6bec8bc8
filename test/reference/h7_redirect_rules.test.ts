import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { HOME, type Hub, JOHN, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

const OTHER = 'https://mirror.example/app'
const ABSOLUTE = 'https://elsewhere.example/return'
let hub: Hub
let id: string
before(async () => {
  hub = await startHub()
  const uris = { baseUrls: [OTHER], redirectUris: ['/auth', '/deep/return', ABSOLUTE] }
  id = (await hub.register({ trusted: true, ...uris })).id
})
after(() => hub.stop())

const url = (redirect_uri: string) => hub.authUrl({ response_type: 'code', client_id: id, redirect_uri, scope: id })
const untrusted = async () =>
  (await hub.rest('GET', `services/${id}?fields=untrustedRedirectUris`)).body.untrustedRedirectUris

test('H7 homeUrl and each baseUrls with a relative URI, and an absolute one, are where an answer may go', async () => {
  for (const good of [`${HOME}/auth`, `${HOME}/deep/return`, `${OTHER}/auth`, `${OTHER}/deep/return`, ABSOLUTE]) {
    const back = await new UserAgent().authorize(url(good), JOHN)
    assert.ok(back.href.startsWith(`${good}?code=`), back.href)
  }
})

test('H7 any other address is an error page, never a redirect, and is kept only once a user has signed in', async () => {
  const wrong = [
    HOME,
    `${HOME}/auth/`,
    `${HOME}/auth?x=1`,
    `${HOME}/other`,
    `${ABSOLUTE}/deep`,
    'https://mirror.example/auth',
    '/auth',
  ]
  for (const bad of wrong) {
    const { response, url: at } = await new UserAgent().follow(url(bad))
    assert.deepEqual([response.status, at], [400, url(bad)], bad)
  }
  assert.deepEqual(await untrusted(), [])
  const agent = new UserAgent()
  await agent.authorize(url(ABSOLUTE), JOHN)
  for (const bad of [`${HOME}/other`, `${HOME}/third`, `${HOME}/other`, '/auth', 'javascript:alert(1)//\u0007']) {
    const { response } = await agent.follow(url(bad))
    assert.equal(response.status, 400, bad)
  }
  assert.deepEqual(await untrusted(), [`${HOME}/other`, `${HOME}/third`], 'newest first, each once')
  for (let i = 0; i < 30; i++) await agent.follow(url(`${HOME}/n${i}`))
  const kept = await untrusted()
  assert.deepEqual([kept.length, kept[0]], [20, `${HOME}/n29`], 'capped')
  const added = await hub.rest('POST', `services/${id}`, {
    body: { redirectUris: ['/auth', '/deep/return', ABSOLUTE, '/n29'] },
  })
  assert.equal(added.status, 200)
  assert.ok(
    new URL((await agent.follow(url(`${HOME}/n29`))).url).searchParams.has('code'),
    'an administrator has added it',
  )
})

test('H7 a relative URI begins with one slash and stays at the origin of each base', async () => {
  for (const redirectUris of [['//evil.example'], ['/\\evil.example'], ['/..//evil'], ['/@evil.example/cb/../..']]) {
    const body = { name: 'x', homeUrl: HOME, redirectUris }
    const { status } = await hub.rest('POST', 'services', { body })
    assert.equal(status, 400, redirectUris[0])
  }
  const at = { name: 'x', homeUrl: 'https://a.example', baseUrls: ['nonsense'], redirectUris: ['/auth'] }
  assert.equal((await hub.rest('POST', 'services', { body: at })).status, 400)
  assert.equal((await hub.rest('POST', 'services', { body: { name: 'x', redirectUris: ['/auth'] } })).status, 400)
})
