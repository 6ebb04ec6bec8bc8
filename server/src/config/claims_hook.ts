import type { KeyObject } from 'node:crypto'
import { readWebhookSecret } from '../crypto/webhook_signature.ts'
import { readAllowList } from '../egress/allow_list.ts'
import { mayUseHttp } from '../egress/policy.ts'
import { refuse } from './config_error.ts'
import { isLoopback } from './issuer.ts'

/** The URL of the operator's own service of claims: over TLS, on this machine, or where the operator allows plain http. */
export function readClaimsHookUrl(text: string, name: string, egress_allow: readonly string[]): string {
  // Its query may hold a token, so it is never repeated.
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '') {
    throw refuse(`${name} must be a URL such as https://claims.example.com/hook, without user, password and fragment`)
  }
  const policy = { allow: readAllowList(egress_allow), ports: new Set<number>() }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !mayUseHttp(policy, url)) {
    throw refuse(`${name} may be http on this machine or at a host that egress_allow names; elsewhere it must be https`)
  }
  return url.href
}

/** What signs the questions to that service. */
export function readClaimsHookSecret(text: string, name: string): KeyObject {
  const secret = readWebhookSecret(text)
  if (!secret) throw refuse(`${name} must be whsec_ and then 24 to 64 random bytes as base64 (openssl rand -base64 32)`)
  return secret
}
