import { ALGORITHMS, type Algorithm } from '../crypto/signing_keys.ts'

/** A tenant's settings; what its row does not say has these defaults. */
export interface Settings {
  /** How long a code lives (RFC 6749 section 4.1.2 recommends at most 600). */
  readonly code_lifetime_seconds: number
  /** A refresh token that nobody used for so long is over. */
  readonly refresh_idle_seconds: number
  /** No chain of refresh tokens lives longer than this. */
  readonly refresh_lifetime_seconds: number
  /** The same for public clients whose tokens are in a browser (RFC 10017 section 6.3). */
  readonly browser_refresh_lifetime_seconds: number
  /** How long a bearer public client may present a rotated token again and get the same successor. */
  readonly refresh_retry_seconds: number
  readonly session_idle_seconds: number
  readonly session_lifetime_seconds: number
  /** What tokens may be signed with; the first is for whoever asks for none. Others than ES256 are opted into. */
  readonly signing_algs: readonly Algorithm[]
  /** How long a signing key signs before the next one does. */
  readonly signing_key_days: number
  /** Claims of the tenant's own; what they may be is decided where they are made. */
  readonly custom_claims: readonly Readonly<Record<string, unknown>>[]
  /** Every client must push its authorization requests (RFC 9126 section 5). */
  readonly require_pushed_authorization_requests: boolean
  /** The rules of clients that have no profile of their own. */
  readonly profile: 'standard' | 'legacy' | 'oauth21' | 'mcp' | 'fapi2'
  /** Who signs in with two factors: whoever has set up a second one, everybody, or administrators and whoever has. */
  readonly mfa: 'optional' | 'required' | 'required_for_administrators'
  /** The fewest characters of a password; administrators have a limit of their own. */
  readonly password_min_length: number
  readonly password_min_length_administrators: number
  /** Whether people make accounts for themselves: not at all, by a username, or by an address that a letter has confirmed. */
  readonly sign_up: 'off' | 'open' | 'verified'
  /** Whether a link to their mailbox signs people in, in the place of a password. */
  readonly sign_in_link: boolean
  /** Whether people make personal access tokens for scripts of their own; switched off, those that were made do not work. */
  readonly personal_access_tokens: boolean
  /** Personal access tokens live no longer than this, also those that were made when it was longer. */
  readonly personal_access_token_days: number
  /** So many of them may somebody have. */
  readonly personal_access_tokens_per_user: number
  /** Who deletes an account: also whoever it is of, on their own page, or administrators alone. */
  readonly account_deletion: 'self' | 'administrators'
  /** Where a platform with users of its own signs them in, and whose answer counts; null where users sign in here. */
  readonly login_handoff: Readonly<Record<string, unknown>> | null
  /** Redirect brokers that consent flows may go through; what they may be is read in `oauth/broker.ts`. */
  readonly brokers: readonly Readonly<Record<string, unknown>>[]
  /** Who may register clients at /register (RFC 7591): nobody, who holds an initial access token, or anyone. */
  readonly registration: 'off' | 'token' | 'open'
  /** Whose metadata documents are taken for clients: nobody's, those of the listed hosts, or any public host's. */
  readonly metadata_documents: 'off' | 'listed' | 'any'
  readonly metadata_document_hosts: readonly string[]
  /** What clients that nobody of the tenant registered may have, beside the default scopes of resources. */
  readonly dynamic_client_scopes: readonly string[]
  /** How long the secret of a client that registered itself lives; zero is for good. */
  readonly dynamic_client_secret_days: number
  /** A client that nobody of the tenant registered is deleted when it was without use and grants for so long. */
  readonly dynamic_client_unused_days: number
  /** Who may register services at the Hub door: administrators, or anyone (then never trusted). */
  readonly service_registration: 'administrators' | 'open'
  /** The password and implicit grants: switched on for a client by an administrator, also by a service that asks, or off for all. */
  readonly legacy_grants: 'administrators' | 'on_request' | 'off'
  /** Another system whose clients come here: with `hub`, what its registration and Trust give is what they expect. */
  readonly compat: 'none' | 'hub'
  /** The language for whoever names none that there is, as a tag (BCP 47). */
  readonly default_locale: string
  /** What people read as the tenant's name; empty for the one that it was made with. */
  readonly brand_name: string
  /** The colour of buttons and links, `#rrggbb`; empty for ours. Pages show the nearest that can be read. */
  readonly brand_accent: string
  /** The picture beside the name, as a data URL; empty for a letter. What it holds is read where it is saved. */
  readonly brand_logo: string
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

/** A list of objects, whose members somebody else reads. */
const objects = (): Reader<readonly Readonly<Record<string, unknown>>[]> => ({
  fallback: [],
  must: 'a list of at most 50 objects',
  fits: (value) =>
    Array.isArray(value) && value.length <= 50 && value.every((item) => typeof item === 'object' && item !== null),
})

/** One object, whose members somebody else reads; null unless given. */
const object = (): Reader<Readonly<Record<string, unknown>> | null> => ({
  fallback: null,
  must: 'an object, or null',
  fits: (value) => value === null || (typeof value === 'object' && !Array.isArray(value)),
})

/** Off unless switched on. */
const flag = (): Reader<boolean> => ({
  fallback: false,
  must: 'true or false',
  fits: (value) => typeof value === 'boolean',
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

/** A list of texts of one shape; empty unless given. */
const texts = (what: string, shape: RegExp): Reader<readonly string[]> => ({
  fallback: [],
  must: `a list of at most 100 ${what}`,
  fits: (value) =>
    Array.isArray(value) && value.length <= 100 && value.every((item) => typeof item === 'string' && shape.test(item)),
})

/** The tag of a language, in any spelling; English unless given. */
const locale = (): Reader<string> => ({
  fallback: 'en',
  must: 'a language tag such as de or pt-BR',
  fits: (value) => typeof value === 'string' && /^[a-z]{2,3}(-[a-z\d]{2,8}){0,4}$/i.test(value),
})

/** Nothing, or a text of a shape. */
const textOrNothing = (must: string, longest: number, shape: RegExp): Reader<string> => ({
  fallback: '',
  must: `${must}, or empty`,
  fits: (value) => typeof value === 'string' && (value === '' || (value.length <= longest && shape.test(value))),
})

/** One line that shows something, and nothing that is invisible or turns the direction of text; scripts and emoji need joiners. */
const SHOWN_NAME =
  /^(?=.*[\p{L}\p{N}\p{P}\p{S}])(?:[^\p{C}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|[\u200c\u200d]|\ufe0f)+$/u

/** The most bytes of a picture that a setting holds. */
export const LARGEST_PICTURE = 32_768
const LONGEST_PICTURE = Math.ceil(LARGEST_PICTURE / 3) * 4 + 'data:image/jpeg;base64,'.length

const READERS: { readonly [Name in keyof Settings]: Reader<Settings[Name]> } = {
  code_lifetime_seconds: whole(60, 10, 600),
  refresh_idle_seconds: whole(30 * 86_400, 60, 366 * 86_400),
  refresh_lifetime_seconds: whole(90 * 86_400, 60, 3 * 366 * 86_400),
  browser_refresh_lifetime_seconds: whole(86_400, 60, 90 * 86_400),
  refresh_retry_seconds: whole(30, 0, 300),
  session_idle_seconds: whole(8 * 3600, 60, 30 * 86_400),
  session_lifetime_seconds: whole(30 * 86_400, 60, 90 * 86_400),
  signing_algs: someOf(ALGORITHMS, 'ES256'),
  signing_key_days: whole(90, 2, 366),
  custom_claims: objects(),
  require_pushed_authorization_requests: flag(),
  profile: oneOf('standard', 'legacy', 'oauth21', 'mcp', 'fapi2'),
  mfa: oneOf('optional', 'required', 'required_for_administrators'),
  password_min_length: whole(8, 8, 64),
  password_min_length_administrators: whole(12, 8, 64),
  sign_up: oneOf('off', 'open', 'verified'),
  sign_in_link: flag(),
  personal_access_tokens: flag(),
  personal_access_token_days: whole(90, 1, 366),
  personal_access_tokens_per_user: whole(20, 1, 50),
  account_deletion: oneOf('self', 'administrators'),
  login_handoff: object(),
  brokers: objects(),
  registration: oneOf('off', 'token', 'open'),
  metadata_documents: oneOf('off', 'listed', 'any'),
  metadata_document_hosts: texts('host names, with a port where it is not 443', /^[a-z0-9.-]{1,253}(?::\d{1,5})?$/),
  dynamic_client_scopes: texts('scopes', /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/),
  dynamic_client_secret_days: whole(0, 0, 3660),
  dynamic_client_unused_days: whole(30, 1, 3660),
  service_registration: oneOf('administrators', 'open'),
  legacy_grants: oneOf('administrators', 'on_request', 'off'),
  compat: oneOf('none', 'hub'),
  default_locale: locale(),
  brand_name: textOrNothing('a name of at most 80 characters on one line', 80, SHOWN_NAME),
  brand_accent: textOrNothing('a colour such as #3350c0', 7, /^#[0-9a-f]{6}$/i),
  brand_logo: textOrNothing(
    `a PNG, JPEG or WebP picture of at most ${LARGEST_PICTURE} bytes as a data URL`,
    LONGEST_PICTURE,
    /^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$/,
  ),
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
