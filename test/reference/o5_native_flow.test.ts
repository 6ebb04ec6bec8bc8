import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadAppAuth } from '../parts/appauth.ts'
import { freePort, startSallyport, type TestServer } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const alice = { username: 'alice', password: 'correct horse battery' }
const CLAIMED = 'https://app.example/claimed'
let server: TestServer
// biome-ignore lint/suspicious/noExplicitAny: its types are those of another module system
let appauth: any
let browserEnds: (url: URL) => void = () => {}

/** The system's browser, in which the user signs in and allows; it then goes where it is sent. */
async function openBrowser(url: string): Promise<void> {
  const back = await new UserAgent().authorize(url, alice)
  browserEnds(back)
  if (back.hostname === '127.0.0.1') await fetch(back)
}

before(async () => {
  server = await startSallyport({ path: '/one' })
  await server.addUser(alice)
  const native = {
    ...{ application_type: 'native', token_endpoint_auth_method: 'none', scope: 'openid profile offline_access' },
    grant_types: ['authorization_code', 'refresh_token'],
  }
  await server.addClient({ ...native, client_id: 'desktop', redirect_uris: ['http://127.0.0.1/callback'] })
  await server.addClient({ ...native, client_id: 'mobile', redirect_uris: [CLAIMED, 'com.example.app:/callback'] })
  appauth = await loadAppAuth((url) => void openBrowser(url))
  appauth.setFlag('IS_LOG', false)
})
after(() => server.stop())

const requestor = () => new appauth.NodeRequestor()
const discover = () => appauth.AuthorizationServiceConfiguration.fetchFromIssuer(server.issuer, requestor())
const ask = (client_id: string, redirect_uri: string) =>
  new appauth.AuthorizationRequest(
    { client_id, redirect_uri, scope: 'openid profile offline_access', response_type: 'code', state: 'native-state' },
    new appauth.NodeCrypto(),
    true,
  )

async function redeem(
  configuration: unknown,
  request: { clientId: string; redirectUri: string; internal: unknown },
  code: string,
) {
  const tokens = new appauth.BaseTokenRequestHandler(requestor())
  const { clientId: client_id, redirectUri: redirect_uri, internal: extras } = request
  const first = await tokens.performTokenRequest(
    configuration,
    new appauth.TokenRequest({ client_id, redirect_uri, grant_type: 'authorization_code', code, extras }),
  )
  const refresh_token = first.refreshToken
  const next = await tokens.performTokenRequest(
    configuration,
    new appauth.TokenRequest({ client_id, redirect_uri, grant_type: 'refresh_token', refresh_token }),
  )
  return { first, next }
}

test('O5 a desktop application signs in with AppAuth by a loopback redirect, at whatever port is free', async () => {
  const configuration = await discover()
  const port = await freePort()
  const handler = new appauth.NodeBasedHandler(port)
  const request = ask('desktop', `http://127.0.0.1:${port}/callback`)
  const notifier = new appauth.AuthorizationNotifier()
  handler.setAuthorizationNotifier(notifier)
  const answer = new Promise<{ code: string; state: string }>((resolve, reject) => {
    notifier.setAuthorizationListener(
      (_request: unknown, response: { code: string; state: string } | null, error: unknown) =>
        response ? resolve(response) : reject(error),
    )
  })
  handler.performAuthorizationRequest(configuration, request)
  const { code, state } = await answer
  assert.equal(state, 'native-state')
  const { first, next } = await redeem(configuration, request, code)
  assert.ok(first.accessToken && first.idToken && next.accessToken)
  assert.notEqual(next.refreshToken, first.refreshToken)
})

for (const redirect_uri of [CLAIMED, 'com.example.app:/callback']) {
  test(`O5 a mobile application signs in with AppAuth by a redirect that is its own: ${redirect_uri}`, async () => {
    const configuration = await discover()
    const request = ask('mobile', redirect_uri)
    await request.setupCodeVerifier()
    const handler = new appauth.NodeBasedHandler(0)
    const back = new Promise<URL>((resolve) => (browserEnds = resolve))
    await openBrowser(handler.buildRequestUrl(configuration, request))
    const answer = await back
    assert.ok(answer.href.startsWith(`${redirect_uri}?`), answer.href)
    assert.equal(answer.searchParams.get('iss'), server.issuer)
    const { first } = await redeem(configuration, request, answer.searchParams.get('code')!)
    assert.ok(first.accessToken)
  })
}
