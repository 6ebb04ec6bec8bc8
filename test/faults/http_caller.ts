import { Agent, request } from 'node:http'
import { type Call, type Result, Unanswered } from './history.ts'
import { authorizePath, CLIENTS, exchangeForm } from './world.ts'

const PATIENCE_MS = 10_000

/** Makes the calls of a load over HTTP. A call that comes to no whole answer is `Unanswered`. */
export class HttpCaller {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #route: (call: Call) => number
  readonly #cookies: () => string
  readonly #open = new Map<number, number>()
  #cut = 0

  /** `route` says at which port a call is made, `cookies` whose browser asks for a code. */
  constructor(options: { route: (call: Call) => number; cookies: () => string }) {
    this.#route = options.route
    this.#cookies = options.cookies
  }

  /** How many calls are under way at a port. */
  open(port: number): number {
    return this.#open.get(port) ?? 0
  }

  /** How many calls came to no answer, anywhere. */
  get cut(): number {
    return this.#cut
  }

  /** Makes a call. */
  readonly call = async (call: Call): Promise<Result> => {
    const port = this.#route(call)
    this.#count(port, 1)
    try {
      return call.op === 'authorize' ? await this.#authorize(port, call) : await this.#post(port, call)
    } catch (error) {
      this.#cut++
      throw error
    } finally {
      this.#count(port, -1)
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  #count(port: number, by: number): void {
    this.#open.set(port, this.open(port) + by)
  }

  async #authorize(port: number, { args }: Call): Promise<Result> {
    const path = authorizePath(args.client_id, args.resource!)
    const { status, location } = await this.#send(port, 'GET', path, { cookie: this.#cookies() })
    const code = location && URL.parse(location)?.searchParams.get('code')
    if (code) return { status, code }
    return { status, error: status < 400 ? `it went to ${location ?? 'a page'}` : 'no code' }
  }

  async #post(port: number, call: Call): Promise<Result> {
    const { client_id } = call.args
    const { secret } = CLIENTS[client_id]!
    const [path, fields] = formOf(call)
    const form = new URLSearchParams(secret === undefined ? { ...fields, client_id } : fields)
    const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' }
    if (secret !== undefined) headers['authorization'] = `Basic ${btoa(`${client_id}:${secret}`)}`
    const { status, body } = await this.#send(port, 'POST', path, headers, form.toString())
    return { status, ...readMembers(body) }
  }

  #send(
    port: number,
    method: string,
    path: string,
    headers: Record<string, string>,
    form = '',
  ): Promise<{ status: number; location: string | undefined; body: string }> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error) => reject(new Unanswered(`no answer at port ${port}`, { cause }))
      const length = method === 'POST' ? { 'content-length': Buffer.byteLength(form) } : {}
      const options = { agent: this.#agent, host: '127.0.0.1', port, method, path, headers: { ...headers, ...length } }
      const sent = request({ ...options, timeout: PATIENCE_MS }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          if (!response.complete) return fail(new Error('the answer was cut'))
          const { statusCode = 0, headers } = response
          resolve({ status: statusCode, location: headers.location, body: Buffer.concat(chunks).toString() })
        })
        response.on('error', fail)
      })
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
      sent.on('error', fail)
      sent.end(form)
    })
  }
}

function readMembers(body: string): Omit<Result, 'status'> {
  if (body === '') return {}
  try {
    const { error, access_token, refresh_token, expires_in, active } = JSON.parse(body)
    return { error, access_token, refresh_token, expires_in, active }
  } catch {
    return { error: `no JSON: ${body.slice(0, 100)}` }
  }
}

function formOf({ op, key, args }: Call): [path: string, fields: Record<string, string>] {
  switch (op) {
    case 'exchange':
      return ['/token', exchangeForm(args.client_id, key)]
    case 'refresh':
      return ['/token', { grant_type: 'refresh_token', refresh_token: key }]
    case 'client_credentials':
      return ['/token', { grant_type: 'client_credentials', resource: args.resource! }]
    case 'introspect':
      return ['/introspect', { token: key }]
    case 'revoke':
      return ['/revoke', { token: key }]
    case 'authorize':
      throw new Error('a code is not asked for with a form')
  }
}
