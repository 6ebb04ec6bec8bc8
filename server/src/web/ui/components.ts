import { button, form } from './forms.ts'
import { attrs, type Child, html, type SafeHtml, source } from './html.ts'
import { caution, cross, info, tick } from './icons.ts'
import { exactText, initial, name } from './name.ts'
import type { View } from './view.ts'

/** How a remark or a state is meant. */
export type Tone = 'note' | 'good' | 'warning' | 'danger'

const SIGNS: Record<Tone, SafeHtml> = { note: info, good: tick, warning: caution, danger: cross }

/** A remark in a frame. What went wrong is announced. */
export function notice(tone: Tone, content: Child): SafeHtml {
  return html`<div class="notice ${tone}"${attrs({ role: tone === 'danger' ? 'alert' : undefined })}>${SIGNS[tone]}<div>${content}</div></div>`
}

/** What came of what was done just before: whoever does not see it hears it, and the keyboard goes on from here. */
export function toldNotice(tone: Tone, text: Child): SafeHtml {
  return html`<div class="notice ${tone}" role="status" tabindex="-1" autofocus>${SIGNS[tone]}<div><p>${text}</p></div></div>`
}

/** How something ended, at the head of its page. */
export function sign(tone: Tone, icon: SafeHtml = SIGNS[tone]): SafeHtml {
  return html`<span class="sign ${tone}">${icon}</span>`
}

/** A word about a state. */
export function badge(label: Child, tone?: Tone): SafeHtml {
  return html`<span class="${tone ? `badge ${tone}` : 'badge'}">${label}</span>`
}

/** A square with a picture, or with the first letter of a name. */
export function mark(text: string, logo_uri?: string | undefined): SafeHtml {
  const src = logo_uri && source(logo_uri)
  if (!src) return html`<span class="mark" aria-hidden="true">${initial(text)}</span>`
  return html`<img class="mark" src="${src}" alt="">`
}

/** The top of a page: what it is, a sentence, and what can be done here. */
export function pageHeader(title: Child, lead?: Child, actions?: Child): SafeHtml {
  return html`<div class="page-header"><div><h1>${title}</h1>${lead ? html`<div class="lead">${lead}</div>` : ''}</div>${
    actions ? html`<div class="actions">${actions}</div>` : ''
  }</div>`
}

/** A part of a page under its own heading. */
export function section(title: Child, content: Child, lead?: Child, actions?: Child): SafeHtml {
  return html`<section><div class="section-header"><div><h2>${title}</h2>${lead ? html`<p>${lead}</p>` : ''}</div>${
    actions ?? ''
  }</div>${content}</section>`
}

/** A box around things that belong together. */
export function card(content: Child): SafeHtml {
  return html`<div class="card">${content}</div>`
}

/** Terms and what they are. Pairs with nothing to say are left out. */
export function definitions(pairs: readonly (readonly [term: Child, value: Child])[]): SafeHtml {
  const rows = pairs.filter(([, value]) => !saysNothing(value))
  return html`<dl>${rows.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`
}

const saysNothing = (child: Child): boolean =>
  child === undefined ||
  child === null ||
  child === false ||
  child === '' ||
  (Array.isArray(child) && child.every(saysNothing))

/** What stands where nothing is yet: it says what will be here and how to begin. */
export function emptyState(title: Child, explanation: Child, action?: Child): SafeHtml {
  return html`<div class="empty"><p><strong>${title}</strong></p><p>${explanation}</p>${action ?? ''}</div>`
}

