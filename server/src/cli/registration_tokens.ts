import { ConfigError } from '../config/config_error.ts'
import type { ShownRegistrationToken } from './administration.ts'
import type { CommandConfig } from './command_config.ts'
import { withAdministration } from './open_app.ts'

type Options = Readonly<Record<string, string | boolean | undefined>>

/** `registration-token create`, `list` and `end <token_id>`: initial access tokens (RFC 7591 section 3). */
export async function registrationToken(
  { config }: CommandConfig,
  action: string,
  token_id: string | undefined,
  options: Options,
): Promise<number> {
  if (action === 'end' && token_id === undefined) {
    throw new ConfigError([
      'registration-token end needs a token_id; `sallyport registration-token list` shows those there are',
    ])
  }
  if (action !== 'end' && token_id !== undefined)
    throw new ConfigError([`registration-token ${action} takes no argument`])
  const json = options['json'] === true
  return withAdministration(config, async (administration) => {
    if (action === 'create') {
      const made = await administration.createRegistrationToken(readDescription(options))
      // The token alone, so that a script can take it as it is.
      print(json ? toJson(made) : `${made.token}\n`)
      return 0
    }
    if (action !== 'end' && action !== 'list') {
      throw new ConfigError([`registration-token ${action} is not known; there are create, list and end`])
    }
    const tokens =
      action === 'end'
        ? await administration.endRegistrationToken(token_id)
        : await administration.listRegistrationTokens()
    print(json ? toJson({ tokens }) : describeTokens(tokens))
    return 0
  })
}

function readDescription(options: Options): Record<string, unknown> {
  // What is no number goes as it is, and is refused by its name.
  const number = (name: string) => (/^\d+$/.test(String(options[name])) ? Number(options[name]) : options[name])
  return {
    name: options['name'] ?? 'made in the terminal',
    uses: number('uses'),
    days: number('days'),
    scope: options['scope'],
    grant_types: options['grantTypes'],
  }
}

/** The tokens as lines for people. */
function describeTokens(tokens: readonly ShownRegistrationToken[]): string {
  if (tokens.length === 0) return 'There is no initial access token\n'
  const lines = tokens.map(({ token_id, name, uses_left, ends }) => {
    const uses = uses_left === null ? 'any number of clients' : `${uses_left} more clients`
    return `${token_id}  until ${ends}  ${uses}  ${name}`
  })
  return `${lines.join('\n')}\n`
}

function print(text: string): void {
  process.stdout.write(text)
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
