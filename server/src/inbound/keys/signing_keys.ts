import { type Algorithm, isAlgorithm } from '../../crypto/signing_keys.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Tenant } from '../../store/tenant.ts'
import { LONGEST_TOKEN_MS } from '../../store/verbs/revocations.ts'
import type { KeyMove, ListedSigningKey } from '../../store/verbs/signing_keys.ts'
import { event } from '../event.ts'
import { makeSigningKey } from '../tenants.ts'
import { addTenantKey } from './tenant_keys.ts'

const DAY_MS = 86_400_000
/** How long a key is in JWKS before it signs, so that everybody has fetched it by then. */
export const PUBLISHED_MS = DAY_MS
/** The next key is made an hour earlier than it must be: no outage of that length delays the rotation. */
const AHEAD_MS = PUBLISHED_MS + 3_600_000
/** What a retired key signed last has ended by then, whatever the clocks say. */
export const KEPT_MS = LONGEST_TOKEN_MS + 5 * 60_000

/** One step of the rotation: keys that move on, a key to make, and what the audit log calls it. */
export interface KeyStep {
  readonly type: `signing_key.${'published' | 'rotated' | 'retired' | 'removed' | 'revoked'}`
  readonly alg: Algorithm
  readonly moves: readonly KeyMove[]
  readonly make: 'next' | 'current' | null
}

/** What is due of next -> current -> retired -> gone, one step at a time; null when nothing is. */
export function decideKeyStep(
  keys: readonly ListedSigningKey[],
  wanted: { readonly algs: readonly Algorithm[]; readonly period_ms: number; readonly now: number },
): KeyStep | null {
  const { algs, period_ms, now } = wanted
  for (const alg of algs) {
    const step = decideStepOf(
      alg,
      keys.filter((key) => key.alg === alg),
      period_ms,
      now,
    )
    if (step) return step
  }
  for (const { kid, alg, state, state_at } of keys) {
    const over = (state === 'retired' || state === 'revoked') && now >= state_at + KEPT_MS
    const unused = state === 'next' && !algs.includes(alg)
    const move = (to: KeyMove['to']) => [{ kid, from: state, to }]
    if (over || unused) return { type: 'signing_key.removed', alg, moves: move('gone'), make: null }
    if (state === 'current' && !algs.includes(alg)) {
      return { type: 'signing_key.retired', alg, moves: move('retired'), make: null }
    }
  }
  return null
}

function decideStepOf(
  alg: Algorithm,
  keys: readonly ListedSigningKey[],
  period_ms: number,
  now: number,
): KeyStep | null {
  const current = keys.find(({ state }) => state === 'current')
  const next = keys.find(({ state }) => state === 'next')
  // Nobody can have waited for a key of an algorithm that has none: it signs at once.
  if (!current && !next) return { type: 'signing_key.rotated', alg, moves: [], make: 'current' }
  const ends_at = current ? current.state_at + period_ms : now
  if (next && now >= ends_at && (!current || now >= next.created_at + PUBLISHED_MS)) {
    return { type: 'signing_key.rotated', alg, moves: replace(current, next), make: null }
  }
  if (!next && now >= ends_at - AHEAD_MS) return { type: 'signing_key.published', alg, moves: [], make: 'next' }
  return null
}

function replace(current: ListedSigningKey | undefined, next: ListedSigningKey): KeyMove[] {
  const retire: KeyMove[] = current ? [{ kid: current.kid, from: 'current', to: 'retired' }] : []
  return [...retire, { kid: next.kid, from: 'next', to: 'current' }]
}

/** Takes every step that is due, by the database's time; says how many there were. */
export async function rotateSigningKeys(tenant: Tenant): Promise<number> {
  const { tenant_id, store } = tenant
  for (let steps = 0; ; steps++) {
    const { settings } = await tenant.currentConfiguration()
    const { now, keys } = await store.listSigningKeys({ tenant_id })
    const period_ms = settings.signing_key_days * DAY_MS
    const step = decideKeyStep(keys, { algs: settings.signing_algs, period_ms, now })
    // Another replica was first: the next round looks anew.
    if (!step || (await takeSteps(tenant, [step], 'system')) === 'stale') return steps
  }
}

