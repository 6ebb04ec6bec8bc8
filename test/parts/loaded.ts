import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { ROOT } from './checks.ts'
import { readImports } from './imports.ts'

/** Every file of ours that a file loads when it runs, itself included, by path from the repository's root; types are not loaded. */
export async function loadedBy(file: string, known: Set<string> = new Set()): Promise<string[]> {
  known.add(file)
  for (const { specifier, type } of readImports(await readFile(path.join(ROOT, file), 'utf8'))) {
    if (type || !specifier?.startsWith('.')) continue
    const next = path.posix.join(path.posix.dirname(file), specifier)
    if (!known.has(next)) await loadedBy(next, known)
  }
  return [...known]
}
