import type { Context } from 'hono'
import { CREATE_USERS } from '../../inbound/tenants.ts'
import { createUser } from '../../inbound/users/administer_users.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { decodeUtf8 } from '../machine.ts'
import { type PageEnv, readBody } from '../page.ts'
import { api } from './api.ts'

const MEMBERS = ['username', 'password', 'name', 'email'] as const

/** POST /api/users: makes a user who may sign in and has no role; what people sign up through needs no more. */
export const createUserApi = api(CREATE_USERS, async ({ c, web, actor }) => {
  const { username, password, name, email } = await readMembers(c)
  if (username === undefined) throw new OAuthError('invalid_request', 'Member username is missing')
  if (password === undefined) throw new OAuthError('invalid_request', 'Member password is missing')
  const user_id = await createUser(web.tenant, { username, password, name, email }, { actor })
  if (user_id === null) throw new OAuthError('invalid_request', 'Member username is taken', { status: 409 })
  return c.json({ user_id, username }, 201)
})

async function readMembers(c: Context<PageEnv>): Promise<Partial<Record<(typeof MEMBERS)[number], string>>> {
  let json: unknown
  try {
    json = JSON.parse(decodeUtf8(await readBody(c)))
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause
    throw new OAuthError('invalid_request', 'The body is not JSON', { cause })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new OAuthError('invalid_request', 'The body must be a JSON object')
  }
  const members: Partial<Record<(typeof MEMBERS)[number], string>> = {}
  for (const [member, value] of Object.entries(json)) {
    const known = MEMBERS.find((one) => one === member)
    if (known === undefined) throw new OAuthError('invalid_request', `Member ${member.slice(0, 64)} is not known here`)
    if (typeof value !== 'string') throw new OAuthError('invalid_request', `Member ${known} must be a string`)
    if (value !== '') members[known] = value
  }
  return members
}
