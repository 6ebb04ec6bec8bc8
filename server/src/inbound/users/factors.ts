import { randomBytes } from '../../crypto/random.ts'
import { TokenSealer } from '../../crypto/sealed_token.ts'
import { base32, matchTotp, newTotpSeed, TOTP_DIGITS, TOTP_PERIOD_SECONDS } from '../../crypto/totp.ts'
import { type Acr, meetsAcr } from '../../oauth/acr.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Settings } from '../../store/settings.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { Factors, SpentFactor } from '../../store/verbs/factors.ts'
import { event } from '../event.ts'
import { ADMINISTRATOR } from '../tenants.ts'

/** How many recovery codes there are. */
export const RECOVERY_CODES = 10

/** The most passkeys of one user. */
export const MOST_PASSKEYS = 20

/** The surest sign-in that factors allow. */
export function reachableAcr({ totp, passkeys }: Pick<Factors, 'totp' | 'passkeys'>): Acr {
  if (passkeys.length > 0) return 'phr'
  return totp ? 'mfa' : 'pwd'
}

/** The factors that were there at a moment: a sign-in of before could not use the later ones. */
export function factorsAt({ totp, passkeys }: Pick<Factors, 'totp' | 'passkeys'>, at: number) {
  const before = (factor: { readonly created_at: number }) => factor.created_at < at
  return { totp: totp && before(totp) ? totp : null, passkeys: passkeys.filter(before) }
}

/** The surest sign-in that a user's factors allow. */
export async function findReachableAcr({ tenant_id, store }: Tenant, user_id: string): Promise<Acr> {
  return reachableAcr(await store.loadFactors({ tenant_id, user_id }))
}

/** Whether a tenant asks a second factor of somebody with these roles, set up or not. */
export function needsSecondFactor({ mfa }: Pick<Settings, 'mfa'>, roles: readonly string[]): boolean {
  return mfa === 'required' || (mfa === 'required_for_administrators' && roles.includes(ADMINISTRATOR))
}

/** Whether a sign-in is as sure as the tenant asks of this user; one that is not gives no session. */
export function meetsPolicy(settings: Settings, user: Pick<UserRecord, 'roles'>, acr: string | null): boolean {
  return meetsAcr(acr, 'mfa') || !needsSecondFactor(settings, JSON.parse(user.roles) as string[])
}

/** What comes after the right password: whoever has a second factor is asked for it, whoever must have one sets it up. */
export function stepAfterPassword(factors: Factors, must: boolean): 'session' | 'second_factor' | 'enrol' {
  if (reachableAcr(factors) !== 'pwd') return 'second_factor'
  return must ? 'enrol' : 'session'
}

/** A factor that was rightly given, to be spent with the session that it starts, and its RFC 8176 methods. */
export interface GivenFactor {
  readonly factor: SpentFactor
  readonly amr: readonly string[]
}

/** Reads what was typed as a code of the app, or as a recovery code; null when it is neither, or wrong. */
export function readCode(tenant: Tenant, user_id: string, factors: Factors, typed: string): GivenFactor | null {
  // Arabic and Persian keyboards have digits of their own.
  const digits = typed.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 0xf))
  const code = digits.normalize('NFKC').replace(/[\s-]/g, '')
  const amr = ['otp', 'mfa']
  if (/^\d{6}$/.test(code)) {
    if (!factors.totp) return null
    const seed = tenant.keys.open(factors.totp.sealed_seed, seedPlace(user_id))
    const step = matchTotp(seed, code, factors.now, factors.totp.last_step)
    return step === null ? null : { factor: { kind: 'totp', step }, amr }
  }
  const code_hash = hashRecoveryCode(tenant, user_id, code)
  return code_hash === null ? null : { factor: { kind: 'recovery_code', code_hash }, amr }
}

/** Where a seed is sealed. */
function seedPlace(user_id: string) {
  return { table: 'totp_seeds', row: user_id, column: 'sealed_seed', version: 1 }
}

const CODE_BYTES = 15

/** New recovery codes of 120 bits each, as they are shown once, and their hashes (ASVS 6.5.2). */
export function newRecoveryCodes(tenant: Tenant, user_id: string): { codes: string[]; hashes: Uint8Array[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () => base32(randomBytes(CODE_BYTES)))
  return {
    codes: codes.map((code) => code.match(/.{4}/g)!.join('-')),
    hashes: codes.map((code) => hashRecoveryCode(tenant, user_id, code)!),
  }
}

