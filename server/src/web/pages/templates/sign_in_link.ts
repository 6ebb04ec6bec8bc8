import { notice, sign } from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { clock, mail } from '../../ui/icons.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, displayName, exactText, name } from '../../ui/name.ts'
import { tell, tellText, type View } from '../../ui/view.ts'
import { clientLogo, type LoginData } from './login.ts'
import { plainPage } from './reset.ts'

/** Why the page that waits for the link is shown again. */
export type CodeRefusal =
  | { readonly reason: 'missing' | 'wrong' }
  | { readonly reason: 'too_many_tries'; readonly minutes: number }

/** What the page shows after a link was asked for: the same whether there is anybody or not (ASVS 6.3.8). */
export interface LinkSentData {
  /** Where the code posts. */
  readonly action: string
  /** What was typed to ask for the link. */
  readonly username: string
  readonly refusal?: CodeRefusal | undefined
  readonly login_href: string
}

/** "Check your e-mail": waits for the link, or for the code of one that was opened elsewhere. */
export function renderLinkSent(view: View, data: LinkSentData): SafeHtml {
  const { sign_in_link: words, login } = view.text
  const { refusal, username } = data
  const too_many = refusal?.reason === 'too_many_tries' && tell(view, login.too_many_tries, { n: refusal.minutes })
  const code = field({
    name: 'code',
    label: words.code,
    hint: words.code_hint,
    autocomplete: 'one-time-code',
    required: true,
    literal: true,
    autofocus: refusal !== undefined,
    error: refusal?.reason === 'missing' ? words.code_missing : refusal?.reason === 'wrong' && words.code_wrong,
  })
  const hidden = { username }
  const elsewhere = html`<p>${words.elsewhere_hint}</p>`
  const typed = form(view, { action: data.action, hidden }, html`${elsewhere}${code}${button(words.submit_code)}`)
  const lead = tell(view, words.sent, { name: html`<strong>${name(username)}</strong>` })
  const content = html`${too_many && notice('danger', too_many)}${typed}`
  const below = html`<a href="${data.login_href}">${words.back}</a>`
  return plainPage(view, words.sent_title, lead, content, { below, sign: sign('note', mail) })
}

/** What the page behind a link shows where it was asked for. */
export interface OpenLinkData {
  readonly action: string
  /** From the link; posted, so that it leaves the address bar with the form. */
  readonly token: string
  readonly username: string
  readonly client: LoginData['client']
  /** Who is signed in here, where that is somebody else. */
  readonly former?: string | undefined
  readonly login_href: string
}

/** "Sign in as …?": a link that is opened signs nobody in before this is answered; mail servers open links, too. */
export function renderOpenLink(view: View, data: OpenLinkData): SafeHtml {
  const { sign_in_link: words } = view.text
  const user = html`<strong>${name(data.username)}</strong>`
  const lead = data.client
    ? tell(view, words.to_client, { client: html`<strong>${name(clientName(data.client))}</strong>` })
    : tell(view, words.at_tenant, { tenant: html`<strong>${name(view.tenant.name)}</strong>` })
  const heading = html`<div class="heading">${clientLogo(data.client)}<h1>${tell(view, words.title, { user })}</h1><p class="lead">${lead}</p></div>`
  const former =
    data.former !== undefined &&
    notice('warning', html`<p>${tell(view, words.former, { user: name(data.former) })}</p>`)
  const asks = form(view, { action: data.action, hidden: { token: data.token } }, button(words.submit))
  const below = html`<a href="${data.login_href}">${words.back}</a>`
  const title = tellText(view, words.title, { user: displayName(data.username) })
  return narrowPage(view, { title, content: html`${heading}${former}${asks}`, below })
}

/** What the page behind a link shows anywhere else. */
export interface LinkCodeData {
  readonly code: string
  readonly username: string
  readonly host: string
  readonly login_href: string
}

/** The code of a link, for the browser that asked: this one is signed in to nobody's account by it. */
export function renderLinkCode(view: View, data: LinkCodeData): SafeHtml {
  const { sign_in_link: words } = view.text
  const lead = tell(view, words.code_lead, { user: html`<strong>${name(data.username)}</strong>` })
  const warning = notice('warning', html`<p>${tell(view, words.code_warning, { host: name(data.host) })}</p>`)
  const content = html`<p class="user-code"><bdi dir="ltr">${exactText(data.code)}</bdi></p>${warning}`
  const below = html`<a href="${data.login_href}">${words.here}</a>`
  return plainPage(view, words.code_title, lead, content, { below })
}

/** The page behind a link that is over. */
export function renderLinkOver(view: View, data: { login_href: string }): SafeHtml {
  const { sign_in_link: words } = view.text
  const way = html`<div class="stack">${buttonLink(words.again, data.login_href, 'primary')}</div>`
  return plainPage(view, words.over_title, words.over, way, { sign: sign('warning', clock) })
}
