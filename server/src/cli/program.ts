import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { SETTINGS, type Setting, type SettingName } from '../config/settings.ts'
import { type CommandConfig, type CommandOptions, readCommandConfig, readServerOfCommand } from './command_config.ts'
import { CommandError } from './exit_codes.ts'

const EXIT_CODES = `
Exit codes: 0 done, 1 refused or failed, 2 (plan alone) there is something to change, 3 not signed in or not allowed,
4 not there, 5 there already or changed meanwhile.
Settings come from flags, else from the environment, else from the file of --config, else from defaults.`

type Commands = typeof import('./commands.ts')
type Options = Readonly<Record<string, string | boolean | undefined>>

/** Runs the command line and answers its exit code. Each command loads what it needs, and no more. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let code = 0
  const program = new Command('sallyport')
    .description('OAuth 2, both ways: authorization server and token vault in one')
    .version(readVersion(), '-V, --version')
    .helpCommand(true)
    .showHelpAfterError('(sallyport --help lists what there is)')
    .exitOverride()
    .addHelpText('after', EXIT_CODES)
  const command = (name: string, about: string, work: (options: Options, args: string[]) => Promise<number>) => {
    const made = program.command(name).description(about).exitOverride()
    made.option('--config <file>', 'platform file: its server section holds settings [SALLYPORT_CONFIG]')
    for (const { flag, env, about: what } of Object.values<Setting>(SETTINGS)) {
      if (flag !== undefined) made.option(flag, `${what} [${env}]`)
    }
    // What commander hands over: the arguments, the options, the command.
    return made.action(async (...given: unknown[]) => {
      code = await work(given.at(-2) as Options, given.slice(0, -2) as string[])
    })
  }
  command('serve', 'run the server; what the file of --config describes is applied first', (options) =>
    runServer(options, 'serve'),
  )
  command('dev', 'run the server for development on this machine, and say where everything is', (options) =>
    runServer(options, 'dev'),
  )
  command(
    'broker',
    'run a redirect broker: it receives codes for the server of --primary, and stores nothing',
    runBroker,
  ).requiredOption('--primary <url>', 'issuer of the server that it works for; --issuer is its own URL')
  const once = (name: string, about: string, work: keyof Commands) =>
    command(name, about, async (options) => {
      const commands = await import('./commands.ts')
      return commands[work](await configure(options), options['json'] === true)
    }).option('--json', 'print JSON')
  const FILE = ['-f, --file <file>', 'platform file, - for the standard input'] as const
  once('apply', 'make the server hold what a file describes; beside a running one or alone', 'apply').requiredOption(
    ...FILE,
  )
  once('plan', 'print what apply would change, and change nothing', 'plan').requiredOption(...FILE)
  once('setup-link', 'print a new link that makes the first administrator, once', 'setupLink')
  once('migrate', 'bring the database up to date, before a new version serves', 'migrate')
  command(
    'backup',
    'write everything that the database has into one file, beside a running server',
    async (options, [file]) => {
      const { backUp } = await import('./backup.ts')
      return backUp(await configure(options), file!, options['json'] === true)
    },
  )
    .argument('<file>', 'the new file, - for the standard output')
    .option('--json', 'print JSON')
  command('restore', 'fill the database of a stopped server from a backup, of SQLite or PostgreSQL', runRestore)
    .argument('<file>', 'the backup, - for the standard input')
    .option('--replace', 'also over a database that holds something')
    .option('--revocations <files>', 'events export since the backup, of each tenant, by commas: proven grants go on')
    .option('-y, --yes', 'without asking')
    .option('--json', 'print JSON')
  command('keys', 'list signing keys, rotate them now, or revoke one at once', async (options, [action, argument]) => {
    const { keys } = await import('./keys.ts')
    return keys(await configure(options), action!, argument, options['json'] === true)
  })
    .argument('<action>', 'list, rotate or revoke')
    .argument('[key]', 'the alg to rotate, or sealing for the key of data at rest; or the kid to revoke')
    .option('--json', 'print JSON')
  command(
    'rekey',
    'put every key at rest under the present root key, beside a running server or alone',
    async (options) => {
      const { rekey } = await import('./rekey.ts')
      return rekey(await configure(options), options['dataKeys'] === true, options['json'] === true)
    },
  )
    .option('--data-keys', 'also make a new key of the vault, and put the data key of each connection under it')
    .option('--json', 'print JSON')
  command(
    'registration-token',
    'make a token by which clients register themselves, list or end such tokens',
    async (options, [action, token_id]) => {
      const { registrationToken } = await import('./registration_tokens.ts')
      return registrationToken(await configure(options), action!, token_id, options)
    },
  )
    .argument('<action>', 'create, list or end')
    .argument('[token_id]', 'the token to end')
    .option('--name <text>', 'what it is for')
    .option('--uses <number>', 'how many clients it registers (default: any number)')
    .option('--days <number>', 'for how many days (default: 7)')
    .option('--scope <scopes>', 'what its clients may have (default: what the tenant lets unknown clients have)')
    .option('--grant-types <types>', 'their grant types (default: those that ask a user)')
    .option('--json', 'print JSON')
  command(
    'client-secret',
    'make a further secret for a client, list when its secrets end, or end the older one',
    async (options, [action, client_id]) => {
      const { clientSecret } = await import('./client_secrets.ts')
      return clientSecret(await configure(options), action!, client_id!, options['json'] === true)
    },
  )
    .argument('<action>', 'rotate, list or end')
    .argument('<client_id>', 'the client')
    .option('--json', 'print JSON')
  command(
    'connect',
    'have a user connect an account: prints where, waits, and prints the connection_id',
    async (options, [provider]) => {
      const { connectAccount } = await import('./connect.ts')
      return connectAccount(await configure(options), provider!, options)
    },
  )
    .argument('<provider>', 'a connector, or the provider of the only one that is of it')
    .requiredOption('--user <username>', 'whose the connection will be')
    .option('--connection <connection_id>', 'the connection to repair (default: a new one)')
    .option('--timeout <seconds>', 'how long to wait', '600')
    .option('--json', 'print JSON')
  command(
    'tenants',
    'list the tenants of the database, disable one or enable it again',
    async (options, [action, which]) => {
      const { tenants } = await import('./tenants.ts')
      return tenants(await configure(options), action!, which, {
        ...{ json: options['json'] === true, yes: options['yes'] === true },
      })
    },
  )
    .argument('<action>', 'list, disable or enable')
    .argument('[tenant]', 'its issuer or its tenant_id')
    .option('--yes', 'disable without asking')
    .option('--json', 'print JSON')
  once('doctor', 'look at everything that keeps a server from running well', 'doctor')
  command('language', 'print every message of a language as a file to translate', async (options, [tag]) => {
    const { printLanguage } = await import('./languages.ts')
    return printLanguage(await configure(options), tag!)
  }).argument('<tag>', 'such as fr or pt-BR')
  command('export', 'print what the server holds as a platform file that apply takes', async (options) => {
    const { exportHeld } = await import('./export.ts')
    return exportHeld(await configure(options), options['users'] === true, options['json'] === true)
  })
    .option('--users', 'with the users, without their passwords')
    .option('--json', 'print JSON')
  try {
    await addRemoteCommands(program, args, (ended) => {
      code = ended
    })
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    if (error instanceof CommandError) {
      process.stderr.write(`sallyport: ${error.message}\n`)
      return error.code
    }
    const { sentencesOf } = await import('./admin_socket.ts')
    const sentences = sentencesOf(error)
    if (!sentences) throw error
    for (const sentence of sentences) process.stderr.write(`sallyport: ${sentence}\n`)
    return 1
  }
}

/** The commands that ask a server over HTTP; what they are made of is loaded only where one of them may be meant. */
async function addRemoteCommands(
  program: Command,
  args: readonly string[],
  end: (code: number) => void,
): Promise<void> {
  const [first] = args.filter((arg) => !arg.startsWith('-'))
  if (program.commands.some((known) => known.name() === first)) return
  const { addRemote } = await import('./remote_commands.ts')
  addRemote(program, { end, find: (options) => readServerOfCommand(readOptions(options), surroundings()) })
}

