// The main job in one go: a third-party app uses the platform's API for a user, then one of the user's accounts elsewhere.
import assert from 'node:assert/strict'
import * as oauth from 'openid-client'
import { launchBrowser } from '../parts/chromium.ts'
import { startForeignProvider } from '../parts/foreign_provider.ts'
import { freePort } from '../parts/sallyport.ts'
import { startClientApp } from './client_app.ts'
import { Person } from './person.ts'
import { startProtectedApi } from './protected_api.ts'
import { startSallyportProcess } from './sallyport_process.ts'
import { Transcript } from './transcript.ts'

/** The provider's access tokens live 33 s, and are refreshed 30 s ahead: so each is due after 3 s. */
const PROVIDER_TOKEN_SECONDS = 33
const UNTIL_DUE_MS = 3_500

const started = Date.now()
const transcript = new Transcript()
const [sallyportPort, apiPort, appPort] = [await freePort(), await freePort(), await freePort()]
const issuer = `http://127.0.0.1:${sallyportPort}`
const resource = `http://127.0.0.1:${apiPort}/notes`
const origin = `http://127.0.0.1:${appPort}`

const foreign = await startForeignProvider({
  clients: [
    {
      client_id: 'sallyport',
      client_secret: 'acme-secret-of-the-demo',
      redirect_uris: [`${issuer}/connect/acme/callback`],
    },
  ],
  access_token_seconds: PROVIDER_TOKEN_SECONDS,
  auto_login: null,
})
const sallyport = await startSallyportProcess({
  port: sallyportPort,
  env: { ACME_SECRET: 'acme-secret-of-the-demo', SALLYPORT_EGRESS_ALLOW: new URL(foreign.issuer).host },
  platform: `
resources:
  - resource: ${resource}
    name: Notes
    scopes: { "api:read": "Read your notes" }
    access_token: { format: opaque, lifetime_seconds: 600 }
    introspection_clients: [notes-api]
roles:
  - { role: member, scopes: ["api:read"] }
users:
  - { username: alice, name: Alice Example, email: alice@example.test, email_verified: true, password: { value: "correct horse battery" }, roles: [member] }
clients:
  - client_id: web
    client_name: Third-party App
    client_secret: { value: web-secret-of-the-demo }
    redirect_uris: [${origin}/callback]
    grant_types: [authorization_code, refresh_token]
    scope: openid email offline_access api:read
  - client_id: notes-api
    client_secret: { value: api-secret-of-the-demo }
    grant_types: [client_credentials]
connectors:
  - { connector: acme, provider: oidc, issuer: ${foreign.issuer}, client_id: sallyport, client_secret: { env: ACME_SECRET }, scope: openid email offline_access }
`,
})
const api = await startProtectedApi({
  port: apiPort,
  issuer,
  client_id: 'notes-api',
  client_secret: 'api-secret-of-the-demo',
})
transcript.name(issuer, 'sallyport')
transcript.name(resource, 'api')
transcript.name(origin, 'app')
transcript.name(foreign.issuer, 'acme')
const app = await startClientApp({
  port: appPort,
  issuer,
  client_id: 'web',
  client_secret: 'web-secret-of-the-demo',
  transcript,
})
const { browser, close: closeBrowser } = await launchBrowser()
const person = (await Person.open(browser, transcript)).at(issuer)
const appFetch = transcript.fetch('app')
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

