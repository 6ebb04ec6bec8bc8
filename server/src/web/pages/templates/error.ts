import { definitions, sign } from '../../ui/components.ts'
import { buttonLink } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { clock } from '../../ui/icons.ts'
import { narrowPage } from '../../ui/layout.ts'
import { code, name } from '../../ui/name.ts'
import type { View } from '../../ui/view.ts'

/** What happened, each with its own words; `expired` is the page of an interaction that took too long. */
export type ErrorKind =
  | 'untrusted_redirect'
  | 'unknown_client'
  | 'bad_request'
  | 'expired'
  | 'forged'
  | 'setup_link'
  | 'forbidden'
  | 'not_found'
  | 'too_many'
  | 'unavailable'
  | 'server_error'

/** What a refusal shows to a person. */
export interface ErrorData {
  readonly kind: ErrorKind
  readonly request_id: string
  /** For the developer: a registered code and our own sentence. */
  readonly error?: string | undefined
  readonly error_description?: string | undefined
  /** A path of ours that helps. */
  readonly way_on?: { readonly to: 'account' | 'console' | 'start'; readonly href: string } | undefined
}

/** The page for whatever must not or cannot be answered by a redirect (RFC 6749 section 4.1.2.1, RFC 9700 section 4.11.2). */
export function renderError(view: View, data: ErrorData): SafeHtml {
  const { error } = view.text
  const { title, body } = error[data.kind]
  const facts: Child = definitions([
    [error.code, data.error && code(data.error)],
    [error.description, data.error_description && html`<span lang="en">${name(data.error_description, 500)}</span>`],
    [error.request_id, code(data.request_id)],
  ])
  const details = data.error
    ? html`<details><summary>${error.details}</summary>${facts}</details>`
    : html`<div class="after">${facts}</div>`
  const takes_time = ['expired', 'setup_link', 'too_many'].includes(data.kind)
  const content = html`<div class="heading">${takes_time ? sign('warning', clock) : sign('warning')}<h1>${title}</h1><p class="lead">${body}</p></div>${wayOn(view, data)}${details}`
  return narrowPage(view, { title, content })
}

function wayOn(view: View, data: ErrorData): Child {
  const { error } = view.text
  if (!data.way_on) return ''
  const { to, href } = data.way_on
  return html`<div class="stack">${buttonLink(error[`to_${to}`], href, 'primary')}</div>`
}
