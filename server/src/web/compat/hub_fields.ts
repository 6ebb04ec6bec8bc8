import { OAuthError } from '../../oauth/errors.ts'

/** What of an answer is asked for: each name with what of it; null is all of it. */
export type Fields = ReadonlyMap<string, Fields> | null

const LONGEST_FIELDS = 2000
const DEEPEST = 8

/** Reads Hub's `fields`: a comma list of names, each with `/name` or `(list)` for what is inside; nothing means all. */
export function readFields(text: string | undefined): Fields {
  if (text === undefined) return null
  if (text.length > LONGEST_FIELDS) throw refusal(`is longer than ${LONGEST_FIELDS} characters`)
  const reader = new FieldsReader(text)
  const fields = reader.list(0)
  if (!reader.ended) throw refusal(`cannot be read at position ${reader.position + 1}`)
  return fields
}

class FieldsReader {
  readonly #text: string
  position = 0

  constructor(text: string) {
    this.#text = text
  }

  get ended(): boolean {
    return this.position >= this.#text.length
  }

  list(depth: number): Map<string, Fields> {
    if (depth > DEEPEST) throw refusal(`goes deeper than ${DEEPEST}`)
    const fields = new Map<string, Fields>()
    do {
      const { name, inside } = this.#field(depth)
      if (name !== '') fields.set(name, fields.has(name) ? join(fields.get(name)!, inside) : inside)
    } while (this.#take(','))
    return fields
  }

  #field(depth: number): { name: string; inside: Fields } {
    const [name] = /^[A-Za-z0-9$_-]{0,64}/.exec(this.#text.slice(this.position))!
    this.position += name.length
    if (name === '') return { name, inside: null }
    if (this.#take('/')) {
      const inner = this.#field(depth + 1)
      if (depth > DEEPEST || inner.name === '') throw refusal('has a / without a name after it')
      return { name, inside: new Map([[inner.name, inner.inside]]) }
    }
    if (!this.#take('(')) return { name, inside: null }
    const inside = this.list(depth + 1)
    if (!this.#take(')')) throw refusal('has a ( without its )')
    return { name, inside }
  }

  #take(mark: string): boolean {
    if (this.#text[this.position] !== mark) return false
    this.position++
    return true
  }
}

/** What one name was asked for twice: all of it, or both. */
function join(first: Fields, second: Fields): Fields {
  if (first === null || second === null) return null
  const both = new Map(first)
  for (const [name, inside] of second) both.set(name, both.has(name) ? join(both.get(name)!, inside) : inside)
  return both
}

/** Of a value what is asked for, inside of objects and lists alike; a name that is not there is left out. */
export function pickFields(value: unknown, fields: Fields): unknown {
  if (fields === null || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => pickFields(item, fields))
  const picked: Record<string, unknown> = {}
  for (const [name, inside] of fields) {
    if (Object.hasOwn(value, name)) picked[name] = pickFields((value as Record<string, unknown>)[name], inside)
  }
  return picked
}

/** A page of a collection: the counts are always there, the fields are those of its items, unless they name the list. */
export function pickPage(
  page: { readonly skip: number; readonly top: number; readonly total: number },
  name: string,
  items: readonly unknown[],
  fields: Fields,
): Record<string, unknown> {
  const of_page = fields !== null && [name, 'skip', 'top', 'total'].some((known) => fields.has(known))
  if (of_page) return pickFields({ ...page, [name]: items }, fields) as Record<string, unknown>
  return { ...page, [name]: pickFields(items, fields) }
}

function refusal(what: string): OAuthError {
  return new OAuthError('invalid_request', `Parameter fields ${what}`)
}
