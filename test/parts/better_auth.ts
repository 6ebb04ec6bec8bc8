import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { oauthProvider } from '@better-auth/oauth-provider'
import { type BetterAuthPlugin, betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { toNodeHandler } from 'better-auth/node'
import { jwt } from 'better-auth/plugins'
import { randomSecret } from '../../server/src/crypto/random.ts'
import { UserAgent } from './user_agent.ts'

/** Better Auth as an OAuth provider on loopback, with one user and one client of theirs: us. */
export interface BetterAuth {
  readonly issuer: string
  readonly client: { readonly client_id: string; readonly client_secret: string }
  /** Takes a browser through the two pages that this provider leaves to its embedder, up to the redirect back. */
  consent(there: UserAgent, authorization_url: string): Promise<string>
  /** Forgets every refresh token, as its operator would. */
  forgetRefreshTokens(): void
  close(): Promise<void>
}

const USER = { email: 'alice@corp.example', password: 'correct horse battery', name: 'Alice Example' }

/** Starts it, with its database in memory and its telemetry off. */
export async function startBetterAuth(redirect_uri: string): Promise<BetterAuth> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer = `${origin}/api/auth`
  const tables: Record<string, unknown[]> = {}
  // Two packages of theirs whose types agree only where an optional member may be undefined.
  const provider = oauthProvider({ loginPage: '/sign-in', consentPage: '/consent' }) as object as BetterAuthPlugin
  const auth = betterAuth({
    baseURL: origin,
    secret: randomSecret(),
    database: memoryAdapter(tables),
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { level: 'error' },
    plugins: [jwt(), provider],
  })
  for (const { modelName } of Object.values((await auth.$context).tables)) tables[modelName] ??= []
  const handle = toNodeHandler(auth)
  const { getOpenIdConfig } = auth.api as object as { getOpenIdConfig(): Promise<object> }
  server.on('request', async (request, response) => {
    // The package leaves the place of its metadata to whoever embeds it.
    if (request.url !== '/api/auth/.well-known/openid-configuration') return void (await handle(request, response))
    const metadata = JSON.stringify(await getOpenIdConfig())
    response.writeHead(200, { 'content-type': 'application/json' }).end(metadata)
  })

  /** What a script of the embedder's page would send. */
  async function post(agent: UserAgent, path: string, json: object) {
    const headers = { 'content-type': 'application/json', origin }
    const response = await agent.request(issuer + path, { method: 'POST', headers, body: JSON.stringify(json) })
    if (!response.ok) throw new Error(`${path} is answered with ${response.status}: ${await response.text()}`)
    return (await response.json()) as { url: string; client_id: string; client_secret: string }
  }

  const operator = new UserAgent()
  await post(operator, '/sign-up/email', USER)
  const client = await post(operator, '/oauth2/create-client', {
    ...{ redirect_uris: [redirect_uri], client_name: 'Sallyport', scope: 'openid email offline_access' },
    // Redirects to loopback are for native clients alone here.
    ...{ application_type: 'native', grant_types: ['authorization_code', 'refresh_token'] },
  })
  return {
    ...{ issuer, client },
    async consent(there, authorization_url) {
      // Whoever is no navigating browser is told in JSON where to go.
      let { url } = (await (await there.request(authorization_url)).json()) as { url: string }
      for (let pages = 0; pages < 3; pages++) {
        const { pathname, search } = new URL(url, origin)
        const oauth_query = search.slice(1)
        if (pathname === '/sign-in') url = (await post(there, '/sign-in/email', { ...USER, oauth_query })).url
        else if (pathname === '/consent') {
          url = (await post(there, '/oauth2/consent', { accept: true, oauth_query })).url
        } else return url
      }
      throw new Error(`The consent does not end: ${url}`)
    },
    forgetRefreshTokens() {
      tables['oauthRefreshToken']!.length = 0
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
