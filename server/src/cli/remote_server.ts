import { createEgress, type Egress } from '../egress/egress.ts'
import { EgressError } from '../egress/egress_error.ts'
import { CommandError } from './exit_codes.ts'

/** A server as a command meets it: over HTTP, like anybody. */
export interface RemoteServer {
  readonly issuer: string
  /** Where its endpoints are (RFC 8414). */
  endpoint(name: string): Promise<string>
  fetch(url: string, init?: RemoteInit): Promise<Response>
  close(): Promise<void>
}

/** As for fetch; `endless` is an answer that may take as long as it takes. */
export interface RemoteInit {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly endless?: boolean
}

/** A JSON object of which nothing is known yet. */
export type Json = Readonly<Record<string, unknown>>

/** Reaches the server of an issuer that the person at the terminal has named: internal addresses are theirs to choose. */
export function reachServer(issuer: string): RemoteServer {
  const egress = createEgress({ allow: [new URL(issuer).host] })
  let metadata: Promise<Json> | undefined
  const fetch: RemoteServer['fetch'] = (url, init = {}) => call(egress, url, init)
  return {
    issuer,
    async endpoint(name) {
      metadata ??= discover(issuer, fetch)
      const url = (await metadata)[name]
      if (typeof url !== 'string') throw new CommandError(`${issuer} has no ${name}`)
      // What is sent there is a secret of this server: nobody else is to get it.
      if (new URL(url).origin !== new URL(issuer).origin) throw new CommandError(`${name} is at another server: ${url}`)
      return url
    },
    fetch,
    close: () => egress.close(),
  }
}

/** Posts a form (RFC 6749 appendix B), and answers the status and the JSON that came back. */
export async function postForm(
  server: RemoteServer,
  endpoint: string,
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly json: Json }> {
  const response = await server.fetch(await server.endpoint(endpoint), {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
  })
  return { status: response.status, json: await readJson(response) }
}

/** The JSON object of an answer; empty where there is none, for a parser's error would quote what may be a secret. */
export async function readJson(response: Response): Promise<Json> {
  try {
    const json: unknown = JSON.parse(await response.text())
    return typeof json === 'object' && json !== null ? (json as Json) : {}
  } catch {
    return {}
  }
}

/** What a refusal says (RFC 6749 section 5.2), as a sentence. */
export function describeRefusal(json: Json, status: number): string {
  const { error, error_description } = json
  if (typeof error_description === 'string') return error_description
  return typeof error === 'string' ? error : `The server answered ${status}`
}

async function discover(issuer: string, send: RemoteServer['fetch']): Promise<Json> {
  const url = `${issuer}/.well-known/openid-configuration`
  const response = await send(url, { headers: { accept: 'application/json' } })
  const json = await readJson(response)
  // RFC 8414 section 3.3: whoever says to be somebody else is.
  if (json['issuer'] === issuer) return json
  const said = typeof json['issuer'] === 'string' ? `is that of ${json['issuer']}` : `answers ${response.status}`
  throw new CommandError(`No Sallyport at ${issuer}: ${url} ${said}`)
}

async function call(egress: Egress, url: string, { endless, ...init }: RemoteInit): Promise<Response> {
  const limits = endless ? { timeoutMs: Number.POSITIVE_INFINITY, maxBytes: Number.MAX_SAFE_INTEGER } : {}
  try {
    return await egress.fetch(url, { purpose: 'command', ...init, ...limits })
  } catch (error) {
    if (!(error instanceof EgressError)) throw error
    throw new CommandError(`${new URL(url).origin} does not answer: ${error.message}`, undefined, { cause: error })
  }
}
