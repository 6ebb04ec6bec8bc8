import { OAuthError } from './errors.ts'

/** A claim asked for by name; with values, the client wants one of them (OpenID Connect Core section 5.5.1). */
export interface ClaimWish {
  readonly essential: boolean
  /** Empty where any value will do. */
  readonly values: readonly unknown[]
}

/** The claims asked for in one place, by their names. */
export type ClaimWishes = Readonly<Record<string, ClaimWish>>

/** The parameter `claims` (OpenID Connect Core section 5.5). */
export interface ClaimsRequest {
  readonly userinfo: ClaimWishes
  readonly id_token: ClaimWishes
}

const LONGEST_CLAIMS = 8192
const MOST_CLAIMS = 100
const MOST_VALUES = 50

/** Reads the parameter; members that it does not know are ignored, as the section asks. */
export function readClaimsRequest(text: string): ClaimsRequest {
  if (text.length > LONGEST_CLAIMS) throw invalid(`must have at most ${LONGEST_CLAIMS} characters`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw invalid('is not JSON')
  }
  if (!isObject(parsed)) throw invalid('must be a JSON object')
  return { userinfo: readWishes(parsed['userinfo']), id_token: readWishes(parsed['id_token']) }
}

function readWishes(member: unknown): ClaimWishes {
  if (member === undefined || member === null) return {}
  if (!isObject(member)) throw invalid('must have objects as userinfo and id_token')
  const names = Object.keys(member).filter((name) => /^[\x21-\x7e]{1,100}$/.test(name))
  if (names.length > MOST_CLAIMS) throw invalid(`asks for more than ${MOST_CLAIMS} claims`)
  return Object.fromEntries(names.map((name) => [name, readWish(member[name])]))
}

function readWish(wish: unknown): ClaimWish {
  if (!isObject(wish)) return { essential: false, values: [] }
  const { value, values } = wish
  const listed = Array.isArray(values) ? values.slice(0, MOST_VALUES) : []
  return { essential: wish['essential'] === true, values: value === undefined ? listed : [value, ...listed] }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(what: string): OAuthError {
  return new OAuthError('invalid_request', `Parameter claims ${what}`)
}
