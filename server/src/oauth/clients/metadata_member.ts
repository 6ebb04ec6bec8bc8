import { OAuthError } from '../errors.ts'

/** A JSON object as it was sent. */
export type Json = Record<string, unknown>

const MOST_ITEMS = 50
// Control characters, and those that turn the direction of text around, could forge a consent page.
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

/** A string member of client metadata; null and the empty string count as absent (RFC 7592 section 2.2). */
export function readText(source: Json, name: string, longest: number): string | undefined {
  const value = source[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw refusal(name, 'must be a string')
  if (value.length > longest) throw refusal(name, `must have at most ${longest} characters`)
  if (UNPRINTABLE.test(value) || !value.isWellFormed()) throw refusal(name, 'has a character that is not allowed')
  return value
}

/** A member that is a list of strings, each once; an empty list counts as absent. */
export function readTexts(source: Json, name: string, longest: number): string[] | undefined {
  const value = source[name]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw refusal(name, 'must be a list of strings')
  if (value.length > MOST_ITEMS) throw refusal(name, `must have at most ${MOST_ITEMS} items`)
  const texts = value.map((item) => readText({ [name]: item }, name, longest))
  if (texts.includes(undefined)) throw refusal(name, 'must not have an empty item')
  return texts.length === 0 ? undefined : [...new Set(texts as string[])]
}

/** A member that is true or false. */
export function readBoolean(source: Json, name: string): boolean | undefined {
  const value = source[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw refusal(name, 'must be true or false')
  return value
}

/** A member that is a whole number within bounds. */
export function readInteger(source: Json, name: string, least: number, most: number): number | undefined {
  const value = source[name]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw refusal(name, `must be a whole number from ${least} to ${most}`)
  }
  return value
}

/** The refusal of a member, by its name (RFC 7591 section 3.2.2). */
export function refusal(name: string, what: string): OAuthError {
  return new OAuthError('invalid_client_metadata', `Member ${name} ${what}`)
}
