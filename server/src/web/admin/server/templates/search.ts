import { emptyState, pageHeader, section } from '../../../ui/components.ts'
import type { ConsoleEntry } from '../../../ui/console_nav.ts'
import { html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, code, displayName, name } from '../../../ui/name.ts'
import { link, tell, tellText, type View } from '../../../ui/view.ts'

/** So many of a kind are shown. */
export const MOST_FOUND = 20

/** Something that was searched for, and where its page is. */
export interface Found {
  readonly kind: ConsoleEntry
  readonly id: string
  readonly name?: string | undefined
  readonly path: string
  readonly query: Readonly<Record<string, string>>
}

/** What was found by a text, kind by kind. */
export function renderSearch(view: View, data: { readonly find: string; readonly found: readonly Found[] }): SafeHtml {
  const { search: words, nav } = view.text.console
  const { find } = data
  const kinds = Map.groupBy(data.found, ({ kind }) => kind)
  const parts = [...kinds].map(([kind, found]) =>
    section(nav[kind], list(view, found), found.length >= MOST_FOUND && tell(view, words.first, { n: MOST_FOUND })),
  )
  const asked = find !== ''
  const nothing = asked && kinds.size === 0 && emptyState(words.none, words.lead)
  const title = asked ? tell(view, words.title_of, { text: name(find) }) : words.title
  const page_title = asked ? tellText(view, words.title_of, { text: displayName(find) }) : words.title
  const content = html`${pageHeader(title, !nothing && words.lead)}${nothing}${parts}`
  return consolePage(view, { find, title: page_title, content })
}

function list(view: View, found: readonly Found[]): SafeHtml {
  const rows = found.map((one) => {
    const shown = clientName({ client_id: one.id, client_name: one.name })
    const also = shown !== one.id && html` <small>${code(one.id)}</small>`
    return html`<li><a href="${link(view, one.path, one.query)}">${name(shown)}</a>${also}</li>`
  })
  return html`<ul class="card rows">${rows}</ul>`
}
