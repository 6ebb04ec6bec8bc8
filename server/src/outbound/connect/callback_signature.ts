import { createSecretKey } from 'node:crypto'
import { equalBytes, hmac } from '../../crypto/hash.ts'
import type { RelyingParty } from '../../relying/context.ts'

/**
 * Whether a callback is signed as its provider signs them, with our secret over all other parameters in the order of
 * their names; true where the provider signs none, and for an error, which changes nothing.
 */
export function isSigned({ provider, client_secret }: RelyingParty, params: URLSearchParams): boolean {
  if (provider.callback_signature === null || params.has('error')) return true
  const { parameter } = provider.callback_signature
  const [given = '', ...more] = params.getAll(parameter)
  if (more.length > 0 || client_secret === null) return false
  const rest = new URLSearchParams(params)
  rest.delete(parameter)
  rest.sort()
  const right = hmac(createSecretKey(Buffer.from(client_secret)), rest.toString())
  return /^[0-9a-f]{64}$/i.test(given) && equalBytes(Buffer.from(given, 'hex'), right)
}
