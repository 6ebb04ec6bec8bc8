import type { Command } from 'commander'
import { ACCESS_TOKEN_VARIABLE } from '../config/settings.ts'
import { addApiCommands } from './api_commands.ts'
import type { ServerOfCommand } from './command_config.ts'
import { CommandError } from './exit_codes.ts'
import { readLogins } from './kept_logins.ts'

type Options = Readonly<Record<string, string | boolean | undefined>>

/** What the commands of a remote server are given by the program. */
export interface RemoteProgram {
  /** Takes the exit code. */
  end(code: number): void
  /** The server that flags, environment or file name. */
  find(options: Options): Promise<ServerOfCommand>
}

type FindServer = (options: Options) => Promise<ServerOfCommand>

/** Adds the commands that ask a server over HTTP: sign-in, the API, trying things out, and what knows all commands. */
export function addRemote(program: Command, remote: RemoteProgram): void {
  const findSignedIn = findByLogin(remote.find)
  addSignIn(program, remote, findSignedIn)
  addApiCommands(program, common, async (command, given) => {
    const { runApiCommand } = await import('./run_api_command.ts')
    const options = given.options as Options
    const { issuer } = await findSignedIn(options)
    remote.end(await runApiCommand(command, given, { issuer, env: process.env, json: isJson(options) }))
  })
  const events = program.commands.find((known) => known.name() === 'events')!
  addEventCommands(events, remote, findSignedIn)
  addStarts(program, remote, findSignedIn)
  program
    .command('completion')
    .description('print what completes commands in a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .exitOverride()
    .action(async (shell: string) => {
      const { writeCompletion } = await import('./completion.ts')
      process.stdout.write(writeCompletion(program, shell))
      remote.end(0)
    })
  program.addHelpText('after', `A program gives its access token for the API in ${ACCESS_TOKEN_VARIABLE}.`)
}

const isJson = (options: Options) => options['json'] === true

function common(command: Command): Command {
  return command
    .exitOverride()
    .option('--issuer <url>', 'the server (default: where you signed in last) [SALLYPORT_ISSUER]')
    .option('--config <file>', 'platform file: its server section may name the issuer [SALLYPORT_CONFIG]')
    .option('--json', 'print JSON')
}

/** Where nobody names a server it is the one of the last sign-in, and before any that of this machine. */
function findByLogin(find: FindServer): FindServer {
  return async ({ file: _, ...named }) => {
    const place = await find(named)
    if (place.named) return place
    // A token that was given is one of a certain server: it is not for whichever comes next.
    if (process.env[ACCESS_TOKEN_VARIABLE]) {
      throw new CommandError(`Say which server the token of ${ACCESS_TOKEN_VARIABLE} is for: --issuer <url>`)
    }
    const { last } = readLogins(process.env)
    return last === undefined ? place : { ...place, issuer: last }
  }
}

function addSignIn(program: Command, { end, find }: RemoteProgram, findSignedIn: FindServer): void {
  const { env } = process
  common(program.command('login').description('sign in at a server by the device flow, for the commands below'))
    .option('--data-dir <folder>', 'folder of the server of this machine [SALLYPORT_DATA_DIR]')
    .action(async (options: Options) => {
      const { login } = await import('./login.ts')
      end(await login(await find(options), env, { json: isJson(options) }))
    })
  common(program.command('logout').description('sign out, and forget the tokens')).action(async (options: Options) => {
    const { logout } = await import('./login.ts')
    end(await logout(await findSignedIn(options), env, { json: isJson(options) }))
  })
}

function addEventCommands(events: Command, { end }: RemoteProgram, findSignedIn: FindServer): void {
  const { env } = process
  common(events.command('tail').description('print the newest events, and each that comes'))
    .option('--lines <number>', 'how many of those that are there', '10')
    .option('--seconds <number>', 'how often to look', '2')
    .option('--type <value>', 'only those of this type, or the beginning of one')
    .option('--once', 'do not wait for more')
    .action(async (options: Options) => {
      const { tailEvents } = await import('./events_tail.ts')
      const { issuer } = await findSignedIn(options)
      end(await tailEvents({ issuer, env, json: isJson(options) }, options as never))
    })
  common(events.command('verify').description('compute the chain of the audit log anew, and say where it is broken'))
    .option('--file <file>', 'an export (events export > file) instead of the server, - for the standard input')
    .option('--after <number>', 'go on where an earlier run had come to; with --link')
    .option('--link <text>', 'the link that it printed')
    .action(async (options: Options) => {
      const { verifyEvents } = await import('./events_verify.ts')
      const find = async () => ({ issuer: (await findSignedIn(options)).issuer, env, json: isJson(options) })
      end(await verifyEvents(find, options as never, isJson(options)))
    })
}

function addStarts(program: Command, { end, find }: RemoteProgram, findSignedIn: FindServer): void {
  common(program.command('test').description('run a flow as a client of the server, and say what came of it'))
    .argument('<flow>', 'login, token or device')
    .requiredOption('--client-id <client_id>', 'the client')
    .option('--client-secret-file <file>', 'its secret; - for the standard input, or asked for on a terminal')
    .option('--scope <scopes>', 'what to ask for')
    .option('--resource <uri>', 'what the token is for')
    .option('--port <number>', 'of the redirect URI http://127.0.0.1:<port>/callback of a login (default: a free one)')
    .action(async (flow: string, options: Options) => {
      const { tryOut } = await import('./try_out.ts')
      const { clientId, clientSecretFile, scope, resource, port } = options as Readonly<Record<string, string>>
      const wish = { client_id: clientId!, secret_file: clientSecretFile, scope, resource, port }
      const { port: _, ...named } = options
      end(await tryOut((await findSignedIn(named)).issuer, flow, wish, isJson(options)))
    })
  common(program.command('init').description('write a platform file with a first client, and code that signs in by it'))
    .argument('<framework>', 'express, openid-client, oauth4webapi or oidc-client-ts')
    .option('--client-id <client_id>', 'the client', 'app')
    .option('--redirect-uri <uri>', 'where it gets its answers', 'http://127.0.0.1:3000/callback')
    .action(async (framework: string, options: Options) => {
      const { initialize } = await import('./init.ts')
      const { issuer } = await find(options)
      const { clientId, redirectUri } = options as Readonly<Record<string, string>>
      const wish = { issuer, client_id: clientId!, redirect_uri: redirectUri!, json: isJson(options) }
      end(await initialize(process.cwd(), framework, wish))
    })
}
