import { ADMINISTRATOR } from '../../inbound/tenants.ts'
import { usernameKey } from '../../inbound/users/prepare_user.ts'
import { listConnections } from '../../outbound/connections/connections.ts'
import { nameProvider } from '../../outbound/connectors/connector.ts'
import type { UserRecord } from '../../store/records.ts'
import type { EventRecord } from '../../store/verbs/events.ts'
import { deleteUserEverywhere } from '../delete_user.ts'
import { ours, redirect, send, type Visit } from '../page.ts'
import { streamText } from '../stream_text.ts'
import { paths } from '../ui/paths.ts'
import { signedInPage } from './account.ts'
import { forgetSession } from './logout.ts'
import { type Sure, surePage, sureSubmit } from './security.ts'
import { renderActivity, type ShownActivity } from './templates/activity.ts'
import { type OwnData, renderDeleted, renderOwnData } from './templates/own_data.ts'

const PAGE = 50
const EXPORT_PAGE = 200
// Above every identifier: the cursor of the newest.
const LAST_ID = '~'

/** GET /account/activity: what happened in this account. */
export const activityPage = signedInPage(async (visit, { user }) => {
  const { tenant_id, store } = visit.web.tenant
  const { cursor } = visit.query
  const found = await pageOwnEvents(visit, user.user_id, cursor ?? LAST_ID, PAGE + 1)
  const shown = found.slice(0, PAGE)
  const [clients, connectors] = await Promise.all([
    Promise.all(
      distinct(shown.map(({ client_id }) => client_id)).map((client_id) => store.findClient({ tenant_id, client_id })),
    ),
    store.listConnectors({ tenant_id }),
  ])
  const activities = shown.map((event): ShownActivity => {
    const { at, type, client_id } = event
    const detail = JSON.parse(event.detail) as { connector?: unknown; times?: unknown }
    const client = clients.find((one) => one?.client_id === client_id)
    const connector = connectors.find((one) => one.connector === detail.connector)
    return {
      ...{ at, type, by: whoDid(event, user.user_id) },
      client: client_id === null ? undefined : { client_id, client_name: client?.client_name ?? undefined },
      provider_name: connector && nameProvider(visit.web.outbound, connector),
      times: typeof detail.times === 'number' ? detail.times : undefined,
    }
  })
  const next_cursor = found.length > PAGE ? shown.at(-1)!.event_id : undefined
  return send(visit, renderActivity(visit.view, { may_administer: administers(user), activities, cursor, next_cursor }))
})

/** GET /account/data: take what is known along, or delete it. */
export const ownDataPage = surePage(paths.account_data, (visit, sure) => show(visit, sure))

/** GET /account/data/export: what is known of somebody, without secrets (GDPR articles 15 and 20). */
export const exportPage = surePage(paths.account_data, async (visit, { user, factors }) => {
  const { tenant_id, store, issuer } = visit.web.tenant
  const mine = { tenant_id, user_id: user.user_id }
  const [named, identities, sessions, grants, tokens, connections] = await Promise.all([
    store.findUser(mine),
    store.listIdentitiesOfUser(mine),
    store.listSessionsOfUser(mine),
    store.listGrantsOfUser(mine),
    store.listPermanentTokens(mine),
    listConnections(visit.web.outbound, user.user_id),
  ])
  const { user_id, username, name, email, email_verified, roles, claims } = user
  const known = {
    ...{ issuer, exported_at: visit.view.now },
    profile: {
      ...{ user_id, username, name, email, email_verified: email_verified === 1 },
      ...{ roles: JSON.parse(roles), claims: JSON.parse(claims) },
    },
    sign_in: {
      password: named?.password_hash != null,
      totp: factors.totp !== null,
      recovery_codes_left: factors.recovery_codes_left,
      passkeys: factors.passkeys.map(({ name, created_at, last_used_at }) => ({ name, created_at, last_used_at })),
      identities: identities.map(({ authority, account, account_name, last_used_at }) => ({
        ...{ authority, account, account_name, last_used_at },
      })),
    },
    sessions: sessions.map(({ user_agent, auth_time, last_seen_at }) => ({ user_agent, auth_time, last_seen_at })),
    apps: grants.map(({ client_id, client_name, scope, created_at, last_used_at, expires_at }) => ({
      ...{ client_id, client_name, scope, created_at, last_used_at, expires_at },
    })),
    permanent_tokens: tokens.map(({ name, scope, resource, created_at, expires_at, last_used_at }) => ({
      ...{ name, scope, resource: JSON.parse(resource), created_at, expires_at, last_used_at },
    })),
    connections: connections.map(({ connector, provider_name, account_label, state, scope, created_at }) => ({
      ...{ connector, provider_name, account_label, state, scope, created_at },
    })),
  }
  const file = `${new URL(issuer).hostname}-${new Date(visit.view.now).toISOString().slice(0, 10)}.json`
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Disposition': `attachment; filename="${file}"`,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  }
  for (const [header, value] of Object.entries(headers)) visit.c.header(header, value)
  return visit.c.body(streamText(writeExport(visit, user_id, known)))
})

