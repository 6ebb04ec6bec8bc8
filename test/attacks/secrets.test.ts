import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { idToBytes } from '../../server/src/crypto/random.ts'
import {
  ALICE,
  basic,
  CALLBACK,
  CLIENTS,
  OPAQUE_API,
  onBothDatabases,
  type Platform,
  VERIFIER,
} from '../parts/platform.ts'
import { dumpRows, printRow } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

/** Lets everything happen that has to do with secrets, and answers all that were in play, by name. */
async function useSecrets(p: Platform): Promise<Map<string, string>> {
  const secrets = new Map<string, string>([
    ['verifier', VERIFIER],
    ['password', ALICE.password],
  ])
  for (const { client_id, client_secret } of Object.values(CLIENTS)) {
    if (client_secret !== undefined) secrets.set(`secret of ${client_id}`, client_secret)
  }
  const agent = new UserAgent()
  const { url, response } = await agent.follow(
    p.authorizeUrl('web', { state: 'state-canary-1', nonce: 'nonce-is-no-secret' }),
  )
  secrets.set('sealed request', new URL(url).searchParams.get('request')!)
  const html = await response.text()
  secrets.set('csrf token', /name="csrf_token" value="([^"]+)"/.exec(html)![1]!)
  await agent.submit({ url, html }, { username: 'alice', password: 'mistyped-canary-2' })
  secrets.set('state', 'state-canary-1').set('mistyped password', 'mistyped-canary-2')
  for (const [name, params] of [
    ['jwt', {}],
    ['opaque', { resource: OPAQUE_API, scope: 'openid offline_access vault:open' }],
  ] as const) {
    const code = await p.getCode('web', params, agent)
    const first = (await p.exchange('web', code)).body
    const second = (await p.refresh('web', first.refresh_token)).body
    await p.refresh('web', first.refresh_token)
    secrets.set(`${name} code`, code).set(`${name} access token`, first.access_token)
    secrets.set(`${name} refresh token`, first.refresh_token).set(`${name} successor`, second.refresh_token)
    if (first.id_token) secrets.set(`${name} ID token`, first.id_token)
    for (const token of [first.access_token, second.refresh_token]) await p.introspect(token)
    await p.userinfo(first.access_token)
    await p.exchange('web', code, { code_verifier: 'v'.repeat(43) })
    await p.exchange('web', code)
    await p.post('/revoke', { token: second.refresh_token })
  }
  for (const [name, value] of agent.cookies) if (/session|browser/.test(name)) secrets.set(name, value)
  const guesses = {
    'guessed secret': 'guess-canary-3',
    'secret in the URL': 'url-canary-4',
    'broken body': 'body-canary-5',
  }
  for (const [name, value] of Object.entries(guesses)) secrets.set(name, value)
  const ask = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(p.issuer + path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
    })
  await ask('/token', 'grant_type=client_credentials', { authorization: basic('web', 'guess-canary-3') })
  await ask('/token?client_secret=url-canary-4', 'grant_type=client_credentials&client_id=web')
  await ask('/token', 'grant_type=x&code=body-canary-5&code=body-canary-5')
  await ask('/api/rest/services', '{"name":"body-canary-5', {
    'content-type': 'application/json',
    authorization: 'Bearer guess-canary-3',
  })
  await ask('/token', 'grant_type=authorization_code&code=body-canary-5', {
    authorization: basic('web', 'secret-of-web'),
  })
  await ask('/introspect', 'token=body-canary-5', { authorization: 'Basic guess-canary-3' })
  await fetch(`${p.issuer}/userinfo?access_token=url-canary-4`, { headers: { authorization: 'Bearer guess-canary-3' } })
  await fetch(`${p.issuer}/url-canary-4?x=url-canary-4`.replace('/url-canary-4?', '/nothing?'))
  await new UserAgent().request(`${p.authorizeUrl('web')}&client_secret=url-canary-4`)
  return secrets
}

testOnBoth(
  '16.2.5 14.2.1 B-11 T-09 CVE-2024-51752 CVE-2026-19363 no line of the log holds a secret, whatever went wrong, at any level',
  async (p) => {
    const secrets = await useSecrets(p)
    const log = p.server.log.map((line) => inspect(line, { depth: 10, maxStringLength: null })).join('\n')
    assert.match(log, /path: '\/hub\/token'/)
    assert.match(log, /refused/)
    for (const [name, secret] of secrets) {
      for (const spelling of [secret, encodeURIComponent(secret), btoa(secret), secret.slice(0, 40)]) {
        assert.equal(log.includes(spelling), false, `${name} is in the log`)
      }
    }
  },
)

