import {
  card,
  copyable,
  definitions,
  emptyState,
  ending,
  notice,
  pageHeader,
  type SameScript,
  sameByScript,
  section,
  table,
  toldNotice,
} from '../../../ui/components.ts'
import { button, field, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, moment, tell, type View } from '../../../ui/view.ts'
import { refusalText } from '../../forms/templates/refusal.ts'

/** The fields of the form, again after a refusal. */
export const TOKEN_FIELDS = ['name', 'uses', 'days', 'scope', 'grant_types'] as const

/** What the page of initial access tokens shows (RFC 7591 section 3). */
export interface RegistrationTokensData {
  /** Who may register clients now. */
  readonly registration: 'off' | 'token' | 'open'
  /** Newest first. */
  readonly tokens: readonly {
    readonly token_id: string
    readonly name: string
    readonly scope: string | null
    readonly grant_types: string | null
    readonly uses_left: number | null
    readonly expires_at: number
  }[]
  /** Shown once, to whoever has just made it. */
  readonly made?: { readonly token: string; readonly endpoint: string } | undefined
  readonly values?: Readonly<Partial<Record<(typeof TOKEN_FIELDS)[number], string | undefined>>>
  readonly wrong?: string | undefined
  /** What the next one is called, so that a form that is sent twice makes one. */
  readonly token_id?: string
  readonly twice?: boolean
  readonly scripts?: Readonly<Record<'create' | 'end', SameScript | undefined>>
}

/** The initial access tokens there are, and the form for a new one. */
export function renderRegistrationTokens(view: View, data: RegistrationTokensData): SafeHtml {
  const { registration_tokens: words } = view.text.console
  const standing = data.registration === 'off' ? notice('warning', html`<p>${words.off}</p>`) : ''
  const open = data.registration === 'open' ? notice('note', html`<p>${words.open}</p>`) : ''
  const content = html`${pageHeader(words.title, words.lead)}${standing}${open}${data.twice && toldNotice('note', view.text.console.again.twice)}${made(view, data)}${section(words.tokens, html`${tokens(view, data)}${sameByScript(view, data.scripts?.end)}`)}${section(words.new, newToken(view, data))}`
  return consolePage(view, { entry: 'clients', under: [], copies: true, title: words.title, content })
}

function made(view: View, { made }: RegistrationTokensData): Child {
  if (!made) return ''
  const { registration_tokens: words } = view.text.console
  const values = definitions([
    [words.token, copyable(made.token)],
    [words.endpoint, copyable(made.endpoint)],
  ])
  return html`${notice('warning', html`<p>${words.made_once}</p>`)}${card(values)}`
}

function tokens(view: View, data: RegistrationTokensData): SafeHtml {
  const { registration_tokens: words } = view.text.console
  if (data.tokens.length === 0) return emptyState(words.empty, words.empty_body)
  const rows = data.tokens.map((token, i) => [
    name(token.name),
    token.uses_left === null ? words.any : String(token.uses_left),
    moment(view, token.expires_at),
    token.scope === null ? words.of_tenant : code(token.scope),
    token.grant_types === null ? words.asks_user : code(token.grant_types),
    ending(view, {
      id: `end-${i}`,
      label: words.end,
      title: tell(view, words.end_title, { token: name(token.name) }),
      consequences: [words.end_body],
      action: link(view, paths.admin_end_registration_token),
      hidden: { token_id: token.token_id },
    }),
  ])
  return table(words.tokens, [words.name, words.uses, words.ends, words.scope, words.grant_types, words.actions], rows)
}

function newToken(view: View, { values = {}, wrong, scripts, token_id = '' }: RegistrationTokensData): SafeHtml {
  const { registration_tokens: words } = view.text.console
  const line = (field_name: (typeof TOKEN_FIELDS)[number], label: string, hint?: string) =>
    field({
      ...{ name: field_name, label, value: values[field_name], autocomplete: 'off' },
      ...{ literal: field_name !== 'name', required: field_name === 'name' },
      ...(hint === undefined ? {} : { hint }),
    })
  const fields = html`${line('name', words.name, words.name_hint)}${line('uses', words.most_uses, words.uses_hint)}${line('days', words.days, words.days_hint)}${line('scope', words.scope, words.scope_hint)}${line('grant_types', words.grant_types, words.grant_types_hint)}<div class="actions start">${button(words.submit)}</div>`
  const refused =
    wrong === undefined ? '' : notice('danger', html`<p>${refusalText(view, wrong, wrong.split(' ', 1)[0])}</p>`)
  return html`<div class="measure">${refused}${form(view, { action: link(view, paths.admin_registration_tokens), hidden: { token_id } }, fields)}${sameByScript(view, scripts?.create)}</div>`
}
