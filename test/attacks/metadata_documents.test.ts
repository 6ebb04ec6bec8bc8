import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { after } from 'node:test'
import {
  authorizeUrl,
  DOCUMENT_CALLBACK,
  DOCUMENTS_ON,
  findRow,
  look,
  newPath,
  redeem,
} from '../parts/ask_document_client.ts'
import { type DocumentHost, startDocumentHost } from '../parts/document_host.ts'
import { ALICE, onBothDatabases, VERIFIER } from '../parts/platform.ts'
import { signIn } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const host: DocumentHost = await startDocumentHost()
const test = onBothDatabases({ egress: async () => host.egress })
after(() => host.stop())

test('a client that nobody registered signs a user in by its document, and gets a row by that', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  const client_id = host.publish(newPath(), { grant_types: ['authorization_code', 'refresh_token'] })
  const agent = new UserAgent()
  const back = await agent.authorize(authorizeUrl(p, client_id, { scope: 'mcp:tools offline_access' }), ALICE)
  assert.equal(back.origin + back.pathname, DOCUMENT_CALLBACK)
  assert.equal(back.searchParams.get('iss'), p.issuer)
  const { status, body } = await redeem(p, client_id, back.searchParams.get('code')!)
  assert.equal(status, 200, JSON.stringify(body))
  const { source, trusted, metadata } = (await findRow(p, client_id))!
  assert.deepEqual([source, trusted, JSON.parse(metadata).unverified], ['metadata_document', 0, true])
  const refreshed = await p.post(
    '/token',
    { ...{ grant_type: 'refresh_token', client_id }, refresh_token: body.refresh_token },
    null,
  )
  assert.equal(refreshed.status, 200)
  const events = await p.server.store.pageEvents({
    ...{ tenant_id: p.server.app.tenant.tenant_id, before_event_id: '~', type: 'client.created', actor: '', most: 50 },
  })
  assert.equal(events.filter((event) => event.client_id === client_id).length, 1)
})

test('M-04 a redirect URI that is not in the document is shown and never followed', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = await signIn(p)
  const client_id = host.publish(newPath())
  for (const redirect_uri of [
    `${DOCUMENT_CALLBACK}/`,
    `${DOCUMENT_CALLBACK}?x`,
    'https://evil.example/cb',
    'http://app.example/cb',
  ]) {
    const { status, html } = await look(agent, authorizeUrl(p, client_id, { redirect_uri }))
    assert.deepEqual([status, /redirect/i.test(html)], [400, true], redirect_uri)
  }
})

test('B-15 9700 4.11.2 an error of such a client is a page, until its user has answered', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = await signIn(p)
  const client_id = host.publish(newPath())
  for (const more of [
    { response_type: 'token' },
    { scope: 'no:such' },
    { prompt: 'none' },
    { code_challenge: undefined },
  ]) {
    assert.equal((await look(agent, authorizeUrl(p, client_id, more))).status, 400, JSON.stringify(more))
  }
})

test('10.7.1 CVE-2023-34246 T-05 the users of such a client are asked each time, whatever they allowed before', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = await signIn(p)
  const client_id = host.publish(newPath())
  for (let i = 0; i < 3; i++) {
    assert.match((await look(agent, authorizeUrl(p, client_id))).html, /name="decision"/, String(i))
    assert.ok((await agent.authorize(authorizeUrl(p, client_id), ALICE)).searchParams.has('code'))
  }
  const silent = await agent.authorize(authorizeUrl(p, client_id, { prompt: 'none' }), ALICE)
  assert.equal(silent.searchParams.get('error'), 'consent_required')
})

test('what a document changes counts when its time is over, and a document that is gone signs nobody out', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const agent = new UserAgent()
  const path = newPath()
  const client_id = host.publish(
    path,
    { grant_types: ['authorization_code', 'refresh_token'] },
    { 'cache-control': 'max-age=300' },
  )
  const url = authorizeUrl(p, client_id, { scope: 'mcp:tools offline_access' })
  const code = (await agent.authorize(url, ALICE)).searchParams.get('code')!
  let tokens = (await redeem(p, client_id, code)).body
  host.publish(path, {
    redirect_uris: ['https://new.example/cb'],
    grant_types: ['authorization_code', 'refresh_token'],
  })
  assert.match((await look(agent, url)).html, /name="decision"/)
  p.pass(301)
  assert.equal((await look(agent, url)).status, 400)
  const moved = await agent.authorize(authorizeUrl(p, client_id, { redirect_uri: 'https://new.example/cb' }), ALICE)
  assert.ok(moved.searchParams.has('code'))
  assert.deepEqual(JSON.parse((await findRow(p, client_id))!.metadata).redirect_uris, ['https://new.example/cb'])
  host.pages.set(path, { status: 404 })
  p.pass(86_401)
  const refresh = async () =>
    p.post('/token', { grant_type: 'refresh_token', client_id, refresh_token: tokens.refresh_token }, null)
  const again = await refresh()
  assert.equal(again.status, 200, again.text)
  tokens = again.body
  const fresh = await signIn(p)
  assert.equal((await look(fresh, authorizeUrl(p, client_id, { redirect_uri: 'https://new.example/cb' }))).status, 400)
  await p.server.saveSettings({ ...DOCUMENTS_ON, metadata_documents: 'off' })
  assert.equal((await refresh()).body.error, 'invalid_client')
  await p.server.saveSettings(DOCUMENTS_ON)
  assert.equal((await refresh()).status, 200)
})

