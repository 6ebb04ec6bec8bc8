import { Buffer } from 'node:buffer'
import path from 'node:path'
import { RootKey } from '../crypto/tenant_keys.ts'
import { refuse } from './config_error.ts'
import type { SettingName } from './settings.ts'
import { type ConfigSources, findSetting } from './sources.ts'

/** Where the root key comes from: given, in a file that the operator keeps, or made at first start in development. */
export type RootKeySource =
  | { readonly kind: 'given'; readonly key: RootKey }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'made'; readonly file: string }

/** Where the root key of the vault comes from, where that has one of its own. */
export type VaultKeySource = Exclude<RootKeySource, { kind: 'made' }>

/** Where the root key comes from; production makes none by itself. */
export function findRootKey(sources: ConfigSources, production: boolean, data_dir: string): RootKeySource {
  const named = findNamed(sources, 'root_key', 'root_key_file')
  if (named) return named
  if (!production) return { kind: 'made', file: path.join(data_dir, 'root_key') }
  throw refuse(
    'An https issuer means production, which needs a root key: 32 random bytes as base64 or hex, in ' +
      'SALLYPORT_ROOT_KEY or in the file that SALLYPORT_ROOT_KEY_FILE names; `openssl rand -base64 32` makes one',
  )
}

/** Where the vault's own root key comes from; undefined where the root key is the vault's too. */
export function findVaultKey(sources: ConfigSources): VaultKeySource | undefined {
  return findNamed(sources, 'vault_key', 'vault_key_file')
}

function findNamed(sources: ConfigSources, key: SettingName, key_file: SettingName): VaultKeySource | undefined {
  const given = findSetting(sources, key)
  const file = findSetting(sources, key_file)
  if (given && given.level === file?.level) throw refuse(`Give ${given.name} or ${file.name}, not both`)
  if (given && given.level < (file?.level ?? 9)) return { kind: 'given', key: decodeRootKey(given.text, given.name) }
  return file && { kind: 'file', file: path.resolve(sources.cwd, file.text) }
}

/** Reads a root key from text, 32 bytes as base64, base64url or hex, and behind it any former ones. It is never repeated. */
export function decodeRootKey(text: string, name: string): RootKey {
  const [first, ...former] = text
    .trim()
    .split(/[\s,]+/)
    .map((one) => decodeBytes(one, name))
  return new RootKey(first!, ...former)
}

function decodeBytes(text: string, name: string): Buffer {
  const hex = /^[0-9a-f]{64}$/i.test(text)
  if (!hex && !/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) {
    throw refuse(`${name} must be 32 bytes as base64, base64url or hex`)
  }
  const bytes = Buffer.from(text, hex ? 'hex' : 'base64')
  if (new Set(bytes).size < 8) throw refuse(`${name} is not random: make one with \`openssl rand -base64 32\``)
  return bytes
}
