import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { readAlgorithms, readPrimitives } from './parts/cryptography.ts'

const root = new URL('../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const files = globSync('{server,sdk}/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'))
const sources = files.sort().map((file) => [file.replaceAll('\\', '/'), read(file)] as const)
const page = read('docs/cryptography.md')

/** The cells of a table of the page, by the heading above it. */
function readTable(heading: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading))!
  const lines = section.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(1).map((line) => line.slice(2, -2).split(' | '))
}
const codeIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!)

test('11.1.2 11.2.1 each file that calls a cryptographic primitive is in docs/cryptography.md, with what it calls and why', () => {
  const called = sources.map(([file, source]) => [file, ...readPrimitives(source)]).filter(({ length }) => length > 1)
  const rows = readTable('Where primitives are called')
  assert.deepEqual(
    rows.map(([file, calls]) => [...codeIn(file!), ...codeIn(calls!)]),
    called,
  )
  for (const [file, , why] of rows) assert.ok(why!.split(' ').length > 1, file)
})

test('11.1.2 11.1.4 11.4.1 11.4.3 each algorithm of the code is in docs/cryptography.md, with what takes its place one day', () => {
  // What is in the records of providers are their names for their parameters.
  const ours = sources.filter(([file]) => !file.startsWith('server/src/providers/records/'))
  const used = new Set(ours.flatMap(([, source]) => readAlgorithms(source)))
  const rows = readTable('Algorithms')
  // EC is the kty of a JWK, not an algorithm.
  assert.deepEqual(rows.flatMap(([names]) => codeIn(names!)).sort(), [...used].filter((name) => name !== 'EC').sort())
  for (const [names, , , later] of rows) assert.match(later!, /\S/, names)
  assert.match(page, /^## When an algorithm must go$/m)
})

test('11.4.1 11.4.3 SHA-1 is for the codes of authenticator apps alone, and nothing is older', () => {
  const holding = (name: RegExp) =>
    sources.filter(([, source]) => readAlgorithms(source).some((used) => name.test(used))).map(([file]) => file)
  assert.deepEqual(holding(/^sha-?1$/i), ['server/src/crypto/totp.ts', 'server/src/inbound/users/factors.ts'])
  assert.deepEqual(holding(/^(md|ripemd|rc|des|bf|cast|dsa)/i), [])
})

test('11.3.1 11.3.2 AES-256-GCM is the only cipher, and RSA only signs', () => {
  const ciphers = sources.flatMap(([, source]) => [...source.matchAll(/create(?:De)?[cC]ipheriv\(([^,]*),/g)])
  assert.equal(ciphers.length, 6)
  for (const [, name] of ciphers) assert.equal(name, "'aes-256-gcm'")
  const encrypting =
    /\b(publicEncrypt|privateDecrypt|privateEncrypt|publicDecrypt|jweDecrypt|compactDecrypt|jwtDecrypt)\b/
  for (const [file, source] of sources) {
    assert.doesNotMatch(source, encrypting, file)
    assert.doesNotMatch(source, /RSA_(?!PKCS1_PSS_PADDING)\w*PADDING|RSA1_5|RSA-OAEP|PBES2|-(ecb|cbc|ctr)\b/i, file)
  }
})

test('11.5.1 6.5.3 chance that anybody must not guess comes from crypto/random.ts, never from Math.random or an identifier', () => {
  const holding = (text: RegExp) => sources.filter(([, source]) => text.test(source)).map(([file]) => file)
  // How long to wait before the next try, and nothing else.
  assert.deepEqual(holding(/Math\.random/), [
    'sdk/src/resource/revocation_feed.ts',
    'server/src/inbound/http_claims_hook.ts',
    'server/src/outbound/context.ts',
    'server/src/webhooks/context.ts',
  ])
  // A page of a platform has the browser's own; an Idempotency-Key tells requests apart, and opens nothing.
  const browsers = ['sdk/src/admin/admin.ts', 'sdk/src/connect/connect.ts']
  assert.deepEqual(holding(/randomUUID|getRandomValues|randomInt|pseudoRandomBytes/), browsers)
  const of = (name: string) =>
    sources.filter(([, source]) => readPrimitives(source).includes(name)).map(([file]) => file)
  assert.deepEqual(
    [of('randomFillSync'), of('randomBytes')],
    [['server/src/crypto/random.ts'], ['server/src/cli/data_folder.ts']],
  )
})

// From here on: the checker itself.

test('the check finds each way to call a primitive, and no type', () => {
  const source = `
    import { type KeyObject, createHash, hkdfSync } from 'node:crypto'
    import type { JWK } from 'jose'
    const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
    await crypto.subtle.encrypt({}, key, bytes)
    crypto.getRandomValues(bytes)`
  assert.deepEqual(readPrimitives(source), [
    '@simplewebauthn/server',
    'createHash',
    'getRandomValues',
    'hkdfSync',
    'subtle.encrypt',
  ])
})

test('the check finds the names of algorithms, and no other words', () => {
  const text =
    "['md5', 'SHA-1', 'aes-128-cbc', 'des-ede3-cbc', 'rc4', 'RSA1_5', 'ES256K', 'PBES2-HS256+A128KW', 'description', 'express', 'none']"
  assert.deepEqual(readAlgorithms(text), ['md5', 'SHA-1', 'aes-128-cbc', 'des-ede3-cbc', 'rc4', 'RSA1_5', 'ES256K'])
  assert.deepEqual(readAlgorithms('`$argon2id$v=19`'), ['argon2id'])
  assert.deepEqual(readAlgorithms("`a snippet with 'ECDSA'` // and 'md5'"), [])
})
