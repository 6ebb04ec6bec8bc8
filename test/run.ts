// npm test [-- <file or glob>...]     types, style, then every test but the long ones; files named: only those
// npm run test:long [-- <glob>...]    the long ones alone
import { parseArgs } from 'node:util'
import { runChecks } from './parts/checks.ts'
import { startPostgres } from './parts/postgres.ts'
import { createTemplate } from './parts/postgres_template.ts'
import { COMPILED } from './parts/program.ts'
import { cleanEnvironment, findTestFiles, runTestFiles } from './parts/runner.ts'
import { groupTestFiles } from './parts/together.ts'

const SUITE = ['{server,sdk}/**/*.test.ts', 'test/**/*.test.ts']
const LONG = 'test/long/'

const { values, positionals } = parseArgs({ options: { long: { type: 'boolean' } }, allowPositionals: true })
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    process.exitCode = signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 129
    stop.abort(new Error(`Stopped by ${signal}`))
  })
}

async function main(): Promise<boolean> {
  const named = positionals.length > 0
  const files = named
    ? findTestFiles(positionals)
    : values.long
      ? findTestFiles([`${LONG}**/*.test.ts`])
      : groupTestFiles(findTestFiles(SUITE, LONG))
  if (!named && !values.long && !(await runChecks())) return false
  const postgres = await startPostgres()
  cleanEnvironment()
  process.env['NODE_COMPILE_CACHE'] ??= COMPILED
  process.env['SALLYPORT_TEST_POSTGRES_URL'] = postgres.url
  let template: Awaited<ReturnType<typeof createTemplate>> | undefined
  try {
    template = await createTemplate(postgres.url)
    process.env['SALLYPORT_TEST_POSTGRES_TEMPLATE'] = template.name
    stop.signal.throwIfAborted()
    return await runTestFiles(files, values.long ? 1800 : 120, stop.signal)
  } finally {
    await template?.drop()
    await postgres.stop()
  }
}

try {
  const passed = await main()
  process.exitCode ??= passed ? 0 : 1
} catch (error) {
  if (!stop.signal.aborted) process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode ??= 1
}
