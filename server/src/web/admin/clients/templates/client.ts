import {
  badge,
  card,
  codeBlock,
  copyable,
  definitions,
  emptyState,
  ending,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
  section,
  toldNotice,
} from '../../../ui/components.ts'
import { button, buttonLink, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, count, countUpTo, link, moment, tell, type View } from '../../../ui/view.ts'
import { type LintedRedirect, redirectWarnings } from '../../forms/templates/redirect_lint.ts'
import { type LogoData, renderLogo } from './client_logo.ts'
import type { ClientType } from './client_type.ts'
import { type DescribedMember, describedMembers } from './described_members.ts'

/** What the page of one client shows (RFC 7591 section 2, plus our own settings). */
export interface ClientData {
  readonly client_id: string
  readonly client_name?: string | undefined
  readonly type: ClientType
  readonly trusted: boolean
  readonly logo?: LogoData | undefined
  /** What is registered of it, and who says so. */
  readonly members: readonly DescribedMember[]
  readonly redirects?: readonly LintedRedirect[]
  readonly described_by: 'administrators' | 'file' | 'itself'
  /** Nobody of the tenant registered it. */
  readonly unverified?: boolean
  readonly disabled: boolean
  readonly created_at: number
  readonly last_used_at?: number | undefined
  /** Living grants, and how many users they belong to. */
  readonly grants: number
  readonly users: number
  /** Where counting stopped. */
  readonly most: number
  /** Newest first; empty for a public client. */
  readonly secrets: readonly { readonly made_at: number | null; readonly expires_at: number | null }[]
  /** What was shown when a new secret is asked for: a page that is posted once more asks for nothing. */
  readonly seen: string
  /** What can be switched for it; none for one that registered itself. */
  readonly switches: readonly { readonly name: 'trusted' | 'password' | 'implicit'; readonly on: boolean }[]
  /** What the buttons do, by API and command line. */
  readonly scripts?: Readonly<Record<'switches' | 'secrets' | 'endings', readonly SameScript[]>>
  /** Something was changed just now. */
  readonly saved?: boolean
  /** The form that made it was sent twice. */
  readonly twice?: boolean
  /** Code that uses it, by framework; the first is the best fit. */
  readonly snippets?: readonly { readonly framework: string; readonly code: string }[]
}

/** The page of one client. */
export function renderClient(view: View, data: ClientData): SafeHtml {
  const { client, clients } = view.text.console
  const shown = clientName(data)
  const standing = html`${data.disabled ? badge(clients.disabled, 'danger') : badge(clients.enabled, 'good')} ${data.trusted && badge(clients.trusted, 'note')} ${data.unverified && badge(clients.unverified, 'warning')} ${usesLegacy(data) && badge(client.legacy, 'warning')}`
  const disabled = data.disabled && notice('danger', html`<p>${client.disabled}</p>`)
  const { client_form, again } = view.text.console
  const saved = data.twice ? toldNotice('note', again.twice) : data.saved && toldNotice('good', client_form.saved)
  const content = html`${pageHeader(name(shown), standing)}${saved}${disabled}${section(client.details, card(registration(view, data)), undefined, buttonLink(client.why, link(view, paths.admin_client_rights, { client_id: data.client_id })))}${renderLogo(view, data)}${secrets(view, data)}${switches(view, data)}${described(view, data)}${tryIt(view, data)}${section(client.danger, endings(view, data))}`
  return consolePage(view, { entry: 'clients', under: [], copies: true, title: displayName(shown), content })
}

function registration(view: View, data: ClientData): SafeHtml {
  const { client, client_types } = view.text.console
  return definitions([
    [client.client_id, copyable(data.client_id)],
    [client.type, client_types[data.type]],
    [client.trusted, data.trusted ? client.trusted_yes : client.trusted_no],
    [client.grants, grantsOf(view, data)],
    [client.created, moment(view, data.created_at)],
    [client.last_used, data.last_used_at === undefined ? view.text.time.never : ago(view, data.last_used_at)],
  ])
}

// Of how many users they are is not known where there are more than were counted.
function grantsOf(view: View, { grants, users, most }: ClientData): Child {
  if (grants >= most) return countUpTo(view, grants, most)
  return tell(view, view.text.console.client.grants_of, { grants: count(view, grants), n: users })
}

/** All that is registered, and the way to change it; of a client that is described elsewhere, where. */
function described(view: View, data: ClientData): SafeHtml {
  const { client, client_form } = view.text.console
  const mine = data.described_by === 'administrators'
  const edit = mine && buttonLink(client_form.edit, link(view, paths.admin_edit_client, { client_id: data.client_id }))
  const lead = mine ? undefined : data.described_by === 'file' ? client_form.in_file : client_form.by_itself
  const warnings = redirectWarnings(view, data.redirects ?? [])
  return section(client.metadata, html`${warnings}${describedMembers(view, data.members)}`, lead, edit)
}

