import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { ROOT } from './checks.ts'

/** The test files that match the patterns, sorted; a pattern that matches none is an error, not a green run. */
export function findTestFiles(patterns: readonly string[], except = '\0'): string[] {
  const exclude = (name: string) => /(^|\/)(node_modules|dist|artifacts)$/.test(name)
  const found = patterns.flatMap((pattern) => {
    const files = globSync(pattern, { cwd: ROOT, exclude }).filter((file) => !file.startsWith(except))
    if (files.length === 0) throw new Error(`No test file matches ${pattern}.`)
    return files
  })
  return [...new Set(found)].sort()
}

/**
 * Runs test files with node:test, two more at a time than there are cores (many wait), and reports as `node --test` does; true when all passed. A test is
 * given `seconds`; a file from which nothing is heard for longer (a leaked handle, an endless loop) ends the run.
 */
export async function runTestFiles(files: readonly string[], seconds: number, signal: AbortSignal): Promise<boolean> {
  const hung = new AbortController()
  const events = run({
    cwd: ROOT,
    files: files.map((file) => path.resolve(ROOT, file)),
    concurrency: availableParallelism() + 2,
    timeout: seconds * 1000,
    signal: AbortSignal.any([signal, hung.signal]),
  })
  let passed = true
  let heard = performance.now()
  const hear = () => {
    heard = performance.now()
  }
  events.on('test:dequeue', hear)
  events.on('test:complete', hear)
  events.on('test:fail', () => {
    passed = false
  })
  const patience = seconds * 1250
  const watch = setInterval(() => {
    if (performance.now() - heard < patience) return
    hung.abort(new Error(`This file did not end: nothing was heard from it for ${patience / 1000} s.`))
  }, 500)
  try {
    await pipeline(events, new spec(), process.stdout, { end: false })
  } finally {
    clearInterval(watch)
  }
  return passed
}

/** Removes from the environment what would configure the product, so that tests decide it alone. */
export function cleanEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    const product = name.startsWith('SALLYPORT_') && !name.startsWith('SALLYPORT_TEST_')
    if (product || ['DATABASE_URL', 'HOST', 'PORT', 'NODE_ENV'].includes(name)) delete process.env[name]
  }
}
