import { startSallyport, type TestServer } from './sallyport.ts'
import { UserAgent } from './user_agent.ts'

/** The user of the Hub tests. */
export const JOHN = { username: 'john', password: 'correct horse battery' } as const
/** The administrator of the Hub tests. */
export const ROOT = { username: 'root', password: 'root of all services' } as const
/** Hub's own service. */
export const HUB_ID = '0-0-0-0-0'

/** An answer, read. */
export interface HubReply {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  readonly body: any
}

/** A server as Hub's own clients see it: its REST API, its URLs, an administrator. */
export interface Hub {
  readonly server: TestServer
  readonly base: string
  /** One call of the REST API, with the administrator's token unless another is given; null sends none. */
  rest(method: string, path: string, options?: { body?: unknown; token?: string | null }): Promise<HubReply>
  /** Registers a service as the administrator, and answers its id and secret. */
  register(more?: Record<string, unknown>): Promise<{ id: string; secret: string }>
  /** A form at Hub's token endpoint; credentials are `id:secret` or absent. */
  token(form: Record<string, string>, credentials?: { id: string; secret: string }): Promise<HubReply>
  authUrl(query: Record<string, string>): string
  /** Signs a user in through a service's code flow and answers the token response. */
  signIn(
    service: { id: string; secret: string },
    more?: Record<string, string>,
    user?: { username: string; password: string },
  ): Promise<HubReply['body']>
  readonly john_id: string
  stop(): Promise<void>
}

/** Where the services of the tests live. */
export const HOME = 'http://127.0.0.1:3000/app'

/** Starts a server with the users of the Hub tests. */
export async function startHub(
  settings: Record<string, unknown> = {},
  options: Parameters<typeof startSallyport>[0] = {},
): Promise<Hub> {
  const server = await startSallyport({ path: '/hub', ...options })
  const { issuer: base } = server
  await server.saveSettings(settings)
  const john_id = await server.addUser({ ...JOHN, name: 'John Doe', email: 'john@example.com' })
  await server.addUser({ ...ROOT, roles: ['administrator'] })
  const scope = 'admin:read admin:write'
  const script = { client_id: 'script', client_secret: 'script-secret', grant_types: ['client_credentials'], scope }
  await server.addClient(script)
  const read = async (response: Response): Promise<HubReply> => {
    const text = await response.text()
    const { status, headers } = response
    return { status, headers, body: text === '' ? null : JSON.parse(text) }
  }
  const hub: Omit<Hub, 'rest' | 'register' | 'signIn'> = {
    ...{ server, base, john_id },
    async token(form, credentials) {
      const headers: Record<string, string> = {}
      if (credentials) headers['authorization'] = `Basic ${btoa(`${credentials.id}:${credentials.secret}`)}`
      const body = new URLSearchParams(form)
      return read(await fetch(`${base}/api/rest/oauth2/token`, { method: 'POST', headers, body }))
    },
    authUrl: (query) => `${base}/api/rest/oauth2/auth?${new URLSearchParams(query)}`,
    stop: () => server.stop(),
  }
  const own = { grant_type: 'client_credentials', scope, resource: `${base}/api` }
  const administrator = async () =>
    (await hub.token(own, { id: 'script', secret: 'script-secret' })).body.access_token as string
  const rest: Hub['rest'] = async (method, path, { body, token } = {}) => {
    const headers: Record<string, string> = {}
    if (token !== null) headers['authorization'] = `Bearer ${token ?? (await administrator())}`
    if (body !== undefined) headers['content-type'] = 'application/json'
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    return read(await fetch(`${base}/api/rest/${path}`, init))
  }
  return {
    ...hub,
    rest,
    async register(more = {}) {
      const body = { name: 'App', homeUrl: HOME, redirectUris: ['/auth'], ...more }
      const made = await rest('POST', 'services?fields=id,secret', { body })
      if (made.status !== 200) throw new Error(JSON.stringify(made.body))
      return made.body
    },
    async signIn(service, more = {}, user = JOHN) {
      const redirect_uri = `${HOME}/auth`
      const asked = { response_type: 'code', client_id: service.id, redirect_uri, scope: service.id, ...more }
      const back = await new UserAgent().authorize(hub.authUrl(asked), user)
      const code = back.searchParams.get('code')
      if (code === null) throw new Error(back.href)
      const answer = await hub.token({ grant_type: 'authorization_code', code, redirect_uri }, service)
      if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
      return answer.body
    },
  }
}
