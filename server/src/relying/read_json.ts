/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** A JSON object as it was parsed. */
export type JsonObject = { [name: string]: Json }

const MOST_CHARACTERS = 65_536
const MOST_DEPTH = 16

/** Parses an answer that must be a JSON object of bounded size and depth; throws a sentence about what is wrong. */
export function readJsonObject(text: string): JsonObject {
  const parsed = readJson(text)
  if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw new Error('The answer is not a JSON object')
  }
  return parsed as JsonObject
}

/** Parses an answer that may be any JSON of bounded size and depth. */
export function readJson(text: string): Json {
  if (text.length > MOST_CHARACTERS) throw new Error('The answer is larger than allowed')
  if (isDeeperThan(text, MOST_DEPTH)) throw new Error('The answer is nested deeper than allowed')
  try {
    return JSON.parse(text) as Json
  } catch (cause) {
    // The parser's own message quotes the text, which may hold a token.
    throw new Error(`The answer is not JSON (${cause instanceof Error ? cause.name : 'unreadable'})`)
  }
}

/** Reads the member at a path of names joined by dots. */
export function readPath(object: Json, path: string): Json | undefined {
  let value: Json | undefined = object
  for (const name of path.split('.')) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, name)) return undefined
    value = (value as JsonObject)[name]
  }
  return value
}

/** Reads the member at a path and removes it. */
export function takePath(object: JsonObject, path: string): Json | undefined {
  const names = path.split('.')
  const last = names.pop()!
  const parent = names.length === 0 ? object : readPath(object, names.join('.'))
  if (parent === null || typeof parent !== 'object' || !Object.hasOwn(parent, last)) return undefined
  const value = (parent as JsonObject)[last]
  delete (parent as JsonObject)[last]
  return value
}

function isDeeperThan(text: string, most: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
    } else if (character === '{' || character === '[') {
      if (++depth > most) return true
    } else if (character === '}' || character === ']') depth--
  }
  return false
}
