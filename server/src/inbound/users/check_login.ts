import { PasswordQueueFull, verifyPassword } from '../../crypto/password.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { UserWithPassword } from '../../store/verbs/users.ts'
import { networkOf } from '../client_address.ts'
import type { InboundContext } from '../context.ts'
import { checkGuess, PASSWORDS_AT_ONCE } from '../limits.ts'
import { needsSecondFactor, stepAfterPassword } from './factors.ts'
import { readKnownDevice } from './known_device.ts'
import { isPasswordTooLong } from './password_policy.ts'
import { usernameKey } from './prepare_user.ts'

/** A username and password, and who presents them. */
export interface Login {
  readonly username: string
  readonly password: string
  readonly address?: string | undefined
  /** The cookie by which a browser is known again. */
  readonly device?: string | undefined
}

/** What a try to sign in came to. */
export type LoginResult =
  | { readonly kind: 'signed_in'; readonly user_id: string; readonly epoch: number }
  /** The password was right, and is not enough: what is missing, and of whom. */
  | { readonly kind: 'not_enough'; readonly step: 'second_factor' | 'enrol'; readonly user: UserWithPassword }
  | { readonly kind: 'refused' }
  | { readonly kind: 'too_many'; readonly until: number }
  | { readonly kind: 'busy' }

/**
 * Checks a username and password, at every door that takes them. The guess is counted before it is checked, an unknown
 * user costs the same work, and the answer is one and the same for unknown, wrong and disabled (ASVS 6.3.1, 6.3.8).
 */
export async function checkLogin(
  context: Pick<InboundContext, 'tenant' | 'counters' | 'refused_logins'>,
  login: Login,
): Promise<LoginResult> {
  const { tenant, counters } = context
  const { tenant_id, store } = tenant
  const username_key = usernameKey(login.username)
  const readable = login.username.length <= 200 && !username_key.includes('\0')
  const user = await store.findUserByUsername({ tenant_id, username_key: readable ? username_key : '' })
  const known_device = user ? readKnownDevice(tenant, login.device, user, tenant.clock()) : undefined
  const { most, most_of_address, most_with_known_devices } = PASSWORDS_AT_ONCE
  const places = { most: known_device ? most_with_known_devices : most, most_of_key: most_of_address }
  const place = known_device ?? (login.address === undefined ? undefined : networkOf(login.address))
  // Who must be sent away is sent away before anything is counted.
  const result = await counters.inPlace(place, places, async (): Promise<LoginResult> => {
    const of = user?.user_id ?? `nobody/${username_key}`
    const guess = { kind: 'password', of, address: login.address, known_device } as const
    const guessed = await checkGuess(context, guess, () => verify(user, login.password)).catch(busyOrThrow)
    if (!guessed) return { kind: 'busy' }
    if (guessed.kind === 'too_many') return guessed
    if (guessed.kind === 'right') return stepAfterFirstFactor(tenant, guessed.value)
    context.refused_logins.count(user?.user_id ?? null, login.address, guessed.last)
    return { kind: 'refused' }
  })
  return result ?? { kind: 'busy' }
}

function busyOrThrow(error: unknown): null {
  if (error instanceof PasswordQueueFull) return null
  throw error
}

async function verify(user: UserWithPassword | null, password: string): Promise<UserWithPassword | null> {
  const hash = isPasswordTooLong(password) ? null : (user?.password_hash ?? null)
  const matches = await verifyPassword(hash, hash === null ? '' : password)
  return user && matches && user.disabled_at === null ? user : null
}

/** What the right password, or another server's word, leads to: at no door is it a sign-in for whoever has, or must have, a second factor (ASVS 6.3.4). */
export async function stepAfterFirstFactor(
  tenant: Tenant,
  user: UserWithPassword,
): Promise<Extract<LoginResult, { kind: 'signed_in' | 'not_enough' }>> {
  const { user_id, epoch } = user
  const [factors, { settings }] = await Promise.all([
    tenant.store.loadFactors({ tenant_id: tenant.tenant_id, user_id }),
    tenant.currentConfiguration(),
  ])
  const step = stepAfterPassword(factors, needsSecondFactor(settings, JSON.parse(user.roles) as string[]))
  return step === 'session' ? { kind: 'signed_in', user_id, epoch } : { kind: 'not_enough', step, user }
}
