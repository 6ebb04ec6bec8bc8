// npm run check: what takes seconds and needs no database: types, style, floors, dependencies, the map of clauses.
import { runChecks } from './parts/checks.ts'
import { findTestFiles, runTestFiles } from './parts/runner.ts'

const files = findTestFiles([
  'test/floors.test.ts',
  'test/dependencies.test.ts',
  'test/cryptography.test.ts',
  'test/rfc.test.ts',
])
const checked = await runChecks()
const passed = await runTestFiles(files, 120, new AbortController().signal)
process.exitCode = checked && passed ? 0 : 1
