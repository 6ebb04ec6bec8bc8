import { definitions } from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { code, displayName, exactText, name } from '../../ui/name.ts'
import { qrCode } from '../../ui/qr_code.ts'
import { tell, tellText, type View } from '../../ui/view.ts'
import { type Asker, askerLines } from './connect_session.ts'

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
  const secret = { name: 'password', label: connect.ask_password_label, type: 'password' } as const
  const fields = {
    client: '',
    assertion: field({ ...subject, value: data.subject, error }),
    password: html`${field({ ...typed, name: 'username', label: connect.ask_username, value: data.username, required: true, autofocus: true })}${field({ ...secret, autocomplete: 'current-password', required: true, error })}`,
  }[data.kind]
  const known = data.kind === 'password' ? '' : definitions([[connect.ask_as, code(data.client_id)]])
  const body = tell(view, connect[`ask_${data.kind}`], { provider })
  const content = html`<div class="heading"><h1>${tell(view, connect.key_title_plain, { provider })}</h1><p class="lead">${body}</p></div>${known}${form(view, { action: data.action }, html`${fields}<div class="stack">${button(connect.confirm)}</div>`)}`
  return narrowPage(view, {
    title: tellText(view, connect.key_title_plain, { provider: displayName(data.provider_name) }),
    content,
  })
}

/** What the page shows while the person consents elsewhere. */
export interface ConnectDeviceData {
  readonly provider_name: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string | null
  readonly expires_at: number
  /** Leads there: no page of ours links to another origin. */
  readonly go_href: string
  /** The page itself. */
  readonly check_href: string
  /** Who asks, where somebody does. */
  readonly asker?: Asker | undefined
}

/** The code that a person types at the provider, and the way there (RFC 8628 section 3.3). */
export function renderConnectDevice(view: View, data: ConnectDeviceData): SafeHtml {
  const { connect } = view.text
  const provider = name(data.provider_name)
  const { verification_uri: uri, verification_uri_complete: complete } = data
  const asker = data.asker && definitions(askerLines(view, data.asker))
  const n = Math.max(1, Math.round((data.expires_at - view.now) / 60_000))
  const steps = html`<ol class="steps"><li><p>${tell(view, connect.device_open, { uri: code(uri) })}</p><p>${buttonLink(connect.device_go, data.go_href, 'primary')}</p>${complete && html`<p>${qrCode(complete, connect.device_qr)}</p>`}</li><li><p>${connect.device_type}</p><p class="user-code"><bdi dir="ltr">${exactText(data.user_code)}</bdi></p></li><li><p>${tell(view, connect.device_back, { n })}</p><p>${buttonLink(connect.device_check, data.check_href)}</p></li></ol>`
  const content = html`<div class="heading"><h1>${tell(view, connect.key_title_plain, { provider })}</h1><p class="lead">${tell(view, connect.device_body, { provider })}</p></div>${asker}${steps}`
  return narrowPage(view, {
    title: tellText(view, connect.key_title_plain, { provider: displayName(data.provider_name) }),
    content,
  })
}
