import assert from 'node:assert/strict'
import { challengeOf, JWT_API, type Platform, type Reply, VERIFIER } from './platform.ts'
import type { UserAgent } from './user_agent.ts'

/** Where clients of metadata documents get their answers. */
export const DOCUMENT_CALLBACK = 'https://app.example/cb'
/** The settings of a tenant that takes them from anywhere. */
export const DOCUMENTS_ON = { metadata_documents: 'any', dynamic_client_scopes: ['mcp:tools', 'offline_access'] }

let paths = 0

/** A path that nothing was published at before. */
export const newPath = () => `/clients/${++paths}.json`

/** The URL of an authorization request of such a client; an undefined parameter is left out. */
export function authorizeUrl(p: Platform, client_id: string, more: Record<string, string | undefined> = {}): string {
  const params = {
    ...{ response_type: 'code', client_id, redirect_uri: DOCUMENT_CALLBACK, resource: JWT_API, scope: 'mcp:tools' },
    ...{ state: 's', code_challenge: challengeOf(VERIFIER), code_challenge_method: 'S256' },
    ...more,
  }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.append(name, value)
  return `${p.issuer}/authorize?${query}`
}

/** The row of a client, or null. */
export function findRow(p: Platform, client_id: string) {
  return p.server.store.findClient({ tenant_id: p.server.app.tenant.tenant_id, client_id })
}

/** What somebody sees of a request that leads nowhere else: a page, and its status. */
export async function look(agent: UserAgent, url: string): Promise<{ status: number; html: string }> {
  const { url: at, response } = await agent.follow(url)
  assert.equal(new URL(at).hostname, '127.0.0.1', `it leads away, to ${at}`)
  return { status: response.status, html: await response.text() }
}

/** Redeems a code as a public client. */
export function redeem(p: Platform, client_id: string, code: string): Promise<Reply> {
  const form = { grant_type: 'authorization_code', code, redirect_uri: DOCUMENT_CALLBACK, code_verifier: VERIFIER }
  return p.post('/token', { ...form, client_id }, null)
}
