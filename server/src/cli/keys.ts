import { ConfigError } from '../config/config_error.ts'
import type { ShownKey } from './administration.ts'
import type { CommandConfig } from './command_config.ts'
import { withAdministration } from './open_app.ts'

/** `keys list`, `keys rotate [alg]`, `keys revoke <kid>`: at the running server, or at its database where none runs. */
export async function keys(
  { config }: CommandConfig,
  action: string,
  argument: string | undefined,
  json: boolean,
): Promise<number> {
  if (action === 'revoke' && argument === undefined) {
    throw new ConfigError(['keys revoke needs the kid of a key; `sallyport keys list` shows those there are'])
  }
  if (action === 'list' && argument !== undefined) throw new ConfigError(['keys list takes no argument'])
  const shown = await withAdministration(config, (administration) => {
    if (action === 'rotate') return administration.rotateKeys(argument)
    if (action === 'revoke') return administration.revokeKey(argument)
    if (action === 'list') return administration.listKeys()
    throw new ConfigError([`keys ${action} is not known; there are keys list, keys rotate and keys revoke`])
  })
  process.stdout.write(json ? `${JSON.stringify({ keys: shown }, null, 2)}\n` : describeKeys(shown))
  return 0
}

const MEANINGS = {
  current: 'signs',
  next: 'waits to sign, and is published',
  retired: 'signs no more, still verifies',
  revoked: 'nothing it signed is good',
} as const

/** The keys as lines for people. */
export function describeKeys(shown: readonly ShownKey[]): string {
  const lines = shown.map(
    ({ kid, alg, state, since }) => `${alg.padEnd(6)} ${state.padEnd(8)} ${since}  ${kid}  ${MEANINGS[state]}`,
  )
  return `${lines.join('\n')}\n`
}
