import * as z from 'zod'
import { CREATE_USERS } from '../../inbound/tenants.ts'
import { createUser } from '../../inbound/users/administer_users.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { conflict } from './problem.ts'
import { route } from './route.ts'

const text = z.string().min(1, 'must not be empty')

/** The routes of users. */
export const USER_ROUTES = [
  route({
    // What people sign up through needs no more than to make users; only administrators say more of them.
    ...{ method: 'POST', path: '/users', scope: ['admin:write', CREATE_USERS], name: 'createUser', status: 201 },
    summary: 'Makes a user who may sign in',
    body: z.strictObject({
      username: text,
      password: text.optional(),
      name: text.optional(),
      email: text.optional(),
      email_verified: z.boolean().optional(),
      roles: z.array(text).optional(),
      claims: z.record(z.string(), z.unknown()).optional(),
    }),
    answer: z.strictObject({ user_id: z.string(), username: z.string() }),
    async run({ web, token, actor, body }) {
      const { email_verified, roles, claims, ...own } = body
      if (!token.scope.includes('admin:write')) {
        const wrong = Object.entries({ email_verified, roles, claims }).find(([, value]) => value !== undefined)
        if (wrong) throw new OAuthError('invalid_request', `Member ${wrong[0]} needs the scope admin:write`)
        if (own.password === undefined) throw new OAuthError('invalid_request', 'Member password is missing')
      }
      const user_id = await createUser(web.tenant, body, { actor })
      if (user_id === null) throw conflict('Member username is taken')
      return { value: { user_id, username: body.username } }
    },
  }),
]
