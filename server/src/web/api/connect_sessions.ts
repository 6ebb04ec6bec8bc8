import * as z from 'zod'
import {
  confirmConnectSession,
  createConnectSession,
  endConnectSession,
  findSessionOf,
  judgeSession,
} from '../../outbound/connect_sessions/connect_sessions.ts'
import type { ConnectSessionAuthority } from '../../store/verbs/connect_sessions.ts'
import { connectScript, integrityOf } from '../ui/assets.ts'
import { platformOf } from './platform.ts'
import { conflict } from './problem.ts'
import { route, type Subject } from './route.ts'

const SCOPE = 'connect:sessions'

const ConnectSessionAsk = z
  .strictObject({
    user_id: z.string().max(255).optional().meta({ description: 'The owner, where that is a user of this server' }),
    end_user_id: z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters without spaces')
      .optional()
      .meta({ description: "The platform's own name for the owner, where that is one of its users" }),
    connectors: z.array(z.string().max(255)).min(1).max(50),
    origins: z.array(z.string().max(255)).max(10).default([]),
    return_uri: z.string().max(2048).optional().meta({ description: 'Where the person goes without a popup' }),
    invitation: z.boolean().optional().meta({ description: 'A link for another person than the owner' }),
    expected_account: z.string().min(1).max(255).optional(),
    scope: z.string().max(4096).optional().meta({ description: 'Less than the connector asks for' }),
    connection_id: z.string().max(64).optional().meta({ description: 'The connection to repair' }),
    expires_in: z.int().min(30).optional().meta({ description: 'Seconds in which it has to be opened' }),
  })
  .meta({ id: 'ConnectSessionAsk', description: 'Whose the connection will be, to what, and from which pages' })

const MadeConnectSession = z
  .strictObject({
    session_id: z.string(),
    session_token: z.string().meta({ description: 'For the page, good once; shown once' }),
    invitation_url: z.string().optional(),
    expires_at: z.int(),
    script: z
      .strictObject({ src: z.string(), integrity: z.string() })
      .meta({ description: 'What the page may load, where it has no bundler: the same as @sallyport/sdk/connect' }),
  })
  .meta({ id: 'MadeConnectSession' })

const ConnectSession = z
  .strictObject({
    session_id: z.string(),
    status: z.enum(['created', 'opened', 'failed', 'unconfirmed', 'connected', 'expired', 'ended']),
    reason: z.string().nullable().meta({ description: 'Why the latest try brought nothing' }),
    user_id: z.string().nullable(),
    end_user_id: z.string().nullable(),
    connectors: z.array(z.string()),
    invitation: z.boolean(),
    expected_account: z.string().nullable(),
    connection_id: z.string().nullable(),
    account: z.string().nullable(),
    account_name: z.string().nullable(),
    expires_at: z.int(),
  })
  .meta({ id: 'ConnectSession', description: 'How far a connect session is' })

const Confirmation = z
  .strictObject({
    confirmation_code: z.string().max(255).optional().meta({ description: "What the platform's own user brought" }),
    account: z.string().max(255).optional().meta({ description: 'What an invited person connected, as it was seen' }),
  })
  .meta({ id: 'ConnectSessionConfirmation' })

const session: Subject<ConnectSessionAuthority> = {
  name: 'connect session',
  find: ({ web, params, token }) => findSessionOf(web.outbound, platformOf(token), params['session_id']!),
  version: (found) => JSON.stringify([found.session.session_id, judgeSession(found)]),
}

/** The routes of connect sessions. */
export const CONNECT_SESSION_ROUTES = [
  route({
    ...{ method: 'POST', path: '/connect_sessions', scope: SCOPE, name: 'createConnectSession', status: 201 },
    summary: 'Asks one person to connect an account',
    body: ConnectSessionAsk,
    answer: MadeConnectSession,
    // Its token is kept nowhere.
    repeatable: true,
    async run({ web, token, body }) {
      const made = await createConnectSession(web.outbound, platformOf(token), body)
      const { issuer } = web.tenant
      const script = { src: issuer + connectScript.path, integrity: integrityOf(connectScript) }
      const { invitation_url, ...rest } = made
      return { value: { ...rest, ...(invitation_url !== undefined && { invitation_url }), script } }
    },
  }),
  route({
    ...{ method: 'GET', path: '/connect_sessions/{session_id}', scope: SCOPE, name: 'getConnectSession' },
    summary: 'How far a connect session is, and which account was connected',
    answer: ConnectSession,
    subject: session,
    run: ({ found }) => ({ value: describe(found), version: session.version(found) }),
  }),
  route({
    ...{ method: 'POST', path: '/connect_sessions/{session_id}/confirm', scope: SCOPE },
    ...{ name: 'confirmConnectSession', repeatable: true as const },
    summary: 'Says that it was the right person: the connection is live from then on',
    body: Confirmation,
    answer: ConnectSession,
    subject: session,
    async run({ web, token, found, body }) {
      if ((await confirmConnectSession(web.outbound, found, body)) === 'over') {
        throw conflict('There is nothing to confirm: nothing was connected yet, or it was ended')
      }
      const now = await findSessionOf(web.outbound, platformOf(token), found.session.session_id)
      return { value: describe(now!) }
    },
  }),
  route({
    ...{ method: 'POST', path: '/connect_sessions/{session_id}/end', scope: SCOPE, name: 'endConnectSession' },
    summary: 'Ends a connect session, and what it brought unless that was confirmed',
    repeatable: true,
    answer: ConnectSession,
    subject: session,
    async run({ web, token, found }) {
      const { session_id } = found.session
      await endConnectSession(web.outbound, found.session)
      const now = await findSessionOf(web.outbound, platformOf(token), session_id)
      if (judgeSession(now!) === 'connected') throw conflict('It was confirmed: what ends now is the connection')
      return { value: describe(now!) }
    },
  }),
]

function describe(found: ConnectSessionAuthority): z.input<typeof ConnectSession> {
  const { session, account, account_name } = found
  const { session_id, reason, user_id, end_user_id, expected_account, expires_at } = session
  const is_newest = found.connection_generation === session.consented_generation
  const done = session.finished_at !== null && (session.confirmed_at !== null || is_newest)
  return {
    ...{ session_id, status: judgeSession(found), reason, user_id, end_user_id },
    connectors: JSON.parse(session.connectors) as string[],
    ...{ invitation: session.invitation === 1, expected_account, connection_id: session.connection_id },
    ...{ account: done ? account : null, account_name: done ? account_name : null, expires_at },
  }
}
