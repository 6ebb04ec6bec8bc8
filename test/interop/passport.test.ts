import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import express from 'express'
import { ALICE, type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

// They bring no types.
const require = createRequire(import.meta.url)
const passport = require('passport')
const { Strategy } = require('passport-openidconnect')

let p: Platform
let app: Server
let origin: string

before(async () => {
  p = await startPlatform({ path: '/hub', real_time: true })
  const server = express()
  app = server.listen(0, '127.0.0.1')
  await new Promise((resolve) => app.once('listening', resolve))
  origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  await p.server.addClient({
    ...{ client_id: 'passport', client_secret: 'secret-of-passport', redirect_uris: [`${origin}/callback`] },
    // This library has no PKCE, and sends its secret in the body.
    ...{ require_pkce: false, token_endpoint_auth_method: 'client_secret_post', scope: 'openid profile email' },
  })
  const options = {
    ...{ issuer: p.issuer, authorizationURL: `${p.issuer}/authorize`, tokenURL: `${p.issuer}/token` },
    ...{ userInfoURL: `${p.issuer}/userinfo`, clientID: 'passport', clientSecret: 'secret-of-passport' },
    ...{ callbackURL: `${origin}/callback`, scope: ['profile', 'email'], nonce: true, skipUserProfile: false },
  }
  type Done = (error: null, user: object) => void
  passport.use(new Strategy(options, (issuer: string, profile: object, done: Done) => done(null, { issuer, profile })))
  // A session of the app's own, by a cookie.
  const sessions = new Map<string, object>()
  server.use((request, response, next) => {
    const id = /app=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? String(sessions.size + 1)
    if (!sessions.has(id)) sessions.set(id, {})
    response.setHeader('set-cookie', `app=${id}`)
    Object.assign(request, { session: sessions.get(id) })
    next()
  })
  server.get('/login', passport.authenticate('openidconnect', { session: false }))
  server.get('/callback', passport.authenticate('openidconnect', { session: false }), (request, response) => {
    response.json((request as unknown as { user: object }).user)
  })
  const failed: express.ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(502).json({ name: error.name, code: error.code, message: error.message })
  }
  server.use(failed)
})
after(async () => {
  await new Promise((resolve) => app.close(resolve))
  await p.stop()
})

/** Starts at the app, and comes back to it. */
async function signIn(decision: 'allow' | 'deny' = 'allow') {
  const browser = new UserAgent()
  const started = await browser.request(`${origin}/login`)
  const back = await new UserAgent().authorize(started.headers.get('location')!, ALICE, decision)
  const answer = await browser.request(back.href)
  return { status: answer.status, text: await answer.text(), browser, back }
}

test('passport-openidconnect signs in, without PKCE by the exemption of its client', async () => {
  const { status, text, browser, back } = await signIn()
  assert.equal(status, 200, text)
  const { issuer, profile } = JSON.parse(text)
  assert.equal(issuer, p.issuer)
  assert.deepEqual([profile.displayName, profile.username], ['Alice Example', 'alice'])
  assert.equal(profile.emails[0].value, 'alice@example.test')
  const again = await browser.request(back.href)
  assert.notEqual(again.status, 200, 'the code is used')
})

test('10.4.6 the same library is refused where its client is not excused, and told why', async () => {
  await p.server.saveSettings({ profile: 'oauth21' })
  const browser = new UserAgent()
  const started = await browser.request(`${origin}/login`)
  const refused = await new UserAgent().request(started.headers.get('location')!)
  const back = new URL(refused.headers.get('location')!)
  assert.equal(back.searchParams.get('error'), 'invalid_request')
  assert.match(back.searchParams.get('error_description')!, /code_challenge/)
  await p.server.saveSettings({})
})

test('V-06 OpenID Connect Core 3.1.3.2 a code without PKCE is exchanged with its redirect_uri or not at all', async () => {
  const code = async () => {
    const url = p.authorizeUrl('exempt', { scope: 'openid', resource: undefined })
    return (await new UserAgent().authorize(url, ALICE)).searchParams.get('code')!
  }
  const without = await p.post('/token', { grant_type: 'authorization_code', code: await code() }, 'exempt')
  assert.deepEqual([without.status, without.body.error], [400, 'invalid_grant'])
  assert.match(without.body.error_description, /redirect_uri/)
  const other = await p.exchange('exempt', await code(), { redirect_uri: 'http://127.0.0.1:3000/other' })
  assert.equal(other.body.error, 'invalid_grant')
  assert.equal((await p.exchange('exempt', await code())).status, 200)
  // One that the authorization request left out is not asked for either (RFC 6749 section 4.1.3).
  const url = p.authorizeUrl('exempt', { redirect_uri: undefined, scope: 'api:read' })
  const back = await new UserAgent().authorize(url, ALICE)
  const form = { grant_type: 'authorization_code', code: back.searchParams.get('code')! }
  assert.equal((await p.post('/token', form, 'exempt')).status, 200)
})
