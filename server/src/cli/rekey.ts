import type { KeyState } from '../outbound/administration/rekey.ts'
import type { Administration } from './administration.ts'
import type { CommandConfig } from './command_config.ts'
import { isMade, withAdministration } from './open_app.ts'
import { type Progress, showProgress } from './progress.ts'

/** What a whole rekeying has done, and how keys stand then. */
export interface Rekeyed extends KeyState {
  readonly rewrapped_keys: number
  readonly rewrapped_data_keys: number
  readonly destroyed_keys: number
  readonly unreadable: number
}

// Further than this nobody counts.
const MOST_COUNTED = 100_000

/**
 * `rekey [--data-keys]`: puts every key at rest under the present root keys, and finishes what an earlier run has begun;
 * in steps, so that a server serves on meanwhile and a kill costs nothing. 1 says that something was left.
 */
export async function rekey({ config }: CommandConfig, data_keys: boolean, json: boolean): Promise<number> {
  const progress = showProgress('rekey', 'data keys', json)
  const done = await withAdministration(config, (administration) => run(administration, data_keys, progress), {
    read_only: !(await isMade(config)),
  }).finally(() => progress.end())
  process.stdout.write(json ? `${JSON.stringify(done, null, 2)}\n` : describe(done))
  return done.unreadable > 0 || done.under_former_roots > 0 ? 1 : 0
}

async function run(administration: Administration, data_keys: boolean, progress: Progress): Promise<Rekeyed> {
  const count = { rewrapped_keys: 0, rewrapped_data_keys: 0, destroyed_keys: 0, unreadable: 0 }
  let total = 0
  for (let after: string | null = ''; after !== null; ) {
    const step = await administration.rekey({ data_keys, after })
    for (const name of Object.keys(count) as (keyof typeof count)[]) count[name] += step[name]
    if (after === '') total = (await administration.examine()).keys.under_former_vault_keys + step.rewrapped_data_keys
    after = step.after
    // Further than to the most that are counted, nobody knows how many there are.
    progress.tell(count.rewrapped_data_keys, total >= MOST_COUNTED ? undefined : total)
  }
  return { ...count, ...(await administration.examine()).keys }
}

function describe(done: Rekeyed): string {
  const { root_key, vault_root_key, rewrapped_keys, rewrapped_data_keys, destroyed_keys } = done
  const roots = vault_root_key === root_key ? root_key : `${root_key}, the vault's by ${vault_root_key}`
  const lines = [
    `${rewrapped_keys} keys put under root key ${roots}`,
    `${rewrapped_data_keys} data keys put under the newest key of the vault`,
    ...(destroyed_keys > 0 ? [`${destroyed_keys} former keys of the vault destroyed`] : []),
    ...(done.unreadable > 0 ? [`${done.unreadable} data keys do not open and stay as they are`] : []),
    done.under_former_roots === 0
      ? 'A former root key opens nothing of this database any more: take it out of the settings'
      : `${done.under_former_roots} keys are still wrapped by a former root key`,
    ...(done.vault_keys > 1 ? ['Former keys of the vault are destroyed by the running server, a minute from now'] : []),
  ]
  return `${lines.join('\n')}\n`
}
