import { readFileSync } from 'node:fs'
import { CommandError } from './exit_codes.ts'
import { askSecret } from './terminal.ts'

/** As much of a JSON Schema as says what a member is made of. */
interface Schema {
  readonly type?: string | readonly string[] | undefined
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, Schema>>
}

type Value = Record<string, unknown>

// Arguments can be read by every user of a machine, and stay in the history of a shell.
const SECRET = /(^|_)(password|secret|private_key|token)$/

/** What a command sends: the file or what stands (`base`), and on it what single members are set to. */
export async function readRouteInput(
  schema: unknown,
  base: Readonly<Record<string, unknown>>,
  options: Readonly<Record<string, unknown>>,
): Promise<Value> {
  const root = schema as Schema
  const { file, set, setFile, ask } = options as Readonly<Record<string, string | string[] | undefined>>
  const known = Object.keys(root.properties ?? {})
  const body: Value =
    file === undefined
      ? structuredClone(Object.fromEntries(Object.entries(base).filter(([name]) => known.includes(name))))
      : await parseFile(file as string)
  for (const text of (set ?? []) as string[]) {
    const [path, value] = split(text, '--set')
    if (SECRET.test(path.at(-1)!)) {
      const name = path.join('.')
      throw new CommandError(`${name} is a secret, and arguments are not: --set-file ${name}=<file>, or --ask ${name}`)
    }
    write(root, body, path, (member) => readValue(member, value, path.join('.')))
  }
  for (const text of (setFile ?? []) as string[]) {
    const [path, from] = split(text, '--set-file')
    write(root, body, path, (member) => readValue(member, readText(from).replace(/\r?\n$/, ''), path.join('.')))
  }
  for (const name of (ask ?? []) as string[]) {
    const secret = await askSecret(name)
    write(root, body, name.split('.'), () => secret)
  }
  return body
}

function split(text: string, option: string): [string[], string] {
  const at = text.indexOf('=')
  if (at < 1) throw new CommandError(`${option} takes member=value`)
  return [text.slice(0, at).split('.'), text.slice(at + 1)]
}

async function parseFile(file: string): Promise<Value> {
  const { parse } = await import('yaml')
  const text = readText(file)
  let value: unknown
  try {
    value = parse(text, { schema: 'core' })
  } catch {
    // The parser would quote the line, which may hold a secret.
    throw new CommandError(`${file} is neither JSON nor YAML`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Value
  throw new CommandError(`${file} must hold an object`)
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** Sets a member; one that is not at the top is looked for in the one object that has it, such as metadata. */
function write(root: Schema, body: Value, given: readonly string[], read: (schema: Schema) => unknown): void {
  const path = [...given]
  const top = root.properties ?? {}
  if (!Object.hasOwn(top, path[0]!)) {
    const homes = Object.entries(top).filter(([, one]) => Object.hasOwn(follow(root, one).properties ?? {}, path[0]!))
    if (homes.length === 1) path.unshift(homes[0]![0])
  }
  let schema: Schema | undefined = root
  let target = body
  for (const [i, step] of path.entries()) {
    if (step === '' || step === '__proto__') throw new CommandError(`${given.join('.')} is no name of a member`)
    const inner: Schema | undefined = schema?.properties?.[step]
    schema = inner && follow(root, inner)
    if (i === path.length - 1) target[step] = read(schema ?? {})
    else {
      if (typeof target[step] !== 'object' || target[step] === null) target[step] = {}
      target = target[step] as Value
    }
  }
}

function follow(root: Schema, schema: Schema): Schema {
  const named = schema.$ref === undefined ? schema : (root.$defs?.[schema.$ref.split('/').at(-1)!] ?? {})
  const choice = named.anyOf?.find(({ type }) => type !== 'null')
  return choice ? follow(root, choice) : named
}

function readValue(schema: Schema, text: string, name: string): unknown {
  const { items } = schema
  // Of what may be null besides, the other type says how it is written.
  const type = [schema.type].flat().find((one) => one !== 'null')
  if (type === 'string') return text
  if (type === 'array' && !text.startsWith('[') && items?.type === 'string') {
    return text === '' ? [] : text.split(',').map((item) => item.trim())
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    if (type === undefined) return text
    throw new CommandError(`${name} must be ${TYPES[type] ?? 'JSON'}`)
  }
}

const TYPES: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}
