import { isDeepStrictEqual } from 'node:util'

/** The names in which two descriptions differ, for the audit log. */
export function listChangedNames(before: object, after: object): string[] {
  const [from, to] = [before, after] as Record<string, unknown>[]
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => !isDeepStrictEqual(from![name], to![name]))
}

// What is longer says little to whoever reads it, and much to whoever pays for the storage.
const LONGEST_WRITTEN = 500

/** The same with what was and what is, for the audit log; what is long is named alone, and what was not set is null. */
export function listChanges(before: object, after: object): Record<string, [unknown, unknown]> {
  const [from, to] = [before, after] as Record<string, unknown>[]
  return Object.fromEntries(
    listChangedNames(before, after).flatMap((name): [string, [unknown, unknown]][] => {
      const pair: [unknown, unknown] = [from![name] ?? null, to![name] ?? null]
      return JSON.stringify(pair).length > LONGEST_WRITTEN ? [] : [[name, pair]]
    }),
  )
}
