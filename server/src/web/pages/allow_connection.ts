import {
  allowConnection,
  type ConnectionQuestion,
  findConnectionQuestion,
  type NoQuestion,
  refuseConnection,
} from '../../inbound/authorization/allow_connection.ts'
import { type ConnectionAsk, openConnectionAsk } from '../../inbound/authorization/connection_ask.ts'
import type { SignedIn } from '../../inbound/sessions/sessions.ts'
import { readDocumentUrl } from '../../oauth/clients/metadata_document.ts'
import { nameProvider } from '../../outbound/connectors/connector.ts'
import { findClientLogo } from '../client_logos.ts'
import { ours, send, type Visit } from '../page.ts'
import { connectPath } from '../ui/paths.ts'
import { signedInPage, signedInSubmit } from './account.ts'
import { renderAllowConnection, renderAllowConnectionResult } from './templates/allow_connection.ts'

/** GET /connect/{connector}/allow: asks the user of a link whether the client that it was made for may use an account. */
export const allowConnectionPage = signedInPage(async (visit, signed_in) => {
  const ask = findAsk(visit)
  if (!ask) return sendNothing(visit, signed_in, 'over')
  const found = await findConnectionQuestion(visit.web.inbound, ask, signed_in)
  return typeof found === 'string'
    ? sendNothing(visit, signed_in, found)
    : sendQuestion(visit, signed_in, found.question, false)
})

/** POST of the same: the answer. */
export const allowConnectionSubmit = signedInSubmit(async (visit, signed_in, values) => {
  const { inbound } = visit.web
  const ask = findAsk(visit)
  if (!ask) return sendNothing(visit, signed_in, 'over')
  const { decision, connection_id = '', actions, expires_in = '' } = values
  const found = await findConnectionQuestion(inbound, ask, signed_in)
  if (typeof found === 'string') return sendNothing(visit, signed_in, found)
  const { question } = found
  if (decision === 'deny') {
    await refuseConnection(inbound, ask)
    return sendResult(visit, signed_in, question, undefined)
  }
  if (decision !== 'allow' || connection_id === '') return sendQuestion(visit, signed_in, question, true)
  const seconds = /^\d{1,9}$/.test(expires_in) ? Number(expires_in) : undefined
  const answer = { connection_id, read_only: actions === 'read', expires_in: seconds }
  const allowed = await allowConnection(inbound, ask, signed_in, answer)
  if (typeof allowed === 'string') return sendNothing(visit, signed_in, allowed)
  return sendResult(visit, signed_in, question, connection_id)
})

function findAsk({ c, web, query }: Visit): ConnectionAsk | null {
  return openConnectionAsk(web.tenant, c.req.param('connector') ?? '', query['request'])
}

async function sendQuestion(
  visit: Visit,
  { user }: SignedIn,
  question: ConnectionQuestion,
  missing: boolean,
): Promise<Response> {
  const { web, here } = visit
  const { client, wish, resource, actions, may_only_read } = question
  const { connector } = wish
  const html = renderAllowConnection(visit.view, {
    action: here,
    client: {
      client_id: client.client_id,
      client_name: client.client_name,
      logo_uri: await findClientLogo(web, client, question.verified),
      published_at: readDocumentUrl(client.client_id)?.host,
      verified: question.verified,
    },
    user: { username: user.username, name: user.name ?? undefined },
    server: resource ? { resource: resource.resource, name: resource.name } : undefined,
    connector: {
      connector,
      provider_name: nameProvider(web.outbound, wish),
      choices: wish.choices.map(({ connection_id, account_name, ready }) => ({
        ...{ connection_id, ready, account_label: account_name, selected: connection_id === wish.proposed },
        repair_href: ours(web, connectPath(connector), { connection_id, return_to: here }),
      })),
      connect_href: ours(web, connectPath(connector), { return_to: here }),
    },
    writes: actions.includes('write'),
    may_only_read,
    end_choices: question.ends,
    missing,
  })
  return send(visit, html, { status: missing ? 400 : 200 })
}

function sendResult(
  visit: Visit,
  { user }: SignedIn,
  { client, wish }: ConnectionQuestion,
  connection_id: string | undefined,
): Response {
  const chosen = wish.choices.find((choice) => choice.connection_id === connection_id)
  const html = renderAllowConnectionResult(visit.view, {
    outcome: chosen ? 'allowed' : 'refused',
    client_name: client.client_name ?? client.client_id,
    provider_name: nameProvider(visit.web.outbound, wish),
    account_label: chosen?.account_name,
    username: user.username,
  })
  return send(visit, html)
}

function sendNothing(visit: Visit, { user }: SignedIn, outcome: NoQuestion): Response {
  const { username } = user
  const provider_name = visit.c.req.param('connector') ?? ''
  const html = renderAllowConnectionResult(visit.view, { outcome, provider_name, username })
  return send(visit, html, { status: outcome === 'other_user' ? 403 : 404 })
}
