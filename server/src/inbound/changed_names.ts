import { isDeepStrictEqual } from 'node:util'

/** The names in which two descriptions differ, for the audit log. */
export function listChangedNames(before: object, after: object): string[] {
  const [from, to] = [before, after] as Record<string, unknown>[]
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => !isDeepStrictEqual(from![name], to![name]))
}
