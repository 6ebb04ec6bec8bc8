import { ALGORITHMS } from '../../../../crypto/signing_keys.ts'
import { DEFAULT_SETTINGS, type Settings } from '../../../../store/settings.ts'
import {
  badge,
  card,
  codeBlock,
  definitions,
  pageHeader,
  type SameScript,
  sameByScript,
  section,
  toldNotice,
} from '../../../ui/components.ts'
import { button, buttonLink, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, type View } from '../../../ui/view.ts'
import { type FieldKind, type TypedForm, typedField } from '../../forms/templates/typed_field.ts'
import { formNotice } from '../../forms/templates/typed_page.ts'
import { brandSummary } from './brand.ts'

type SettingName = keyof Settings
type Group = keyof View['text']['console']['settings']['groups']

const put = (group: Group, kind: FieldKind) => ({ group, kind })

/** What has a page of its own: one sees there what comes of it. */
export const BRAND_SETTINGS = ['brand_name', 'brand_accent', 'brand_logo'] as const satisfies readonly SettingName[]
export type BrandSetting = (typeof BRAND_SETTINGS)[number]

type FormSetting = Exclude<SettingName, BrandSetting>

/** Where each setting stands in the console, and how it is typed. */
const PLACES: Readonly<Record<FormSetting, { readonly group: Group; readonly kind: FieldKind }>> = {
  code_lifetime_seconds: put('tokens', 'number'),
  refresh_idle_seconds: put('tokens', 'number'),
  refresh_lifetime_seconds: put('tokens', 'number'),
  browser_refresh_lifetime_seconds: put('tokens', 'number'),
  refresh_retry_seconds: put('tokens', 'number'),
  custom_claims: put('tokens', 'json'),
  session_idle_seconds: put('sessions', 'number'),
  session_lifetime_seconds: put('sessions', 'number'),
  mfa: put('sessions', { one_of: ['optional', 'required', 'required_for_administrators'] }),
  login_handoff: put('sessions', 'json'),
  brokers: put('sessions', 'json'),
  sign_up: put('people', { one_of: ['off', 'open', 'verified'] }),
  sign_in_link: put('people', 'yes_no'),
  personal_access_tokens: put('people', 'yes_no'),
  personal_access_token_days: put('people', 'number'),
  personal_access_tokens_per_user: put('people', 'number'),
  account_deletion: put('people', { one_of: ['self', 'administrators'] }),
  default_locale: put('people', 'literal'),
  password_min_length: put('people', 'number'),
  password_min_length_administrators: put('people', 'number'),
  signing_algs: put('keys', { some_of: ALGORITHMS }),
  signing_key_days: put('keys', 'number'),
  profile: put('clients', { one_of: ['standard', 'legacy', 'oauth21', 'mcp', 'fapi2'] }),
  require_pushed_authorization_requests: put('clients', 'yes_no'),
  registration: put('clients', { one_of: ['off', 'token', 'open'] }),
  metadata_documents: put('clients', { one_of: ['off', 'listed', 'any'] }),
  metadata_document_hosts: put('clients', 'lines'),
  dynamic_client_scopes: put('clients', 'lines'),
  dynamic_client_secret_days: put('clients', 'number'),
  dynamic_client_unused_days: put('clients', 'number'),
  legacy_grants: put('legacy', { one_of: ['administrators', 'on_request', 'off'] }),
  service_registration: put('legacy', { one_of: ['administrators', 'open'] }),
  compat: put('legacy', { one_of: ['none', 'hub'] }),
}

const GROUPS: readonly Group[] = ['tokens', 'sessions', 'people', 'keys', 'clients', 'legacy']

const NAMES = (Object.keys(DEFAULT_SETTINGS) as SettingName[]).filter(
  (one): one is FormSetting => !BRAND_SETTINGS.some((brand) => brand === one),
)

/** How each setting is typed. */
export const SETTING_KINDS = Object.fromEntries(NAMES.map((one) => [one, PLACES[one].kind])) as Readonly<
  Record<FormSetting, FieldKind>
>

function namesOf(group: Group): FormSetting[] {
  return NAMES.filter((one) => PLACES[one].group === group)
}

/** What the page of settings shows. */
export interface SettingsData {
  /** As they work now, and which of them were never set. */
  readonly settings: readonly { readonly setting: SettingName; readonly value: unknown; readonly is_default: boolean }[]
  readonly saved: boolean
}

/** Every setting, with its value of now. */
export function renderSettings(view: View, data: SettingsData): SafeHtml {
  const { settings: words } = view.text.console
  const edit = buttonLink(words.edit, link(view, paths.admin_edit_settings), 'primary')
  const past = buttonLink(words.history, link(view, paths.admin_events, { event: 'settings.saved' }), 'quiet')
  const saved = data.saved && toldNotice('good', words.saved)
  const parts = GROUPS.map((group) => {
    const pairs = namesOf(group).flatMap((name): [Child, Child][] => {
      const one = data.settings.find(({ setting }) => setting === name)
      if (!one) return []
      const label = html`${words.fields[name]} <small>${code(name)}</small>`
      return [[label, html`${shown(view, one.value)} ${one.is_default && badge(words.is_default)}`]]
    })
    return pairs.length > 0 && section(words.groups[group], card(definitions(pairs)))
  })
  const brand = brandSummary(view, view.tenant.accent ?? '')
  const content = html`${pageHeader(words.title, words.lead, html`${past}${edit}`)}${saved}${brand}${parts}`
  return consolePage(view, { entry: 'settings', title: words.title, content })
}

function shown(view: View, value: unknown): Child {
  const { settings: words } = view.text.console
  if (value === null || (Array.isArray(value) && value.length === 0))
    return html`<span class="hint">${words.not_set}</span>`
  if (typeof value === 'boolean') return value ? words.yes : words.no
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return html`<span class="codes">${value.map((item) => html`${code(item)} `)}</span>`
  }
  return typeof value === 'object' ? codeBlock(JSON.stringify(value, null, 2)) : code(String(value))
}

/** What the form of settings shows. */
export interface EditSettingsData extends TypedForm {
  readonly seen: string
  readonly script: SameScript
}

/** The form of all settings, a folded part for each subject; what was wrong stands open. */
export function renderEditSettings(view: View, data: EditSettingsData): SafeHtml {
  const { settings: words } = view.text.console
  const hints: Readonly<Record<string, string>> = words.hints
  const parts = GROUPS.map((group, i) => {
    const names = namesOf(group)
    const fields = names.map((setting) =>
      typedField(view, data, setting, SETTING_KINDS[setting], {
        label: words.fields[setting],
        hint: hints[setting],
      }),
    )
    const bad =
      typeof data.wrong === 'object' && names.some((setting) => setting === (data.wrong as { member?: string }).member)
    const open = bad || (i === 0 && typeof data.wrong !== 'object')
    return open
      ? html`<details class="part" open><summary><h2>${words.groups[group]}</h2></summary>${fields}</details>`
      : html`<details class="part"><summary><h2>${words.groups[group]}</h2></summary>${fields}</details>`
  })
  const actions = html`<div class="actions start">${button(words.save)}${buttonLink(words.cancel, link(view, paths.admin_settings), 'quiet')}</div>`
  const to = { action: link(view, paths.admin_edit_settings), hidden: { seen: data.seen } }
  const content = html`${pageHeader(words.edit_title, words.edit_lead)}<div class="measure">${formNotice(view, data, words, SETTING_KINDS)}${form(view, to, html`${parts}${actions}`)}${sameByScript(view, data.script)}</div>`
  return consolePage(view, { entry: 'settings', under: [], title: words.edit_title, content })
}