function hashRecoveryCode(tenant: Tenant, user_id: string, typed: string): Buffer | null {
  // What base32 lacks is what people misread.
  const code = typed.toUpperCase().replaceAll('0', 'O').replaceAll('1', 'I').replaceAll('8', 'B')
  if (!/^[A-Z2-7]{24}$/.test(code)) return null
  return tenant.keys.hashSecret(JSON.stringify(['recovery_code', user_id, code]))
}

const enrolments = new TokenSealer('totp_enrolment', '')
const ENROLMENT_MS = 30 * 60_000

/** A seed that an app has still to prove: sealed for the page that shows it, and bound to its user. */
export interface TotpEnrolment {
  readonly sealed: string
  /** For people who type it. */
  readonly secret: string
  /** For apps (Key URI format of authenticator apps). */
  readonly uri: string
}

/** Begins to set up an authenticator app, or shows again what was begun. */
export function beginTotp(
  tenant: Tenant,
  names: { readonly tenant: string; readonly username: string },
  user_id: string,
  begun?: string,
): TotpEnrolment {
  const former = begun === undefined ? null : openEnrolment(tenant, user_id, begun)
  const seed = former ?? newTotpSeed()
  const secret = base32(seed)
  const issuer = names.tenant.replaceAll(':', ' ')
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(names.username)}`
  const query = new URLSearchParams({
    ...{ secret, issuer, algorithm: 'SHA1', digits: String(TOTP_DIGITS), period: String(TOTP_PERIOD_SECONDS) },
  })
  const claims = { user_id, seed: seed.toString('base64url'), at: tenant.clock() }
  const sealed = former ? begun! : enrolments.seal(tenant.keys, claims)
  // Apps do not read a plus as a blank.
  return { sealed, secret, uri: `otpauth://totp/${label}?${String(query).replaceAll('+', '%20')}` }
}

function openEnrolment(tenant: Tenant, user_id: string, sealed: string): Buffer | null {
  const claims = enrolments.open(tenant.keys, sealed)
  if (!claims || claims['user_id'] !== user_id) return null
  if (tenant.clock() - (claims['at'] as number) > ENROLMENT_MS) return null
  return Buffer.from(claims['seed'] as string, 'base64url')
}

/** What came of setting up a factor: recovery codes come with a user's first one. */
export type Enrolled =
  | { readonly kind: 'added'; readonly recovery_codes: readonly string[] | null }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'known' }

/** Keeps an authenticator app once it has said a right code. */
export async function finishTotp(tenant: Tenant, user_id: string, begun: string, typed: string): Promise<Enrolled> {
  const seed = openEnrolment(tenant, user_id, begun)
  const code = typed.normalize('NFKC').replace(/\s/g, '')
  const state = await tenant.store.loadTenantState({ tenant_id: tenant.tenant_id })
  const step = seed && state ? matchTotp(seed, code, state.now, 0) : null
  if (!seed || step === null) return { kind: 'wrong' }
  const { codes, hashes } = newRecoveryCodes(tenant, user_id)
  const outcome = await tenant.store.addTotp({
    ...{ tenant_id: tenant.tenant_id, user_id, recovery_codes: hashes, step },
    sealed_seed: tenant.keys.seal(seed, seedPlace(user_id)),
    event: event(tenant, 'factor.added', `user:${user_id}`, { user_id, detail: { factor: 'totp' } }),
  })
  if (outcome === 'known') return { kind: 'known' }
  return { kind: 'added', recovery_codes: outcome === 'added_with_codes' ? codes : null }
}

/** Makes new recovery codes in the place of all there were. */
export async function renewRecoveryCodes(tenant: Tenant, user_id: string): Promise<readonly string[]> {
  const { codes, hashes } = newRecoveryCodes(tenant, user_id)
  await tenant.store.replaceRecoveryCodes({
    ...{ tenant_id: tenant.tenant_id, user_id, recovery_codes: hashes },
    event: event(tenant, 'recovery_codes.renewed', `user:${user_id}`, { user_id }),
  })
  return codes
}
