import * as z from 'zod'
import { requireHeld, scopesOfRoles } from '../../inbound/administration/given_rights.ts'
import { listChangedNames } from '../../inbound/changed_names.ts'
import { CREATE_USERS } from '../../inbound/tenants.ts'
import {
  createUser,
  endSessionOfUser,
  endSessionsOfUser,
  isOwnAccount,
  LAST_ADMINISTRATOR,
  setUserDisabled,
  updateUser,
} from '../../inbound/users/administer_users.ts'
import { checkChosenUsername, usernameKey } from '../../inbound/users/prepare_user.ts'
import { inviteUser } from '../../inbound/users/recovery.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { UserRecord } from '../../store/records.ts'
import { deleteUserEverywhere } from '../delete_user.ts'
import { PAGING, pageOf, replyPage } from './page_of.ts'
import { stale } from './preconditions.ts'
import { conflict, notThere } from './problem.ts'
import { type ApiRequest, route, type Subject, shown } from './route.ts'

const text = z.string().min(1, 'must not be empty')
const claims = z.record(z.string(), z.unknown())

const UserSchema = z
  .strictObject({
    user_id: z.string(),
    username: z.string(),
    name: z.string().nullable(),
    email: z.string().nullable(),
    email_verified: z.boolean(),
    roles: z.array(z.string()),
    claims,
    disabled_at: z.int().nullable(),
    updated_at: z.int(),
  })
  .meta({ id: 'User' })

const SessionSchema = z
  .strictObject({
    session_id: z.string(),
    user_agent: z.string().nullable(),
    auth_time: z.int(),
    last_seen_at: z.int(),
    expires_at: z.int(),
  })
  .meta({ id: 'Session', description: 'A sign-in in one browser; the times are in milliseconds' })

/** A user, as routes name one. */
export const user: Subject<UserRecord> = {
  name: 'user',
  find: ({ web, params }) =>
    web.tenant.store.findUser({ tenant_id: web.tenant.tenant_id, user_id: params['user_id']! }),
  // The epoch rises with a new password.
  version: ({ user_id, name, email, email_verified, roles, claims, epoch, disabled_at }) =>
    JSON.stringify([user_id, name, email, email_verified, roles, claims, epoch, disabled_at]),
}

