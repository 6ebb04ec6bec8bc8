import { Buffer } from 'node:buffer'
import path from 'node:path'
import { RootKey } from '../crypto/tenant_keys.ts'
import { refuse } from './config_error.ts'
import { type ConfigSources, findSetting } from './sources.ts'

/** Where the root key comes from: given, in a file that the operator keeps, or made at first start in development. */
export type RootKeySource =
  | { readonly kind: 'given'; readonly key: RootKey }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'made'; readonly file: string }

/** Where the root key comes from; production makes none by itself. */
export function findRootKey(sources: ConfigSources, production: boolean, data_dir: string): RootKeySource {
  const given = findSetting(sources, 'root_key')
  const file = findSetting(sources, 'root_key_file')
  if (given && given.level === file?.level) throw refuse(`Give ${given.name} or ${file.name}, not both`)
  if (given && given.level < (file?.level ?? 9)) return { kind: 'given', key: decodeRootKey(given.text, given.name) }
  if (file) return { kind: 'file', file: path.resolve(sources.cwd, file.text) }
  if (!production) return { kind: 'made', file: path.join(data_dir, 'root_key') }
  throw refuse(
    'An https issuer means production, which needs a root key: 32 random bytes as base64 or hex, in ' +
      'SALLYPORT_ROOT_KEY or in the file that SALLYPORT_ROOT_KEY_FILE names; `openssl rand -base64 32` makes one',
  )
}

/** Reads a root key from text: 32 bytes as base64, base64url or hex. The text is never repeated. */
export function decodeRootKey(text: string, name: string): RootKey {
  const trimmed = text.trim()
  const hex = /^[0-9a-f]{64}$/i.test(trimmed)
  if (!hex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) {
    throw refuse(`${name} must be 32 bytes as base64, base64url or hex`)
  }
  const bytes = Buffer.from(trimmed, hex ? 'hex' : 'base64')
  if (new Set(bytes).size < 8) throw refuse(`${name} is not random: make one with \`openssl rand -base64 32\``)
  return new RootKey(bytes)
}
