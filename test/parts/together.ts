import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from './checks.ts'

// What these test is in the files that they import, and each closes what it opens.
const SHARES = /^(?:(?:sdk|server)\/|test\/(?:attacks|flows|pages|reference)\/)/
const PROCESSES = 24
const FOLDER = path.join(ROOT, 'node_modules/.cache/tests')

/**
 * Lets test files share processes, since to start one and to load the server into it takes longer than most of them do.
 * Each is a suite of its own there, named by its path. What tests processes, browsers or the tests themselves stays alone, and
 * comes first: it takes longest.
 */
export function groupTestFiles(files: readonly string[]): string[] {
  const shared = files.filter((file) => SHARES.test(file))
  const groups = Array.from({ length: Math.min(PROCESSES, shared.length) }, (_, group) =>
    shared.filter((_, index) => index % PROCESSES === group),
  )
  mkdirSync(FOLDER, { recursive: true })
  const written = groups.map((group, index) => {
    const file = path.join(FOLDER, `group_${String(index + 1).padStart(2, '0')}.test.mjs`)
    writeFileSync(file, writeGroup(group))
    return file
  })
  return [...files.filter((file) => !SHARES.test(file)), ...written]
}

function writeGroup(files: readonly string[]): string {
  const url = (file: string) => JSON.stringify(pathToFileURL(path.join(ROOT, file)).href)
  const suites = files.map((file) => `describe(${JSON.stringify(file)}, async () => void (await import(${url(file)})))`)
  // Databases that its files share are closed at the end of them all.
  return [`import { describe } from 'node:test'`, `import ${url('test/parts/stores.ts')}`, ...suites, ''].join('\n')
}
