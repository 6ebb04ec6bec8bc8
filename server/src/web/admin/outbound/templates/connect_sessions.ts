import {
  badge,
  emptyState,
  ending,
  pageHeader,
  pagination,
  type SameScript,
  sameByScript,
  type Tone,
  table,
} from '../../../ui/components.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, code, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, link, type View } from '../../../ui/view.ts'

/** How far a connect session is. */
export type SessionStatus = 'created' | 'opened' | 'failed' | 'unconfirmed' | 'connected' | 'expired' | 'ended'

/** One line of the list. */
export interface ConnectSessionRow {
  readonly session_id: string
  readonly client_id: string
  readonly client_name?: string | undefined
  /** A user of ours, or the platform's own name for one of its own. */
  readonly owner: { readonly username: string } | { readonly end_user_id: string }
  readonly connectors: readonly string[]
  readonly invitation: boolean
  readonly status: SessionStatus
  /** Why the latest try brought nothing. */
  readonly reason?: string | undefined
  readonly created_at: number
  readonly expires_at: number
}

const TONES: Readonly<Record<SessionStatus, Tone | undefined>> = {
  ...{ created: undefined, opened: 'note', failed: 'warning', unconfirmed: 'warning' },
  ...{ connected: 'good', expired: undefined, ended: undefined },
}

/** What platforms have asked of their people, and what is not done yet. */
export function renderConnectSessions(
  view: View,
  data: {
    readonly sessions: readonly ConnectSessionRow[]
    readonly cursor?: string | undefined
    readonly next_cursor?: string | undefined
    readonly script?: SameScript | undefined
  },
): SafeHtml {
  const { connect_sessions: words } = view.text.console
  const rows = data.sessions.map((row, i): Child[] => [
    html`<a href="${link(view, paths.admin_client, { client_id: row.client_id })}">${name(clientName(row))}</a> <small>${ago(view, row.created_at)}</small>`,
    html`${'username' in row.owner ? name(row.owner.username) : code(row.owner.end_user_id)}${row.invitation && html` <small>${words.invitation}</small>`}`,
    row.connectors.map((connector) => html`${code(connector)} `),
    html`${badge(words.statuses[row.status], TONES[row.status])}${row.reason !== undefined && html` <small>${code(row.reason)}</small>`}`,
    ago(view, row.expires_at),
    row.status === 'expired' || row.status === 'ended' ? '–' : end(view, row, i),
  ])
  const columns = [words.platform, words.owner, words.connectors, words.status, words.expires, words.action]
  const list = rows.length === 0 ? emptyState(words.empty, words.empty_body) : table(words.title, columns, rows)
  const pages = pagination(view, {
    first: data.cursor && link(view, paths.admin_connect_sessions),
    next: data.next_cursor && link(view, paths.admin_connect_sessions, { cursor: data.next_cursor }),
  })
  const content = html`${pageHeader(words.title, words.lead)}${list}${pages}${sameByScript(view, data.script)}`
  return consolePage(view, { entry: 'connections', under: [], title: words.title, content })
}

function end(view: View, { session_id, status }: ConnectSessionRow, index: number): SafeHtml {
  const { connect_sessions: words } = view.text.console
  return ending(view, {
    ...{ id: `end-${index}`, label: words.end, title: words.end_title },
    consequences: [words.end_link, ...(status === 'unconfirmed' ? [words.end_connection] : [])],
    action: link(view, paths.admin_end_connect_session),
    hidden: { session_id },
  })
}
