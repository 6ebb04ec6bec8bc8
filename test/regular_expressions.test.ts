import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { maskText } from './parts/imports.ts'

const root = new URL('../', import.meta.url)
const files = globSync('{server,sdk}/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'))

/** The first is enough for what doubles with each character, the second for what grows with the square of the length. */
const LENGTHS = [23, 8000]
const MOST_MS = 30

/** The regular expressions that stand in a source file. */
function readExpressions(source: string): RegExp[] {
  return [...maskText(source).matchAll(/\/( +)\/([dgimsuvy]*)(?![a-z])/g)].map(({ index, 1: masked, 2: flags }) => {
    return new RegExp(source.slice(index + 1, index + 1 + masked!.length), flags!.replace(/[gy]/g, ''))
  })
}

/** Texts that make an expression try again and again: its own characters, alone and in pairs, many times, then no match. */
function attacksOn({ source }: RegExp): string[] {
  const own = source.replace(/\\[pP]\{[^}]*\}|\\[a-zA-Z]/g, '').replace(/[()|?*+^$[\]{}\\]/g, '')
  const letters = [...new Set([...own.slice(0, 12), ...'a0 ./'])]
  const pairs = letters.slice(0, 5).flatMap((a) => letters.slice(0, 5).map((b) => a + b))
  return LENGTHS.flatMap((length) =>
    [...letters, ...pairs].flatMap((unit) => ['\u0001', ' x'].map((end) => unit.repeat(length / unit.length) + end)),
  )
}

function findSlow(expression: RegExp): string | undefined {
  // The second and third time count as well: the machine may have been busy with something else.
  const ms = (text: string) => {
    const begin = performance.now()
    expression.test(text)
    return performance.now() - begin
  }
  return attacksOn(expression).find((text) => [1, 2, 3].every(() => ms(text) > MOST_MS))
}

test('1.3.12 no regular expression of the source takes long over a text that was made for it', () => {
  let count = 0
  for (const file of files) {
    for (const expression of readExpressions(readFileSync(new URL(file, root), 'utf8'))) {
      count++
      assert.equal(findSlow(expression)?.slice(0, 20), undefined, `${file} ${expression}`)
    }
  }
  assert.ok(count > 200)
})

test('the check finds expressions in a source, and those that take long', () => {
  const [first, second] = readExpressions("const a = /^(a+)+$/.test(b / c), d = '/x/', e = /[/]\\d+/g // /no/")
  assert.deepEqual([String(first), String(second)], ['/^(a+)+$/', '/[/]\\d+/'])
  for (const slow of [/\s+$/, /^(\w+)+$/, /(.)\1+$/]) assert.ok(findSlow(slow), String(slow))
  for (const fast of [/^\s+/, /^[\w.]+@[a-z]+$/, /(?<!\s)\s+$/]) assert.equal(findSlow(fast), undefined, String(fast))
})
