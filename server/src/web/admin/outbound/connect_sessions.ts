import { endConnectSession, judgeSession } from '../../../outbound/connect_sessions/connect_sessions.ts'
import { errorPage, ours, redirect, send } from '../../page.ts'
import { paths } from '../../ui/paths.ts'
import { consolePage, consoleSubmit } from '../forms/administrator.ts'
import { scriptOf } from '../forms/same_by_script.ts'
import { renderConnectSessions } from './templates/connect_sessions.ts'

const PAGE = 50
const LAST_ID = '~'

/** GET /admin/connect_sessions: those that wait, the newest first. */
export const connectSessionsPage = consolePage(async (visit) => {
  const { tenant_id, store } = visit.web.tenant
  const { cursor } = visit.query
  const page = { tenant_id, before_session_id: cursor ?? LAST_ID, most: PAGE + 1 }
  const found = await store.pageConnectSessions(page)
  const shown = found.slice(0, PAGE)
  const user_ids = shown.flatMap(({ session }) => session.user_id ?? [])
  const users = await store.findUsernames({ tenant_id, user_ids: [...new Set(user_ids)] })
  const names = new Map(users.map(({ user_id, username }) => [user_id, username]))
  const sessions = shown.map((one) => {
    const { session, client_name } = one
    const { session_id, client_id, user_id, end_user_id, reason, created_at, expires_at } = session
    const owner = user_id === null ? { end_user_id: end_user_id ?? '' } : { username: names.get(user_id) ?? user_id }
    return {
      ...{ session_id, client_id, client_name, owner, created_at, expires_at, reason: reason ?? undefined },
      connectors: JSON.parse(session.connectors) as string[],
      invitation: session.invitation === 1,
      status: judgeSession(one),
    }
  })
  const next_cursor = found.length > PAGE ? shown.at(-1)!.session.session_id : undefined
  const living = sessions.find(({ status }) => status !== 'expired' && status !== 'ended')
  const script = living && scriptOf(visit, 'endConnectSession', { session_id: living.session_id })
  return send(visit, renderConnectSessions(visit.view, { sessions, cursor, next_cursor, script }))
})

/** POST /admin/connect_sessions/end: it brings nothing any more, and what it brought unconfirmed is disconnected. */
export const endConnectSessionSubmit = consoleSubmit(async (visit, actor, { session_id = '' }) => {
  const { tenant_id, store } = visit.web.tenant
  const found = await store.loadConnectSession({ tenant_id, session_id })
  if (!found) return errorPage(visit, 'not_found', 404)
  await endConnectSession(visit.web.outbound, found.session, actor)
  return redirect(visit, ours(visit.web, paths.admin_connect_sessions))
})