/** All of the steps or, when the keys are no longer as they were seen, none. */
async function takeSteps(tenant: Tenant, steps: readonly KeyStep[], actor: string): Promise<'changed' | 'stale'> {
  const taken = async ({ type, alg, moves, make }: KeyStep) => {
    const added = make === null ? [] : [await makeSigningKey(tenant, make, alg)]
    const detail = { alg, moves: moves.map(({ kid, to }) => ({ kid, to })), added: added.map(({ kid }) => kid) }
    return { moves, added, event: event(tenant, type, actor, { detail }) }
  }
  const all = await Promise.all(steps.map(taken))
  const { tenant_id, store } = tenant
  return store.changeSigningKeys({
    tenant_id,
    moves: all.flatMap(({ moves }) => moves),
    added: all.flatMap(({ added }) => added),
    events: all.map(({ event }) => event),
  })
}

/** Makes a key for each algorithm that has none, so that it can sign as soon as it is switched on. */
export async function makeMissingKeys(tenant: Tenant, algs: readonly Algorithm[], actor: string): Promise<void> {
  const { keys } = await tenant.store.listSigningKeys({ tenant_id: tenant.tenant_id })
  for (const alg of algs) {
    if (keys.some((key) => key.alg === alg && key.state === 'current')) continue
    await takeSteps(tenant, [{ type: 'signing_key.rotated', alg, moves: [], make: 'current' }], actor)
  }
}

/** The signing keys as an operator sees them. */
export async function listSigningKeys(tenant: Tenant): Promise<readonly ListedSigningKey[]> {
  return (await tenant.store.listSigningKeys({ tenant_id: tenant.tenant_id })).keys
}

/** What `keys rotate` calls the key that seals at rest. */
const SEALING = 'sealing'

/**
 * Rotates now what would be rotated later, for one algorithm or for all, or the key that seals at rest; what was signed
 * or sealed before stays good.
 */
export async function rotateSigningKeysNow(tenant: Tenant, asked: string | undefined, actor: string): Promise<void> {
  if (asked === SEALING) return addTenantKey(tenant, actor)
  const { settings } = await tenant.currentConfiguration()
  if (asked !== undefined && !(isAlgorithm(asked) && settings.signing_algs.includes(asked))) {
    throw refuse(`This server does not sign with ${asked}; it signs with ${settings.signing_algs.join(', ')}`)
  }
  const keys = await listSigningKeys(tenant)
  const steps = settings.signing_algs
    .filter((alg) => asked === undefined || alg === asked)
    .map((alg) => {
      const ours = keys.filter((key) => key.alg === alg)
      return replaceKey(alg, { current: ours.find(({ state }) => state === 'current'), to: 'retired' }, ours)
    })
  await commit(tenant, steps, actor)
}

/**
 * Revokes a key at once: whatever it signed is dead, its private half is gone, and where it was the one that signs,
 * another signs from the same moment on.
 */
export async function revokeSigningKey(tenant: Tenant, kid: string, actor: string): Promise<void> {
  const keys = await listSigningKeys(tenant)
  const key = keys.find((known) => known.kid === kid)
  if (!key) throw refuse('There is no such key; `sallyport keys list` shows those there are')
  if (key.state === 'revoked') throw refuse('The key is revoked already')
  const current = key.state === 'current'
  if (current) {
    const others = keys.filter(({ alg }) => alg === key.alg)
    return commit(tenant, [replaceKey(key.alg, { current: key, to: 'revoked' }, others)], actor)
  }
  const moves: KeyMove[] = [{ kid, from: key.state, to: 'revoked' }]
  await commit(tenant, [{ type: 'signing_key.revoked', alg: key.alg, moves, make: null }], actor)
}

function replaceKey(
  alg: Algorithm,
  former: { readonly current: ListedSigningKey | undefined; readonly to: 'retired' | 'revoked' },
  keys: readonly ListedSigningKey[],
): KeyStep {
  const next = keys.find(({ state }) => state === 'next')
  const { current, to } = former
  const moves: KeyMove[] = [
    ...(current ? [{ kid: current.kid, from: 'current', to } as const] : []),
    ...(next ? [{ kid: next.kid, from: 'next', to: 'current' } as const] : []),
  ]
  const type = to === 'revoked' ? 'signing_key.revoked' : 'signing_key.rotated'
  return { type, alg, moves, make: next ? null : 'current' }
}

async function commit(tenant: Tenant, steps: readonly KeyStep[], actor: string): Promise<void> {
  if ((await takeSteps(tenant, steps, actor)) === 'changed') return
  throw refuse('The keys have just changed; look at them and do it again')
}

function refuse(text: string): OAuthError {
  return new OAuthError('invalid_request', text)
}
