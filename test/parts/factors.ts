import assert from 'node:assert/strict'
import { hotp, totpStep } from '../../server/src/crypto/totp.ts'
import { ALICE, type Platform } from './platform.ts'
import { csrfOf, open, post, signIn, tryLogin } from './sign_in_steps.ts'
import { UserAgent } from './user_agent.ts'

/** Somebody with an authenticator app, as the page gave it its key. */
export interface WithApp {
  readonly user: { readonly username: string; readonly password: string }
  readonly user_id: string
  /** The browser in which it was set up. */
  readonly agent: UserAgent
  readonly recovery_codes: readonly string[]
  readonly secret: string
  /** The code that the app shows, now or some steps on. */
  code(steps?: number): string
}

let people = 0

/** A new user, in a browser that is signed in. */
export async function newPerson(p: Platform, more: { roles?: readonly string[]; email?: string } = {}) {
  const user = { username: `person${people++}`, password: ALICE.password }
  const user_id = await p.server.addUser({ ...user, ...more })
  return { user, user_id }
}

/** A new user who has set up an authenticator app. */
export async function newPersonWithApp(
  p: Platform,
  more: { roles?: readonly string[]; email?: string } = {},
): Promise<WithApp> {
  const { user, user_id } = await newPerson(p, more)
  const agent = await signIn(p, user)
  const page = await open(agent, `${p.issuer}/account/security/totp`)
  const app = readApp(p, page.html)
  const { response } = await agent.submit(page, { code: app.code() }, 'enrolment')
  const recovery_codes = readCodes(await response.text())
  assert.equal(recovery_codes.length, 10)
  // The code that was just given is spent.
  p.pass(30)
  return { user, user_id, agent, recovery_codes, ...app }
}

/** The app that a page sets up. */
export function readApp(p: Platform, html: string): { secret: string; code(steps?: number): string } {
  const secret = /otpauth:\/\/totp\/[^"]*secret=([A-Z2-7]+)/.exec(html)?.[1]
  assert.ok(secret, html)
  const seed = fromBase32(secret)
  return { secret, code: (steps = 0) => hotp(seed, totpStep(p.now()) + steps) }
}

/** The recovery codes on a page. */
export function readCodes(html: string): string[] {
  return [...html.matchAll(/<li><code[^>]*>([A-Z2-7-]+)<\/code>/g)].map((match) => match[1]!)
}

/** Gives the right password in a new browser; answers it with the page of the second factor. */
export async function atSecondFactor(
  p: Platform,
  user: { username: string; password: string },
  agent = new UserAgent(),
) {
  const response = await tryLogin(p, user.username, user.password, agent)
  assert.equal(response.status, 303, await response.text())
  const url = new URL(response.headers.get('location')!, p.issuer).href
  assert.match(url, /\/login\/factor\?/)
  return { agent, page: await open(agent, url) }
}

/** Types a code on that page. */
export function typeCode(
  at: { agent: UserAgent; page: { url: string; html: string } },
  code: string,
): Promise<Response> {
  return post(at.agent, at.page.url, { csrf_token: csrfOf(at.page), code })
}

/** Signs somebody in by both factors. */
export async function signInWithApp(p: Platform, person: WithApp, agent = new UserAgent()): Promise<UserAgent> {
  const at = await atSecondFactor(p, person.user, agent)
  const response = await typeCode(at, person.code())
  assert.equal(response.status, 303, await response.text())
  p.pass(30)
  return agent
}

function fromBase32(text: string): Buffer {
  const bits = [...text]
    .map((sign) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(sign).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}
