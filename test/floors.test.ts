import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkComparisons } from './parts/comparisons.ts'
import { checkBarrels, checkFloors, checkNames, checkRooms, readDrawing } from './parts/floors.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const list = (...patterns: string[]) =>
  globSync(patterns, { cwd: root, exclude: (name) => /(^|\/)(node_modules|dist|artifacts)$/.test(name) })
const readTree = (...patterns: string[]) => new Map(list(...patterns).map((file) => [file, read(file)]))

const entries = ['server', 'sdk'].flatMap((folder) => {
  const { exports } = JSON.parse(read(`${folder}/package.json`))
  return Object.values<{ 'sallyport-source': string }>(exports).map((one) => path.join(folder, one['sallyport-source']))
})

test('the imports of both packages are what ARCHITECTURE.md draws, and keep the rules of the house', () => {
  const tree = readTree('server/src/**/*.ts', 'sdk/src/**/*.ts')
  assert.ok(tree.size > 10)
  const complaints = checkFloors(tree, readDrawing(read('ARCHITECTURE.md')))
  assert.ok(complaints.length === 0, complaints.join('\n'))
})

for (const floor of ['inbound', 'outbound', 'web/admin']) {
  test(`the rooms of ${floor} are what ARCHITECTURE.md draws, each on those below`, () => {
    const drawn = readDrawing(read('ARCHITECTURE.md'), `rooms of ${floor}`)
    const folder = `server/src/${floor}/`
    assert.deepEqual(checkRooms(readTree(`${folder}**/*.ts`), folder, drawn), [])
  })
}

test('no file or folder is named by a word that says nothing', () => {
  assert.deepEqual(checkNames(list('{server,sdk}/src/**', '{test,bench,examples,deploy}/**')), [])
})

test('only the packages themselves and the registries re-export', () => {
  assert.deepEqual(checkBarrels(readTree('{server,sdk}/src/**/*.ts', '{test,bench,examples}/**/*.ts'), entries), [])
})

test('11.2.4 CVE-2026-75589 CXF-3170 dex-1861 Authorizer-569 no secret is compared in a time that tells where it differs', () => {
  assert.deepEqual(checkComparisons(readTree('server/src/**/*.ts', 'sdk/src/**/*.ts')), [])
})

// From here on: the checker itself, on small trees that each break one rule.

const drawing = `
Some text.
\`\`\`floors
6  roof       main.ts cli/: wires
              → web egress
5  web        pages
              → inbound outbound oauth
4  inbound    comes in
              → oauth
4  outbound   goes out
              → egress oauth
2  egress     the only way out
              → crypto
1  oauth      the rules
              → crypto
0  crypto     keys
\`\`\`
`
const sound: Readonly<Record<string, string>> = {
  'server/src/main.ts': "import { createServer } from 'node:http'\nimport './cli/start.ts'\nimport './egress/fetch.ts'",
  'server/src/cli/start.ts': "import '../web/page.ts'\nimport { request } from 'node:http'",
  'server/src/web/page.ts':
    "import '../inbound/token.ts'\nimport '../outbound/connect.ts'\nimport '../oauth/errors.ts'\nimport { Hono } from 'hono'",
  'server/src/inbound/token.ts': "import type { E } from '../oauth/errors.ts'",
  'server/src/outbound/connect.ts': "import '../egress/fetch.ts'\nimport '../oauth/errors.ts'",
  'server/src/egress/fetch.ts': "import { fetch } from 'undici'\nimport '../crypto/hash.ts'\nawait fetch('https://a')",
  'server/src/oauth/errors.ts': "import { hash } from '../crypto/hash.ts'",
  'server/src/oauth/errors.test.ts':
    "import '../../../test/parts/clock.ts'\nimport { readFile } from 'node:fs/promises'",
  'server/src/crypto/hash.ts': "import { createHash } from 'node:crypto'",
  'sdk/src/index.ts': "import './resource/protect.ts'",
  'sdk/src/resource/protect.ts': 'await fetch(url)',
  'sdk/src/resource/protect.test.ts': "import '../../test/issuer.ts'",
}
const check = (change: Record<string, string>, drawn = drawing) =>
  checkFloors(new Map(Object.entries({ ...sound, ...change })), readDrawing(drawn))

test('a sound tree has no complaints', () => {
  assert.deepEqual(check({}), [])
})

