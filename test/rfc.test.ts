import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkNamedTests, checkRfcMap } from './parts/rfc_map.ts'

function readText(path: string): string | undefined {
  try {
    return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
  } catch {
    return undefined
  }
}

test('2.1.1 2.1.2 every clause in docs/rfc.md leads to a file and to a test that are there', () => {
  assert.deepEqual(checkRfcMap(readText('docs/rfc.md')!, readText), [])
})

test('every invariant in ARCHITECTURE.md leads to a test that is there', () => {
  assert.deepEqual(checkNamedTests(readText('ARCHITECTURE.md')!, readText), [])
})

// From here on: the checker itself.

const files: Record<string, string> = {
  'a.ts': '',
  'a.test.ts': `
    test('it holds', () => {})
    test("the client's word", { timeout: 1 }, () => {})
    test('the client\\'s other word', () => {})
    // 'only a comment'
    test(\`a or b | c\`, () => {})`,
}
const check = (...rows: string[]) =>
  checkRfcMap(
    `## RFC 1\n\n| clause | what it asks | file | test |\n|---|---|---|---|\n${rows.join('\n')}`,
    (path) => files[path],
  )

test('a map whose files and tests are there has no complaints', () => {
  assert.deepEqual(
    check(
      '| 1 | x | a.ts | a.test.ts › it holds |',
      "| 2 | x | a.ts<br>a.test.ts | a.test.ts › the client's word<br>a.test.ts › the client's other word |",
      '| 3 | x | a.ts | a.test.ts › a or b \\| c |',
      '| 4 | x | left out | nobody ever asked for it |',
    ),
    [],
  )
})

for (const [what, row, complaint] of [
  ['a file that is gone', '| 1 | x | b.ts | a.test.ts › it holds |', /rfc\.md:5 \(RFC 1\) names b\.ts/],
  ['a second file that is gone', '| 1 | x | a.ts<br>b.ts | a.test.ts › it holds |', /names b\.ts/],
  ['a test file that is gone', '| 1 | x | a.ts | b.test.ts › it holds |', /names b\.test\.ts/],
  ['a title that is gone', '| 1 | x | a.ts | a.test.ts › it hold |', /not in a\.test\.ts: it hold$/],
  [
    'a second title that is gone',
    '| 1 | x | a.ts | a.test.ts › it holds<br>a.test.ts › it hold |',
    /not in a\.test\.ts/,
  ],
  ['a title that is only a comment', '| 1 | x | a.ts | a.test.ts › only a comment |', /not in a\.test\.ts/],
  ['a test without title', '| 1 | x | a.ts | a.test.ts |', /without path and title/],
  ['an omission without reason', '| 1 | x | left out | later |', /without a reason/],
  ['an empty column', '| 1 | x | a.ts | |', /four filled columns/],
  ['a missing column', '| 1 | x | a.ts |', /four filled columns/],
] as const) {
  test(`the check finds ${what}`, () => {
    const found = check(row)
    assert.equal(found.length, 1)
    assert.match(found[0]!, complaint)
  })
}

test('the check finds a map without sections, and a table with other columns', () => {
  assert.deepEqual(
    checkRfcMap('# Nothing', () => ''),
    ['docs/rfc.md has no section'],
  )
  assert.deepEqual(
    checkRfcMap('## RFC 1\n| clause | file |', () => ''),
    ['RFC 1 has other columns'],
  )
})

test('the check finds an invariant whose test is gone, and a page that names none', () => {
  const read = (path: string) => files[path]
  assert.deepEqual(checkNamedTests('| it | a.test.ts › it holds |', read), [])
  assert.equal(checkNamedTests('| it | a.test.ts › it is gone |', read).length, 1)
  assert.equal(checkNamedTests('| it | b.test.ts › it holds |', read).length, 1)
  assert.deepEqual(checkNamedTests('nothing', read), ['no table names a test'])
})
