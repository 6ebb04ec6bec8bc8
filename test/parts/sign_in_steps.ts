import assert from 'node:assert/strict'
import { ALICE, type Platform } from './platform.ts'
import { UserAgent } from './user_agent.ts'

const FORM = 'application/x-www-form-urlencoded'
/** What a browser says of a form that a page of the server posts. */
export const SAME = { 'sec-fetch-site': 'same-origin' }

/** A page as a browser got it. */
export interface Page {
  readonly url: string
  readonly html: string
  readonly status: number
}

/** Opens a page, redirects followed. */
export async function open(agent: UserAgent, url: string): Promise<Page> {
  const { url: at, response } = await agent.follow(url)
  return { url: at, html: await response.text(), status: response.status }
}

/** The token that the forms of a page carry. */
export const csrfOf = ({ html }: { html: string }) => /name="csrf_token" value="([^"]+)"/.exec(html)?.[1] ?? ''

/** Posts a form as a page of the server would, unless the headers say otherwise. */
export function post(
  agent: UserAgent,
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = SAME,
) {
  const body = new URLSearchParams(form).toString()
  return agent.request(url, { method: 'POST', headers: { 'content-type': FORM, ...headers }, body })
}

/** Fills in the sign-in page. */
export async function tryLogin(
  p: Platform,
  username: string,
  password: string,
  agent = new UserAgent(),
): Promise<Response> {
  const page = await open(agent, `${p.issuer}/login`)
  return post(agent, page.url, { csrf_token: csrfOf(page), username, password })
}

/** Signs a user in, in a new browser unless one is given. */
export async function signIn(
  p: Platform,
  user: { username: string; password: string } = ALICE,
  agent = new UserAgent(),
): Promise<UserAgent> {
  const response = await tryLogin(p, user.username, user.password, agent)
  assert.equal(response.status, 303, await response.text())
  return agent
}

/** Whether the server takes this browser for signed in. */
export async function isSignedIn(p: Platform, agent: UserAgent): Promise<boolean> {
  const response = await agent.request(p.authorizeUrl('trusted', { prompt: 'none' }))
  return new URL(response.headers.get('location')!).searchParams.has('code')
}

/** Asserts that a posted consent was not taken: the page is shown again. */
export async function assertAskedAgain(response: Response, what: string): Promise<string> {
  assert.deepEqual([response.status, response.headers.get('location')], [200, null], what)
  const html = await response.text()
  assert.match(html, /name="decision"/, what)
  return html
}

/** The session cookie of a browser, name and value. */
export const sessionOf = (agent: UserAgent) => [...agent.cookies].find(([name]) => name.includes('session'))
