import { createSecretKey } from 'node:crypto'
import { type Claims, JwtError, type UnverifiedJwt, verifyForeignMac } from '../../crypto/foreign_jwt.ts'
import { sha256 } from '../../crypto/hash.ts'
import { checkClientAssertion, methodOfAssertion } from '../../oauth/client_assertion.ts'
import { clientAuthenticationError } from '../../oauth/client_credentials.ts'
import type { Client } from '../../oauth/clients/client.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { Proof } from '../../store/verbs/proofs.ts'
import { openClientSecrets } from '../clients/client_secrets.ts'
import type { InboundContext } from '../context.ts'
import { KeysUnavailable } from '../remote_keys.ts'
import { verifyBySource } from '../verify_assertion.ts'

/** What holds besides the client's own registration. */
interface Rules {
  readonly now: number
  /** The algorithms of its profile; null is any. */
  readonly signing_algs: readonly string[] | null
}

/**
 * Checks the assertion of a client that is known and enabled (private_key_jwt and client_secret_jwt, RFC 7523 section
 * 2.2). Answers the proof that is to be recorded: its jti is good for one request.
 */
export async function proveByAssertion(
  context: InboundContext,
  client: Client,
  assertion: UnverifiedJwt,
  rules: Rules,
): Promise<Proof> {
  const { tenant } = context
  const { now } = rules
  const { client_id } = client
  checkSigningAlgorithm(client, assertion, tenant.issuer, rules.signing_algs)
  try {
    const claims = await verify(context, client, assertion, now)
    const { jti, exp } = checkClientAssertion(claims, { client_id, issuer: tenant.issuer, now })
    return { kind: 'client_assertion', id_hash: sha256(JSON.stringify([client_id, jti])), expires_at: exp * 1000 }
  } catch (error) {
    throw toRefusal(error, tenant)
  }
}

async function verify(context: InboundContext, client: Client, assertion: UnverifiedJwt, now: number): Promise<Claims> {
  if (methodOfAssertion(assertion) === 'private_key_jwt') return verifyBySource(context, assertion, client)
  const secrets = await openClientSecrets(context.tenant, client.client_id, now)
  return verifyForeignMac(
    assertion,
    secrets.map((secret) => createSecretKey(secret)),
  )
}

// A client may be held to one algorithm (OpenID Connect Registration section 2), its profile to some.
function checkSigningAlgorithm(
  client: Client,
  { alg }: UnverifiedJwt,
  realm: string,
  of_profile: Rules['signing_algs'],
) {
  const own = client.token_endpoint_auth_signing_alg
  const allowed = [own === undefined ? null : [own], of_profile].find((algs) => algs && !algs.includes(alg))
  if (!allowed) return
  throw clientAuthenticationError(realm, `Parameter client_assertion must have alg ${allowed.join(' or ')}`)
}

// Only who has signed is told what is wrong inside; everybody else hears what an unknown client hears.
function toRefusal(error: unknown, { issuer }: Tenant): unknown {
  if (error instanceof JwtError) {
    return error.code === 'wrong_claims'
      ? clientAuthenticationError(issuer, `Parameter client_assertion ${error.message}`)
      : clientAuthenticationError(issuer, undefined, error)
  }
  if (error instanceof KeysUnavailable) {
    return clientAuthenticationError(issuer, 'The keys at jwks_uri of the client could not be fetched', error.cause)
  }
  return error
}
