import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { readConfig } from '../config/read_config.ts'
import { dataFiles, readLanguages, readRootKey } from './data_folder.ts'

async function config(t: TestContext, env: Record<string, string> = {}) {
  const cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-data-'))
  t.after(() => rm(cwd, { recursive: true, force: true }))
  return { ...readConfig({ flags: {}, env, cwd }), cwd }
}
const mode = async (file: string) => (await stat(file)).mode & 0o777

test('in development the root key is made once, for its owner alone, and read again', async (t) => {
  const development = await config(t)
  const key = readRootKey(development)
  const file = path.join(development.data_dir, 'root_key')
  assert.deepEqual([await mode(development.data_dir), await mode(file)], [0o700, 0o600])
  const text = await readFile(file, 'utf8')
  const wrapped = key.newTenantKey('t1', 1)
  assert.equal(readRootKey(development).unwrap('t1', [wrapped]).kid, 1)
  assert.equal(await readFile(file, 'utf8'), text)
  assert.deepEqual(await readdir(development.data_dir), ['root_key'])
})

test('no new root key is made beside a database that was sealed with another', async (t) => {
  const development = await config(t)
  readRootKey(development)
  await writeFile(dataFiles(development).database, '')
  await rm(path.join(development.data_dir, 'root_key'))
  assert.throws(() => readRootKey(development), /root_key is missing, but its database is there/)
})

test('13.3.1 a root key file may hold text or 32 bytes; one that cannot be read or used is refused by name', async (t) => {
  const given = await config(t, { SALLYPORT_ROOT_KEY_FILE: 'key' })
  const file = path.join(given.cwd, 'key')
  assert.throws(() => readRootKey(given), /^ConfigError: The root key cannot be read from .*\/key \(ENOENT\)$/)
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - i))
  await writeFile(file, bytes)
  const wrapped = readRootKey(given).newTenantKey('t1', 1)
  await writeFile(file, `${bytes.toString('hex')}\n`)
  assert.equal(readRootKey(given).unwrap('t1', [wrapped]).kid, 1)
  await writeFile(file, 'hunter2')
  assert.throws(
    () => readRootKey(given),
    (error: Error) =>
      /key must be 32 bytes as base64, base64url or hex$/.test(error.message) && !/hunter2/.test(error.message),
  )
})

test('a data folder that cannot be made is refused', async (t) => {
  const development = await config(t, { SALLYPORT_DATA_DIR: 'file/data' })
  await writeFile(path.join(development.cwd, 'file'), '')
  assert.throws(() => readRootKey(development), /The data folder .*\/file\/data cannot be made \(ENOTDIR\)/)
})

test('languages of the operator are files of the data folder; what cannot be read is told, and the others count', async (t) => {
  const given = await config(t)
  const warned: object[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (what: object) => warned.push(what) }
  assert.deepEqual(readLanguages(given, log), {})
  const { languages } = dataFiles(given)
  await mkdir(languages, { recursive: true })
  await writeFile(path.join(languages, 'de.json'), '{"login": {"title": "Einloggen"}}')
  await writeFile(path.join(languages, 'fr.json'), '{"login": {"title": "Connexion",}}')
  await writeFile(path.join(languages, 'it.json'), `"${'x'.repeat(1_000_000)}"`)
  await writeFile(path.join(languages, 'nl.json'), '')
  await writeFile(path.join(languages, 'notes.txt'), 'for us')
  assert.deepEqual(
    readLanguages(given, log),
    { de: { login: { title: 'Einloggen' } }, nl: {} },
    'what a shell has made empty is not broken',
  )
  const told = warned as { path: string; reason: string }[]
  assert.deepEqual(
    told.map((one) => path.basename(one.path)),
    ['fr.json', 'it.json'],
  )
  assert.match(told[0]!.reason, /JSON/)
  assert.match(told[1]!.reason, /more than 1000000 characters/)
})
