import { narrowConsent } from '../../inbound/authorization/narrow_consent.ts'
import { readMetadata } from '../../inbound/clients/client_record.ts'
import { event } from '../../inbound/event.ts'
import type { SignedIn } from '../../inbound/sessions/sessions.ts'
import { ADMINISTRATOR } from '../../inbound/tenants.ts'
import { hasPersonalTokens } from '../../inbound/tokens/personal_access_tokens.ts'
import { endSessionOfUser } from '../../inbound/users/administer_users.ts'
import { type Params, requireParam } from '../../oauth/params.ts'
import { offerEnds } from '../../outbound/connections/connection_end.ts'
import { listConnections } from '../../outbound/connections/connections.ts'
import { isForAdministrators, nameProvider } from '../../outbound/connectors/connector.ts'
import type { Configuration, Tenant } from '../../store/tenant.ts'
import { findClientLogos } from '../client_logos.ts'
import { nameDevice } from '../device_name.ts'
import { errorPage, ours, page, type ReadForm, redirect, send, submit, type Visit } from '../page.ts'
import { readTold, redirectTelling } from '../told_once.ts'
import { readLapse, readReason } from '../ui/connection_state.ts'
import { paths } from '../ui/paths.ts'
import type { Text } from '../ui/text/en.ts'
import { joinApps } from './joined_apps.ts'
import { showToken } from './shown_token.ts'
import { renderAccount } from './templates/account.ts'

/** A page for whoever is signed in; others are sent to sign in first. */
export function signedInPage(answer: (visit: Visit, signed_in: SignedIn) => Promise<Response>) {
  return page(async (visit) => {
    if (visit.signed_in) return answer(visit, visit.signed_in)
    return redirect(visit, ours(visit.web, '/login', { return_to: visit.here }))
  })
}

/** A form of whoever is signed in. */
export function signedInSubmit(
  answer: (visit: Visit, signed_in: SignedIn, values: Readonly<Record<string, string>>) => Promise<Response>,
  read?: ReadForm,
  wayBack?: (visit: Visit, values: Readonly<Record<string, string>>) => string,
) {
  const first = (visit: Visit, { values }: Params) => signInFirst(visit, wayBack?.(visit, values))
  return submit(
    async (visit, form) => (visit.signed_in ? answer(visit, visit.signed_in, form.values) : first(visit, form)),
    // The page is of a session that has ended, or of another one that began since.
    async (visit, form) => (visit.signed_in ? errorPage(visit, 'forged', 403) : first(visit, form)),
    read,
  )
}

/** What was posted is not done later by itself: the person signs in, sees the page anew, and does it again. */
export function signInFirst(visit: Visit, way_back: string = paths.account): Response {
  return redirect(visit, ours(visit.web, paths.login, { return_to: ours(visit.web, way_back) }))
}

/** GET / of the issuer: whoever types its address wants their account. */
export const homePage = page(async (visit) => redirect(visit, ours(visit.web, '/account')))

/** Back to the account page, which says what was done. */
export function backToAccount(visit: Visit, done: keyof Text['account']['done']): Response {
  return redirectTelling(visit, ours(visit.web, paths.account), done)
}

/** GET /account: what may act in the user's name, and the ways to end it. */
export const accountPage = signedInPage(async (visit, { user, session }) => {
  const { tenant_id, store } = visit.web.tenant
  const mine = { tenant_id, user_id: user.user_id }
  const [grants, connections, connectors, sessions, tokens] = await Promise.all([
    store.listGrantsOfUser(mine),
    listConnections(visit.web.outbound, user.user_id),
    store.listConnectors({ tenant_id }),
    store.listSessionsOfUser(mine),
    store.listPermanentTokens(mine),
  ])
  const administers = (JSON.parse(user.roles) as string[]).includes(ADMINISTRATOR)
  const isHere = ({ session_id }: { readonly session_id: string }) => session_id === session.session_id
  const sentences = scopeSentences(visit.view.text, visit.configuration)
  const clients = grants.map(({ client_id, metadata }) => ({ client_id, logo_uri: readMetadata(metadata).logo_uri }))
  const logos = await findClientLogos(visit.web, clients)
  const apps = joinApps(visit, grants, connections, sentences, logos)
  const html = renderAccount(visit.view, {
    user: { username: user.username, name: user.name ?? undefined, email: user.email ?? undefined },
    may_administer: administers,
    done: readTold(visit, visit.view.text.account.done),
    apps,
    connections: connections.map((connection) => ({
      connection_id: connection.connection_id,
      connector: connection.connector,
      provider_name: connection.provider_name,
      account_label: connection.account_label,
      state: connection.state,
      reason: readReason(connection.reason),
      lapses_at: readLapse(connection),
      created_at: connection.created_at,
      last_used_at: connection.last_used_at ?? undefined,
      ends_at: connection.ends_at ?? undefined,
      ...offerEnds(connectors.find(({ connector }) => connector === connection.connector) ?? { settings: '{}' }),
      ends_all: connection.revocation_ends === 'client_of_user',
      used_by: apps
        .filter((app) => app.connections.some(({ connection_id }) => connection_id === connection.connection_id))
        .map(({ client_id, client_name }) => ({ client_id, client_name })),
    })),
    connectors: connectors
      .filter((known) => known.disabled_at === null && (administers || !isForAdministrators(visit.web.outbound, known)))
      .map((known) => ({ connector: known.connector, provider_name: nameProvider(visit.web.outbound, known) })),
    tokens: tokens.map((token) => showToken(visit, user, token, sentences)),
    may_make_tokens: hasPersonalTokens(visit.configuration),
    // This one first, then as last seen.
    sessions: sessions
      .toSorted((a, b) => Number(isHere(b)) - Number(isHere(a)))
      .map(({ session_id, user_agent, auth_time, last_seen_at }) => ({
        sid: session_id,
        current: session_id === session.session_id,
        device: nameDevice(visit.view, user_agent),
        created_at: auth_time,
        last_seen_at,
      })),
  })
  return send(visit, html)
})