/** The routes of users and their sessions. */
export const USER_ROUTES = [
  route({
    ...{ method: 'GET', path: '/users', scope: 'admin:read', name: 'listUsers' },
    summary: 'Users by user_id, or those whose username begins as given',
    query: { ...PAGING, username: text.optional() },
    answer: pageOf(UserSchema),
    async run({ web, query }) {
      const { tenant_id, store } = web.tenant
      if (query.username === undefined) {
        const find = (after_user_id: string, most: number) => store.pageUsers({ tenant_id, after_user_id, most })
        return replyPage(query, find, describe, ({ user_id }) => user_id)
      }
      if (query.cursor !== undefined) {
        throw new OAuthError('invalid_request', 'Parameter cursor does not go with username: type more of the name')
      }
      const username_key = usernameKey(query.username)
      const found = await store.searchUsers({ tenant_id, username_key, most: query.limit })
      return { value: { items: found.map(describe) } }
    },
  }),
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
      claims: claims.optional(),
    }),
    answer: UserSchema,
    versioned: true,
    async run({ web, token, actor, body }) {
      const { email_verified, roles, claims, password } = body
      if (!token.scope.includes('admin:write')) {
        const wrong = Object.entries({ email_verified, roles, claims }).find(([, value]) => value !== undefined)
        if (wrong) throw new OAuthError('invalid_request', `Member ${wrong[0]} needs the scope admin:write`)
        if (password === undefined) throw new OAuthError('invalid_request', 'Member password is missing')
        // They are what whoever signs up has typed.
        checkChosenUsername(body.username, false)
      }
      await requireRoles({ web, token }, roles)
      const user_id = await createUser(web.tenant, body, { actor })
      if (user_id === null) throw conflict('Member username is taken')
      return show(await again({ web, params: { user_id } }))
    },
  }),
  route({
    ...{ method: 'GET', path: '/users/{user_id}', scope: 'admin:read', name: 'getUser' },
    summary: 'One user',
    answer: UserSchema,
    versioned: true,
    subject: user,
    run: ({ found }) => show(found),
  }),
  route({
    ...{ method: 'PATCH', path: '/users/{user_id}', scope: 'admin:write', name: 'updateUser' },
    summary: 'Changes what is named of a user; a password is a reset, which ends all sessions and grants',
    body: z.strictObject({
      name: text.nullable().optional(),
      email: text.nullable().optional(),
      email_verified: z.boolean().optional(),
      password: text.optional(),
      roles: z.array(text).optional(),
      claims: claims.optional(),
    }),
    answer: UserSchema,
    versioned: true,
    subject: user,
    async run(call) {
      const { web, found, body, actor } = call
      await requireHeldOf(call)
      await requireRoles(call, body.roles)
      const { password, ...named } = body
      const before = describe(found)
      const after = { ...before, ...named }
      const changed = [...listChangedNames(before, after), ...(password === undefined ? [] : ['password'])]
      const how = { actor, changed, seen: true, one_stays: true } as const
      if (changed.length > 0 && !(await updateUser(web.tenant, found, body, how))) throw stale()
      return show(await again(call))
    },
  }),
  ...([true, false] as const).map((disabled) =>
    route({
      ...{ method: 'POST', path: `/users/{user_id}/${disabled ? 'disable' : 'enable'}`, scope: 'admin:write' },
      name: disabled ? 'disableUser' : 'enableUser',
      summary: disabled ? 'Switches a user off: what they were issued never lives again' : 'Switches a user on again',
      answer: UserSchema,
      versioned: true,
      subject: user,
      async run(call) {
        if (!disabled) await requireHeldOf(call)
        await setUserDisabled(call.web.tenant, call.found.user_id, { disabled, actor: call.actor })
        return show(await again(call))
      },
    }),
  ),
  route({
    ...{ method: 'POST', path: '/users/{user_id}/invite', scope: 'admin:write', name: 'inviteUser' },
    summary: 'Sends a user who has no password a letter with a link to choose one',
    subject: user,
    async run(call) {
      await requireHeldOf(call)
      const { web, params, actor } = call
      const { tenant_id, store } = web.tenant
      const found = await store.findUser({ tenant_id, user_id: params['user_id']! })
      if (!found) throw notThere('user')
      const outcome = await inviteUser(web.inbound, found, actor)
      if (outcome !== 'invited') throw conflict(NOT_INVITED[outcome])
    },
  }),
  route({
    ...{ method: 'DELETE', path: '/users/{user_id}', scope: 'admin:write', name: 'deleteUser' },
    summary: 'Deletes a user for good: what they were issued, what is known of them, and their connections',
    subject: user,
    async run(call) {
      const { web, found, actor } = call
      await requireHeldOf(call)
      if (isOwnAccount(actor, found.user_id)) {
        throw new OAuthError('access_denied', 'Nobody deletes the account by which they are here', { status: 403 })
      }
      const outcome = await deleteUserEverywhere(web, found, actor)
      if (outcome === 'last') throw conflict(LAST_ADMINISTRATOR)
      if (outcome === 'unknown') throw notThere('user')
    },
  }),
  route({
    ...{ method: 'GET', path: '/users/{user_id}/sessions', scope: 'admin:read', name: 'listSessions' },
    summary: 'The living sessions of a user by session_id',
    query: PAGING,
    answer: pageOf(SessionSchema),
    subject: user,
    run: ({ web, query, found: { user_id } }) => {
      const { tenant_id, store } = web.tenant
      const find = (after_session_id: string, most: number) =>
        store.pageSessionsOfUser({ tenant_id, user_id, after_session_id, most })
      return replyPage(
        query,
        find,
        (session) => session,
        ({ session_id }) => session_id,
      )
    },
  }),
  route({
    ...{ method: 'DELETE', path: '/users/{user_id}/sessions', scope: 'admin:write', name: 'endSessions' },
    summary: 'Signs a user out everywhere',
    subject: user,
    async run({ web, found, actor }) {
      await endSessionsOfUser(web.tenant, found.user_id, actor)
    },
  }),
  route({
    ...{ method: 'DELETE', path: '/users/{user_id}/sessions/{session_id}', scope: 'admin:write', name: 'endSession' },
    summary: 'Ends one session of a user',
    subject: user,
    async run({ web, params, found, actor }) {
      const { session_id } = params
      if (!(await endSessionOfUser(web.tenant, { user_id: found.user_id, session_id, actor })))
        throw notThere('session')
    },
  }),
]

const NOT_INVITED = {
  no_mail: 'This server sends no letters',
  no_email: 'The user has no e-mail address',
  has_password: 'The user has a password already',
  disabled: 'The user is disabled',
} as const

type Asking = Pick<ApiRequest, 'web' | 'token'>

// A role that is misspelt would give nothing, and nobody would know why.
async function requireRoles({ web, token }: Asking, wanted: readonly string[] | undefined): Promise<void> {
  if (!wanted) return
  const configuration = await web.tenant.currentConfiguration()
  const unknown = wanted.find((role) => !configuration.roles.has(role))
  if (unknown !== undefined)
    throw new OAuthError('invalid_request', `Member roles: there is no role ${unknown.slice(0, 64)}`)
  requireHeld(token.scope, scopesOfRoles(configuration, wanted), 'Member roles')
}

// Whoever sets somebody's password, or the address that a new one is asked for by, can be them.
async function requireHeldOf({ web, token, found }: Asking & { readonly found: UserRecord }): Promise<void> {
  const configuration = await web.tenant.currentConfiguration()
  requireHeld(token.scope, scopesOfRoles(configuration, JSON.parse(found.roles) as string[]), 'The user')
}

async function again({ web, params }: Pick<ApiRequest, 'web' | 'params'>): Promise<UserRecord> {
  const { tenant_id, store } = web.tenant
  const found = await store.findUser({ tenant_id, user_id: params['user_id']! })
  if (!found) throw notThere('user')
  return found
}

function show(found: UserRecord) {
  return shown(user, found, describe(found))
}

function describe(found: UserRecord): z.input<typeof UserSchema> {
  const { user_id, username, name, email, email_verified, roles, claims, disabled_at, updated_at } = found
  return {
    ...{ user_id, username, name, email, email_verified: email_verified === 1 },
    ...{ roles: JSON.parse(roles) as string[], claims: JSON.parse(claims) as Record<string, unknown> },
    ...{ disabled_at, updated_at },
  }
}
