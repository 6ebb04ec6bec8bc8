import { base64url } from 'jose'

// One-shot and synchronous where the runtime is Node or compatible: WebCrypto takes five times as long for a token.
const { hash } = globalThis.process?.getBuiltinModule?.('node:crypto') ?? {}

/** SHA-256 of a token: what caches are keyed by, so that they hold nothing that could be presented. */
export function hashToken(token: string): string | Promise<string> {
  return hash === undefined ? digest(token) : hash('sha256', token, 'base64url')
}

/** The same by WebCrypto, which every runtime has. */
export async function digest(token: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  return base64url.encode(new Uint8Array(bytes))
}
