import { groupTestFiles } from './test/parts/together.ts'
import { findTestFiles, runTestFiles, cleanEnvironment } from './test/parts/runner.ts'
import { startPostgres } from './test/parts/postgres.ts'
const all = groupTestFiles(findTestFiles(['{server,sdk}/**/*.test.ts','test/**/*.test.ts'],'test/long/')).filter((f) => /group_/.test(f))
const pick = process.argv.slice(2).map(Number)
const pg = await startPostgres(); cleanEnvironment(); process.env['SALLYPORT_TEST_POSTGRES_URL'] = pg.url
await runTestFiles(all.filter((_, i) => pick.includes(i + 1)), 300, new AbortController().signal)
await pg.stop()