const violations: [rule: string, change: Record<string, string>, complaint: RegExp][] = [
  [
    'an import of a higher floor',
    { 'server/src/oauth/up.ts': "\nimport type { X } from '../inbound/token.ts'" },
    /^server\/src\/oauth\/up\.ts:2 imports server\/src\/inbound\/token\.ts, which is not on a lower floor$/,
  ],
  [
    'a higher floor in a type',
    { 'server/src/crypto/up.ts': "type X = import('../oauth/errors.ts').X" },
    /not on a lower floor/,
  ],
  [
    'an upward import of a test',
    { 'server/src/oauth/up.test.ts': "await import('../inbound/token.ts')" },
    /not on a lower floor/,
  ],
  [
    'inbound and outbound importing each other',
    { 'server/src/inbound/x.ts': "import '../outbound/connect.ts'" },
    /inbound and outbound never import each other/,
  ],
  [
    'a part of the tests in product code',
    { 'server/src/oauth/x.ts': "import '../../../test/parts/clock.ts'" },
    /outside of its package/,
  ],
  ['a test part of the SDK in its product code', { 'sdk/src/x.ts': "import '../test/issuer.ts'" }, /outside of its/],
  ['the SDK in the server', { 'server/src/web/x.ts': "import '../../../sdk/src/index.ts'" }, /outside of its package/],
  ['the server in the SDK', { 'sdk/src/x.ts': "import '../../server/src/main.ts'" }, /outside of its package/],
  ['a package by its own name', { 'sdk/src/x.ts': "import 'sallyport'" }, /by its package name/],
  ['a computed import', { 'server/src/web/x.ts': 'await import(name)' }, /only known at run time/],
  [
    'a cycle of files',
    {
      'server/src/crypto/a.ts': "import './b.ts'",
      'server/src/crypto/b.ts': "import type { A } from './c.ts'",
      'server/src/crypto/c.ts': "export * from './a.ts'",
    },
    /^A cycle of imports: server\/src\/crypto\/a\.ts → server\/src\/crypto\/b\.ts → server\/src\/crypto\/c\.ts → server\/src\/crypto\/a\.ts$/,
  ],
  ['a cycle in the SDK', { 'sdk/src/resource/protect.ts': "import '../index.ts'" }, /A cycle/],
  ['a connection past egress', { 'server/src/outbound/x.ts': "import { Agent } from 'undici'" }, /only egress may/],
  ['a module below undici', { 'server/src/outbound/x.ts': "import x from 'undici/lib/x.js'" }, /only egress may/],
  ['an https request', { 'server/src/web/x.ts': "import { request } from 'node:https'" }, /only egress may/],
  [
    'an http request',
    { 'server/src/main.ts': `${sound['server/src/main.ts']}\nimport { get } from 'node:http'` },
    /only what serves/,
  ],
  ['all of node:http', { 'server/src/cli/x.ts': "import http from 'node:http'" }, /by name/],
  [
    'a socket',
    { 'server/src/inbound/x.ts': "import { BlockList, connect } from 'node:net'" },
    /only egress and roof may/,
  ],
  ['the database past the store', { 'server/src/inbound/x.ts': "import pg from 'pg'" }, /only store may/],
  ['the router below the web', { 'server/src/inbound/x.ts': "import { Hono } from 'hono'" }, /only web and roof may/],
  ['a global fetch', { 'server/src/inbound/x.ts': '\n\nconst r = await fetch(url)' }, /x\.ts:3 opens a connection/],
  ['a global fetch by name', { 'server/src/inbound/x.ts': 'const f = globalThis.fetch' }, /opens a connection/],
  ['a web socket', { 'server/src/inbound/x.ts': 'new WebSocket(url)' }, /opens a connection/],
  ['keys by network', { 'server/src/crypto/x.ts': 'createRemoteJWKSet(url)' }, /opens a connection/],
  ['files in a pure floor', { 'server/src/oauth/x.ts': "import type { Stats } from 'node:fs'" }, /its floor is pure/],
  ['node:crypto above the crypto floor', { 'server/src/oauth/x.ts': "import 'node:crypto'" }, /its floor is pure/],
  [
    'a clock in a pure floor',
    { 'server/src/oauth/x.ts': 'const now = Date.now()' },
    /uses Date\.now, but its floor is pure/,
  ],
  ['chance in a pure floor', { 'server/src/crypto/x.ts': 'Math.random()' }, /its floor is pure/],
  ['a folder that is not drawn', { 'server/src/extra/x.ts': '' }, /does not draw the folder extra/],
  ['a file in the roof that is not drawn', { 'server/src/extra.ts': '' }, /does not draw extra\.ts in the roof/],
  [
    'an edge that is not drawn',
    { 'server/src/inbound/x.ts': "import '../crypto/hash.ts'" },
    /does not draw the edge inbound → crypto/,
  ],
  [
    'a drawn edge that is gone',
    { 'server/src/outbound/connect.ts': "import '../egress/fetch.ts'" },
    /draws the edge outbound → oauth, which/,
  ],
]
for (const [rule, change, complaint] of violations) {
  test(`the check finds ${rule}`, () => {
    const found = check(change)
    assert.ok(
      found.some((sentence) => complaint.test(sentence)),
      `found only ${JSON.stringify(found)}`,
    )
  })
}

test('what looks alike is let through', () => {
  const harmless = {
    'server/src/web/x.ts': `
      import type { IncomingMessage } from 'node:http'
      import { BlockList, isIP } from 'node:net'
      // await fetch(url)
      const text = 'fetch(url)'
      export const app = { fetch(request: Request): Promise<Response> { return router.fetch(request) } }
      export function fetch(request: Request) {}`,
    'server/src/oauth/x.test.ts': 'const now = Date.now(); await fetch(url)',
  }
  assert.deepEqual(check(harmless), [])
})

