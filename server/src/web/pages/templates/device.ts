import { badge, definitions, mark, notice, sign } from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { arrows } from '../../ui/icons.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, code, displayName, exactText, name, userName } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { ago, link, tell, tellText, type View } from '../../ui/view.ts'
import {
  type ConsentScope,
  type Ending,
  latestEnd,
  type RoleChoice,
  renderEnds,
  renderPermissions,
  renderRoles,
} from './consent.ts'

/** What the page that asks for a code shows. */
export interface DeviceEntryData {
  readonly action: string
  readonly user_code?: string | undefined
  readonly refusal?:
    | { readonly reason: 'unknown' | 'answered' }
    | { readonly reason: 'too_many'; readonly minutes: number }
}

/** "Enter the code": where somebody who was sent by a device begins (RFC 8628 section 3.3). */
export function renderDeviceEntry(view: View, data: DeviceEntryData): SafeHtml {
  const { device } = view.text
  const { refusal } = data
  const error =
    refusal &&
    (refusal.reason === 'too_many' ? tell(view, device.too_many, { n: refusal.minutes }) : device[refusal.reason])
  const entry = field({
    name: 'user_code',
    label: device.user_code,
    hint: device.user_code_hint,
    error,
    value: data.user_code,
    autocomplete: 'off',
    required: true,
    autofocus: true,
    literal: true,
  })
  const content = html`<div class="heading"><h1>${device.title}</h1><p class="lead">${device.lead}</p></div>${form(
    view,
    { action: data.action },
    html`${entry}<div class="stack">${button(device.go_on)}</div>`,
  )}`
  return narrowPage(view, { title: device.title, content, here: data.action })
}

/** What the page that asks whether a device may use the account shows. */
export interface DeviceQuestionData extends Ending {
  readonly action: string
  readonly hidden: Readonly<Record<string, string>>
  readonly user_code: string
  readonly client: {
    readonly client_id: string
    readonly client_name?: string | undefined
    /** A path of ours. */
    readonly logo_uri?: string | undefined
    readonly verified: boolean
  }
  readonly user: { readonly username: string; readonly name?: string | undefined }
  /** Where "Not you?" posts. */
  readonly switch_action: string
  readonly scopes: readonly ConsentScope[]
  /** For a client that acts in one role: those to pick from; posted as `role`. */
  readonly roles?: readonly RoleChoice[] | undefined
  readonly resources: readonly { readonly resource: string; readonly name?: string | undefined }[]
  /** Where the request came from, as far as it is known (RFC 8628 section 5.4, RFC 10027). */
  readonly address?: string | undefined
  readonly device?: string | undefined
  readonly created_at: number
}

/** "Is this your device?": the code, who asks, from where and for what; both answers weigh the same (RFC 10027). */
export function renderDeviceQuestion(view: View, data: DeviceQuestionData): SafeHtml {
  const { device, consent } = view.text
  const shown = clientName(data.client)
  const client = html`<strong>${name(shown)}</strong>`
  const standing = data.client.verified ? badge(consent.verified, 'good') : badge(consent.unverified, 'warning')
  const heading = html`<div class="heading"><div class="marks">${mark(shown, data.client.logo_uri)}${arrows}${mark(view.tenant.name, view.tenant.logo_uri)}</div><h1>${tell(view, device.question, { client })}</h1><p class="standing">${standing}</p></div>`
  const asked = definitions([
    [device.asked_by, data.device && name(data.device)],
    [device.asked_from, data.address && code(data.address)],
    [device.asked_at, ago(view, data.created_at)],
  ])
  const compare = html`<section><h2>${device.compare}</h2><p class="user-code"><bdi dir="ltr">${exactText(data.user_code)}</bdi></p>${asked}</section>`
  const warning = notice('warning', html`<p>${device.warning}</p>`)
  const user = userName(data.user)
  const leave = form(view, { action: data.switch_action }, button(consent.not_you, { kind: 'quiet' }))
  const username = tell(view, consent.signed_in, { username: name(data.user.username) })
  const person = html`<div class="person">${mark(user)}<p><strong>${name(user)}</strong><small>${username}</small></p>${leave}</div>`
  const resources = data.resources.map(({ resource, name: label }) =>
    label ? html`<p>${name(label)} ${code(resource)}</p>` : html`<p>${code(resource)}</p>`,
  )
  const facts = definitions([
    [consent.resources, resources.length > 0 && resources],
    [consent.until, !data.end_choices?.length && latestEnd(view, data)],
    [consent.client_id, code(data.client.client_id)],
  ])
  const answers = [
    button(device.cancel, { kind: 'ink', name: 'decision', value: 'deny', unchecked: true }),
    button(device.allow, { kind: 'ink', name: 'decision', value: 'allow' }),
  ]
  const parts: Child = [
    renderPermissions(view, data.scopes, client),
    renderRoles(view, data.roles, client),
    renderEnds(view, data),
    html`<section><h2>${consent.facts}</h2>${facts}</section>`,
  ]
  const decide = html`<div class="parts">${parts}</div><div class="decide">${answers}</div>`
  const content = html`${heading}${compare}${warning}${person}${form(view, { action: data.action, hidden: data.hidden }, decide)}`
  const title = tellText(view, device.question, { client: displayName(shown) })
  const here = link(view, paths.device, { user_code: data.user_code })
  return narrowPage(view, { title, content, here })
}

/** "You can go back to your device." */
export function renderDeviceDone(view: View, data: { decision: 'allow' | 'deny'; client_name: string }): SafeHtml {
  const { device } = view.text
  const allowed = data.decision === 'allow'
  const holes = { client: name(data.client_name) }
  const [title, body] = allowed ? [device.allowed, device.allowed_body] : [device.denied, device.denied_body]
  const content = html`<div class="heading">${sign(allowed ? 'good' : 'warning')}<h1>${tell(view, title, holes)}</h1><p class="lead">${tell(view, body, holes)}</p></div><div class="stack">${buttonLink(view.text.error.to_account, link(view, '/account'))}</div>`
  return narrowPage(view, { title: tellText(view, title, { client: displayName(data.client_name) }), content })
}
