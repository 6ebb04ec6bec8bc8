import type { ResolvedProvider } from '../../providers/resolve.ts'
import { readLearnedOrigin } from '../../providers/template.ts'
import { type Json, type JsonObject, readPath } from '../../relying/read_json.ts'

type Learned = ResolvedProvider['learned'][number]

/** What a callback tells of a connection, by the names under which it is kept; what does not fit is left out. */
export function readCallback(provider: ResolvedProvider, params: URLSearchParams): JsonObject {
  const told: JsonObject = {}
  for (const learned of provider.learned) {
    const value = learned.from === 'callback' ? readLearned(learned, params.get(learned.path)) : null
    if (value !== null) told[learned.name] = value
  }
  return told
}

/** Where the API of a connection is, where its provider told. */
export function readApiBase(provider: ResolvedProvider, extra: JsonObject): string | null {
  const learned = provider.learned.find(({ name }) => name === 'api_base_url')
  return learned ? readLearned(learned, readKept(learned, extra)) : null
}

/** What a connection has learned that stands in for placeholders, by their names. */
export function readPlaces(
  { learned }: ResolvedProvider,
  extra: JsonObject,
  placeholders: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const places = learned
    .filter(({ name }) => Object.hasOwn(placeholders, name))
    .map((place) => [place.name, readLearned(place, readKept(place, extra))] as const)
  return Object.fromEntries(places.filter((place): place is readonly [string, string] => place[1] !== null))
}

function readKept({ name, from, path }: Learned, extra: JsonObject): Json | undefined {
  return readPath(extra, from === 'callback' ? name : path)
}

// What was kept of a callback has been read once already, and is read to the same again.
function readLearned({ form, suffixes }: Learned, value: Json | undefined): string | null {
  if (typeof value === 'number') return readLearnedText(form, String(value))
  if (typeof value !== 'string') return null
  if (form === 'text') return readLearnedText(form, value)
  const origin = readLearnedOrigin(value, suffixes)
  return origin === null || form === 'url' ? origin : new URL(origin).host
}

function readLearnedText(form: Learned['form'], value: string): string | null {
  return form === 'text' && /^[\w.~-]{1,128}$/.test(value) ? value : null
}