/** A table. On small screens each row becomes a block, and each cell says its column; a dash stands where nothing is. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly Child[])[]): SafeHtml {
  const head = columns.map((column) => html`<th scope="col" role="columnheader">${column}</th>`)
  const body = rows.map(
    (cells) =>
      html`<tr role="row">${cells.map((cell, i) => html`<td role="cell" data-label="${columns[i] ?? ''}"><div>${saysNothing(cell) ? '–' : cell}</div></td>`)}</tr>`,
  )
  // Roles are written out: browsers drop them when a table is laid out as blocks.
  const kind = columns.length > 5 ? 'wide' : columns.length > 2 ? 'list' : 'pairs'
  return html`<div class="fits"><table class="${kind}" role="table"><caption class="unseen">${caption}</caption><thead role="rowgroup"><tr role="row">${head}</tr></thead><tbody role="rowgroup">${body}</tbody></table></div>`
}

/** Links to the neighbouring pages of a list that is read by cursor. */
export function pagination(view: View, pages: { first?: string | undefined; next?: string | undefined }): Child {
  if (!pages.first && !pages.next) return ''
  const to = (label: string, url: string | undefined): Child =>
    url && html`<a class="button plain" href="${url}">${label}</a>`
  return html`<nav class="pages" aria-label="${view.text.layout.pages}">${to(view.text.layout.first_page, pages.first)}${to(view.text.layout.next_page, pages.next)}</nav>`
}

const LONGEST_BLOCK = 10_000

/** Code or an address to copy: one click selects all of it. */
export function codeBlock(text: string): SafeHtml {
  return html`<pre dir="ltr"><code>${exactText(text, LONGEST_BLOCK)}</code></pre>`
}

/** A value to copy, in one line that wraps; all of it, since a part of a token is none. */
export function copyable(value: string): SafeHtml {
  return html`<code class="copyable" dir="ltr">${exactText(value, LONGEST_BLOCK)}</code>`
}

/** A call of the API, and the line of the CLI where there is one. */
export interface SameScript {
  readonly api: string
  readonly cli?: string
}

/** The calls of the API and the lines of the CLI that do what the forms above do. */
export function sameByScript(view: View, ...scripts: readonly (SameScript | undefined)[]): Child {
  const shown = scripts.filter((script) => script !== undefined)
  if (shown.length === 0) return ''
  const { same_by_script, api, cli } = view.text.layout
  const lines = shown.flatMap((script) => script.cli ?? [])
  return html`<details class="script"><summary>${same_by_script}</summary><p><strong>${api}</strong></p>${codeBlock(shown.map((script) => script.api).join('\n\n'))}${lines.length > 0 && html`<p><strong>${cli}</strong></p>${codeBlock(lines.join('\n'))}`}</details>`
}

/** What scopes allow, in words. */
export function rightsList(scopes: readonly { readonly scope: string; readonly description: string }[]): Child {
  if (scopes.length === 0) return ''
  return html`<ul class="rights">${scopes.map(({ scope, description }) => html`<li>${name(description || scope, 200)}</li>`)}</ul>`
}

/** Something that ends something: the button, the question, what will end, and the form that does it. */
export interface Ending {
  /** Unique on its page. */
  readonly id: string
  readonly label: Child
  readonly title: Child
  readonly consequences: readonly Child[]
  readonly action: string
  readonly hidden: Readonly<Record<string, string>>
}

/** A destructive action that says what it will end before it does (a native popover, no script). */
export function ending(view: View, options: Ending): SafeHtml {
  const { id, label, title, consequences, action, hidden } = options
  const cancel = html`<button type="button" class="button plain" popovertarget="${id}" popovertargetaction="hide">${view.text.layout.keep}</button>`
  const list = consequences.length > 1 ? html`<ul>${consequences.map((item) => html`<li>${item}</li>`)}</ul>` : ''
  const body = list || html`<p>${consequences}</p>`
  return html`<button type="button" class="button plain" popovertarget="${id}">${label}</button><div class="popover" id="${id}" popover role="dialog" aria-labelledby="${id}-title"><h3 id="${id}-title">${title}</h3>${body}${form(view, { action, hidden }, html`<div class="actions">${cancel}${button(label, { kind: 'danger' })}</div>`)}</div>`
}
