import type { ConnectorCheck } from '../../../../outbound/administration/check_connector.ts'
import { MOST_COUNTED } from '../../../../outbound/administration/connectors.ts'
import {
  badge,
  card,
  codeBlock,
  definitions,
  emptyState,
  ending,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
  section,
  table,
  toldNotice,
} from '../../../ui/components.ts'
import { button, buttonLink, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, displayName, name } from '../../../ui/name.ts'
import { connectPath, paths } from '../../../ui/paths.ts'
import { ago, countUpTo, link, moment, tell, type View } from '../../../ui/view.ts'
import { type Done, doneNotice } from '../../forms/templates/done.ts'

/** One line of the list. */
export interface ConnectorRow {
  readonly connector: string
  readonly provider_name: string
  /** False while the catalogue's data of this provider is not checked against its own documentation. */
  readonly verified: boolean
  readonly scope: string
  readonly connections: number
  /** The provider refuses the connector itself (`invalid_client`). */
  readonly refused: boolean
}

/** The list of connectors. */
export function renderConnectors(
  view: View,
  data: { readonly connectors: readonly ConnectorRow[]; readonly done?: Done | undefined },
): SafeHtml {
  const { connectors } = view.text.console
  const rows = data.connectors.map((row): Child[] => [
    html`<a href="${link(view, paths.admin_connector, { connector: row.connector })}">${name(row.connector)}</a>`,
    html`${name(row.provider_name)} ${!row.verified && badge(connectors.unverified)}`,
    scopes(row.scope),
    countUpTo(view, row.connections, MOST_COUNTED),
    row.refused ? badge(connectors.refused, 'danger') : badge(connectors.working, 'good'),
  ])
  const columns = [connectors.name, connectors.provider, connectors.scope, connectors.connections, connectors.status]
  const add = buttonLink(connectors.add, link(view, paths.admin_new_connector), 'primary')
  const list =
    rows.length === 0
      ? emptyState(connectors.empty, connectors.empty_body, add)
      : table(connectors.title, columns, rows)
  const content = html`${pageHeader(connectors.title, connectors.lead, rows.length > 0 && add)}${doneNotice(view, data.done)}${list}`
  return consolePage(view, { entry: 'connectors', title: connectors.title, content })
}

/** What the page of one connector shows. */
export interface ConnectorData extends ConnectorRow {
  readonly disabled: boolean
  /** It comes with the server, which alone changes and deletes it. */
  readonly for_everyone?: boolean | undefined
  /** Exactly what must be registered at the provider, where it sends people back. */
  readonly redirect_uri?: string | undefined
  readonly client_id: string
  readonly has_secret: boolean
  /** What the provider is given to know our key by: where it reads it, or the key itself. */
  readonly jwks_uri?: string | undefined
  readonly public_jwks?: readonly object[] | undefined
  /** When the key that follows signs. */
  readonly next_key_at?: number | undefined
  /** The key was made here, so that another can be. */
  readonly may_rotate?: boolean | undefined
  readonly issuer?: string | undefined
  readonly authorization_endpoint?: string | undefined
  readonly token_endpoint?: string | undefined
  /** How its tokens come, where it is not by a person's consent at the provider. */
  readonly grant_type?: string | undefined
  /** Each customer of the provider registers a client. */
  readonly per_customer?: boolean | undefined
  /** What its record says to people. */
  readonly notes?: string | undefined
  /** What a test has just found. */
  readonly checks?: readonly ConnectorCheck[] | undefined
  /** It was just made or changed. */
  readonly done?: 'made' | 'saved' | undefined
  /** What was to be done to it just now. */
  readonly told?: Done | undefined
  readonly script?: SameScript | undefined
  readonly last_error?: { readonly at: number; readonly error: string; readonly error_description?: string } | undefined
}

