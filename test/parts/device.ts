import assert from 'node:assert/strict'
import type { StoreLocation } from '../../server/src/store/store.ts'
import { startSallyport, type TestServer } from './sallyport.ts'
import { open, type Page } from './sign_in_steps.ts'
import { UserAgent } from './user_agent.ts'

/** The grant type of devices (RFC 8628 section 3.4). */
export const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
/** Whose device waits. */
export const PEOPLE = {
  alice: { username: 'alice', password: 'correct horse battery' },
  bob: { username: 'bob', password: 'another long password' },
  carol: { username: 'carol', password: 'a third long password' },
} as const
const API = 'https://api.example/films'

/** A platform whose televisions sign their users in. */
export interface DevicePlatform {
  readonly server: TestServer
  readonly clock: { now: number }
  /** A direct request of a client; `tv` is public, `box` has a secret. */
  ask(path: string, form: Record<string, string>, client?: string): Promise<{ status: number; body: Answer }>
  start(form?: Record<string, string>, client?: string): Promise<Answer>
  poll(device_code: unknown, more?: Record<string, string>, client?: string): Promise<{ status: number; body: Answer }>
  /** A browser in which somebody has signed in. */
  signIn(person: keyof typeof PEOPLE): Promise<UserAgent>
  /** Enters a code; answers the page that comes. */
  enter(agent: UserAgent, user_code: unknown): Promise<Page>
  answer(agent: UserAgent, page: Page, decision: 'allow' | 'deny'): Promise<Page>
  allow(agent: UserAgent, user_code: unknown): Promise<void>
}
type Answer = Record<string, string | number | undefined>

/** Starts it; the clock stands still unless it is moved. */
export async function startDevicePlatform(
  options: { path?: string; location?: (clock: () => number) => StoreLocation } = {},
): Promise<DevicePlatform> {
  const clock = { now: Date.UTC(2026, 10, 21) }
  const read = () => clock.now
  const location = options.location?.(read)
  const server = await startSallyport({ path: options.path ?? '', clock: read, ...(location && { location }) })
  const scopes = JSON.stringify({ 'films:watch': 'Watch your films', 'films:buy': 'Buy films' })
  await server.addResource({ resource: API, name: 'Films', scopes, default_scopes: '["films:watch"]' })
  await server.addRole('viewer', ['films:watch'])
  for (const person of Object.values(PEOPLE)) await server.addUser({ ...person, roles: ['viewer'] })
  const of_devices = {
    grant_types: [DEVICE, 'refresh_token'],
    response_types: [],
    scope: 'openid offline_access films:watch films:buy',
    default_resource: API,
  }
  const none = { token_endpoint_auth_method: 'none' }
  await server.addClient({ ...of_devices, ...none, client_id: 'tv', client_name: 'Big Television' })
  await server.addClient({ ...of_devices, ...none, client_id: 'other-tv' })
  await server.addClient({ ...of_devices, client_id: 'box', client_secret: 'box-secret' })
  const ask: DevicePlatform['ask'] = async (path, form, client = 'tv') => {
    const headers: Record<string, string> = { 'user-agent': 'BigTelevision/3' }
    if (client === 'box') headers['authorization'] = `Basic ${btoa('box:box-secret')}`
    const body = new URLSearchParams({ ...(client === 'box' ? {} : { client_id: client }), ...form })
    const response = await fetch(server.issuer + path, { method: 'POST', headers, body })
    return { status: response.status, body: (await response.json()) as Answer }
  }
  const enter: DevicePlatform['enter'] = async (agent, user_code) => {
    const page = await open(agent, `${server.issuer}/device`)
    return readPage(await agent.submit(page, { user_code: String(user_code) }, 'name="user_code"'))
  }
  const answer: DevicePlatform['answer'] = async (agent, page, decision) =>
    readPage(await agent.submit(page, { decision }, 'name="shown"'))
  return {
    ...{ server, clock, ask, enter, answer },
    async start(form = {}, client = 'tv') {
      const { status, body } = await ask('/device_authorization', form, client)
      assert.equal(status, 200, JSON.stringify(body))
      return body
    },
    poll: (device_code, more = {}, client = 'tv') =>
      ask('/token', { grant_type: DEVICE, device_code: String(device_code), ...more }, client),
    async signIn(person) {
      const agent = new UserAgent()
      const page = await open(agent, `${server.issuer}/login`)
      await agent.submit(page, PEOPLE[person], 'name="password"')
      return agent
    },
    async allow(agent, user_code) {
      const question = await enter(agent, user_code)
      assert.match(question.html, /name="shown"/, question.html)
      const done = await answer(agent, question, 'allow')
      assert.equal(done.status, 200, done.html)
    },
  }
}

async function readPage({ url, response }: { url: string; response: Response }): Promise<Page> {
  return { url, html: await response.text(), status: response.status }
}
