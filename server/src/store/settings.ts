import { ALGORITHMS, type Algorithm } from '../crypto/signing_keys.ts'

/** A tenant's settings; what its row does not say has these defaults. */
export interface Settings {
  /** How long a code lives (RFC 6749 section 4.1.2 recommends at most 600). */
  readonly code_lifetime_seconds: number
  /** A refresh token that nobody used for so long is over. */
  readonly refresh_idle_seconds: number
  /** No chain of refresh tokens lives longer than this. */
  readonly refresh_lifetime_seconds: number
  /** How long a bearer public client may present a rotated token again and get the same successor. */
  readonly refresh_retry_seconds: number
  readonly session_idle_seconds: number
  readonly session_lifetime_seconds: number
  /** What tokens may be signed with; the first is for whoever asks for none. Others than ES256 are opted into. */
  readonly signing_algs: readonly Algorithm[]
  /** How long a signing key signs before the next one does. */
  readonly signing_key_days: number
  /** Who may register services at the Hub door: administrators, or anyone (then never trusted). */
  readonly service_registration: 'administrators' | 'open'
}

type Reader<Value> = { readonly fallback: Value; readonly must: string; fits(value: unknown): boolean }

const whole = (fallback: number, least: number, most: number): Reader<number> => ({
  fallback,
  must: `a whole number from ${least} to ${most}`,
  fits: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
})

const oneOf = <Value extends string>(...values: readonly [Value, ...Value[]]): Reader<Value> => ({
  fallback: values[0],
  must: values.join(' or '),
  fits: (value) => values.includes(value as Value),
})

/** A list of some of the values, each once and at least one. */
const someOf = <Value extends string>(values: readonly Value[], ...fallback: Value[]): Reader<readonly Value[]> => ({
  fallback,
  must: `a list of ${values.join(', ')}, each at most once`,
  fits: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((item) => values.includes(item as Value)),
})

const READERS: { readonly [Name in keyof Settings]: Reader<Settings[Name]> } = {
  code_lifetime_seconds: whole(60, 10, 600),
  refresh_idle_seconds: whole(30 * 86_400, 60, 366 * 86_400),
  refresh_lifetime_seconds: whole(90 * 86_400, 60, 3 * 366 * 86_400),
  refresh_retry_seconds: whole(30, 0, 300),
  session_idle_seconds: whole(8 * 3600, 60, 30 * 86_400),
  session_lifetime_seconds: whole(30 * 86_400, 60, 90 * 86_400),
  signing_algs: someOf(ALGORITHMS, 'ES256'),
  signing_key_days: whole(90, 2, 366),
  service_registration: oneOf('administrators', 'open'),
}

/** The defaults of a tenant's settings. */
export const DEFAULT_SETTINGS = Object.fromEntries(
  Object.entries(READERS).map(([name, { fallback }]) => [name, fallback]),
) as unknown as Settings

/** Reads settings from JSON or a file; an unknown name or a value out of its limits is refused by name. */
export function readSettings(given: Readonly<Record<string, unknown>>): Settings {
  for (const [name, value] of Object.entries(given)) {
    const reader = Object.hasOwn(READERS, name) ? READERS[name as keyof Settings] : undefined
    if (!reader) throw new Error(`settings.${name} is not a setting`)
    if (!reader.fits(value)) throw new Error(`settings.${name} must be ${reader.must}`)
  }
  return { ...DEFAULT_SETTINGS, ...given }
}