test('a client that had to prove itself and now has not loses what it was given', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const path = newPath()
  const jwks = {
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
    ],
  }
  const client_id = host.publish(
    path,
    { token_endpoint_auth_method: 'private_key_jwt', jwks },
    { 'cache-control': 'no-store' },
  )
  const back = await new UserAgent().authorize(authorizeUrl(p, client_id), ALICE)
  const code = back.searchParams.get('code')!
  assert.equal((await redeem(p, client_id, code)).body.error, 'invalid_client')
  host.publish(path)
  p.pass(61)
  assert.equal((await redeem(p, client_id, code)).body.error, 'invalid_client')
  const after = await redeem(p, client_id, code)
  assert.equal(after.body.error, 'invalid_grant', after.text)
})

test('a client proves itself by the keys of its document, by the new ones once its time is over', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const path = newPath()
  const pair = (kid: string) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    return { kid, privateKey, jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid }] } }
  }
  const [first, second] = [pair('first'), pair('second')]
  const publish = (jwks: object) =>
    host.publish(path, { token_endpoint_auth_method: 'private_key_jwt', jwks }, { 'cache-control': 'max-age=300' })
  const client_id = publish(first.jwks)
  const agent = new UserAgent()
  let jti = 0
  const prove = async ({ kid, privateKey: key }: ReturnType<typeof pair>) => {
    const code = (await agent.authorize(authorizeUrl(p, client_id), ALICE)).searchParams.get('code')!
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const exp = Math.floor(p.now() / 1000) + 60
    const input = `${part({ alg: 'ES256', kid })}.${part({ iss: client_id, sub: client_id, aud: p.issuer, jti: `${++jti}`, exp })}`
    const client_assertion = `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const form = { grant_type: 'authorization_code', code, redirect_uri: DOCUMENT_CALLBACK, code_verifier: VERIFIER }
    return (await p.post('/token', { ...form, client_assertion, client_assertion_type }, null)).status
  }
  assert.deepEqual([await prove(first), await prove(second)], [200, 401])
  publish(second.jwks)
  assert.deepEqual([await prove(first), await prove(second)], [200, 401])
  p.pass(301)
  assert.deepEqual([await prove(first), await prove(second)], [401, 200])
})

test('a document never takes the place of a client that an administrator registered under its URL', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const client_id = host.publish(newPath(), { redirect_uris: ['https://evil.example/cb'] })
  await p.server.addClient({
    client_id,
    redirect_uris: [DOCUMENT_CALLBACK],
    scope: 'mcp:tools',
    token_endpoint_auth_method: 'none',
  })
  const asked = host.asked.length
  const agent = await signIn(p)
  assert.equal((await look(agent, authorizeUrl(p, client_id, { redirect_uri: 'https://evil.example/cb' }))).status, 400)
  assert.ok((await agent.authorize(authorizeUrl(p, client_id), ALICE)).searchParams.has('code'))
  assert.equal(host.asked.length, asked)
})

test('a disabled client of a document stays disabled', async (p) => {
  await p.server.saveSettings(DOCUMENTS_ON)
  p.pass(601)
  const client_id = host.publish(newPath())
  const agent = new UserAgent()
  const code = (await agent.authorize(authorizeUrl(p, client_id), ALICE)).searchParams.get('code')!
  await p.setDisabled(true, { client_id })
  assert.equal((await look(agent, authorizeUrl(p, client_id))).status, 400)
  assert.equal((await redeem(p, client_id, code)).body.error, 'invalid_client')
  await p.setDisabled(false, { client_id })
  assert.equal((await redeem(p, client_id, code)).body.error, 'invalid_grant')
})
