import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskText, readImports } from './imports.ts'

const specifiers = (source: string) => readImports(source).map((one) => one.specifier)

test('every form of import is read', () => {
  const source = `#!/usr/bin/env node
import 'effect'
import def from "double"
import def2, { a as b,
  type C } from './multi.ts'
import * as all from 'node:fs'
import type { T } from './types.ts'
export { x } from './re.ts'
export * from './star.ts'
export type { U } from './re_types.ts'
const lazy = await import('./lazy.ts')
type In = typeof import('./in_type.ts')
const old = require('old')
import data from './data.json' with { type: 'json' }
`
  assert.deepEqual(specifiers(source), [
    'effect',
    'double',
    './multi.ts',
    'node:fs',
    './types.ts',
    './re.ts',
    './star.ts',
    './re_types.ts',
    './lazy.ts',
    './in_type.ts',
    'old',
    './data.json',
  ])
  const typed = readImports(source).filter((one) => one.type)
  assert.deepEqual(
    typed.map((one) => one.specifier),
    ['./types.ts', './re_types.ts'],
  )
  assert.equal(readImports(source)[2]?.line, 4)
})

test('a computed import is read as one without a specifier', () => {
  assert.deepEqual(specifiers('await import(name)'), [undefined])
  assert.deepEqual(specifiers('await import(`./${name}.ts`)'), [undefined])
})

test('what only looks like an import is not one', () => {
  const source = `
// import 'a'
/* import 'b' */
const s = "import 'c'", t = 'it\\'s import("d")'
const u = \`import 'e' \${f(\`import 'g' \${{ h: "import 'i'" }.h}\`)} import 'j'\`
const r = /import 'k'["'\`/]/.test(s)
Array.from('l'); import.meta.resolve('m'); obj.import('n'); const o = { from: 'o', require(x) {} }
const half = (a + b) / 2 // it's "odd
const x = half / 3`
  assert.deepEqual(specifiers(source), [])
})

test('code inside a template is read', () => {
  assert.deepEqual(specifiers('const u = `a ${await import("./in.ts")} b` + import("./after.ts")'), [
    './in.ts',
    './after.ts',
  ])
  assert.deepEqual(specifiers("const u = `${{ a: {} }}`\nimport './x.ts'"), ['./x.ts'])
})

test('masking keeps every line and column', () => {
  const source = "const a = 'x' // y\nconst b = `1\n2${c}` /* \n */ + /d/g"
  const masked = maskText(source)
  assert.equal(masked.length, source.length)
  assert.equal(masked, "const a = ' '     \nconst b = ` \n ${c}`    \n    + / /g")
})
