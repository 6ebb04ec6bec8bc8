import { createServer, type ServerResponse } from 'node:http'
import * as oauth from 'openid-client'
import type { Transcript } from './transcript.ts'

/** The tokens of one sign-in. */
export type Tokens = Awaited<ReturnType<typeof oauth.authorizationCodeGrant>>

/** A third party's web application on openid-client, as anybody would write it. */
export interface ClientApp {
  readonly origin: string
  readonly config: oauth.Configuration
  /** Resolves when the next sign-in through /login has ended. */
  nextSignIn(): Promise<Tokens>
  close(): Promise<void>
}

/** Starts it: /login?scope=&resource= sends the browser away, /callback takes the code. */
export async function startClientApp(options: {
  port: number
  issuer: string
  client_id: string
  client_secret: string
  transcript: Transcript
}): Promise<ClientApp> {
  const { port, transcript } = options
  const origin = `http://127.0.0.1:${port}`
  const redirect_uri = `${origin}/callback`
  const config = await oauth.discovery(
    new URL(options.issuer),
    options.client_id,
    undefined,
    oauth.ClientSecretBasic(options.client_secret),
    {
      // Loopback only: in production the issuer is https.
      execute: [oauth.allowInsecureRequests],
      [oauth.customFetch]: transcript.fetch('app') as never,
    },
  )
  let pending: { code_verifier: string; state: string } | undefined
  let signedIn: { resolve(tokens: Tokens): void; reject(error: unknown): void } | undefined

  const login = async (query: URLSearchParams, response: ServerResponse) => {
    pending = { code_verifier: oauth.randomPKCECodeVerifier(), state: oauth.randomState() }
    const params = new URLSearchParams({
      redirect_uri,
      state: pending.state,
      scope: query.get('scope') ?? '',
      code_challenge: await oauth.calculatePKCECodeChallenge(pending.code_verifier),
      code_challenge_method: 'S256',
    })
    for (const resource of query.getAll('resource')) params.append('resource', resource)
    response.writeHead(303, { location: oauth.buildAuthorizationUrl(config, params).href }).end()
  }
  const callback = async (url: URL, response: ServerResponse) => {
    const { code_verifier, state } = pending!
    try {
      const tokens = await oauth.authorizationCodeGrant(config, url, {
        pkceCodeVerifier: code_verifier,
        expectedState: state,
      })
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><title>App</title><h1>Signed in</h1>')
      signedIn?.resolve(tokens)
    } catch (error) {
      response.writeHead(500).end('failed')
      signedIn?.reject(error)
    }
  }
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', origin)
    if (url.pathname === '/login') void login(url.searchParams, response)
    else if (url.pathname === '/callback') void callback(url, response)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    origin,
    config,
    nextSignIn: () => new Promise((resolve, reject) => (signedIn = { resolve, reject })),
    close: () => new Promise((resolve) => server.close(() => resolve()) && server.closeAllConnections()),
  }
}