/** The page of one connector. */
export function renderConnector(view: View, data: ConnectorData): SafeHtml {
  const { connector, connectors } = view.text.console
  const lead = html`${name(data.provider_name)} ${data.refused ? badge(connectors.refused, 'danger') : badge(connectors.working, 'good')} ${!data.verified && badge(connectors.unverified)}`
  const own = buttonLink(connector.test, link(view, connectPath(data.connector)))
  const edit =
    !data.for_everyone &&
    buttonLink(connector.edit, link(view, paths.admin_edit_connector, { connector: data.connector }))
  const done = data.done ? toldNotice('good', connector[data.done]) : doneNotice(view, data.told)
  const callback =
    data.redirect_uri && section(connector.callback, codeBlock(data.redirect_uri), connector.callback_lead)
  const key =
    data.jwks_uri &&
    section(
      connector.key,
      html`${codeBlock(data.jwks_uri)}${data.public_jwks?.map((jwk) => codeBlock(JSON.stringify(jwk, null, 2)))}${rotation(view, data)}`,
      connector.key_lead,
    )
  const all = link(view, paths.admin_connections, { connector: data.connector })
  const details = definitions([
    [connector.client_id, data.client_id && code(data.client_id)],
    [connector.secret, data.has_secret ? connector.secret_sealed : connector.secret_none],
    [connector.issuer, data.issuer && code(data.issuer)],
    [connector.authorization_endpoint, data.authorization_endpoint && code(data.authorization_endpoint)],
    [connector.token_endpoint, data.token_endpoint && code(data.token_endpoint)],
    [connector.scope, scopes(data.scope)],
    [connector.grant_type, data.grant_type && code(data.grant_type)],
    [connector.per_customer, data.per_customer && connector.per_customer_body],
    [connector.notes, data.notes && html`<span lang="en" dir="ltr">${name(data.notes, 400)}</span>`],
    [
      connector.connections,
      html`${countUpTo(view, data.connections, MOST_COUNTED)} · <a href="${all}">${connector.connections_of}</a>`,
    ],
  ])
  const content = html`${pageHeader(name(data.connector), lead, html`${own}${edit}`)}${done}${tested(view, data)}${data.disabled && notice('warning', html`<p>${connector.disabled}</p>`)}${data.for_everyone && notice('note', html`<p>${connector.for_everyone}</p>`)}${lastError(view, data)}${!data.verified && notice('note', html`<p>${connectors.unverified_note}</p>`)}${callback}${key}${look(view, data)}${section(connector.details, card(details))}${section(connector.danger, endings(view, data))}`
  return consolePage(view, {
    entry: 'connectors',
    under: [],
    copies: true,
    title: displayName(data.connector),
    content,
  })
}

/** The button that asks the provider. */
function look(view: View, data: ConnectorData): SafeHtml {
  const { connector } = view.text.console
  const action = link(view, paths.admin_test_connector)
  const press = button(connector.look_button, { kind: 'plain' })
  const ask = form(view, { action, hidden: { connector: data.connector } }, press)
  return section(connector.look, html`${ask}${sameByScript(view, data.script)}`, connector.look_lead)
}

const TONES = { ok: 'good', failed: 'danger', unknown: 'warning', not_asked: 'note' } as const

/** What a test has found, each with a word for it and with what the provider said. */
function tested(view: View, { checks }: ConnectorData): Child {
  const { connector } = view.text.console
  return checks?.map(({ outcome, reason, detail }) => {
    const said = outcome !== 'ok' && html`<p><small lang="en" dir="ltr">${name(detail, 400)}</small></p>`
    return notice(TONES[outcome], html`<p>${connector.checks[reason]}</p>${said}`)
  })
}

function rotation(view: View, data: ConnectorData): Child {
  const { connector } = view.text.console
  const { next_key_at = 0 } = data
  if (next_key_at > view.now)
    return html`<p class="hint">${tell(view, connector.key_next, { when: moment(view, next_key_at) })}</p>`
  if (!data.may_rotate) return ''
  const action = link(view, paths.admin_rotate_connector_key)
  const press = button(connector.key_rotate, { kind: 'plain' })
  return html`<p class="hint">${connector.key_rotate_hint}</p>${form(view, { action, hidden: { connector: data.connector } }, press)}`
}

function endings(view: View, data: ConnectorData): SafeHtml {
  const { connector } = view.text.console
  const shown = name(data.connector)
  const hidden = { connector: data.connector }
  const toggle = data.disabled
    ? form(
        view,
        { action: link(view, paths.admin_enable_connector), hidden },
        button(connector.enable, { kind: 'plain' }),
      )
    : ending(view, {
        id: 'disable',
        label: connector.disable,
        title: tell(view, connector.disable_title, { connector: shown }),
        consequences: [connector.disable_stops],
        action: link(view, paths.admin_disable_connector),
        hidden,
      })
  if (data.for_everyone) return html`<div class="actions start">${toggle}</div>`
  const ends =
    data.connections < MOST_COUNTED
      ? tell(view, connector.delete_ends, { n: data.connections })
      : html`${connector.connections}: ${countUpTo(view, data.connections, MOST_COUNTED)}`
  const remove = ending(view, {
    id: 'delete',
    label: connector.delete,
    title: tell(view, connector.delete_title, { connector: shown }),
    consequences: [...(data.connections > 0 ? [ends] : []), connector.delete_final],
    action: link(view, paths.admin_delete_connector),
    hidden,
  })
  return html`<div class="actions start">${toggle}${remove}</div>`
}

function scopes(scope: string): Child {
  if (scope === '') return '–'
  return html`<span class="codes">${scope.split(' ').map((one) => html`${code(one)} `)}</span>`
}

function lastError(view: View, data: ConnectorData): Child {
  if (!data.last_error) return ''
  const { at, error, error_description } = data.last_error
  const words = error_description === undefined ? '' : html` <span>${name(error_description, 300)}</span>`
  return notice(
    'danger',
    html`<p>${tell(view, view.text.console.connector.last_error, { when: ago(view, at) })}</p><p>${code(error)}${words}</p>`,
  )
}
