import { ConfigError } from '../config/config_error.ts'
import type { ShownClientSecret } from './administration.ts'
import type { CommandConfig } from './command_config.ts'
import { withAdministration } from './open_app.ts'

/** `client-secret rotate`, `list` and `end <client_id>`: two secrets may live, so that a change needs no downtime. */
export async function clientSecret(
  { config }: CommandConfig,
  action: string,
  client_id: string,
  json: boolean,
): Promise<number> {
  return withAdministration(config, async (administration) => {
    if (action === 'rotate') {
      const rotated = await administration.rotateClientSecret(client_id)
      // The secret alone, so that a script can take it as it is.
      print(json ? toJson(rotated) : `${rotated.client_secret}\n`)
      return 0
    }
    if (action !== 'end' && action !== 'list') {
      throw new ConfigError([`client-secret ${action} is not known; there are rotate, list and end`])
    }
    const secrets =
      action === 'end'
        ? await administration.endFormerClientSecret(client_id)
        : await administration.listClientSecrets(client_id)
    print(json ? toJson({ secrets }) : describeSecrets(secrets))
    return 0
  })
}

function describeSecrets(secrets: readonly ShownClientSecret[]): string {
  if (secrets.length === 0) return 'The client has no secret\n'
  const lines = secrets.map(({ made, ends }, i) => {
    const age = i === 0 ? 'newest' : 'older '
    return `${age}  made ${made ?? 'at an unknown time'}  ${ends === null ? 'no end' : `ends ${ends}`}`
  })
  return `${lines.join('\n')}\n`
}

function print(text: string): void {
  process.stdout.write(text)
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
