import {
  badge,
  card,
  copyable,
  emptyState,
  ending,
  pageHeader,
  section,
  type Tone,
  toldNotice,
} from '../../ui/components.ts'
import { button, buttonLink, field, form } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { accountPage } from '../../ui/layout.ts'
import { name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { ago, link, tell, type View } from '../../ui/view.ts'
import { endOthers } from './end_others.ts'
import { type PasskeyQuestion, passkeyForm } from './passkey.ts'

/** A passkey as its owner sees it. */
export interface ShownPasskey {
  readonly credential_id: string
  readonly name: string
  readonly synced: boolean
  readonly created_at: number
  readonly last_used_at?: number | undefined
}

/** An account at another server as its owner sees it. */
export interface ShownIdentity {
  readonly authority: string
  readonly account: string
  readonly account_name?: string | undefined
  readonly provider_name: string
  readonly last_used_at?: number | undefined
}

/** What the page about signing in shows. */
export interface SecurityData {
  readonly may_administer: boolean
  readonly has_password: boolean
  readonly email?: { readonly address: string; readonly verified: boolean } | undefined
  /** Whether this server sends e-mail. */
  readonly mail: boolean
  readonly passkeys: readonly ShownPasskey[]
  /** Null where the issuer's host is no name. */
  readonly new_passkey: PasskeyQuestion | null
  /** A name to propose for it. */
  readonly device: string
  readonly host: string
  /** Accounts at other servers that sign this user in. */
  readonly identities: readonly ShownIdentity[]
  /** Servers of which an account can be linked. */
  readonly linkable: readonly { readonly connector: string; readonly provider_name: string }[]
  readonly totp: boolean
  readonly recovery_codes_left: number
  /** There are other browsers in which this user is signed in. */
  readonly other_sessions: boolean
  /** One second factor has to stay. */
  readonly required: boolean
  readonly done?: { readonly tone: Tone; readonly text: Child } | undefined
}

/** The page on which somebody sees and changes how they sign in. */
export function renderSecurity(view: View, data: SecurityData): SafeHtml {
  const { page } = view.text.security
  const done = data.done && toldNotice(data.done.tone, data.done.text)
  const content = html`${pageHeader(page.title, page.lead)}${done}${passkeys(view, data)}${others(view, data)}${identities(view, data)}${email(view, data)}`
  const islands = { script: true, passkeys: true }
  return accountPage(view, { title: page.title, content, entry: 'security', console: data.may_administer, ...islands })
}

function passkeys(view: View, data: SecurityData): SafeHtml {
  const { page } = view.text.security
  const rows = data.passkeys.map((passkey, i) => {
    const used =
      passkey.last_used_at === undefined
        ? page.never_used
        : tell(view, page.last_used, { when: ago(view, passkey.last_used_at) })
    const facts = [
      passkey.synced ? page.synced : page.on_one_device,
      tell(view, page.added, { when: ago(view, passkey.created_at) }),
      used,
    ]
    const remove = ending(view, {
      id: `remove-passkey-${i}`,
      label: page.remove,
      title: tell(view, page.remove_passkey_title, { name: name(passkey.name) }),
      consequences: [page.remove_passkey_ends, ...lastFactor(view, data)],
      action: link(view, paths.account_remove_passkey),
      hidden: { credential_id: passkey.credential_id },
    })
    return html`<li><div class="row"><div class="grow"><h3>${name(passkey.name)}</h3><p class="facts">${facts.map((fact) => html`<span>${fact}</span>`)}</p></div>${remove}</div></li>`
  })
  const list =
    rows.length === 0
      ? emptyState(page.passkeys_empty, page.passkeys_empty_body)
      : card(html`<ul class="rows">${rows}</ul>`)
  return section(page.passkeys, html`${list}${addPasskey(view, data)}`, page.passkeys_lead)
}

function addPasskey(view: View, data: SecurityData): SafeHtml {
  const { page } = view.text.security
  if (!data.new_passkey)
    return html`<p class="hint after">${tell(view, page.passkeys_off, { host: copyable(data.host) })}</p>`
  const fields = field({
    name: 'name',
    label: page.passkey_name,
    value: data.device,
    required: true,
  })
  const adds = passkeyForm(view, data.new_passkey, {
    ...{ does: 'create', label: page.add_passkey, primary: true, fields, boxed: true },
  })
  return html`<div class="asks">${adds}</div><noscript><p class="hint after">${page.passkeys_script}</p></noscript>`
}

/** What else there is, a line each: the password, the second factor, and the end of what is signed in elsewhere. */
function others(view: View, data: SecurityData): SafeHtml {
  const lines = [password(view, data), totp(view, data), codes(view, data), otherSessions(view, data)]
  return section(view.text.security.page.others, card(html`<ul class="rows switches">${lines}</ul>`))
}

function line(title: Child, lead: Child, action: Child): SafeHtml {
  return html`<li><div><h3>${title}</h3><p class="hint">${lead}</p></div>${action}</li>`
}

function totp(view: View, data: SecurityData): SafeHtml {
  const { page } = view.text.security
  const action = data.totp
    ? ending(view, {
        id: 'remove-totp',
        label: page.remove_totp,
        title: page.remove_totp_title,
        consequences: [page.remove_totp_ends, ...lastFactor(view, data)],
        action: link(view, paths.account_remove_totp),
        hidden: {},
      })
    : buttonLink(page.totp_set_up, link(view, paths.account_totp))
  const state = data.totp ? badge(page.totp_on, 'good') : badge(page.totp_off)
  return line(html`${page.totp} ${state}`, page.totp_lead, action)
}

function lastFactor(view: View, data: SecurityData): Child[] {
  const { page } = view.text.security
  if (data.passkeys.length + (data.totp ? 1 : 0) > 1) return []
  return [
    data.required ? tell(view, page.last_factor_stays, { tenant: name(view.tenant.name) }) : page.last_factor_ends,
  ]
}

function codes(view: View, data: SecurityData): Child {
  const { page } = view.text.security
  if (!data.totp && data.passkeys.length === 0) return ''
  const left = data.recovery_codes_left
  const state = badge(tell(view, page.codes_left, { n: left }), left <= 2 ? 'warning' : undefined)
  const renew = ending(view, {
    id: 'renew-codes',
    label: page.renew_codes,
    title: page.renew_codes_title,
    consequences: [page.renew_codes_ends],
    action: link(view, paths.account_recovery_codes),
    hidden: {},
  })
  return line(html`${page.recovery_codes} ${state}`, page.recovery_codes_lead, renew)
}

function password(view: View, data: SecurityData): SafeHtml {
  const { page } = view.text.security
  const change = data.has_password && buttonLink(page.change_password, link(view, paths.account_password))
  return line(page.password, data.has_password ? page.password_lead : page.no_password, change)
}

function identities(view: View, data: SecurityData): Child {
  const { page } = view.text.security
  if (data.identities.length === 0 && data.linkable.length === 0) return ''
  const rows = data.identities.map((identity, i) => {
    const provider = name(identity.provider_name)
    const unlink = ending(view, {
      id: `unlink-${i}`,
      label: page.unlink,
      title: tell(view, page.unlink_title, { provider }),
      consequences: [tell(view, page.unlink_ends, { provider })],
      action: link(view, paths.account_identities),
      hidden: { authority: identity.authority, account: identity.account },
    })
    const used =
      identity.last_used_at === undefined
        ? page.never_used
        : tell(view, page.last_used, { when: ago(view, identity.last_used_at) })
    const account = name(identity.account_name ?? identity.account)
    return html`<li><div class="row"><div class="grow"><h3>${provider}</h3><p class="facts"><span>${account}</span><span>${used}</span></p></div>${unlink}</div></li>`
  })
  const adds = data.linkable.map(({ connector, provider_name }) =>
    form(
      view,
      { action: link(view, paths.account_link_identity), hidden: { connector } },
      button(tell(view, page.link_identity, { provider: name(provider_name) }), { kind: 'plain' }),
    ),
  )
  const list = rows.length > 0 && card(html`<ul class="rows">${rows}</ul>`)
  return section(page.identities, html`${list}<div class="actions start">${adds}</div>`, page.identities_lead)
}

function email(view: View, data: SecurityData): SafeHtml {
  const { page } = view.text.security
  const { email: present } = data
  const state = present
    ? present.verified
      ? badge(page.email_verified, 'good')
      : badge(page.email_unverified, 'warning')
    : badge(page.email_none)
  const address = field({
    name: 'email',
    label: present?.verified ? page.email_new : page.email_address,
    type: 'email',
    value: present?.verified ? undefined : present?.address,
    autocomplete: 'email',
    required: true,
  })
  const asks = data.mail
    ? form(
        view,
        { action: link(view, paths.account_email) },
        html`${address}${button(page.send_link, { kind: 'plain' })}`,
      )
    : html`<p class="hint">${page.email_off}</p>`
  const head = html`<p>${present && html`<strong>${name(present.address)}</strong>`} ${state}</p>`
  return section(page.email, card(html`${head}<div class="after asks">${asks}</div>`), page.email_lead)
}

// Whoever has changed how they sign in may want everybody else out (ASVS 7.4.3).
function otherSessions(view: View, data: SecurityData): Child {
  if (!data.other_sessions) return ''
  const { account } = view.text
  return line(account.sessions, view.text.security.page.other_sessions, endOthers(view))
}
