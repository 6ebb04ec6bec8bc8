import { parseUniqueJson } from '../../crypto/unique_json.ts'
import type { ClientMetadata } from '../../oauth/clients/client.ts'
import { type Json, refusal } from '../../oauth/clients/metadata_member.ts'
import { CLIENT_MEMBERS, type MemberKind, type MemberName } from './templates/client_members.ts'
import type { DescribedMember } from './templates/described_members.ts'

/** What stands in the fields of a form, by their names. */
export type FormValues = Readonly<Record<string, string>>

const KINDS = Object.entries(CLIENT_MEMBERS).map(([name, { kind }]) => [name as MemberName, kind] as const)
// An empty box says something only where nothing would mean a tick.
const TICKED_UNLESS_SAID: readonly string[] = ['require_pkce' satisfies keyof ClientMetadata]

/** What fills in the form of a client: its metadata as one would type them. */
export function writeForm(metadata: Partial<ClientMetadata>): FormValues {
  const source = metadata as Json
  return Object.fromEntries(KINDS.flatMap(([name, kind]) => writeMember(name, kind, source[name])))
}

function writeMember(name: string, kind: MemberKind, value: unknown): [string, string][] {
  if (value === undefined || value === false || kind === 'follows') return []
  if (typeof kind === 'object' && 'some_of' in kind) {
    return (value as string[]).map((item, i) => [`${name}.${i}`, item])
  }
  if (typeof kind === 'object' && 'parts' in kind) {
    const parts = value as Json
    return Object.entries(kind.parts).flatMap(([part, of]) => writeMember(`${name}.${part}`, of, parts[part]))
  }
  if (kind === 'lines') return [[name, (value as string[]).join('\n')]]
  if (kind === 'json') return [[name, JSON.stringify(value, null, 2)]]
  if (kind === 'map') return [[name, writeMap(value as Record<string, readonly string[]>)]]
  return [[name, String(value)]]
}

/** Reads what was typed into metadata that are still to be checked, by the reader of every registration. */
export function readForm(values: FormValues): Json {
  return Object.fromEntries(
    KINDS.flatMap(([name, kind]) => {
      const value = readMember(name, kind, values)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function readMember(name: string, kind: MemberKind, values: FormValues): unknown {
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
  if (kind === 'flag') return text === 'true' ? true : TICKED_UNLESS_SAID.includes(name) ? false : undefined
  if (text === undefined || kind === 'follows') return undefined
  if (kind === 'lines') return readLines(text)
  if (kind === 'map') return readMap(name, text)
  if (kind === 'json') return readJson(name, text)
  // What is no number goes as it is, and is refused by its name.
  return kind === 'number' && /^\d{1,15}$/.test(text.trim()) ? Number(text) : text.trim()
}

/** The boxes that are ticked, of those that stand under one name and a number. */
export function readSome(name: string, values: FormValues): string[] {
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
  const map: Record<string, string[]> = Object.create(null)
  for (const line of readLines(text)) {
    // Roles and scopes may have colons inside, and no blanks.
    const [, key, words = ''] = /^(\S+):(?:\s+(.*))?$/.exec(line) ?? []
    if (key === undefined) throw refusal(name, 'has a line that is not like role: scope scope')
    if (key in map) throw refusal(name, 'has a role twice')
    map[key] = words.split(/\s+/).filter((word) => word !== '')
  }
  return map
}

function writeMap(map: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(map)
    .map(([key, words]) => `${key}: ${words.join(' ')}`)
    .join('\n')
}

/** Reads what was typed as JSON. */
export function readJson(name: string, text: string): unknown {
  try {
    return parseUniqueJson(text)
  } catch {
    throw refusal(name, 'is not JSON that names each member once')
  }
}

/** What is registered of a client, as the lines that its page shows for each member. */
export function describeMembers(metadata: ClientMetadata): DescribedMember[] {
  const values = writeForm(metadata)
  return KINDS.flatMap(([name, kind]): DescribedMember[] => {
    const flag = kind === 'flag'
    if (flag && TICKED_UNLESS_SAID.includes(name) && values[name] === undefined) return [{ name, on: false }]
    if (flag) return values[name] === undefined ? [] : [{ name, on: true }]
    if (kind === 'follows') return [{ name, lines: metadata.response_types }]
    if (kind === 'json') return values[name] === undefined ? [] : [{ name, block: values[name] }]
    const lines = Object.entries(values).flatMap(([field, value]) => {
      if (field === name) return readLines(value)
      if (!field.startsWith(`${name}.`)) return []
      const part = field.slice(name.length + 1)
      return /^\d+$/.test(part) ? [value] : readLines(value).map((line) => `${part}: ${line}`)
    })
    return lines.length === 0 ? [] : [{ name, lines }]
  })
}