function secrets(view: View, data: ClientData): SafeHtml {
  const { client } = view.text.console
  if (data.secrets.length === 0) {
    return section(client.secrets, emptyState(client.secrets_none, client.secrets_none_body))
  }
  const rotate = ending(view, {
    id: 'rotate',
    label: client.rotate,
    title: client.rotate_title,
    consequences: [client.rotate_ends, client.rotate_ends_older],
    action: link(view, paths.admin_rotate_secret),
    hidden: { client_id: data.client_id, seen: data.seen },
  })
  const rows = data.secrets.map(({ made_at, expires_at }, i) => {
    const made = made_at !== null && html`<span>${tell(view, client.secret_since, { when: ago(view, made_at) })}</span>`
    const end =
      expires_at === null ? client.secret_no_end : tell(view, client.secret_until, { when: moment(view, expires_at) })
    const which = i === 0 ? client.secret_newest : client.secret_older
    return html`<li><div><p><strong>${which}</strong></p><p class="facts">${made}<span>${end}</span></p></div>${i > 0 && endSecret(view, data)}</li>`
  })
  const scripts = sameByScript(view, ...(data.scripts?.secrets ?? []).slice(0, data.secrets.length))
  return section(
    client.secrets,
    html`${card(html`<ul class="rows switches">${rows}</ul>`)}${scripts}`,
    client.secrets_lead,
    rotate,
  )
}

function endSecret(view: View, data: ClientData): SafeHtml {
  const { client } = view.text.console
  return ending(view, {
    ...{ id: 'end-secret', label: client.end_secret, title: client.end_secret_title },
    consequences: [client.end_secret_body],
    action: link(view, paths.admin_end_secret),
    hidden: { client_id: data.client_id, seen: data.seen },
  })
}

function usesLegacy({ switches }: ClientData): boolean {
  return switches.some(({ name: what, on }) => on && what !== 'trusted')
}

/** Trust and the legacy grants, each with what it means and a button that turns it round. */
function switches(view: View, data: ClientData): Child {
  const { client } = view.text.console
  if (data.switches.length === 0) return ''
  const rows = data.switches.map(({ name: what, on }) => {
    const legacy = what !== 'trusted'
    const state = badge(on ? client.switch_is_on : client.switch_is_off, on ? (legacy ? 'warning' : 'note') : undefined)
    const hidden = { client_id: data.client_id, name: what, on: String(!on) }
    const turn = form(
      view,
      { action: link(view, paths.admin_switch_client), hidden },
      button(
        html`${on ? client.switch_off : client.switch_on}<span class="unseen"> ${client.switch_names[what]}</span>`,
        { kind: 'plain' },
      ),
    )
    return html`<li><div><p><strong>${client.switch_names[what]}</strong> ${state}</p><p class="hint">${client.switch_hints[what]}</p></div>${turn}</li>`
  })
  const scripts = sameByScript(view, ...(data.scripts?.switches ?? []))
  return section(
    client.switches,
    html`${card(html`<ul class="rows switches">${rows}</ul>`)}${scripts}`,
    client.switches_lead,
  )
}

function tryIt(view: View, { snippets = [] }: ClientData): Child {
  const { created_client: words } = view.text.console
  const shown = snippets.map(
    ({ framework, code }) =>
      html`<details class="script"><summary>${name(framework)}</summary>${codeBlock(code)}</details>`,
  )
  return snippets.length > 0 && section(words.snippet, html`${shown}`, words.snippet_lead)
}

function endings(view: View, data: ClientData): SafeHtml {
  const { client } = view.text.console
  const shown = name(clientName(data))
  const hidden = { client_id: data.client_id }
  const toggle = data.disabled
    ? form(view, { action: link(view, paths.admin_enable_client), hidden }, button(client.enable, { kind: 'plain' }))
    : ending(view, {
        id: 'disable',
        label: client.disable,
        title: tell(view, client.disable_title, { client: shown }),
        consequences: [client.disable_ends_tokens, client.disable_ends_logins],
        action: link(view, paths.admin_disable_client),
        hidden,
      })
  const remove = ending(view, {
    id: 'delete',
    label: client.delete,
    title: tell(view, client.delete_title, { client: shown }),
    consequences: [
      data.grants < data.most
        ? tell(view, client.delete_ends_grants, { n: data.grants })
        : html`${client.grants}: ${grantsOf(view, data)}`,
      client.delete_ends_tokens,
      client.delete_final,
    ],
    action: link(view, paths.admin_delete_client),
    hidden,
  })
  return html`<div class="actions start">${toggle}${remove}</div>${sameByScript(view, ...(data.scripts?.endings ?? []))}`
}
