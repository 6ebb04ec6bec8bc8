import { card, codeBlock, definitions, pageHeader, section, table } from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, exactText, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, count, link, moment, type View } from '../../../ui/view.ts'
import type { EventData, ShownChange } from './events.ts'

/** The page of one event: who, when, on what, and what was changed from what to what. */
export function renderEvent(view: View, data: EventData): SafeHtml {
  const { event: words } = view.text.console
  const lead = html`${ago(view, data.at)}${data.actor !== undefined && html` · ${name(data.actor)}`}`
  const alike = buttonLink(words.alike, link(view, paths.admin_events, { event: data.event }), 'quiet')
  const changes = data.changes.length > 0 && section(words.changes, changed(view, data.changes))
  const content = html`${pageHeader(code(data.event), lead, alike)}${changes}${section(words.details, card(facts(view, data)))}${detail(view, data)}`
  return consolePage(view, { entry: 'events', under: [], title: exactText(data.event), content })
}

function facts(view: View, data: EventData): SafeHtml {
  const { event: words } = view.text.console
  const to = (id: string | undefined, url: string): Child => id !== undefined && html`<a href="${url}">${code(id)}</a>`
  const { client_id, user, grant_id, connection_id, request_id, sequence, chain } = data
  return definitions([
    [words.type, code(data.event)],
    [words.when, moment(view, data.at)],
    [words.actor, data.actor !== undefined && name(data.actor)],
    [words.client, to(client_id, link(view, paths.admin_client, { client_id }))],
    [
      words.user,
      user &&
        html`<a href="${link(view, paths.admin_user, { user_id: user.user_id })}">${name(user.username)}</a> <small>${code(user.user_id)}</small>`,
    ],
    [words.grant, to(grant_id, link(view, paths.admin_grant, { grant_id }))],
    [words.connection, to(connection_id, link(view, paths.admin_connection, { connection_id }))],
    [words.request, request_id !== undefined && code(request_id)],
    [words.event_id, code(data.event_id)],
    [words.sequence, sequence === undefined ? words.sequence_none : count(view, sequence)],
    [words.chain, chain !== undefined && code(chain)],
  ])
}

function changed(view: View, changes: readonly ShownChange[]): SafeHtml {
  const { event: words } = view.text.console
  const value = (text: string | undefined, tag: 'del' | 'ins'): Child => {
    if (text === undefined) return html`<span class="hint">${words.nothing}</span>`
    return tag === 'del' ? html`<del>${code(text)}</del>` : html`<ins>${code(text)}</ins>`
  }
  const rows = changes.map(({ member, before, after }): Child[] => [
    code(member),
    value(before, 'del'),
    value(after, 'ins'),
  ])
  return table(words.changes, [words.member, words.before, words.after], rows)
}

function detail(view: View, data: EventData): Child {
  const { event: words } = view.text.console
  if (data.detail === undefined) return section(words.detail, html`<p class="hint">${words.detail_erased}</p>`)
  return data.detail === '{}' ? '' : section(words.detail, codeBlock(data.detail))
}
