import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readImports } from '../parts/imports.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SOURCE = 'server/src'

/** The rooms of legacy, and the one line outside of each that names it. */
const ROOMS = [
  { room: 'inbound/grant_types/legacy', line: ['inbound/grant_types/index.ts', 'LEGACY_GRANTS'] },
  { room: 'web/compat', line: ['app.ts', 'COMPAT_DOORS'] },
] as const

test('Rule 11 nothing outside of a legacy room imports from it but the line of its registry', () => {
  const inside = (file: string, room: string) => file.startsWith(`${SOURCE}/${room}/`)
  for (const { room, line } of ROOMS) {
    const importers = globSync(`${SOURCE}/**/*.ts`, { cwd: root }).filter((file) => {
      if (inside(file, room)) return false
      const imports = readImports(readFileSync(path.join(root, file), 'utf8'))
      return imports.some(({ specifier = '' }) =>
        inside(path.normalize(path.join(path.dirname(file), specifier)), room),
      )
    })
    assert.deepEqual(importers, [`${SOURCE}/${line[0]}`], room)
  }
})

const STORY = `
import { randomBytes } from 'node:crypto'
import { createApp, createEgress, openStore, RootKey } from './server/src/index.ts'
const issuer = 'http://localhost:9400'
const silent = () => {}
const store = await openStore({ sqlite: ':memory:' })
const log = { debug: silent, info: silent, warn: silent, error: console.error }
const app = await createApp({ issuer, store, root: new RootKey(randomBytes(32)), log })
const { grant_types_supported } = await (await app.fetch(new Request(issuer + '/.well-known/openid-configuration'))).json()
const login = await app.fetch(new Request(issuer + '/login'))
const hub = await app.fetch(new Request(issuer + '/api/rest/services', { method: 'POST', body: '{}' }))
const ask = (grant_type) => app.fetch(new Request(issuer + '/token', { method: 'POST', body: new URLSearchParams({ grant_type, client_id: 'x' }) }))
const errors = []
for (const name of ['password', 'implicit', 'client_credentials']) errors.push((await (await ask(name)).json()).error)
console.log(JSON.stringify({ grant_types: app.web.grant_types.map((one) => one.grant_type), grant_types_supported, login: login.status, hub: hub.status, errors }))
await app.close()
await store.close()
`

test('Rule 11 the server starts and serves with the rooms of legacy deleted, each by one line', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-without-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(path.join(root, 'server'), path.join(folder, 'server'), {
    recursive: true,
    filter: (file) =>
      !/(^|[/\\])(node_modules|dist)([/\\]|$)/.test(path.relative(root, file)) && !file.endsWith('.test.ts'),
  })
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  for (const { room, line } of ROOMS) {
    rmSync(path.join(folder, SOURCE, room), { recursive: true })
    const file = path.join(folder, SOURCE, line[0])
    const named = new RegExp(`^import .*\\b${line[1]}\\b|^\\s*\\.\\.\\.${line[1]},$`)
    const kept = readFileSync(file, 'utf8')
      .split('\n')
      .filter((text) => !named.test(text))
    writeFileSync(file, kept.join('\n').replace(line[1], '[]'))
  }
  const story = path.join(folder, 'story.ts')
  writeFileSync(story, STORY)
  const { stdout } = await promisify(execFile)(process.execPath, [story], { cwd: folder })
  const told = JSON.parse(stdout)
  assert.deepEqual(told.errors, ['unsupported_grant_type', 'unsupported_grant_type', 'invalid_client'])
  assert.deepEqual([told.login, told.hub], [200, 404])
  for (const list of [told.grant_types, told.grant_types_supported]) {
    assert.ok(list.includes('authorization_code') && !list.includes('password') && !list.includes('implicit'))
  }
})
