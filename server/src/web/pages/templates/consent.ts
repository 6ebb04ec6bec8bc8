import { badge, definitions, mark, notice, rightsList } from '../../ui/components.ts'
import { button, check, form, group, radio, select } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { arrows, clock, eye, pencil } from '../../ui/icons.ts'
import { narrowPage } from '../../ui/layout.ts'
import { clientName, code, displayName, exactText, name, userName } from '../../ui/name.ts'
import { type RedirectTarget, redirectTarget } from '../../ui/redirect_target.ts'
import { tell, tellText, type View } from '../../ui/view.ts'

/** A scope as a person reads it (RFC 6749 section 3.3). */
export interface ConsentScope {
  readonly scope: string
  readonly description: string
  readonly kind: 'read' | 'change' | 'away'
  /** Not covered by what the user allowed before. */
  readonly is_new?: boolean
  /** The user may leave it out; it comes unticked, and is posted as the value of a field `scope.<number>`. */
  readonly optional?: boolean
}

/** A connector whose connection the client asks to use; the choice is posted as `connection.<connector>`. */
export interface ConsentConnector {
  readonly connector: string
  readonly provider_name: string
  readonly scopes: readonly { readonly scope: string; readonly description: string }[]
  readonly choices: readonly {
    readonly connection_id: string
    readonly account_label: string
    readonly ready: boolean
    readonly selected: boolean
    /** Repairs a connection that is not ready, and comes back here. */
    readonly repair_href?: string | undefined
  }[]
  /** Starts the connect flow and comes back here. */
  readonly connect_href: string
}

/** When access ends, and what the user may choose of it. */
export interface Ending {
  /** True when a refresh token outlives the session (`offline_access`). */
  readonly offline: boolean
  /** The client's own maximum, in seconds, where it has one. */
  readonly longest_seconds?: number | undefined
  /** Ends the user may choose, in seconds; posted as `expires_in`, empty means none. */
  readonly end_choices?: readonly number[]
}

/** What the consent page shows (ASVS 10.7.2: what, to whom, for how long). */
export interface ConsentData extends Ending {
  readonly action: string
  /** What the form carries beside the answer. */
  readonly hidden?: Readonly<Record<string, string>> | undefined
  readonly client: {
    readonly client_id: string
    readonly client_name?: string | undefined
    /** A path of ours: its picture, which this server has fetched. */
    readonly logo_uri?: string | undefined
    readonly publisher?: string | undefined
    /** The host that publishes its metadata document: the one thing that is known of such a client. */
    readonly published_at?: string | undefined
    readonly verified: boolean
    /** It proves who it is when it comes for its tokens: no other program can use what is sent to this computer. */
    readonly authenticates?: boolean | undefined
  }
  readonly redirect_uri: string
  readonly user: { readonly username: string; readonly name?: string | undefined }
  /** Where "Not you?" posts. */
  readonly switch_action: string
  readonly scopes: readonly ConsentScope[]
  /** Resource indicators (RFC 8707), with names where they have one. */
  readonly resources: readonly { readonly resource: string; readonly name?: string | undefined }[]
  readonly connectors: readonly ConsentConnector[]
  /** For a client that acts in one role: those to pick from, and what each gives of the scopes; posted as `role`. */
  readonly roles?: readonly RoleChoice[] | undefined
}

/** "Allow X to use your account?", answered by `decision=allow` or `decision=deny`. */
export function renderConsent(view: View, data: ConsentData): SafeHtml {
  const { consent } = view.text
  const shown = clientName(data.client)
  const client = html`<strong>${name(shown)}</strong>`
  const target = redirectTarget(data.redirect_uri)
  const parts = [
    renderPermissions(view, data.scopes, client),
    renderRoles(view, data.roles, client),
    data.connectors.map((connector) => connections(view, connector, client)),
    renderEnds(view, data),
    facts(view, data, target),
  ]
  const answers = [
    button(consent.cancel, { kind: 'ink', name: 'decision', value: 'deny', unchecked: true }),
    button(consent.allow, { name: 'decision', value: 'allow' }),
  ]
  const decide = html`<div class="parts">${parts}</div><div class="decide">${answers}</div>`
  const content = html`${heading(view, data, client)}${warnings(view, data, target, client)}${signedIn(view, data)}${form(
    view,
    { action: data.action, hidden: data.hidden },
    decide,
  )}<p class="hint after">${tell(view, consent.take_back, { tenant: name(view.tenant.name) })}</p>`
  const title = tellText(view, consent.page_title, { client: displayName(shown) })
  return narrowPage(view, { title, content, here: data.action })
}

