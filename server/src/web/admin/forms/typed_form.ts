import { parseUniqueJson } from '../../../crypto/unique_json.ts'
import { type Json, refusal } from '../../../oauth/clients/metadata_member.ts'
import type { Kept } from './kept_text.ts'
import type { FieldKind, TypedForm } from './templates/typed_field.ts'

/** What stands in the fields of a form, by their names. */
export type FormValues = Readonly<Record<string, string>>

/** How each member of a description is typed. */
export type FieldKinds = Readonly<Record<string, FieldKind>>

/** What fills in a form that was opened: what stands, or what was typed before a sign-in anew. */
export function refill(kept: Kept | undefined, standing: FormValues): [values: FormValues, wrong?: TypedForm['wrong']] {
  if (kept === undefined) return [standing]
  return kept === 'too_long' ? [standing, kept] : [kept.values, 'renewed']
}

/** What a form tells its next post to have seen: after a sign-in anew what it had told before, so that no change is missed. */
export function seenIn(values: FormValues, wrong: TypedForm['wrong'], now: string): string {
  return wrong === 'renewed' ? (values['seen'] ?? now) : now
}

/** The status of a page with a form on it. */
export function statusOf(wrong: TypedForm['wrong']): number {
  if (wrong === undefined || wrong === 'renewed' || wrong === 'too_long') return 200
  return wrong === 'stale' ? 409 : 400
}

/** What fills in a form: a description as one would type it. */
export function writeTyped(kinds: FieldKinds, source: Json): FormValues {
  return Object.fromEntries(Object.entries(kinds).flatMap(([name, kind]) => writeMember(name, kind, source[name])))
}

/** Reads what was typed into a description that is still to be checked, by the reader of whatever it describes. */
export function readTyped(kinds: FieldKinds, values: FormValues): Json {
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([name, kind]) => {
      const value = readMember(name, kind, values)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function writeMember(name: string, kind: FieldKind, value: unknown): [string, string][] {
  if (value === undefined || value === false || kind === 'follows' || kind === 'secret' || kind === 'secret_lines')
    return []
  if (typeof kind === 'object' && 'some_of' in kind) {
    return (value as string[]).map((item, i) => [`${name}.${i}`, item])
  }
  if (typeof kind === 'object' && 'parts' in kind) {
    const parts = value as Json
    return Object.entries(kind.parts).flatMap(([part, of]) => writeMember(`${name}.${part}`, of, parts[part]))
  }
  if (kind === 'lines') return [[name, (value as string[]).join('\n')]]
  if (kind === 'json') return [[name, JSON.stringify(value, null, 2)]]
  if (kind === 'sentences') return [[name, writeSentences(value as Record<string, string>)]]
  if (kind === 'map') return [[name, writeMap(value as Record<string, readonly string[]>)]]
  return [[name, String(value)]]
}

function readMember(name: string, kind: FieldKind, values: FormValues): unknown {
  const text = values[name]
  if (typeof kind === 'object') {
    if ('some_of' in kind) return readSome(name, values)
    if ('one_of' in kind) return text
    const parts = Object.entries(kind.parts).flatMap(([part, of]) => {
      const value = readMember(`${name}.${part}`, of, values)
      return value === undefined ? [] : [[part, value]]
    })
    return parts.length === 0 ? undefined : Object.fromEntries(parts)
  }
  if (kind === 'flag') return text === 'true' ? true : undefined
  if (kind === 'yes_no') return text === 'true'
  if (text === undefined || kind === 'follows') return undefined
  if (kind === 'lines') return readLines(text)
  if (kind === 'map') return readMap(name, text)
  if (kind === 'sentences') return readSentences(name, text)
  if (kind === 'json') return readJson(name, text)
  // What is no number goes as it is, and is refused by its name.
  return kind === 'number' && /^\d{1,15}$/.test(text.trim()) ? Number(text) : text.trim()
}

/** The boxes that are ticked, of those that stand under one name and a number. */
function readSome(name: string, values: FormValues): string[] {
  return Object.entries(values).flatMap(([field, value]) =>
    field.startsWith(`${name}.`) && /^\d+$/.test(field.slice(name.length + 1)) ? [value] : [],
  )
}

/** The lines of a text that have something in them. */
export function readLines(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => line.trim() || [])
}

/** Reads lines of `name: word word`. */
function readMap(name: string, text: string): Record<string, string[]> {
  const pairs = readPairs(name, text, 'role: scope scope')
  return Object.fromEntries(pairs.map(([key, words]) => [key, words.split(/\s+/).filter((word) => word !== '')]))
}

function writeMap(map: Readonly<Record<string, readonly string[]>>): string {
  return writeSentences(Object.fromEntries(Object.entries(map).map(([key, words]) => [key, words.join(' ')])))
}

/** Reads lines of `scope: what it allows`. */
function readSentences(name: string, text: string): Record<string, string> {
  const pairs = readPairs(name, text, 'scope: what it allows')
  const silent = pairs.find(([, sentence]) => sentence === '')
  if (silent) throw refusal(name, `has no sentence for ${silent[0]}`)
  return Object.fromEntries(pairs)
}

function writeSentences(map: Readonly<Record<string, string>>): string {
  return Object.entries(map)
    .map(([key, sentence]) => `${key}: ${sentence}`)
    .join('\n')
}

/** What stands before the colon, which may have colons inside and no blanks, and what stands behind. */
function readPairs(name: string, text: string, like: string): [string, string][] {
  const pairs = readLines(text).map((line): [string, string] => {
    const [, key, rest = ''] = /^(\S+):(?:\s+(.*))?$/.exec(line) ?? []
    if (key === undefined) throw refusal(name, `has a line that is not like ${like}`)
    return [key, rest.trim()]
  })
  if (new Set(pairs.map(([key]) => key)).size < pairs.length) throw refusal(name, 'has a name twice')
  return pairs
}

/** Reads what was typed as JSON. */
export function readJson(name: string, text: string): unknown {
  try {
    return parseUniqueJson(text)
  } catch {
    throw refusal(name, 'is not JSON that names each member once')
  }
}
