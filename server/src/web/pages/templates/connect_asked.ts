import { definitions } from '../../ui/components.ts'
import { button, field, form } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { code, displayName, name } from '../../ui/name.ts'
import { tell, tellText, type View } from '../../ui/view.ts'

/** What the page shows from which tokens are asked for without a redirect. */
export interface ConnectAskData {
  readonly action: string
  readonly provider_name: string
  readonly client_id: string
  /** For the client itself, for whom its assertion names, or for whose password it is. */
  readonly kind: 'client' | 'assertion' | 'password'
  /** What was typed before cannot be sent. */
  readonly wrong: boolean
  readonly subject?: string | undefined
  readonly username?: string | undefined
}

/** A connection whose tokens are asked for: what the connector still has to know, if anything, and who it is over there. */
export function renderConnectAsk(view: View, data: ConnectAskData): SafeHtml {
  const { connect } = view.text
  const provider = name(data.provider_name)
  const error = data.wrong ? connect.ask_wrong : undefined
  const typed = { literal: true, autocomplete: 'off' } as const
  const subject = { ...typed, name: 'subject', label: connect.ask_subject, hint: connect.ask_subject_hint }
  const secret = { ...typed, name: 'password', label: connect.ask_password_label, type: 'password' } as const
  const fields = {
    client: '',
    assertion: field({ ...subject, value: data.subject, error }),
    password: html`${field({ ...typed, name: 'username', label: connect.ask_username, value: data.username, required: true, autofocus: true })}${field({ ...secret, required: true, error })}`,
  }[data.kind]
  const known = data.kind === 'password' ? '' : definitions([[connect.ask_as, code(data.client_id)]])
  const body = tell(view, connect[`ask_${data.kind}`], { provider })
  const content = html`<div class="heading"><h1>${tell(view, connect.key_title_plain, { provider })}</h1><p class="lead">${body}</p></div>${known}${form(view, { action: data.action }, html`${fields}<div class="stack">${button(connect.confirm)}</div>`)}`
  return narrowPage(view, {
    title: tellText(view, connect.key_title_plain, { provider: displayName(data.provider_name) }),
    content,
  })
}