function heading(view: View, data: ConsentData, client: SafeHtml): SafeHtml {
  const { consent } = view.text
  const { publisher, published_at, verified } = data.client
  const standing = verified ? badge(consent.verified, 'good') : badge(consent.unverified, 'warning')
  // What an unknown client says of its publisher may be anybody; where it says it is known.
  const by = verified
    ? publisher && html`<span>${tell(view, consent.publisher, { publisher: name(publisher) })}</span>`
    : published_at &&
      html`<span>${tell(view, consent.published_at, { host: html`<strong><bdi dir="ltr">${exactText(published_at)}</bdi></strong>` })}</span>`
  const marks = html`<div class="marks">${mark(clientName(data.client), data.client.logo_uri)}${arrows}${mark(view.tenant.name, view.tenant.logo_uri)}</div>`
  return html`<div class="heading">${marks}<h1>${tell(view, consent.title, { client })}</h1><p class="standing">${by}${standing}</p></div>`
}

/** A client on this computer can be imitated by any program there (RFC 8252 section 8.6). */
function warnings(view: View, data: ConsentData, target: RedirectTarget, client: SafeHtml): Child {
  const { consent } = view.text
  const imitable = target.kind === 'loopback' && !data.client.authenticates
  const sentences = [
    ...(data.client.verified ? [] : [consent.unverified_warning]),
    ...(imitable ? [consent.loopback_warning] : []),
  ]
  if (sentences.length === 0) return ''
  return notice(
    'warning',
    sentences.map((sentence) => html`<p>${tell(view, sentence, { client })}</p>`),
  )
}

function signedIn(view: View, data: ConsentData): SafeHtml {
  const { consent } = view.text
  const { user } = data
  const username = tell(view, consent.signed_in, { username: name(user.username) })
  const leave = form(view, { action: data.switch_action }, button(consent.not_you, { kind: 'quiet' }))
  return html`<div class="person">${mark(userName(user))}<p><strong>${name(userName(user))}</strong><small>${username}</small></p>${leave}</div>`
}

const KINDS = [
  ['read', eye],
  ['change', pencil],
  ['away', clock],
] as const

/** What a client asks for, sorted by what it lets it do (ASVS 10.7.2). */
export function renderPermissions(view: View, scopes: readonly ConsentScope[], client: SafeHtml): Child {
  const { consent } = view.text
  if (scopes.length === 0) return ''
  const groups = KINDS.map(([kind, icon]) => {
    const items = scopes.flatMap((scope, i) =>
      scope.kind === kind
        ? html`<li>${scope.optional ? optionalScope(view, scope, i) : html`${icon}${scopeText(view, scope)}`}</li>`
        : [],
    )
    return items.length === 0 ? '' : html`<h3>${consent[kind]}</h3><ul class="permissions">${items}</ul>`
  })
  const repeated = scopes.some((scope) => scope.is_new) && scopes.some((scope) => !scope.is_new)
  const note = repeated && html`<p class="hint">${tell(view, consent.new_note, { client })}</p>`
  return html`<section><h2>${tell(view, consent.what, { client })}</h2>${note}${groups}</section>`
}

function scopeText(view: View, scope: ConsentScope): SafeHtml {
  const words = name(scope.description || scope.scope, 200)
  const isNew = scope.is_new ? html` ${badge(view.text.consent.new, 'note')}` : ''
  return html`<span>${words}${isNew}</span>`
}

function optionalScope(view: View, scope: ConsentScope, index: number): SafeHtml {
  const label = html`${scopeText(view, scope)} ${badge(view.text.consent.optional)}`
  return check({ name: `scope.${index}`, value: scope.scope, label })
}

/** A role to pick, and what it gives of what is asked for. */
export interface RoleChoice {
  readonly role: string
  readonly gives: readonly string[]
}

