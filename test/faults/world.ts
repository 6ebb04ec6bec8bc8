import { createHash } from 'node:crypto'
import { UserAgent } from '../parts/user_agent.ts'

/** A resource that takes JWTs, and one that takes opaque tokens. */
export const RESOURCES = ['http://127.0.0.1:5000/jwt', 'http://127.0.0.1:5000/opaque'] as const

/** The clients of the load: one with a secret, a public one, and the resource server that introspects. */
export const CLIENTS: Readonly<Record<string, { secret?: string; redirect_uri?: string }>> = {
  web: { secret: 'secret-of-web-that-nobody-guesses', redirect_uri: 'http://127.0.0.1:3000/callback' },
  spa: { redirect_uri: 'https://spa.example/callback' },
  reader: { secret: 'secret-of-reader-that-nobody-guesses' },
}

/** How long codes live there. */
export const CODE_LIFETIME_SECONDS = 60

const USERS = 8
const PASSWORD = 'correct horse battery'
const SCOPE = 'openid offline_access api:use'
const VERIFIER = 'v'.repeat(43)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

/** The platform file of a server under faults. */
export function describePlatform(): string {
  const flows = { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], scope: SCOPE }
  const access_token = { lifetime_seconds: 3600 }
  return JSON.stringify({
    settings: { code_lifetime_seconds: CODE_LIFETIME_SECONDS, refresh_retry_seconds: 300 },
    resources: RESOURCES.map((resource, i) => ({
      ...{ resource, scopes: { 'api:use': 'Use the API' }, default_scopes: ['api:use'] },
      access_token: { ...access_token, format: i === 0 ? 'jwt' : 'opaque' },
      introspection_clients: ['reader'],
    })),
    roles: [{ role: 'member', scopes: ['api:use'] }],
    users: Array.from({ length: USERS }, (_, i) => ({
      ...{ username: `user${i}`, password: { value: PASSWORD }, roles: ['member'] },
    })),
    clients: [
      { client_id: 'web', ...secret('web'), redirect_uris: [CLIENTS['web']!.redirect_uri], ...flows },
      {
        ...{ client_id: 'spa', token_endpoint_auth_method: 'none', redirect_uris: [CLIENTS['spa']!.redirect_uri] },
        ...{ ...flows, grant_types: ['authorization_code', 'refresh_token'] },
      },
      { client_id: 'reader', ...secret('reader'), grant_types: ['client_credentials'], scope: 'api:use' },
    ],
  })
}

function secret(client_id: string) {
  return { client_secret: { value: CLIENTS[client_id]!.secret }, token_endpoint_auth_method: 'client_secret_basic' }
}

/** The path of an authorization request. */
export function authorizePath(client_id: string, resource: string): string {
  const query = new URLSearchParams({
    ...{ response_type: 'code', client_id, redirect_uri: CLIENTS[client_id]!.redirect_uri!, scope: SCOPE, resource },
    ...{ code_challenge: CHALLENGE, code_challenge_method: 'S256' },
  })
  return `/authorize?${query}`
}

/** What a client sends to redeem a code, beside its credentials. */
export function exchangeForm(client_id: string, code: string): Record<string, string> {
  const redirect_uri = CLIENTS[client_id]!.redirect_uri!
  return { grant_type: 'authorization_code', code, redirect_uri, code_verifier: VERIFIER }
}

/**
 * Signs every user in and lets them allow each client once; answers their cookies, with which a code is one request, and
 * the codes of these first times, for which nobody comes back.
 */
export async function signInUsers(issuer: string): Promise<{ cookies: string[]; codes: string[] }> {
  const cookies: string[] = []
  const codes: string[] = []
  for (let i = 0; i < USERS; i++) {
    const agent = new UserAgent()
    const user = { username: `user${i}`, password: PASSWORD }
    for (const client_id of ['web', 'spa']) {
      for (const resource of RESOURCES) {
        const back = await agent.authorize(issuer + authorizePath(client_id, resource), user)
        const code = back.searchParams.get('code')
        if (code === null) throw new Error(`no code for ${user.username}: ${back}`)
        codes.push(code)
      }
    }
    cookies.push([...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; '))
  }
  return { cookies, codes }
}
