// oidc-provider, configured to do the same work. Arguments: port, database.
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { openMemoryAdapter, openPostgresAdapter } from './oidc_provider_adapters.ts'
import { answerParent } from './pinned_process.ts'
import {
  CLIENT_SECRET,
  CODE_CHALLENGE,
  type CodeOrder,
  JWT_RESOURCE,
  OPAQUE_RESOURCE,
  REDIRECT_URI,
  SCOPE,
  USERS,
} from './world.ts'

/** What is used of the npm package, which ships no types. */
interface Provider {
  readonly Client: { find(client_id: string): Promise<object> }
  readonly Grant: new (
    of: object,
  ) => {
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(ttl: number): Promise<string>
  }
  readonly AuthorizationCode: new (of: object) => { save(ttl: number): Promise<string> }
  callback(): (request: IncomingMessage, response: ServerResponse) => void
}

const [port, database] = process.argv.slice(2) as [string, string]
const name: string = 'oidc-provider'
const { Provider } = (await import(name)) as { Provider: new (issuer: string, configuration: object) => Provider }
const { adapter, close } = await (database === 'memory' ? openMemoryAdapter() : openPostgresAdapter(database))
const provider = new Provider(`http://127.0.0.1:${port}`, configuration())
const server = createServer(provider.callback())
server.listen(Number(port), '127.0.0.1')
await once(server, 'listening')

answerParent({ fill: () => {}, codes }, async () => {
  server.closeAllConnections()
  await close()
})

function configuration(): object {
  const of = { client_secret: CLIENT_SECRET, token_endpoint_auth_method: 'client_secret_basic' }
  const machine = { ...of, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    adapter,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' }] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      {
        ...{ ...of, client_id: 'web', redirect_uris: [REDIRECT_URI], response_types: ['code'] },
        grant_types: ['authorization_code', 'refresh_token'],
      },
      { ...machine, client_id: 'machine' },
      { ...machine, client_id: 'api' },
    ],
    scopes: ['openid', 'offline_access'],
    cookies: { keys: ['bench'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      ...{ AccessToken: 600, ClientCredentials: 600, IdToken: 600, AuthorizationCode: 600 },
      ...{ Grant: 86_400, RefreshToken: 86_400, Session: 86_400, Interaction: 600 },
    },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({
          scope: SCOPE,
          accessTokenTTL: 600,
          ...(resource === JWT_RESOURCE
            ? { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }
            : { accessTokenFormat: 'opaque' }),
        }),
      },
    },
  }
}

/** Codes of grants that users have just allowed, through the models that its own consent page would use. */
async function codes({ count, scope, resource }: CodeOrder): Promise<string[]> {
  if (resource !== JWT_RESOURCE && resource !== OPAQUE_RESOURCE) throw new Error(`unknown resource ${resource}`)
  const client = await provider.Client.find('web')
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const accountId = `user${i % USERS}`
      const grant = new provider.Grant({ clientId: 'web', accountId })
      grant.addOIDCScope(scope)
      grant.addResourceScope(resource, SCOPE)
      const code = new provider.AuthorizationCode({
        ...{ client, accountId, scope, resource, grantId: await grant.save(86_400), redirectUri: REDIRECT_URI },
        ...{ codeChallenge: CODE_CHALLENGE, codeChallengeMethod: 'S256' },
        ...{ authTime: Math.floor(Date.now() / 1000), amr: ['pwd'], sid: `session-of-user${i % USERS}` },
      })
      return code.save(600)
    }),
  )
}