testOnBoth('T-01 T-02 T-11 5.3 no row of the database holds a secret, in any spelling', async (p) => {
  const secrets = await useSecrets(p)
  const rows = [...(await dumpRows(p.server.store))].flatMap(([, all]) => all.map((row) => printRow(row)))
  const dump = rows.join('\n')
  assert.match(dump, /alice@example\.test/)
  for (const [name, secret] of secrets) {
    const bytes = Buffer.from(secret.replace(/^sp_[a-z]{2}_/, ''), 'base64url')
    const spellings = [
      secret,
      Buffer.from(secret).toString('hex'),
      Buffer.from(secret).toString('base64'),
      btoa(secret),
    ]
    // The random part alone, behind the identifiers that are no secret.
    if (/^sp_(ac|rt)_/.test(secret) || name.includes('session')) {
      const part = secret.startsWith('sp_rt_') ? bytes.subarray(24, 56) : bytes.subarray(16, 48)
      spellings.push(part.toString('hex'), part.toString('base64url'), part.toString('base64'), part.toString('latin1'))
    }
    for (const spelling of spellings) assert.equal(dump.includes(spelling), false, `${name} is in the database`)
  }
})

testOnBoth('T-02 what stands in a stolen row cannot be presented', async (p) => {
  const agent = new UserAgent()
  const { refresh_token } = (await p.exchange('web', await p.getCode('web', {}, agent))).body
  await p.getCode('web', {}, agent)
  const tables = await dumpRows(p.server.store)
  const grants = tables.get('grants')!
  const bytesOf = (value: unknown) => Buffer.from(value as Uint8Array)
  for (const grant of grants) {
    const id = idToBytes(String(grant['grant_id']))!
    if (grant['code_hash']) {
      const code = `sp_ac_${Buffer.concat([id, bytesOf(grant['code_hash'])]).toString('base64url')}`
      assert.equal((await p.exchange('web', code, { redirect_uri: CALLBACK })).body.error, 'invalid_grant')
    }
    if (grant['refresh_hash']) {
      const genuine = Buffer.from(refresh_token.slice(6), 'base64url')
      bytesOf(grant['refresh_hash']).copy(genuine, 24)
      assert.equal((await p.refresh('web', `sp_rt_${genuine.toString('base64url')}`)).body.error, 'invalid_grant')
    }
  }
  const name = [...agent.cookies.keys()].find((key) => key.includes('session'))!
  for (const session of tables.get('sessions')!) {
    const thief = new UserAgent()
    const id = idToBytes(String(session['session_id']))!
    thief.cookies.set(name, Buffer.concat([id, bytesOf(session['secret_hash'])]).toString('base64url'))
    const response = await thief.request(p.authorizeUrl('trusted', { prompt: 'none' }))
    assert.match(response.headers.get('location')!, /error=login_required/)
  }
  for (const client of tables.get('clients')!) {
    if (!client['client_secret_hash']) continue
    const hash = bytesOf(client['client_secret_hash'])
    for (const secret of [hash.toString('hex'), hash.toString('base64'), hash.toString('base64url')]) {
      const headers = { authorization: basic(String(client['client_id']), secret) }
      const body = new URLSearchParams({ grant_type: 'client_credentials' })
      assert.equal((await fetch(`${p.issuer}/token`, { method: 'POST', headers, body })).status, 401)
    }
  }
  assert.equal((await p.refresh('web', refresh_token)).status, 200)
})

testOnBoth(
  '11.5.1 5.3 codes, tokens, cookies and sealed requests never repeat and hold 256 bits of chance',
  async (p) => {
    const agent = new UserAgent()
    const seen = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const code = await p.getCode('trusted', {}, agent)
      const { refresh_token, access_token } = (await p.exchange('trusted', code)).body
      const parts = [
        code.slice(-43),
        refresh_token,
        access_token,
        (await p.refresh('trusted', refresh_token)).body.refresh_token,
      ]
      for (const part of parts) seen.add(part)
      assert.equal(Buffer.from(code.slice(6), 'base64url').length, 16 + 32)
    }
    assert.equal(seen.size, 80)
  },
)
