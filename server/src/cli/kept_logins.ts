import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { newId } from '../crypto/random.ts'
import { CommandError } from './exit_codes.ts'

/** How a person is signed in at one server. */
export interface KeptLogin {
  readonly client_id: string
  readonly access_token: string
  /** In milliseconds. */
  readonly expires_at: number
  readonly refresh_token?: string | undefined
}

/** Everything that is kept, and where the last sign-in was. */
export interface KeptLogins {
  readonly last?: string | undefined
  readonly logins: Readonly<Record<string, KeptLogin>>
}

type Env = Readonly<Record<string, string | undefined>>

/** Where sign-ins are kept: a file of the user's configuration folder that nobody else can read. */
export function loginsFile(env: Env): string {
  const own = process.platform === 'win32' ? env['APPDATA'] : env['XDG_CONFIG_HOME']
  const folder = own !== undefined && path.isAbsolute(own) ? own : path.join(os.homedir(), '.config')
  return path.join(folder, 'sallyport', 'logins.json')
}

/** Reads what is kept; refuses a file that others can read, for they may have. */
export function readLogins(env: Env): KeptLogins {
  const file = loginsFile(env)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
    const open = process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0
    if (open) throw new CommandError(`${file} can be read by others: delete it, and sign in again`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { logins: {} }
    if (error instanceof CommandError) throw error
    throw new CommandError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  try {
    const { last, logins } = JSON.parse(text) as KeptLogins
    if (typeof logins === 'object' && logins !== null) return { last, logins }
  } catch {
    // The same as what is no list of sign-ins: a parser's error would quote it.
  }
  throw new CommandError(`${file} is damaged: delete it, and sign in again`)
}

/** Keeps a sign-in, or forgets it (null). Another command may be reading: the file is replaced as a whole. */
export function keepLogin(env: Env, issuer: string, login: KeptLogin | null): void {
  const file = loginsFile(env)
  const { last, logins } = readLogins(env)
  const { [issuer]: _, ...others } = logins
  const kept = login
    ? { last: issuer, logins: { ...others, [issuer]: login } }
    : { last: last === issuer ? undefined : last, logins: others }
  const fresh = `${file}.${newId(Date.now())}`
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(fresh, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
    chmodSync(fresh, 0o600)
    renameSync(fresh, file)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw new CommandError(`${file} cannot be written (${(error as NodeJS.ErrnoException).code})`)
  }
}
