import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CONFIG_VARIABLE, SETTINGS, type Setting } from '../../server/src/config.ts'
import { DEFAULT_SETTINGS } from '../../server/src/store/settings.ts'

const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
const rows = [...text.matchAll(/^\| (?:`(\w+)`)? ?\| (?:`(--[\w-]+)`)? ?\| `([A-Z_]+)` \|/gm)]

test('docs/configuration.md lists every setting under its three names, and no other', () => {
  const documented = rows.map(([, name, flag, env]) => [name, flag, env])
  const settings = Object.entries<Setting>(SETTINGS).map(([name, { flag, env }]) => [name, flag?.split(' ')[0], env])
  assert.deepEqual(documented, [...settings, [undefined, '--config', CONFIG_VARIABLE]])
})

test('docs/configuration.md names every setting of a tenant', () => {
  for (const name of Object.keys(DEFAULT_SETTINGS)) assert.ok(text.includes(`\`${name}\``), name)
})