try {
  transcript.step('Alice opens the app, signs in at Sallyport and consents')
  const first = app.nextSignIn()
  const query = new URLSearchParams({ scope: 'openid email offline_access api:read', resource })
  await person.visit(`${origin}/login?${query}`)
  await person.signIn('alice', 'correct horse battery')
  await person.decide('allow')
  const tokens = await first
  assert.equal(typeof tokens.refresh_token, 'string')

  transcript.step("The app calls the platform's API")
  const answer = await appFetch(resource, bearer(tokens.access_token))
  assert.equal(answer.status, 200)

  transcript.step('The app refreshes; its first answer gets lost, so it asks again with the old token')
  const refreshed = await oauth.refreshTokenGrant(app.config, tokens.refresh_token!)
  const retried = await oauth.refreshTokenGrant(app.config, tokens.refresh_token!)
  assert.equal(retried.refresh_token, refreshed.refresh_token)
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token)
  transcript.check('both answers hold the same successor')

  transcript.step('The app revokes, and is refused')
  await oauth.tokenRevocation(app.config, refreshed.refresh_token!)
  assert.equal((await appFetch(resource, bearer(refreshed.access_token))).status, 401)
  await assert.rejects(oauth.refreshTokenGrant(app.config, refreshed.refresh_token!), { error: 'invalid_grant' })
  transcript.check('the API refuses the access token, Sallyport the refresh token')

  transcript.step('The app asks again, now also for the use of an account at Acme; Alice connects one on the way')
  const second = app.nextSignIn()
  const wider = new URLSearchParams({ scope: 'openid email offline_access api:read' })
  wider.append('resource', resource)
  wider.append('resource', `${issuer}/proxy/acme`)
  await person.visit(`${origin}/login?${wider}`)
  await person.connectOnConsent('acme')
  await person.signInAtForeign('alice-at-acme')
  await person.decide('allow')
  const granted = await second

  transcript.step("The app calls Acme's userinfo through the proxy; it never sees Acme's token")
  const proxied = `${issuer}/proxy/acme/me`
  const me = await appFetch(proxied, bearer(granted.access_token))
  assert.equal(me.status, 200)
  assert.equal((await me.json()).sub, 'alice-at-acme')

  const refreshes = () => foreign.ledger.filter(({ grant_type }) => grant_type === 'refresh_token').length
  transcript.step("Acme's token falls due; the next call refreshes it first")
  await due()
  assert.equal((await appFetch(proxied, bearer(granted.access_token))).status, 200)
  assert.equal(refreshes(), 1)
  transcript.check('Acme counted 1 refresh')

  transcript.step('It falls due again, and 64 calls come at once')
  await due()
  const started64 = Date.now()
  const many = await Promise.all(Array.from({ length: 64 }, () => fetch(proxied, bearer(granted.access_token))))
  assert.ok(
    many.every(({ status }) => status === 200),
    many.map(({ status }) => status).join(' '),
  )
  assert.equal(refreshes(), 2)
  transcript.exchange('app', '64 × GET', proxied, `(in ${Date.now() - started64} ms)`, 200, '64 times')
  transcript.check('Acme counted 1 refresh more')

  transcript.step('Acme revokes the access; the next call says what must happen')
  await foreign.revokeGrants()
  const broken = await appFetch(proxied, bearer(granted.access_token))
  const refusal = await broken.json()
  assert.equal(refusal.error, 'connection_needs_reconsent')
  const [before] = await person.connections()
  assert.match(before!.state, /needs you/i)

  transcript.step('Alice follows the link and consents again at Acme: the same connection works')
  await person.visit(refusal.connect_url)
  await person.signInAtForeign('alice-at-acme')
  assert.equal((await appFetch(proxied, bearer(granted.access_token))).status, 200)
  const [after] = await person.connections()
  assert.equal(after!.connection_id, before!.connection_id)
  transcript.check('the connection has the same id as before')

  transcript.step("Alice ends the app's access on her account page: both directions stop")
  await person.endApp('web')
  assert.equal((await appFetch(resource, bearer(granted.access_token))).status, 401)
  assert.equal((await appFetch(proxied, bearer(granted.access_token))).status, 401)
  await assert.rejects(oauth.refreshTokenGrant(app.config, granted.refresh_token!), { error: 'invalid_grant' })
  process.stdout.write(`\nDone in ${((Date.now() - started) / 1000).toFixed(1)} s: every answer was checked.\n`)
} catch (error) {
  process.stderr.write(`\n${sallyport.output().slice(-4000)}\n`)
  throw error
} finally {
  await closeBrowser()
  await app.close()
  await api.close()
  await sallyport.close()
  await foreign.close()
}

function due(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, UNTIL_DUE_MS))
}
