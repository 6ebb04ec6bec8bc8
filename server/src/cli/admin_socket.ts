import { createHash } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { PlatformError } from '../apply/platform_error.ts'
import { ConfigError } from '../config/config_error.ts'
import type { Config } from '../config/read_config.ts'
import { PasswordQueueFull } from '../crypto/password.ts'
import { OAuthError } from '../oauth/errors.ts'
import { BackupError } from '../store/backup/backup_file.ts'
import { StoreUnavailable } from '../store/sql.ts'
import type { Log } from '../web/log.ts'
import type { Administration } from './administration.ts'
import { dataFiles } from './data_folder.ts'

// Not by an import statement, for the reason that node_server.ts gives.
const { createServer, request } = process.getBuiltinModule('node:http')

const LARGEST_BODY = 8 * 2 ** 20
// What the address of a Unix socket holds on every system.
const LONGEST_PATH = 103

/** Where the server of a data folder takes the operator's commands: a socket that its owner alone may open. */
export function adminSocketPath(config: Pick<Config, 'data_dir'>): string {
  if (process.platform !== 'win32') return dataFiles(config).admin_socket
  return `\\\\.\\pipe\\sallyport-${createHash('sha256').update(config.data_dir).digest('hex').slice(0, 32)}`
}

type Operation = keyof Administration

const OPERATIONS: readonly Operation[] = [
  ...(['plan', 'apply', 'exportPlatform', 'createSetupLink', 'examine'] as const),
  ...(['listKeys', 'rotateKeys', 'revokeKey', 'rekey'] as const),
  ...(['createRegistrationToken', 'listRegistrationTokens', 'endRegistrationToken'] as const),
  ...(['listClientSecrets', 'rotateClientSecret', 'endFormerClientSecret'] as const),
  ...(['allowCommandLine', 'askToConnect', 'findConnected', 'copyDatabase'] as const),
  ...(['listTenants', 'switchTenant'] as const),
]

/**
 * Serves the operator's commands beside a running server. Who may open the socket file is who may command (mode 0600
 * in a folder of its owner). Answers null where a server of the same data folder does so already.
 */
export async function serveAdministration(
  path: string,
  administration: Administration,
  log: Log,
): Promise<Server | null> {
  if (Buffer.byteLength(path) > LONGEST_PATH && process.platform !== 'win32') {
    throw new ConfigError([`The path of the admin socket is too long: ${path}; choose a shorter data folder`])
  }
  if (await isAnswered(path)) return null
  // Nobody answers there, so it was left by a process that was killed.
  if (process.platform !== 'win32') rmSync(path, { force: true })
  const server = createServer({ requestTimeout: 15_000 }, (incoming, response) => {
    void answer(administration, incoming, log).then(({ status, value }) => send(response, status, value))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  if (process.platform !== 'win32') chmodSync(path, 0o600)
  server.unref()
  return server
}

async function answer(
  administration: Administration,
  incoming: IncomingMessage,
  log: Log,
): Promise<{ status: number; value: unknown }> {
  try {
    const operation = OPERATIONS.find((name) => incoming.url === `/${name}`)
    if (!operation || incoming.method !== 'POST') return { status: 404, value: { sentences: ['no such command'] } }
    const body = await readBody(incoming)
    return { status: 200, value: await administration[operation](body) }
  } catch (error) {
    const sentences = sentencesOf(error)
    if (!sentences) log.error({ err: error }, 'command failed')
    return { status: 400, value: { sentences: sentences ?? ['The server failed; its log says why'] } }
  }
}

async function readBody(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LARGEST_BODY) throw new PlatformError([`more than ${LARGEST_BODY} bytes were sent`])
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  return text === '' ? undefined : JSON.parse(text)
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' })
  response.end(JSON.stringify(value))
}

/** The sentences of an error that is meant for people, or undefined for one that is a defect. */
export function sentencesOf(error: unknown): readonly string[] | undefined {
  if (error instanceof PlatformError || error instanceof ConfigError) return error.sentences
  if (error instanceof OAuthError) return [error.error_description]
  if (error instanceof StoreUnavailable || error instanceof PasswordQueueFull) return [error.message]
  if (error instanceof BackupError) return [error.message]
  return undefined
}

/** The running server of a data folder, or null when there is none. */
export async function findAdministration(path: string): Promise<Administration | null> {
  if (!(await isAnswered(path))) return null
  return {
    plan: (platform) => call(path, 'plan', platform),
    apply: (platform) => call(path, 'apply', platform),
    exportPlatform: (wish) => call(path, 'exportPlatform', wish),
    createSetupLink: () => call(path, 'createSetupLink'),
    examine: () => call(path, 'examine'),
    listKeys: () => call(path, 'listKeys'),
    rotateKeys: (alg) => call(path, 'rotateKeys', alg),
    revokeKey: (kid) => call(path, 'revokeKey', kid),
    rekey: (wish) => call(path, 'rekey', wish),
    createRegistrationToken: (description) => call(path, 'createRegistrationToken', description),
    listRegistrationTokens: () => call(path, 'listRegistrationTokens'),
    endRegistrationToken: (token_id) => call(path, 'endRegistrationToken', token_id),
    listClientSecrets: (client_id) => call(path, 'listClientSecrets', client_id),
    rotateClientSecret: (client_id) => call(path, 'rotateClientSecret', client_id),
    endFormerClientSecret: (client_id) => call(path, 'endFormerClientSecret', client_id),
    allowCommandLine: () => call(path, 'allowCommandLine'),
    askToConnect: (wish) => call(path, 'askToConnect', wish),
    findConnected: (asked) => call(path, 'findConnected', asked),
    copyDatabase: () => call(path, 'copyDatabase'),
    listTenants: () => call(path, 'listTenants'),
    switchTenant: (wish) => call(path, 'switchTenant', wish),
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') resolve(false)
      else reject(new ConfigError([`The socket of the running server, ${path}, cannot be opened (${code ?? message})`]))
    })
  })
}

function call<Result>(path: string, operation: Operation, body?: unknown): Promise<Result> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, path: `/${operation}`, method: 'POST', agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Result
        if (response.statusCode === 200) resolve(value)
        else reject(new PlatformError((value as { sentences: string[] }).sentences))
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? '' : JSON.stringify(body))
  })
}