test('the check finds a drawn folder that is gone, and takes it when it is marked as planned', () => {
  const added = drawing.replace('5  web ', '3  relying    a client\n              → crypto\n5  web ')
  assert.ok(check({}, added).includes('ARCHITECTURE.md draws the folder relying, which is not there'))
  const planned = drawing.replace('5  web ', '3  relying*   a client\n              → crypto*\n5  web ')
  assert.deepEqual(check({}, planned), [])
  const built = { 'server/src/relying/x.ts': "import '../crypto/hash.ts'" }
  assert.equal(check(built, planned).filter((sentence) => sentence.includes('take the * away')).length, 2)
})

test('the check finds a drawn member of the roof that is gone', () => {
  const found = check({}, drawing.replace('main.ts cli/', 'main.ts app.ts cli/ config.ts*'))
  assert.deepEqual(found, ['ARCHITECTURE.md draws app.ts in the roof, which is not there'])
})

test('the check of rooms finds an import of a room above, and an edge that is not drawn', () => {
  const rooms = '```rooms of inbound\n2  tokens  out\n   → ground\n1  clients  who\n0  ground  all\n```'
  const tree = {
    'server/src/inbound/rights.ts': '',
    'server/src/inbound/clients/x.ts': "import type { Y } from '../../oauth/y.ts'",
    'server/src/inbound/tokens/y.ts': "import '../rights.ts'",
  }
  const checkTree = (change: Record<string, string>) =>
    checkRooms(
      new Map(Object.entries({ ...tree, ...change })),
      'server/src/inbound/',
      readDrawing(rooms, 'rooms of inbound'),
    )
  assert.deepEqual(checkTree({}), [])
  assert.deepEqual(checkTree({ 'server/src/inbound/clients/x.ts': "\nimport '../tokens/y.ts'" }), [
    'server/src/inbound/clients/x.ts:2 imports server/src/inbound/tokens/y.ts, which is not in a room below',
    'ARCHITECTURE.md does not draw the edge clients → tokens',
  ])
  assert.deepEqual(checkTree({ 'server/src/inbound/tokens/y.ts': "import '../clients/x.ts'" }), [
    'ARCHITECTURE.md does not draw the edge tokens → clients',
    'ARCHITECTURE.md draws the edge tokens → ground, which is not there',
  ])
})

test('a drawing that cannot be read is refused', () => {
  assert.throws(() => readDrawing('no block'), /no block/)
  assert.throws(() => readDrawing('```floors\nfive web\n```'), /not understood: five web/)
})

test('the check of names finds vague words, and lets Hub say service', () => {
  const vague = ['server/src/web/utils/x.ts', 'server/src/token_manager.ts', 'test/helpers.ts', 'sdk/src/lib/a.ts']
  assert.equal(checkNames(vague).length, 4)
  assert.equal(checkNames(['server/src/web/compat/hub/common.ts', 'server/src/inbound/services.ts']).length, 2)
  assert.deepEqual(checkNames(['server/src/web/compat/hub/services.ts', 'server/src/web/library.ts']), [])
})

test('the check of barrels finds a file that only re-exports', () => {
  const barrel = "/** All. */\nexport { a } from './a.ts'\nexport * from './b.ts'\n"
  const tree = new Map([
    ['server/src/oauth/index.ts', barrel],
    ['server/src/index.ts', barrel],
    ['server/src/inbound/grant_types/index.ts', barrel],
    ['server/src/oauth/real.ts', `${barrel}export const c = 1\n`],
  ])
  assert.deepEqual(checkBarrels(tree, ['server/src/index.ts']), ['server/src/oauth/index.ts only re-exports'])
})

test('the check of comparisons finds secrets compared by ===, whatever stands around them', () => {
  const compared = [
    'if (found.client_secret === given) return',
    'return given !== found.client_secret_hash',
    "values['csrf_token'] != expected",
    "expected === values['csrf_token']",
    'hashSecret(given) === stored',
    'steps.filter((step) => hotp(seed, step) === code)',
    'a.signature! == b',
    'mac(a, f(b)) === rest[0]',
    'left.equals(right)',
    'Buffer.compare(left, right) === 0',
  ]
  for (const line of compared) {
    const found = checkComparisons(new Map([['server/src/x.ts', `\n${line}`]]))
    assert.equal(found.length, 1, line)
    assert.match(found[0]!, /^server\/src\/x\.ts:2 compares /, line)
  }
})

test('the check of comparisons lets through what tells nothing of a secret', () => {
  const harmless = [
    'client_secret === undefined',
    "params.values['client_secret'] === undefined",
    "null !== password_hash && error.code === 'x'",
    "'none' === code",
    'token.length !== 3',
    'mac.length === jwt.signature.length && timingSafeEqual(mac, jwt.signature)',
    "bytes.toString('base64url') !== cookie",
    'scheme !== tokenType(claims.cnf)',
    '// secret === other',
    'const code = (token) => nonce',
  ]
  for (const line of harmless) assert.deepEqual(checkComparisons(new Map([['server/src/x.ts', line]])), [], line)
  assert.deepEqual(checkComparisons(new Map([['server/src/x.test.ts', 'secret === other']])), [])
})
