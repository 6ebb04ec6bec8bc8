import { equalBytes, sha256 } from '../../crypto/hash.ts'
import { randomBytes } from '../../crypto/random.ts'
import { TokenSealer } from '../../crypto/sealed_token.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { Factors, PasskeyRecord } from '../../store/verbs/factors.ts'
import { type Proof, ProofReplayed } from '../../store/verbs/proofs.ts'
import { event } from '../event.ts'
import { browserOf } from '../interactions.ts'
import { type Enrolled, type GivenFactor, MOST_PASSKEYS, newRecoveryCodes } from './factors.ts'

/** COSE algorithms, the preferred one first: ES256, EdDSA, and RS256 for older Windows (RFC 8812, RFC 9053). */
const ALGORITHMS = [-7, -8, -257]
const TIMEOUT_MS = 5 * 60_000
/** A sign-in page stands open for a while before somebody comes to it. */
const CHALLENGE_MS = 60 * 60_000

/**
 * The relying party of an issuer (WebAuthn section 5.1.2): its host, which must be a name, and its exact origin. Null for
 * an issuer at a bare address, where browsers make no keys.
 */
export function relyingParty(issuer: string): { readonly id: string; readonly origin: string } | null {
  const { hostname, origin } = new URL(issuer)
  return /^\[|^\d{1,3}(\.\d{1,3}){3}$/.test(hostname) ? null : { id: hostname, origin }
}

const challenges = new TokenSealer('passkey_challenge', '')

/** A challenge for a page: sealed for this browser and one use, and what the browser is told (WebAuthn section 5.10). */
export interface Challenge {
  readonly sealed: string
  readonly options: object
}

type Use = 'sign_in' | 'add'

function newChallenge(tenant: Tenant, browser: string, use: Use, user_id: string | null) {
  const challenge = randomBytes(32).toString('base64url')
  const claims = { challenge, use, user_id, browser: browserOf(browser), at: tenant.clock() }
  return { challenge, sealed: challenges.seal(tenant.keys, claims) }
}

function openChallenge(tenant: Tenant, browser: string, use: Use, user_id: string | null, sealed: string) {
  const claims = challenges.open(tenant.keys, sealed)
  if (!claims || claims['use'] !== use || claims['browser'] !== browserOf(browser)) return null
  const ends_at = (claims['at'] as number) + CHALLENGE_MS
  if (claims['user_id'] !== user_id || ends_at < tenant.clock()) return null
  const challenge = claims['challenge'] as string
  // Remembered from its use until it would be refused as too old.
  const proof: Proof = { kind: 'passkey', id_hash: sha256(challenge), expires_at: ends_at + 60_000 }
  return { challenge, proof }
}

// Nothing that says who it is (WebAuthn section 14.6.1).
function userHandle(tenant: Tenant, user_id: string): Buffer {
  return tenant.keys.hashSecret(JSON.stringify(['passkey_user', user_id]))
}

function describe(passkeys: readonly PasskeyRecord[]) {
  return passkeys.map(({ credential_id, transports }) => ({
    ...{ type: 'public-key', id: credential_id, transports: JSON.parse(transports) as string[] },
  }))
}

/** Asks for a passkey: any that this browser knows, or those of a user whose password was right already. */
export function askForPasskey(
  tenant: Tenant,
  browser: string,
  of: Pick<Factors, 'passkeys'> | null = null,
): Challenge | null {
  const party = relyingParty(tenant.issuer)
  if (!party) return null
  const { challenge, sealed } = newChallenge(tenant, browser, 'sign_in', null)
  const allowCredentials = of ? describe(of.passkeys) : []
  const options = { challenge, rpId: party.id, userVerification: 'required', timeout: TIMEOUT_MS, allowCredentials }
  return { sealed, options }
}

/** Who signed in by a passkey, and the factor to be spent with the session. */
export interface PasskeySignIn extends GivenFactor {
  readonly user: UserRecord
}

/**
 * Checks an assertion (WebAuthn section 7.2): our challenge to this browser, our origin exactly, an owner who was
 * verified by the device, a signature by a key that we know. Whatever is wrong with it, the answer is null.
 */
export async function checkPasskey(
  tenant: Tenant,
  browser: string,
  answer: { readonly challenge: string; readonly credential: string },
): Promise<PasskeySignIn | null> {
  const party = relyingParty(tenant.issuer)
  const asked = openChallenge(tenant, browser, 'sign_in', null, answer.challenge)
  const response = readJson(answer.credential)
  const credential_id = response?.['id']
  if (!party || !asked || !response || typeof credential_id !== 'string' || credential_id.includes('\0')) return null
  const found = await tenant.store.findPasskey({ tenant_id: tenant.tenant_id, credential_id })
  if (!found || found.user.disabled_at !== null) return null
  const { passkey, user } = found
  const handle = (response['response'] as { userHandle?: unknown } | undefined)?.userHandle
  const is_owner =
    typeof handle !== 'string' || equalBytes(Buffer.from(handle, 'base64url'), userHandle(tenant, user.user_id))
  if (!is_owner || isCrossOrigin(response)) return null
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  const { counter } = passkey
  const verified = await verifyAuthenticationResponse({
    response: response as unknown as Parameters<typeof verifyAuthenticationResponse>[0]['response'],
    expectedChallenge: asked.challenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    credential: { id: credential_id, publicKey: new Uint8Array(passkey.public_key), counter },
    requireUserVerification: true,
  }).catch(() => null)
  if (!verified?.verified) return null
  const { newCounter, credentialBackedUp, credentialDeviceType } = verified.authenticationInfo
  // Whether a key can be copied is decided when it is made (WebAuthn section 7.2, step 19).
  if ((credentialDeviceType === 'multiDevice') !== (passkey.backup_eligible === 1)) return null
  return {
    user,
    factor: {
      kind: 'passkey',
      credential_id,
      counter: newCounter,
      backed_up: credentialBackedUp,
      challenge: asked.proof,
    },
    // A key that is copied between devices is not in hardware; its owner was verified, which is the second factor.
    amr: [passkey.backup_eligible === 1 ? 'swk' : 'hwk', 'user', 'mfa'],
  }
}

/** Asks the browser of a user for a new passkey that it can find again by itself (WebAuthn section 5.4.4). */
export function offerPasskey(
  tenant: Tenant,
  browser: string,
  user: UserRecord,
  names: { readonly tenant: string; readonly factors: Pick<Factors, 'passkeys'> },
): Challenge | null {
  const party = relyingParty(tenant.issuer)
  if (!party) return null
  const { challenge, sealed } = newChallenge(tenant, browser, 'add', user.user_id)
  const id = userHandle(tenant, user.user_id).toString('base64url')
  const options = {
    ...{ challenge, rp: { id: party.id, name: names.tenant }, timeout: TIMEOUT_MS, attestation: 'none' },
    user: { id, name: user.username, displayName: user.name ?? user.username },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
    excludeCredentials: describe(names.factors.passkeys),
  }
  return { sealed, options }
}

/** Keeps a new passkey (WebAuthn section 7.1) under a name for its owner. */
export async function addPasskey(
  tenant: Tenant,
  browser: string,
  user_id: string,
  answer: { readonly challenge: string; readonly credential: string; readonly name: string },
): Promise<Enrolled> {
  const party = relyingParty(tenant.issuer)
  const asked = openChallenge(tenant, browser, 'add', user_id, answer.challenge)
  const response = readJson(answer.credential)
  if (!party || !asked || !response || isCrossOrigin(response)) return { kind: 'wrong' }
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  const { decodeAttestationObject, isoBase64URL } = await import('@simplewebauthn/server/helpers')
  const verified = await (async () => {
    const { attestationObject } = response['response'] as { attestationObject: string }
    const attestation = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject))
    const fmt = attestation.get('fmt')
    const is_own = fmt === 'packed' && attestation.get('attStmt').get('x5c') === undefined
    // None was asked for. A certificate names addresses at which the library would ask whether it was revoked.
    if (fmt !== 'none' && !is_own) return null
    return verifyRegistrationResponse({
      response: response as unknown as Parameters<typeof verifyRegistrationResponse>[0]['response'],
      expectedChallenge: asked.challenge,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    })
  })().catch(() => null)
  if (!verified?.verified) return { kind: 'wrong' }
  const { credential, credentialDeviceType, credentialBackedUp } = verified.registrationInfo
  const { codes, hashes } = newRecoveryCodes(tenant, user_id)
  const name = answer.name.trim().slice(0, 100)
  const kept = {
    ...{ credential_id: credential.id, name, public_key: credential.publicKey, counter: credential.counter },
    transports: JSON.stringify((credential.transports ?? []).filter((way) => /^[a-z-]{1,20}$/.test(way)).slice(0, 8)),
    backup_eligible: credentialDeviceType === 'multiDevice' ? 1 : 0,
    backed_up: credentialBackedUp ? 1 : 0,
  }
  const detail = { factor: 'passkey', credential_id: credential.id, name }
  const outcome = await tenant.store
    .addPasskey({
      ...{ tenant_id: tenant.tenant_id, user_id, passkey: kept, challenge: asked.proof, most: MOST_PASSKEYS },
      recovery_codes: hashes,
      event: event(tenant, 'factor.added', `user:${user_id}`, { user_id, detail }),
    })
    .catch((error: unknown) => {
      if (error instanceof ProofReplayed) return 'replayed' as const
      throw error
    })
  if (outcome === 'replayed') return { kind: 'wrong' }
  if (outcome === 'known') return { kind: 'known' }
  return { kind: 'added', recovery_codes: outcome === 'added_with_codes' ? codes : null }
}

function readJson(text: string): Record<string, unknown> | null {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

// Our pages are never framed, so that an answer from within a frame is none to them.
function isCrossOrigin(response: Record<string, unknown>): boolean {
  const encoded = (response['response'] as { clientDataJSON?: unknown } | undefined)?.clientDataJSON
  const client_data = typeof encoded === 'string' ? readJson(Buffer.from(encoded, 'base64url').toString()) : null
  return client_data === null || client_data['crossOrigin'] === true || client_data['topOrigin'] !== undefined
}
