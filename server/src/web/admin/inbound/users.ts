import { deletePermanentToken } from '../../../inbound/tokens/permanent_tokens.ts'
import { endSessionsOfUser, isOwnAccount, setUserDisabled } from '../../../inbound/users/administer_users.ts'
import { usernameKey } from '../../../inbound/users/prepare_user.ts'
import { listConnections } from '../../../outbound/connections/connections.ts'
import type { UserRecord } from '../../../store/records.ts'
import type { UserWithPassword } from '../../../store/verbs/users.ts'
import { deleteUserEverywhere } from '../../delete_user.ts'
import { errorPage, ours, redirect, send, type Visit } from '../../page.ts'
import { joinApps } from '../../pages/joined_apps.ts'
import { showToken } from '../../pages/shown_token.ts'
import { isTold, readTold, redirectTelling } from '../../told_once.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { renderUser } from './templates/user.ts'
import { renderUsers } from './templates/users.ts'

const PAGE = 50

/** GET /admin/users. */
export const usersPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const cursor = visit.query['cursor']
  const q = visit.query['q']?.trim()
  const found = q
    ? await search(visit, q)
    : await store.pageUsers({ tenant_id, after_user_id: cursor ?? '', most: PAGE + 1 })
  const shown = found.slice(0, PAGE)
  const has_more = found.length > PAGE
  // What was searched for has no next page: it is in another order.
  const next_cursor = has_more && !q ? shown.at(-1)!.user_id : undefined
  return send(
    visit,
    renderUsers(visit.view, {
      users: shown.map(userRow),
      q: q || undefined,
      first: has_more && q ? PAGE : undefined,
      cursor,
      next_cursor,
      done: readTold(visit, visit.view.text.console.done),
    }),
  )
})

/** Those whose username begins so, and those whose address it is. */
async function search({ web }: Visit, q: string): Promise<UserRecord[]> {
  const { tenant_id, store } = web.tenant
  const [named, addressed] = await Promise.all([
    store.searchUsers({ tenant_id, username_key: usernameKey(q), most: PAGE + 1 }),
    store.findUsersByEmail({ tenant_id, email: q, disabled_too: true, most: PAGE + 1 }),
  ])
  return [...new Map([...addressed, ...named].map((user) => [user.user_id, user])).values()]
}

/** GET /admin/user?user_id=. */
export const userPage = consolePage(async (visit, administrator) => {
  const { tenant_id, store } = visit.web.tenant
  const user_id = visit.query['user_id'] ?? ''
  const user = await store.findUser({ tenant_id, user_id })
  if (!user) return errorPage(visit, 'not_found', 404)
  const [sessions, grants, connections, tokens] = await Promise.all([
    store.listSessionsOfUser({ tenant_id, user_id }),
    store.listGrantsOfUser({ tenant_id, user_id }),
    listConnections(visit.web.outbound, user_id),
    store.listPermanentTokens({ tenant_id, user_id }),
  ])
  const shown = tokens.map((token) => showToken(visit, user, token))
  const apps = joinApps(visit, grants, connections, new Map())
  const own = isOwnAccount(administrator, user_id)
  const invitation = invitable(visit, user)
  const [first] = tokens
  const scripts = [
    ...scriptsOf(visit, user, { own, may_invite: invitation.may_invite }),
    ...(first ? [scriptOf(visit, 'deletePersonalAccessToken', { user_id, token_id: first.token_id })] : []),
  ]
  return send(
    visit,
    renderUser(visit.view, {
      ...{ ...userRow(user), sessions: sessions.length, apps, tokens: shown, own, scripts },
      connections: connections.map((one) => ({ ...one, last_used_at: one.last_used_at ?? undefined })),
      ...invitation,
      done: readTold(visit, visit.view.text.console.done),
    }),
  )
})

/** What the buttons of a user's page do, as far as they stand there. */
function scriptsOf(visit: Visit, { user_id, disabled_at }: UserRecord, page: { own: boolean; may_invite: boolean }) {
  const script = (operation: Parameters<typeof scriptOf>[1]) => scriptOf(visit, operation, { user_id })
  const disabled = disabled_at !== null
  return [
    ...(page.may_invite && !page.own ? [script('inviteUser')] : []),
    ...(disabled ? [] : [script('endSessions')]),
    ...(page.own ? [] : [script(disabled ? 'enableUser' : 'disableUser'), script('deleteUser')]),
  ]
}

function invitable(visit: Visit, { password_hash, email, disabled_at }: UserWithPassword) {
  const no_password = password_hash === null
  const may_invite = no_password && email !== null && disabled_at === null && visit.web.inbound.outbox.on
  return { no_password, may_invite, invited: isTold(visit, 'invited') }
}

/** POST /admin/user/disable and /admin/user/enable; nobody disables the account by which they are here. */
export const setUserDisabledSubmit = (disabled: boolean) =>
  consoleSubmit(async (visit, administrator, { user_id = '' }) => {
    const { tenant } = visit.web
    if (disabled && isOwnAccount(administrator, user_id)) return errorPage(visit, 'forbidden', 403)
    await setUserDisabled(tenant, user_id, { disabled, actor: administrator })
    return toUser(visit, user_id)
  })

/** POST /admin/user/delete: the user is no more; nobody deletes the account by which they are here. */
export const deleteUserSubmit = consoleSubmit(async (visit, administrator, { user_id = '' }) => {
  const { tenant_id, store } = visit.web.tenant
  if (isOwnAccount(administrator, user_id)) return errorPage(visit, 'forbidden', 403)
  const user = await store.findUser({ tenant_id, user_id })
  if (!user) return errorPage(visit, 'not_found', 404)
  await deleteUserEverywhere(visit.web, user, administrator)
  return redirectTelling(visit, ours(visit.web, paths.admin_users), 'user')
})

/** POST /admin/user/end_sessions: the user is signed out everywhere (ASVS 7.4.5). */
export const endSessionsSubmit = consoleSubmit(async (visit, administrator, { user_id = '' }) => {
  await endSessionsOfUser(visit.web.tenant, user_id, administrator)
  return redirectTelling(visit, ours(visit.web, paths.admin_user, { user_id }), 'sessions')
})

/** POST /admin/user/delete_token: a token that somebody has made for a script is dead at once. */
export const deleteTokenOfUserSubmit = consoleSubmit(async (visit, administrator, { user_id = '', token_id = '' }) => {
  const deleted = await deletePermanentToken(visit.web.tenant, { user_id, token_id, actor: administrator })
  return redirectTelling(visit, ours(visit.web, paths.admin_user, { user_id }), deleted ? 'token' : undefined)
})

const toUser = (visit: Visit, user_id: string) => redirect(visit, ours(visit.web, paths.admin_user, { user_id }))

function userRow({ user_id, username, name, email, email_verified, roles, disabled_at }: UserRecord) {
  return {
    user_id,
    username,
    name: name ?? undefined,
    email: email ?? undefined,
    email_verified: email_verified === 1,
    roles: JSON.parse(roles) as string[],
    disabled: disabled_at !== null,
  }
}
