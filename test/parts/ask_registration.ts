import {
  createRegistrationToken,
  type RegistrationTokenOptions,
} from '../../server/src/inbound/clients/registration_tokens.ts'
import type { Platform, Reply } from './platform.ts'

/** Where most clients that register themselves get their answers. */
export const SELF_CALLBACK = 'https://app.example/callback'

/** What a request at the registration endpoint carries; its address is one of its own unless one is given. */
export interface AskOptions {
  readonly json?: unknown
  readonly body?: string
  readonly token?: string
  readonly address?: string
  readonly headers?: Record<string, string>
}

let addresses = 0

/** A request at the registration endpoint (RFC 7591 section 3, RFC 7592 section 2). */
export async function ask(p: Platform, method: string, path: string, options: AskOptions = {}): Promise<Reply> {
  const { json, token } = options
  const body = options.body ?? (json === undefined ? null : JSON.stringify(json))
  const headers = {
    ...(body === null ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...options.headers,
  }
  addresses++
  const address = options.address ?? `10.1.${(addresses >> 8) & 255}.${addresses & 255}`
  const request = new Request(p.issuer + path, { method, headers, body })
  const response = await p.server.app.fetch(request, { address })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) }
}

/** Registers a client. */
export function register(p: Platform, json: unknown, options: AskOptions = {}): Promise<Reply> {
  return ask(p, 'POST', '/register', { json, ...options })
}

/** An initial access token, as an administrator issues it. */
export async function issueRegistrationToken(
  p: Platform,
  options: Partial<RegistrationTokenOptions> = {},
): Promise<string> {
  const known = p.server.app.web.grant_types.map(({ grant_type }) => grant_type)
  return (await createRegistrationToken(p.server.app.tenant, known, { name: 'test', ...options }, 'cli')).token
}

/** Runs with the tenant's settings as given, an hour after whatever was registered before. */
export async function withSettings(
  p: Platform,
  settings: Record<string, unknown>,
  run: () => Promise<void>,
): Promise<void> {
  await p.server.saveSettings(settings)
  p.pass(3601)
  await run()
}