/** One role of several is picked; the only one is named. */
export function renderRoles(view: View, roles: readonly RoleChoice[] | undefined, client: SafeHtml): Child {
  const { consent } = view.text
  if (!roles || roles.length === 0) return ''
  const choices = roles.map(({ role, gives }) =>
    radio({
      name: 'role',
      value: role,
      label: html`<strong>${name(role)}</strong>`,
      hint: gives.length > 0 ? name(gives.join(' · '), 300) : consent.role_gives_nothing,
      checked: roles.length === 1,
      required: true,
    }),
  )
  return group(tell(view, consent.role, { client }), html`<div class="choices">${choices}</div>`)
}

function connections(view: View, data: ConsentConnector, client: SafeHtml): SafeHtml {
  const { consent } = view.text
  const question = tell(view, consent.connections, { provider: name(data.provider_name), client })
  const gives =
    data.scopes.length > 0 &&
    html`<p class="hint">${tell(view, consent.connection_gives, { client })}</p>${rightsList(data.scopes)}`
  const field = `connection.${data.connector}`
  const checked = !data.choices.some((choice) => choice.ready && choice.selected)
  const none = radio({ name: field, value: '', label: consent.no_connection, checked })
  return group(question, html`${gives}${accountChoices(view, field, data, none)}`)
}

/** The accounts to pick from, each that needs its owner with the way to repair it, and the way to connect another. */
export function accountChoices(
  view: View,
  field: string,
  data: Omit<ConsentConnector, 'scopes'>,
  none: SafeHtml | false,
): SafeHtml {
  const { consent, account } = view.text
  const picks = data.choices.map(({ connection_id, account_label, ready, selected, repair_href }) => {
    const label = name(account_label)
    const pick = radio({
      ...{ name: field, value: connection_id, label, required: !none },
      ...{ hint: !ready && consent.connection_needs_you, checked: ready && selected, disabled: !ready },
    })
    const repair =
      !ready &&
      repair_href &&
      html`<a class="add" href="${repair_href}">${account.reconnect}<span class="unseen"> ${label}</span></a>`
    return repair ? html`<div class="row">${pick}${repair}</div>` : pick
  })
  const provider = name(data.provider_name)
  const connect = tell(view, data.choices.length > 0 ? consent.connect_another : consent.connect_one, { provider })
  return html`<div class="choices">${picks}${none}<a class="add" href="${data.connect_href}">${connect}</a></div>`
}

/** The choice of an end before the latest one; nothing where there is none. */
export function renderEnds(view: View, data: Ending): Child {
  const { consent } = view.text
  if (!data.end_choices?.length) return ''
  const choices = data.end_choices.map((seconds) => ({
    value: String(seconds),
    label: tellText(view, consent.until_expires, { duration: duration(view, seconds) }),
  }))
  return select({
    name: 'expires_in',
    label: consent.until,
    choices: [{ value: '', label: latestEnd(view, data) }, ...choices],
  })
}

/** When access ends if nobody chooses an end. */
export function latestEnd(view: View, { longest_seconds, offline }: Ending): string {
  const { consent } = view.text
  const otherwise = offline ? consent.until_revoked : consent.until_session
  if (longest_seconds === undefined) return otherwise
  return tellText(view, consent.until_expires, { duration: duration(view, longest_seconds) })
}

function facts(view: View, data: ConsentData, target: RedirectTarget): SafeHtml {
  const { consent } = view.text
  const host = html`<strong><bdi dir="ltr">${exactText(target.shown)}</bdi></strong>`
  const returns =
    target.kind === 'loopback'
      ? tell(view, consent.returns_to_loopback, { host })
      : target.kind === 'app'
        ? tell(view, consent.returns_to_app, { scheme: host })
        : host
  const resources = data.resources.map(({ resource, name: label }) =>
    label ? html`<p>${name(label)} ${code(resource)}</p>` : html`<p>${code(resource)}</p>`,
  )
  const lasts = !data.end_choices?.length && latestEnd(view, data)
  return html`<section><h2>${consent.facts}</h2>${definitions([
    [consent.returns_to, returns],
    [consent.resources, resources.length > 0 && resources],
    [consent.until, lasts],
    [consent.client_id, code(data.client.client_id)],
  ])}</section>`
}

/** A length of time in whole days, or else in hours. */
export function duration(view: View, seconds: number): string {
  const [unit, length] = seconds % 86_400 === 0 ? (['day', 86_400] as const) : (['hour', 3600] as const)
  const format = new Intl.NumberFormat(view.lang, {
    style: 'unit',
    unit,
    unitDisplay: 'long',
    maximumFractionDigits: 1,
  })
  return format.format(seconds / length)
}
