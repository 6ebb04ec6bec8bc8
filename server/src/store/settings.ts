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
  /** Who may register services at the Hub door: administrators, or anyone (then never trusted). */
  readonly service_registration: 'administrators' | 'open'
}

/** The defaults of a tenant's settings. */
export const DEFAULT_SETTINGS: Settings = {
  code_lifetime_seconds: 60,
  refresh_idle_seconds: 30 * 86_400,
  refresh_lifetime_seconds: 90 * 86_400,
  refresh_retry_seconds: 30,
  session_idle_seconds: 8 * 3600,
  session_lifetime_seconds: 30 * 86_400,
  service_registration: 'administrators',
}

const LIMITS: { readonly [Name in keyof Settings]?: readonly [number, number] } = {
  code_lifetime_seconds: [10, 600],
  refresh_idle_seconds: [60, 366 * 86_400],
  refresh_lifetime_seconds: [60, 3 * 366 * 86_400],
  refresh_retry_seconds: [0, 300],
  session_idle_seconds: [60, 30 * 86_400],
  session_lifetime_seconds: [60, 90 * 86_400],
}

/** Reads settings from JSON or a file; an unknown name or a value out of its limits is refused by name. */
export function readSettings(given: Readonly<Record<string, unknown>>): Settings {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULT_SETTINGS, name)) throw new Error(`settings.${name} is not a setting`)
    const limits = LIMITS[name as keyof Settings]
    if (limits) {
      const fits = Number.isInteger(value) && (value as number) >= limits[0] && (value as number) <= limits[1]
      if (!fits) throw new Error(`settings.${name} must be a whole number from ${limits[0]} to ${limits[1]}`)
    } else if (value !== 'administrators' && value !== 'open') {
      throw new Error(`settings.${name} must be administrators or open`)
    }
  }
  return { ...DEFAULT_SETTINGS, ...given }
}
