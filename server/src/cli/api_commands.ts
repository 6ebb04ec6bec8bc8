import type { Command } from 'commander'
import type { ApiRoute } from '../web/api/route.ts'
import { API_ROUTES } from '../web/api/table.ts'

/** What a command line has given to a route. */
export interface Given {
  readonly params: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, unknown>>
}

/** A route of the administration API as a command: `clients list`, `users end-session`. */
export interface ApiCommand {
  readonly group: string
  readonly name: string
  readonly route: ApiRoute
}

/** Every route that needs a token, as a command: both words are made of the route, so that none has to be chosen. */
export function listApiCommands(routes: readonly ApiRoute[] = API_ROUTES): ApiCommand[] {
  return routes
    .filter(({ scope }) => scope !== null)
    .map((route) => {
      const group = toWords(route.path.split('/')[1]!)
      const noun = group.replace(/s$/, '')
      const name = toWords(route.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))
      return { group, name: name.replace(new RegExp(`-${noun}s?(?=-|$)`), ''), route }
    })
}

/** The name of an option or a command of a name on the wire. */
export function toWords(name: string): string {
  return name.replaceAll('_', '-')
}

/** Adds the commands of the table to a program; `work` runs one. */
export function addApiCommands(
  program: Command,
  common: (command: Command) => Command,
  work: (command: ApiCommand, given: Given) => Promise<void>,
): void {
  for (const one of listApiCommands()) {
    const { route } = one
    const group =
      program.commands.find((known) => known.name() === one.group) ??
      program.command(one.group).description(describeGroup(one.group)).exitOverride()
    const made = common(group.command(one.name).description(`${route.summary} (${route.method} ${route.path})`))
    const holes = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
    for (const hole of holes) made.argument(`<${hole}>`)
    addOptions(made, route)
    made.action(async (...given: unknown[]) => {
      const params = Object.fromEntries(holes.map((hole, i) => [hole, String(given[i])]))
      await work(one, { params, options: given.at(-2) as Given['options'] })
    })
  }
}

function describeGroup(group: string): string {
  return `${group.replaceAll('-', ' ')} of the server where you are signed in, by its API`
}

function addOptions(command: Command, route: ApiRoute): void {
  const { query = {}, body, method } = route
  for (const [name, schema] of Object.entries(query)) {
    if (name === 'cursor' || name === 'limit') continue
    const flags = `--${toWords(name)} <value>`
    const about = schema.meta()?.description ?? ''
    if (schema.safeParse(undefined).success) command.option(flags, about)
    else command.requiredOption(flags, about)
  }
  if ('cursor' in query) {
    command.option('--limit <number>', 'at most so many', '50').option('--all', 'all of them')
  }
  if (body) {
    const collect = (value: string, before: string[] | undefined) => [...(before ?? []), value]
    command
      .option('-f, --file <file>', 'what is sent, as JSON or YAML; - for the standard input')
      .option('-s, --set <member=value>', 'one member of it; a dot goes inside, commas separate a list', collect)
      .option('--set-file <member=file>', 'a member out of a file, such as a secret; - for the standard input', collect)
      .option('--ask <member>', 'a secret member, asked for on the terminal', collect)
  }
  if (method === 'DELETE') command.option('-y, --yes', 'without asking')
}
