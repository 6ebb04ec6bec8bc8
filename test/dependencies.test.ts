import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkDependencies, findMissing, type Lock, type Manifest } from './parts/dependencies.ts'

const readJson = (path: string) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'))
const limits = { server: 25, sdk: 2 }

for (const [folder, limit] of Object.entries(limits)) {
  test(`the runtime dependencies of the ${folder} are at most ${limit}, exact, permissive and without install script`, () => {
    const lock: Lock = readJson('package-lock.json')
    assert.deepEqual(checkDependencies(folder, readJson(`${folder}/package.json`), lock, limit), [])
  })
}

test('the versions of the root are exact', () => {
  const { devDependencies, optionalDependencies } = readJson('package.json')
  const lock: Lock = readJson('package-lock.json')
  for (const [name, version] of Object.entries({ ...devDependencies, ...optionalDependencies })) {
    assert.match(String(version), /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
    assert.equal(lock.packages[`node_modules/${name}`]?.version, version, name)
  }
})

test('what is made for one system alone is optional, so that npm ci works on the others', () => {
  const { devDependencies, dependencies = {} } = readJson('package.json')
  const lock: Lock = readJson('package-lock.json')
  const bound = Object.keys({ ...devDependencies, ...dependencies }).filter((name) => {
    const found = lock.packages[`node_modules/${name}`]
    return found?.os !== undefined || found?.cpu !== undefined
  })
  assert.deepEqual(bound, [])
})

test('package-lock.json has whatever its packages name, for every system', () => {
  assert.deepEqual(findMissing(readJson('package-lock.json')), [])
  assert.deepEqual(findMissing({ packages: { 'node_modules/a': { optionalDependencies: { 'a-linux': '1.0.0' } } } }), [
    'a-linux, which node_modules/a names, is not in package-lock.json',
  ])
})

// From here on: the checker itself.

const lock = (change: Lock['packages'] = {}): Lock => ({
  packages: {
    'node_modules/a': { version: '1.0.0', license: 'MIT', dependencies: { b: '^2.0.0' } },
    'node_modules/a/node_modules/b': { version: '2.0.0', license: 'ISC' },
    'node_modules/b': { version: '1.0.0', license: 'GPL-3.0', hasInstallScript: true },
    ...change,
  },
})
const manifest = (change: Manifest = {}): Manifest => ({ dependencies: { a: '1.0.0' }, ...change })

test('sound dependencies have no complaints, and a nested version counts as the one that is used', () => {
  assert.deepEqual(checkDependencies('server', manifest(), lock(), 1), [])
})

for (const [what, given, complaint] of [
  [
    'too many',
    [manifest({ dependencies: { a: '1.0.0', b: '1.0.0' } }), lock(), 1],
    /2 runtime dependencies, more than 1/,
  ],
  ['a range', [manifest({ dependencies: { a: '^1.0.0' } }), lock(), 1], /a is not pinned: \^1\.0\.0/],
  ['an optional range', [manifest({ optionalDependencies: { a: '~1.0.0' } }), lock(), 9], /a is not pinned/],
  [
    'an install script',
    [manifest({ dependencies: { b: '1.0.0' } }), lock(), 1],
    /node_modules\/b runs an install script/,
  ],
  [
    'an install script further down',
    [
      manifest(),
      lock({ 'node_modules/a/node_modules/b': { version: '2.0.0', license: 'MIT', hasInstallScript: true } }),
      1,
    ],
    /a\/node_modules\/b runs an install script/,
  ],
  [
    'an install script of an optional part',
    [
      manifest(),
      lock({
        'node_modules/a': { version: '1.0.0', license: 'MIT', optionalDependencies: { b: '1.0.0', absent: '1.0.0' } },
        'node_modules/a/node_modules/b': { version: '2.0.0', license: 'MIT', hasInstallScript: true },
      }),
      1,
    ],
    /runs an install script/,
  ],
  [
    'a licence that binds',
    [manifest({ dependencies: { b: '1.0.0' } }), lock(), 1],
    /node_modules\/b has the licence GPL-3\.0/,
  ],
  [
    'a dependency that is not locked',
    [manifest({ dependencies: { c: '1.0.0' } }), lock(), 1],
    /c is not in package-lock\.json/,
  ],
  [
    'an own install script',
    [manifest({ scripts: { postinstall: 'x' } }), lock(), 1],
    /server runs a postinstall script/,
  ],
] as const) {
  test(`the check finds ${what}`, () => {
    const [own, locked, limit] = given
    const found = checkDependencies('server', own, locked, limit)
    assert.ok(
      found.some((sentence) => complaint.test(sentence)),
      `found only ${JSON.stringify(found)}`,
    )
  })
}
