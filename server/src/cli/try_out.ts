import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { equalBytes, sha256 } from '../crypto/hash.ts'
import { randomSecret } from '../crypto/random.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { runDeviceFlow } from './login.ts'
import { describeRefusal, type Json, postForm, type RemoteServer, reachServer } from './remote_server.ts'
import { describeThing } from './show_answer.ts'
import { askSecret, isAttended, printable } from './terminal.ts'

// Not by an import statement, for the reason that node_server.ts gives.
const { createServer } = process.getBuiltinModule('node:http')

/** How a client tries a flow out, as the command line says it. */
export interface TryOut {
  readonly client_id: string
  /** A file with the client's secret; - is the standard input. */
  readonly secret_file?: string | undefined
  readonly scope?: string | undefined
  readonly resource?: string | undefined
  /** Of a sign-in: the loopback port that the redirect URI names, where the client's registration names one. */
  readonly port?: string | undefined
}

const FLOWS = { login: tryLogin, token: tryToken, device: tryDevice } as const
const LONGEST_LOGIN_MS = 600_000

/** `test login|token|device`: runs a flow as a client of the server, and says what came of it, never the tokens. */
export async function tryOut(issuer: string, flow: string, wish: TryOut, json: boolean): Promise<number> {
  if (!Object.hasOwn(FLOWS, flow)) throw new CommandError(`There is no test of ${flow}: login, token or device`)
  const server = reachServer(issuer)
  try {
    const tokens = await FLOWS[flow as keyof typeof FLOWS](server, wish)
    const shown = describeTokens(tokens)
    process.stdout.write(json ? `${JSON.stringify(shown, null, 2)}\n` : describeThing(shown))
    return EXIT.done
  } finally {
    await server.close()
  }
}

/** What a token response says, with the tokens themselves left out: of an ID token its claims. */
export function describeTokens({ access_token, refresh_token, id_token, ...rest }: Json): Json {
  const claims = typeof id_token === 'string' ? readClaims(id_token) : undefined
  const format = typeof access_token === 'string' && access_token.split('.').length === 3 ? 'JWT' : 'opaque'
  return {
    access_token: format,
    refresh_token: refresh_token !== undefined,
    ...rest,
    ...(claims !== undefined && { id_token: claims }),
  }
}

function readClaims(jwt: string): unknown {
  try {
    return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
  } catch {
    return 'not readable'
  }
}

async function tryToken(server: RemoteServer, wish: TryOut): Promise<Json> {
  const client = await authenticate(wish)
  if (client.headers['authorization'] === undefined) {
    throw new CommandError('A client without a secret gets no token for itself: --client-secret-file <file>')
  }
  return redeem(server, { grant_type: 'client_credentials', ...wanted(wish) }, client)
}

async function tryDevice(server: RemoteServer, wish: TryOut): Promise<Json> {
  const client = await authenticate(wish)
  return runDeviceFlow(server, { form: { ...client.form, ...wanted(wish) }, headers: client.headers })
}

async function tryLogin(server: RemoteServer, wish: TryOut): Promise<Json> {
  const client = await authenticate(wish)
  const code_verifier = randomSecret()
  const state = randomSecret()
  const callback = await listenForCallback(readPort(wish.port), state)
  try {
    const { redirect_uri } = callback
    const challenge = { code_challenge: sha256(code_verifier).toString('base64url'), code_challenge_method: 'S256' }
    const request = { response_type: 'code', client_id: wish.client_id, redirect_uri, state, ...challenge }
    const url = new URL(await server.endpoint('authorization_endpoint'))
    url.search = new URLSearchParams({ scope: 'openid', ...request, ...wanted(wish) }).toString()
    process.stderr.write(`Open  ${url.href}\n`)
    const code = await callback.code
    return await redeem(server, { grant_type: 'authorization_code', code, redirect_uri, code_verifier }, client)
  } finally {
    callback.close()
  }
}

interface Callback {
  readonly redirect_uri: string
  readonly code: Promise<string>
  close(): void
}

/** Waits at loopback for the answer to one authorization request (RFC 8252 section 7.3). */
async function listenForCallback(port: number, state: string): Promise<Callback> {
  const { promise: code, resolve, reject } = Promise.withResolvers<string>()
  // Whoever waits hears of it; until then nobody may.
  code.catch(() => {})
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const end = (status: number, text: string) =>
      response.writeHead(status, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' }).end(`${text}\n`)
    const { searchParams } = url
    // An answer to another request, or to none, ends nothing.
    const ours = equalBytes(sha256(searchParams.get('state') ?? ''), sha256(state))
    if (url.pathname !== '/callback' || !ours) return end(404, 'There is nothing here')
    const error = searchParams.get('error')
    if (error !== null)
      reject(new CommandError(printable(searchParams.get('error_description') ?? error), EXIT.not_allowed))
    else resolve(searchParams.get('code') ?? '')
    return end(200, error === null ? 'Done. Go back to the terminal.' : 'Refused. The terminal says why.')
  })
  await new Promise<void>((listening, failed) => {
    server.once('error', () => failed(new CommandError(`Port ${port} of this machine cannot be listened on`)))
    server.listen(port, '127.0.0.1', listening)
  })
  const timer = setTimeout(() => reject(new CommandError('Nobody has answered', EXIT.not_allowed)), LONGEST_LOGIN_MS)
  const close = () => {
    clearTimeout(timer)
    server.close()
    server.closeAllConnections()
  }
  const { port: taken } = server.address() as { port: number }
  return { redirect_uri: `http://127.0.0.1:${taken}/callback`, code, close }
}

async function redeem(server: RemoteServer, form: Readonly<Record<string, string>>, client: Shown): Promise<Json> {
  const { status, json } = await postForm(server, 'token_endpoint', { ...client.form, ...form }, client.headers)
  if (status === 200) return json
  throw new CommandError(describeRefusal(json, status), EXIT.not_allowed)
}

interface Shown {
  readonly form: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
}

/** How a client shows who it is: by its secret, or by its name alone. */
async function authenticate({ client_id, secret_file }: TryOut): Promise<Shown> {
  const secret = secret_file === undefined ? '' : await readSecret(secret_file)
  if (secret === '') return { form: { client_id }, headers: {} }
  // RFC 6749 section 2.3.1: both are encoded before they are put together.
  const pair = [client_id, secret]
    .map((part) => new URLSearchParams({ part }).toString().slice('part='.length))
    .join(':')
  return { form: {}, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } }
}

async function readSecret(file: string): Promise<string> {
  if (file === '-' && isAttended()) return askSecret('Client secret')
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new CommandError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function wanted({ scope, resource }: TryOut): Record<string, string> {
  return { ...(scope !== undefined && { scope }), ...(resource !== undefined && { resource }) }
}

function readPort(text = '0'): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw new CommandError('--port must be a number up to 65535')
}
