import { maskText, readImports } from './imports.ts'

/** Modules that compute something cryptographic; of Node's each function counts by itself. */
const LIBRARIES = ['@node-rs/argon2', '@simplewebauthn/server', 'jose', 'oauth4webapi']

/** What a source file calls of cryptographic modules, in alphabetical order. */
export function readPrimitives(source: string): string[] {
  const found = new Set<string>()
  for (const { specifier, names, type } of readImports(source)) {
    if (type || specifier === undefined) continue
    const values = names
      .replace(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '' && !name.startsWith('type '))
    if (specifier === 'node:crypto') for (const name of values) found.add(name)
    if (LIBRARIES.includes(specifier) && (values.length > 0 || names === '')) found.add(specifier)
  }
  const code = maskText(source)
  for (const [, name] of code.matchAll(/\bcrypto\.subtle\.(\w+)/g)) found.add(`subtle.${name}`)
  if (/\bcrypto\.getRandomValues\b/.test(code)) found.add('getRandomValues')
  return [...found].sort()
}

// A key is made for nothing by itself, so what is computed with counts: hashes, ciphers, curves and the names of JOSE.
const ALGORITHM =
  /'(?<name>md\d|ripemd\w*|sha-?\d+|sm\d|(?:aes|camellia|chacha20|cast\d?|bf|rc\d|des|des-\w+)-[\w-]+|des3?|rc\d|rsa(?:-[\w-]+|\d_\d)?|ec|ed\d+|x\d+|dsa|dh|hmac|ecdsa|pbkdf2|scrypt|(?:hs|rs|ps|es)\d+k?|eddsa|p-\d+|secp\w+|a\d+(?:gcm|kw|cbc[\w-]*)|pbes2[\w-]*)'|\$(?<hash>argon2\w+)\$/gi

/** The names of algorithms that stand in a source file as texts of their own, not inside of longer ones. */
export function readAlgorithms(source: string): string[] {
  const code = maskText(source)
  return [...source.matchAll(ALGORITHM)]
    .filter(({ index, groups }) => groups!['hash'] !== undefined || code[index] === "'")
    .map(({ groups }) => groups!['name'] ?? groups!['hash']!)
}