/** POST /account/apps/revoke: ends every grant of one client, and forgets the consent. */
export const endAppSubmit = signedInSubmit(async (visit, { user }, values) => {
  await endApp(visit.web.tenant, user.user_id, requireParam({ values, resource: [], audience: [] }, 'client_id'))
  return backToAccount(visit, 'app')
})

/** POST /account/apps/end_all: the same for every client, also of those consents that are only remembered. */
export const endAppsSubmit = signedInSubmit(async (visit, { user: { user_id } }) => {
  const { tenant } = visit.web
  const mine = { tenant_id: tenant.tenant_id, user_id }
  const [grants, consents] = await Promise.all([
    tenant.store.listGrantsOfUser(mine),
    tenant.store.listConsentsOfUser(mine),
  ])
  const clients = new Set([...grants, ...consents].map(({ client_id }) => client_id))
  await Promise.all([...clients].map((client_id) => endApp(tenant, user_id, client_id)))
  return backToAccount(visit, 'apps')
})

function endApp(tenant: Tenant, user_id: string, client_id: string): Promise<number> {
  const ended = event(tenant, 'consent.withdrawn', `user:${user_id}`, { client_id, user_id })
  return tenant.store.withdrawConsent({ tenant_id: tenant.tenant_id, user_id, client_id, event: ended })
}

/** POST /account/apps/narrow: takes back what is no longer ticked. */
export const narrowAppSubmit = signedInSubmit(async (visit, { user }, values) => {
  const client_id = requireParam({ values, resource: [], audience: [] }, 'client_id')
  const kept = Object.entries(values).flatMap(([name, value]) => (/^scope\.\d+$/.test(name) ? [value] : []))
  await narrowConsent(visit.web.tenant, { user_id: user.user_id, client_id, kept })
  return backToAccount(visit, 'narrowed')
})

/** POST /account/apps/connection: takes one connection from a client, and leaves it the rest. */
export const takeBackConnectionSubmit = signedInSubmit(async (visit, { user }, values) => {
  const { tenant } = visit.web
  const { user_id } = user
  const params = { values, resource: [], audience: [] }
  const [client_id, connection_id] = [requireParam(params, 'client_id'), requireParam(params, 'connection_id')]
  const taken = event(tenant, 'connection.taken_back', `user:${user_id}`, { client_id, user_id, connection_id })
  await tenant.store.takeBackConnection({
    tenant_id: tenant.tenant_id,
    ...{ user_id, client_id, connection_id, event: taken },
  })
  return backToAccount(visit, 'taken_back')
})

/** POST /account/sessions/end: ends one session of the user. */
export const endSessionSubmit = signedInSubmit(async (visit, { user }, values) => {
  const { tenant } = visit.web
  const session_id = requireParam({ values, resource: [], audience: [] }, 'sid')
  await endSessionOfUser(tenant, { user_id: user.user_id, session_id, actor: `user:${user.user_id}` })
  return backToAccount(visit, 'session')
})

/** POST /account/sessions/end_others: ends every session of the user but this one. */
export const endOtherSessionsSubmit = signedInSubmit(async (visit, { user, session }) => {
  const { tenant } = visit.web
  const { user_id } = user
  const ended = event(tenant, 'session.ended', `user:${user_id}`, { user_id, detail: { all_but: session.session_id } })
  const kept_session_id = session.session_id
  await tenant.store.endOtherSessions({ tenant_id: tenant.tenant_id, user_id, kept_session_id, event: ended })
  return backToAccount(visit, 'sessions')
})

/** A scope in the words of the resource that has it, or of OpenID Connect. */
export function scopeSentences(text: Text, configuration: Configuration): ReadonlyMap<string, string> {
  const sentences = new Map<string, string>(Object.entries(text.scopes))
  for (const { scopes } of configuration.resources.values()) {
    for (const [scope, sentence] of scopes) sentences.set(scope, sentence)
  }
  return sentences
}
