import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import * as oauth from 'openid-client'
import { freePort } from './sallyport.ts'

/** The tokens of one sign-in. */
export type WebAppTokens = Awaited<ReturnType<typeof oauth.authorizationCodeGrant>>

/** How the app is registered. */
export interface Registration {
  readonly issuer: string
  readonly client_id: string
  readonly client_secret: string
}

/** Somebody's web application on openid-client, on loopback: /login signs in, / says who. */
export interface WebApp {
  readonly origin: string
  readonly redirect_uri: string
  /** Tells it its client_id and secret, as a developer does. */
  register(registration: Registration): Promise<oauth.Configuration>
  /** Gives it the configuration that pasted code made. */
  configure(configuration: oauth.Configuration): void
  /** Every sign-in that succeeded, in order. */
  readonly sign_ins: WebAppTokens[]
  /** What came back when one did not: the parameters of the error. */
  readonly refusals: Record<string, string>[]
  close(): Promise<void>
}

/** Starts it; the query of /login is added to the authorization request. */
export async function startWebApp(): Promise<WebApp> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const redirect_uri = `${origin}/callback`
  let config: oauth.Configuration | undefined
  const pending = new Map<string, string>()
  const app: WebApp = {
    ...{ origin, redirect_uri, sign_ins: [], refusals: [] },
    async register({ issuer, client_id, client_secret }) {
      // Loopback only: in production the issuer is https.
      const options = { execute: [oauth.allowInsecureRequests] }
      const authentication = oauth.ClientSecretBasic(client_secret)
      config = await oauth.discovery(new URL(issuer), client_id, undefined, authentication, options)
      return config
    },
    configure(configuration) {
      config = configuration
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const login = async (query: URLSearchParams, response: ServerResponse) => {
    const code_verifier = oauth.randomPKCECodeVerifier()
    const state = oauth.randomState()
    pending.set(state, code_verifier)
    const params = new URLSearchParams({
      redirect_uri,
      state,
      scope: 'openid profile email',
      code_challenge_method: 'S256',
    })
    params.set('code_challenge', await oauth.calculatePKCECodeChallenge(code_verifier))
    for (const name of new Set(query.keys())) params.delete(name)
    for (const [name, value] of query) params.append(name, value)
    response.writeHead(303, { location: oauth.buildAuthorizationUrl(config!, params).href }).end()
  }
  const callback = async (params: URLSearchParams, response: ServerResponse) => {
    const expectedState = params.get('state') ?? ''
    const pkceCodeVerifier = pending.get(expectedState)
    pending.delete(expectedState)
    if (params.has('error')) {
      app.refusals.push(Object.fromEntries(params))
      return page(response, `Not signed in: ${params.get('error')}`)
    }
    if (pkceCodeVerifier === undefined) return page(response, 'Not signed in: an answer to nothing')
    const url = new URL(`${redirect_uri}?${params}`)
    const tokens = await oauth.authorizationCodeGrant(config!, url, { pkceCodeVerifier, expectedState })
    app.sign_ins.push(tokens)
    const { preferred_username, sub } = await oauth.fetchUserInfo(config!, tokens.access_token, tokens.claims()!.sub)
    page(response, `Signed in as ${preferred_username ?? sub}`)
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', origin)
    if (url.pathname === '/login') return login(url.searchParams, response)
    if (url.pathname !== '/callback') return page(response, 'The app')
    return callback(request.method === 'POST' ? new URLSearchParams(await text(request)) : url.searchParams, response)
  }
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      app.refusals.push({ error: String(error) })
      page(response, `Failed: ${error}`)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return app
}

function page(response: ServerResponse, heading: string): void {
  const icon = '<link rel="icon" href="data:,">'
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  response.end(
    `<!doctype html><html lang="en"><title>App</title>${icon}<h1>${heading.replaceAll('<', '&lt;')}</h1></html>`,
  )
}