// Events are many: they are read and sent page by page.
async function* writeExport(visit: Visit, user_id: string, known: object): AsyncGenerator<string> {
  yield `${JSON.stringify(known, null, 2).slice(0, -2)},\n  "events": [`
  let separator = '\n'
  for (let cursor = LAST_ID; ; ) {
    const events = await pageOwnEvents(visit, user_id, cursor, EXPORT_PAGE)
    for (const event of events) {
      const { at, type, client_id, connection_id } = event
      const detail = JSON.parse(event.detail)
      yield `${separator}    ${JSON.stringify({ at, type, by: whoDid(event, user_id), client_id, connection_id, detail })}`
      separator = ',\n'
    }
    if (events.length < EXPORT_PAGE) break
    cursor = events.at(-1)!.event_id
  }
  yield '\n  ]\n}\n'
}

/** POST /account/data/delete: the account is no more, nor what was known of its owner. */
export const deleteAccountSubmit = sureSubmit(paths.account_data, async (visit, sure, { username = '' }) => {
  const { user } = sure
  if (!mayDelete(visit)) return redirect(visit, ours(visit.web, paths.account_data))
  if (usernameKey(username) !== usernameKey(user.username)) return show(visit, sure, 'delete_confirm_wrong')
  const outcome = await deleteUserEverywhere(visit.web, user, `user:${user.user_id}`, visit.view.lang)
  if (outcome === 'last') return show(visit, sure, 'last_administrator')
  forgetSession(visit)
  return send(visit, renderDeleted(visit.view))
})

function show(visit: Visit, { user }: Sure, wrong?: OwnData['wrong']): Response {
  const { username } = user
  const data = { may_administer: administers(user), username, may_delete: mayDelete(visit), wrong }
  return send(visit, renderOwnData(visit.view, data), { status: wrong ? 400 : 200 })
}

function mayDelete({ configuration }: Visit): boolean {
  return configuration.settings.account_deletion === 'self'
}

function pageOwnEvents(visit: Visit, user_id: string, before_event_id: string, most: number): Promise<EventRecord[]> {
  const { tenant_id, store } = visit.web.tenant
  return store.pageEvents({ tenant_id, user_id, before_event_id, type: '', actor: '', most })
}

// Who else acted is the operator's to know: not the names of administrators.
function whoDid({ actor }: EventRecord, user_id: string): ShownActivity['by'] {
  if (actor === `user:${user_id}` || actor === 'sign_up' || actor === 'setup') return 'you'
  if (actor === 'anonymous') return 'anybody'
  if (actor.startsWith('client:')) return 'app'
  return actor === 'system' ? 'system' : 'administrator'
}

function distinct(values: readonly (string | null)[]): string[] {
  return [...new Set(values)].filter((value) => value !== null)
}

function administers(user: UserRecord): boolean {
  return (JSON.parse(user.roles) as string[]).includes(ADMINISTRATOR)
}
