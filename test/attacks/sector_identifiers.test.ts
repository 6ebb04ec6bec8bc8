import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type DocumentHost, startDocumentHost } from '../parts/document_host.ts'
import { type Platform, readReply, startPlatform } from '../parts/platform.ts'

let host: DocumentHost
let p: Platform

before(async () => {
  host = await startDocumentHost()
  p = await startPlatform({ path: '/hub', egress: async () => host.egress })
  await p.server.saveSettings({ registration: 'open' })
})
after(async () => {
  await p.stop()
  await host.stop()
})

const REDIRECTS = ['https://one.example/callback', 'https://two.example/callback']

async function register(sector_identifier_uri: string | undefined, redirect_uris: readonly string[] = REDIRECTS) {
  // One address registers only so many clients in an hour.
  p.pass(3600)
  const metadata = {
    subject_type: 'pairwise',
    redirect_uris,
    token_endpoint_auth_method: 'none',
    sector_identifier_uri,
  }
  const headers = { 'content-type': 'application/json' }
  return readReply(await fetch(`${p.issuer}/register`, { method: 'POST', headers, body: JSON.stringify(metadata) }))
}

test('OpenID Connect Registration 5 a sector is what its own host lists: every redirect URI, as JSON, without detours', async () => {
  const good = JSON.stringify([...REDIRECTS, 'https://three.example/callback'])
  host.pages.set('/good.json', good)
  const registered = await register(`${host.origin}/good.json`)
  assert.equal(registered.status, 201, registered.text)
  assert.equal(registered.body.sector_identifier_uri, `${host.origin}/good.json`)
  assert.equal(registered.body.subject_type, 'pairwise')
  host.pages.set('/few.json', JSON.stringify(REDIRECTS.slice(1)))
  host.pages.set('/object.json', JSON.stringify({ redirect_uris: REDIRECTS }))
  host.pages.set('/text.json', 'one and two')
  host.pages.set('/huge.json', `[${' '.repeat(70_000)}${good.slice(1)}`)
  host.pages.set('/moved.json', { status: 302, headers: { location: `${host.origin}/good.json` }, body: '' })
  host.pages.set('/broken.json', { status: 500, body: good })
  for (const path of [
    '/few.json',
    '/object.json',
    '/text.json',
    '/huge.json',
    '/moved.json',
    '/broken.json',
    '/none.json',
  ]) {
    const { status, body } = await register(host.origin + path)
    assert.deepEqual([status, body.error], [400, 'invalid_client_metadata'], path)
    assert.match(body.error_description, /sector_identifier_uri/, path)
  }
})

test('nothing is fetched from an address that is private, or for a sector that is not asked for', async () => {
  const before = host.asked.length
  for (const uri of [
    'https://127.0.0.1/list',
    'https://localhost/list',
    'http://app.example/list',
    'https://nowhere.example/list',
  ]) {
    const { status, body } = await register(uri)
    assert.deepEqual([status, body.error], [400, 'invalid_client_metadata'], uri)
  }
  const several = await register(undefined)
  assert.deepEqual([several.status, several.body.error], [400, 'invalid_client_metadata'])
  assert.equal((await register(undefined, REDIRECTS.slice(1))).status, 201, 'one host is a sector of its own')
  assert.equal(host.asked.length, before)
})
