import { codeBlock } from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { code, name } from '../../ui/name.ts'
import { qrCode } from '../../ui/qr_code.ts'
import { tell, type View } from '../../ui/view.ts'

/** What the page that sets up an authenticator app shows. */
export interface TotpData {
  readonly action: string
  /** The seed, sealed, for the answer. */
  readonly sealed: string
  readonly secret: string
  readonly uri: string
  /** It is asked of somebody who is signing in. */
  readonly required?: boolean
  readonly wrong?: boolean
  readonly back?: { readonly href: string; readonly label: Child }
}

/** The page that sets up an authenticator app: its key as a picture, a link and text, and the first code of it. */
export function renderTotp(view: View, data: TotpData): SafeHtml {
  const { totp, enrol } = view.text.security
  const title = data.required ? enrol.title : totp.title
  const lead = data.required ? tell(view, enrol.lead, { tenant: name(view.tenant.name) }) : totp.lead
  const code = field({
    name: 'code',
    label: totp.code,
    autocomplete: 'one-time-code',
    required: true,
    literal: true,
    error: data.wrong && totp.wrong,
  })
  const key = html`<p><strong>${totp.key}</strong></p>${codeBlock(data.secret.replace(/(.{4})(?=.)/g, '$1 '))}`
  const steps = html`<ol class="steps"><li><p>${totp.step_app}</p><p>${qrCode(data.uri, totp.qr_code)}</p><p>${buttonLink(totp.open_app, data.uri)}</p>${key}</li><li><p>${totp.step_code}</p>${code}</li></ol>`
  const content = html`<div class="heading"><h1>${title}</h1><p class="lead">${lead}</p></div>${form(
    view,
    { action: data.action, hidden: { enrolment: data.sealed } },
    html`${steps}${button(totp.submit)}`,
  )}`
  const below = data.back && html`<a href="${data.back.href}">${data.back.label}</a>`
  return narrowPage(view, { title, content, below })
}

/** The page that shows recovery codes, once. */
export function renderRecoveryCodes(
  view: View,
  data: { codes: readonly string[]; username: string; continue_href: string },
): SafeHtml {
  const { recovery_codes } = view.text.security
  // For the sheet of paper that they are printed on.
  const holes = { user: html`<strong>${name(data.username)}</strong>`, tenant: name(view.tenant.name) }
  const whose = html`<p class="hint after">${tell(view, recovery_codes.whose, holes)}</p>`
  const list = html`<ol class="recovery_codes" dir="ltr">${data.codes.map((one) => html`<li>${code(one)}</li>`)}</ol>`
  const content = html`<div class="heading"><h1>${recovery_codes.title}</h1><p class="lead">${recovery_codes.lead}</p></div>${list}${whose}<div class="stack after">${buttonLink(recovery_codes.go_on, data.continue_href, 'primary')}</div>`
  return narrowPage(view, { title: recovery_codes.title, content })
}
