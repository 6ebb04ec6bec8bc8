import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { close, listen } from './issuer.ts'

/** What is used of the npm package oidc-provider, which ships no types. */
interface Provider {
  callback(): (req: IncomingMessage, res: ServerResponse) => void
  interactionFinished(req: IncomingMessage, res: ServerResponse, result: object): Promise<void>
  Grant: new (
    of: object,
  ) => {
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }
}

/** Two resources of the foreign server: it issues JWTs for one and opaque tokens for the other. */
export const JWT_RESOURCE = 'https://jwt.example/api'
export const OPAQUE_RESOURCE = 'https://opaque.example/api'

/** A token answer (RFC 6749 section 5.1). */
export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly id_token: string
}

const REDIRECT_URI = 'http://127.0.0.1:1/callback'
const BASIC = `Basic ${btoa('web:web-secret')}`

/** Starts an oidc-provider on loopback, with a client `web` and a resource server `api` that may introspect. */
export async function startOidcProvider() {
  const server = createServer()
  const issuer = await listen(server)
  const name: string = 'oidc-provider'
  const module = (await import(name)) as { Provider: new (issuer: string, configuration: object) => Provider }
  const provider = new module.Provider(
    issuer,
    configuration(() => provider),
  )
  const handle = provider.callback()
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    if (!req.url!.startsWith('/login')) return handle(req, res)
    void provider.interactionFinished(req, res, { login: { accountId: 'alice' }, consent: {} })
  })
  return {
    issuer,
    /** Sends alice through login and consent; answers with the tokens for one resource. */
    login: (resource: string) => login(issuer, resource),
    /** Client credentials for one resource (RFC 6749 section 4.4). */
    machineToken: async (resource: string) =>
      (await askToken(issuer, { grant_type: 'client_credentials', resource, scope: 'api:read' })).access_token,
    revoke: async (token: string) => {
      const headers = { authorization: BASIC }
      await fetch(`${issuer}/token/revocation`, { method: 'POST', headers, body: new URLSearchParams({ token }) })
    },
    close: () => close(server),
  }
}

function configuration(provider: () => Provider): object {
  return {
    clients: [
      {
        client_id: 'web',
        client_secret: 'web-secret',
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      },
      { client_id: 'api', client_secret: 'api secret: +%', redirect_uris: [], response_types: [], grant_types: [] },
    ],
    scopes: ['openid', 'offline_access'],
    cookies: { keys: ['test'] },
    ttl: Object.fromEntries(
      ['AccessToken', 'ClientCredentials', 'Grant', 'IdToken', 'Interaction', 'RefreshToken', 'Session'].map((kind) => [
        kind,
        600,
      ]),
    ),
    interactions: { url: () => '/login' },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    loadExistingGrant: async (ctx: { oidc: { client: { clientId: string }; session: { accountId: string } } }) => {
      const grant = new (provider().Grant)({
        clientId: ctx.oidc.client.clientId,
        accountId: ctx.oidc.session.accountId,
      })
      grant.addOIDCScope('openid offline_access')
      grant.addResourceScope(JWT_RESOURCE, 'api:read')
      grant.addResourceScope(OPAQUE_RESOURCE, 'api:read')
      await grant.save()
      return grant
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          scope: 'api:read',
          accessTokenFormat: resource === JWT_RESOURCE ? 'jwt' : 'opaque',
        }),
      },
    },
  }
}

async function askToken(issuer: string, parameters: Record<string, string>): Promise<Tokens> {
  const headers = { authorization: BASIC }
  const response = await fetch(`${issuer}/token`, { method: 'POST', headers, body: new URLSearchParams(parameters) })
  const body = await response.text()
  if (!response.ok) throw new Error(`The token endpoint answered ${response.status}: ${body}`)
  return JSON.parse(body)
}

async function login(issuer: string, resource: string): Promise<Tokens> {
  const code_verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    client_id: 'web',
    response_type: 'code',
    redirect_uri: REDIRECT_URI,
    scope: 'openid offline_access api:read',
    prompt: 'consent',
    resource,
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const cookies = new Map<string, string>()
  let url = `${issuer}/auth?${query}`
  for (let hops = 0; !url.startsWith(REDIRECT_URI); hops++) {
    if (hops === 10) throw new Error(`The login goes round in circles: ${url}`)
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      cookies.set(name!, value!)
    }
    const location = response.headers.get('location')
    if (location === null) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
    url = new URL(location, issuer).href
  }
  const code = new URL(url).searchParams.get('code')
  if (code === null) throw new Error(`No code came back: ${url}`)
  return await askToken(issuer, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier,
    resource,
  })
}
