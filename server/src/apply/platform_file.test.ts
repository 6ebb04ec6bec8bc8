import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { dataUrl, makePng } from '../../../test/parts/pictures.ts'
import { SETTINGS, type Setting } from '../config/settings.ts'
import { PlatformError } from './platform_error.ts'
import { readPlatformFile } from './platform_file.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-platform-'))
  await writeFile(path.join(folder, 'secret'), 'from the file\n')
  await writeFile(path.join(folder, 'empty'), '\n')
  await writeFile(path.join(folder, 'logo.gif'), makePng())
  await writeFile(path.join(folder, 'logo.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
})
after(() => rm(folder, { recursive: true, force: true }))

const read = (text: string, env: Record<string, string> = {}) => readPlatformFile(text, { env, folder })

function refuses(text: string, ...sentences: (string | RegExp)[]): void {
  assert.throws(
    () => read(text),
    (error) => {
      assert.ok(error instanceof PlatformError)
      assert.equal(error.sentences.length, sentences.length, error.message)
      for (const [i, sentence] of sentences.entries()) {
        if (typeof sentence === 'string') assert.equal(error.sentences[i], sentence)
        else assert.match(error.sentences[i]!, sentence)
      }
      return true
    },
  )
}

test('13.3.1 secrets come by value, from the environment, or from a file beside the platform file', () => {
  const text = `
    server: { root_key: { env: KEY }, port: 9500 }
    clients: [{ client_id: a, client_secret: { value: "  as it is " } }, { client_id: b }]
    users: [{ username: alice, password: { file: secret } }]
    connectors: [{ connector: acme, client_secret: { env: ACME } }]`
  assert.deepEqual(read(text, { KEY: 'k', ACME: 's' }), {
    server: { root_key: 'k', port: 9500 },
    platform: {
      clients: [{ client_id: 'a', client_secret: '  as it is ' }, { client_id: 'b' }],
      users: [{ username: 'alice', password: 'from the file' }],
      connectors: [{ connector: 'acme', client_secret: 's' }],
    },
  })
})

test('each setting of the server that has no flag, because it is secret, may be named by where it is kept', () => {
  const secret = Object.entries<Setting>(SETTINGS).flatMap(([name, { flag }]) => (flag === undefined ? [name] : []))
  assert.ok(secret.includes('smtp_url'))
  const described = { server: Object.fromEntries(secret.map((name) => [name, { env: 'KEY' }])) }
  const { server } = read(JSON.stringify(described), { KEY: 'from the environment' })
  assert.deepEqual(new Set(Object.values(server)), new Set(['from the environment']))
})

test('the picture of a tenant is a file beside the platform file, and what is no picture is refused by its place', () => {
  const logo = (given: string) => `settings: { brand_logo: ${given} }`
  const url = dataUrl('image/png', makePng())
  assert.deepEqual(read(logo('{ file: logo.gif }')).platform, { settings: { brand_logo: url } })
  assert.deepEqual(read(logo(`'${url}'`)).platform, { settings: { brand_logo: url } })
  refuses(logo('{ file: nowhere.png }'), 'settings.brand_logo.file: nowhere.png cannot be read (ENOENT)')
  refuses(logo('{ file: secret }'), 'settings.brand_logo.file: secret is no PNG, JPEG or WebP picture')
  refuses(logo('{ file: logo.svg }'), /logo\.svg is a drawing \(SVG\), which can hold scripts/)
  for (const wrong of ['{ env: LOGO }', '{ file: [] }', '{ file: secret, env: LOGO }']) {
    refuses(logo(wrong), 'settings.brand_logo must be a data URL or { file: path }')
  }
})

test('an empty file describes nothing, and JSON is YAML', () => {
  assert.deepEqual(read(''), { server: {}, platform: {} })
  assert.deepEqual(read('{"roles":[]}'), { server: {}, platform: { roles: [] } })
})

test('a secret that cannot be had is refused by its place, and never repeated', () => {
  const text = `
    clients:
      - { client_id: a, client_secret: hunter2 }
      - { client_id: b, client_secret: { env: NO_SUCH } }
      - { client_id: c, client_secret: { valu: hunter2 } }
      - { client_id: d, client_secret: { value: hunter2, env: A } }
      - { client_id: e, client_secret: { value: 12345678 } }
    users:
      - { username: alice, password: { file: ../no/such } }
      - { username: bob, password: { file: empty } }`
  const how = 'must be one of { value: ... }, { env: NAME } or { file: path }'
  refuses(
    text,
    `clients[0].client_secret ${how}`,
    'clients[1].client_secret.env: the environment has no NO_SUCH',
    'clients[2].client_secret: valu is not known; did you mean value?',
    `clients[3].client_secret ${how}`,
    'clients[4].client_secret.value must be text; put it in quotes',
    'users[0].password.file: ../no/such cannot be read (ENOENT)',
    'users[1].password.file is empty',
  )
})

test('what is no YAML, or not only YAML, is refused with its line', () => {
  refuses('roles: [', /^line 1, column 9: /)
  refuses('roles: []\nroles: []', /^line 2, column 1: Map keys must be unique$/)
  refuses('roles: !!js/function x', /^line 1, column 8: Unresolved tag/)
  refuses('users:\n  - 1: x', 'line 2: a name must be text')
  refuses('- a', 'the file must be a map of names to values')
  refuses('server: 9400', 'server: must be a map of names to values')
})

test('a file that unfolds without end is refused', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 9; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  refuses(lines.join('\n'), /^the file is not usable: Excessive alias count/)
  refuses(`a: ${'x'.repeat(4 * 2 ** 20)}`, 'the file is larger than 4194304 bytes')
})