async function runServer(options: Options, mode: 'serve' | 'dev'): Promise<number> {
  const command = await configure(options)
  const { serve } = await import('./serve.ts')
  return serve(command, mode)
}

async function runBroker(options: Options): Promise<number> {
  const { config } = await configure(options)
  const { serveBroker } = await import('./broker.ts')
  return serveBroker(config, String(options['primary']))
}

async function runRestore(options: Options, [file]: string[]): Promise<number> {
  const { restore } = await import('./restore.ts')
  const revocations = typeof options['revocations'] === 'string' ? options['revocations'].split(',') : []
  const is = (name: string) => options[name] === true
  const wish = { replace: is('replace'), revocations, yes: is('yes'), json: is('json') }
  return restore(await configure(options), file!, wish)
}

function configure(options: Options): Promise<CommandConfig> {
  return readCommandConfig(readOptions(options), surroundings())
}

function surroundings() {
  return { env: process.env, cwd: process.cwd() }
}

function readOptions(options: Options): CommandOptions {
  const read = (name: string) => {
    const value = options[name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())]
    return typeof value === 'string' ? value : undefined
  }
  const given = Object.keys(SETTINGS).flatMap((name) => {
    const text = read(name)
    return text === undefined ? [] : [[name, text]]
  })
  const flags = Object.fromEntries(given) as Partial<Record<SettingName, string>>
  return { flags, config_file: read('config'), platform_file: read('file') }
}

function readVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
