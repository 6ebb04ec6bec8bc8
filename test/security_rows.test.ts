import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readTitles } from './parts/rfc_map.ts'
import { findTestFiles } from './parts/runner.ts'
import { EXCEPTIONS, SECURITY_ROWS } from './parts/security_rows.ts'

const read = (path: string) => readTitles(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'))
const titles = findTestFiles(['{server,sdk}/src/**/*.test.ts', 'test/**/*.test.ts']).flatMap((path) => [...read(path)])
const rows = Object.values(SECURITY_ROWS).flatMap((ids) => ids.trim().split(/\s+/))

/** The rows that a title carries: they stand there as words. Clauses of specifications look alike, and are none. */
const readRows = (title: string) =>
  title
    .replace(/(RFC \d+|OpenID Connect \w+|WebAuthn) [\d.]+/g, '')
    .split(' ')
    .filter((word) => rows.includes(word))
const carried = new Set(titles.flatMap(readRows))

test('each row of the security checklist is in the title of a test, or is an exception with a reason', () => {
  assert.deepEqual(
    rows.filter((id) => !carried.has(id) && !(id in EXCEPTIONS)),
    [],
  )
})

test('an exception is a row that no test carries, and says why in a sentence', () => {
  for (const [id, reason] of Object.entries(EXCEPTIONS)) {
    assert.ok(rows.includes(id), `${id} is no row`)
    assert.ok(!carried.has(id), `${id} has a test`)
    assert.ok(reason.split(' ').length > 4, `${id} has no reason`)
  }
})

test('a row is a word of a title, and the clause of a specification is none', () => {
  assert.deepEqual(readRows('10.4.2 V-09 CVE-2026-55672 a replay changes nothing'), [
    '10.4.2',
    'V-09',
    'CVE-2026-55672',
  ])
  assert.deepEqual(readRows('P-04/05 RFC 9449 5.2.1 a token'), ['P-04/05'])
  assert.deepEqual(readRows('OpenID Connect Core 3.1.2 V-06 WebAuthn 6.1.1 10.4.21 110.4.2'), ['V-06'])
  assert.deepEqual(readRows('Keycloak-48104 it is 10.4'), ['Keycloak-48104'])
  assert.equal(new Set(rows).size, rows.length, 'a row is listed twice')
})
