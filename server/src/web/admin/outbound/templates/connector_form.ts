import type { DescribedProvider } from '../../../../outbound/administration/describe_provider.ts'
import { CONNECTOR_GRANT_TYPES, type ConnectorGrantType } from '../../../../providers/grant_types.ts'
import { CLIENT_AUTH_METHODS } from '../../../../providers/overrides.ts'
import { codeBlock, notice, pageHeader, type SameScript, sameByScript, section } from '../../../ui/components.ts'
import { button, buttonLink, check, field, form, group, select } from '../../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../../ui/view.ts'
import { refusalText } from '../../forms/templates/refusal.ts'
import { errorOf, type FieldKind, isSet, type TypedForm, typedField } from '../../forms/templates/typed_field.ts'
import { formNotice } from '../../forms/templates/typed_page.ts'

type Kinds = Readonly<Record<string, FieldKind>>

/** What the form for a connector shows. */
export interface ConnectorFormData extends TypedForm {
  readonly connector: string
  /** It is there already, and is changed. */
  readonly known: boolean
  /** Why the name is not taken; nothing but the name is asked for then. */
  readonly wrong_name?: 'name_taken' | 'name_wrong' | undefined
  /** All of it was typed already, so that it is named anew beside what was typed. */
  readonly posted?: boolean
  readonly provider: DescribedProvider
  readonly grant_type: ConnectorGrantType
  readonly callback_url: string
  readonly jwks_uri: string
  /** What was shown when this was decided. */
  readonly seen: string
  readonly script: SameScript
}

/** What is typed of a connector to such a provider: what it needs, and what few change. */
export function connectorFields(
  provider: DescribedProvider,
  grant_type: ConnectorGrantType,
): { readonly asked: Kinds; readonly more: Kinds } {
  const { any_server, credential, discovery, proof } = provider
  const of_oauth = credential === 'oauth'
  const by_consent = of_oauth && grant_type === 'authorization_code'
  const by_address = any_server && discovery !== 'oidc'
  const secret: Kinds = { client_secret: 'secret' }
  const key: Kinds = { private_key: 'secret_lines', key_id: 'literal' }
  const certificate: Kinds = { certificate: 'lines' }
  const asked: Kinds = {
    ...Object.fromEntries(
      Object.entries(provider.placeholders).map(([name, { choices }]): [string, FieldKind] => [
        `placeholders.${name}`,
        choices ? { one_of: choices } : 'literal',
      ]),
    ),
    ...(any_server && { issuer: 'literal' }),
    ...(by_address && by_consent && { 'fields.authorization_endpoint': 'literal' }),
    ...(by_address && { 'fields.token_endpoint': 'literal' }),
    ...(any_server && grant_type.endsWith('device_code') && { 'fields.device_authorization_endpoint': 'literal' }),
    ...(of_oauth && { client_id: 'literal' }),
    ...((any_server && of_oauth) || proof === 'client_secret' ? secret : {}),
    ...(proof === 'private_key' && key),
    ...(provider.signs_secret && { team_id: 'literal' }),
    ...(provider.needs_certificate && certificate),
    ...(of_oauth && { scopes: { some_of: provider.known_scope }, scope: 'literal' }),
    ...(by_consent && provider.says_who && { sign_in: { one_of: ['off', 'linked', 'create'] } }),
  }
  const more: Kinds = {
    ...(any_server &&
      of_oauth && { 'fields.token_endpoint_auth_method': { one_of: CLIENT_AUTH_METHODS, optional: true } }),
    ...((any_server && of_oauth) || proof === 'made_key' ? key : {}),
    ...(any_server && of_oauth && certificate),
    ...(any_server && { 'fields.userinfo_endpoint': 'literal', 'fields.revocation_endpoint': 'literal' }),
    ...(any_server && { 'fields.api_base_url': 'literal' }),
    hand_out_tokens: 'yes_no',
    ...(of_oauth && { connection_lifetime_seconds: 'number' }),
    return_uris: 'lines',
    ...(by_consent && { redirect_uris: 'lines' }),
    fields: 'json',
  }
  return { asked, more: Object.fromEntries(Object.entries(more).filter(([member]) => !Object.hasOwn(asked, member))) }
}

/** The form for a connector: a new one in three steps, of which the first only names it; or one that is there. */
export function renderConnectorForm(view: View, data: ConnectorFormData): SafeHtml {
  const { connector_form: words } = view.text.console
  const { connector, known, provider } = data
  const named = known ? { connector: displayName(connector) } : { provider: displayName(provider.name) }
  const holes = known ? { connector: name(connector) } : { provider: name(provider.name) }
  const title = known ? words.edit_title : words.title
  const shown = tell(view, title as typeof words.title, holes as { provider: SafeHtml })
  const steps = known ? measure(enter(view, data)) : newSteps(view, data)
  const above = html`${formNotice(view, data, words, allFields(data))}${lostSecrets(view, data)}`
  const content = html`${pageHeader(shown, known ? words.edit_lead : provider.credential === 'oauth' && words.lead)}${above}${steps}`
  const under = known ? [[name(connector), link(view, paths.admin_connector, { connector })] as const] : []
  return consolePage(view, {
    ...{ entry: 'connectors', under, copies: true },
    title: tellText(view, title as typeof words.title, named as { provider: string }),
    content,
  })
}

function measure(content: Child): SafeHtml {
  return html`<div class="measure">${content}</div>`
}

function newSteps(view: View, data: ConnectorFormData): SafeHtml {
  if (data.wrong_name !== undefined) return data.posted ? measure(enter(view, data)) : nameIt(view, data)
  return html`${nameIt(view, data)}${beyondName(view, data)}`
}

/** The steps that follow once it has a name. */
function beyondName(view: View, data: ConnectorFormData): SafeHtml {
  const { connector_form: words } = view.text.console
  const { credential, any_server, name: called } = data.provider
  const here = name(any_server ? data.connector : called)
  if (credential === 'oauth') {
    const first = section(tell(view, words.step_register, { provider: here }), measure(register(view, data, here)))
    return html`${first}${section(words.step_enter, measure(enter(view, data)))}`
  }
  const lead = html`<p>${tell(view, words.people_keys, { provider: here })}</p>${goodToKnow(view, data)}`
  return section(words.step_enter_keys, measure(html`${lead}${enter(view, data)}`))
}

function goodToKnow(view: View, { provider: { notes, unverified_fields } }: ConnectorFormData): Child {
  const { connector_form: words, connectors } = view.text.console
  const unsure = unverified_fields.length > 0 && html`<p>${connectors.unverified_note}</p>`
  const said = notes !== null && html`<p>${words.notes} <span lang="en" dir="ltr">${name(notes, 600)}</span></p>`
  return (said || unsure) && notice('note', html`${said}${unsure}`)
}

function allFields({ provider, grant_type }: ConnectorFormData): Kinds {
  const { asked, more } = connectorFields(provider, grant_type)
  return { ...asked, ...more }
}

function lostSecrets(view: View, data: ConnectorFormData): Child {
  if (data.wrong === undefined && !(data.wrong_name !== undefined && data.posted)) return ''
  const asks = Object.values(allFields(data)).some((kind) => kind === 'secret' || kind === 'secret_lines')
  return asks && notice('note', html`<p>${view.text.console.connector_form.secrets_again}</p>`)
}

function nameIt(view: View, data: ConnectorFormData): SafeHtml {
  const { connector_form: words } = view.text.console
  const { provider, grant_type } = data
  const grants = CONNECTOR_GRANT_TYPES.map((value) => ({ value, label: words.grants[grantWord(value)] }))
  const fields = [
    nameField(view, data),
    provider.credential === 'oauth' &&
      select({
        ...{ name: 'grant_type', label: words.fields.grant_type, value: grant_type, hint: words.hints.grant_type },
        choices: grants,
      }),
  ]
  const action = link(view, paths.admin_new_connector)
  const hidden = html`<input type="hidden" name="provider" value="${provider.provider}">`
  const press = button(words.show_address, { kind: 'plain' })
  const content = html`<form action="${action}">${hidden}${fields}<div class="actions start">${press}</div></form>`
  return section(words.step_name, measure(content), provider.credential === 'oauth' && words.step_name_lead)
}

function nameField(view: View, { connector, wrong_name }: ConnectorFormData): SafeHtml {
  const { connector_form: words } = view.text.console
  return field({
    ...{ name: 'connector', label: words.fields.connector, value: connector, hint: words.hints.connector },
    ...{ error: wrong_name && words[wrong_name], literal: true, required: true, autocomplete: 'off' },
  })
}

function grantWord(grant_type: ConnectorGrantType) {
  return grant_type.replace(/^.*:/, '').replace('-', '_') as keyof View['text']['console']['connector_form']['grants']
}

/** What to do at the provider, in the order in which its pages ask for it. */
function register(view: View, data: ConnectorFormData, here: SafeHtml): SafeHtml {
  const { connector_form: words } = view.text.console
  const { provider, grant_type } = data
  const { proof, registration } = provider
  // Pages lead to no other origin: the address is to copy.
  const where = registration !== null && codeBlock(registration)
  const how = { client_secret: 'secret', made_key: 'made_key', private_key: 'private_key', nothing: 'public' } as const
  const kind = html`<p>${words[`register_${how[proof]}`]}</p>${proof === 'made_key' && codeBlock(data.jwks_uri)}`
  const by_consent = grant_type === 'authorization_code'
  const back = by_consent
    ? html`<p>${words.register_callback}</p>${codeBlock(data.callback_url)}`
    : html`<p>${grant_type.endsWith('device_code') ? words.register_device : words.register_machine}</p>`
  const steps: Child[] = [
    html`<p>${tell(view, words.register_open, { provider: here })}</p>${where}`,
    kind,
    back,
    provider.client_per_connection && html`<p>${words.register_per_customer}</p>`,
    html`<p>${words.register_scopes}</p>`,
    by_consent && provider.pkce !== 'refused' && html`<p>${words.register_pkce}</p>`,
  ]
  return html`<ol class="steps">${steps.map((step) => step && html`<li>${step}</li>`)}</ol>${goodToKnow(view, data)}`
}

function enter(view: View, data: ConnectorFormData): SafeHtml {
  const { connector_form: words } = view.text.console
  const { connector, known, provider, grant_type, seen } = data
  const { asked, more } = connectorFields(provider, grant_type)
  const fields = Object.entries(asked).map(([member, kind]) => memberField(view, data, member, kind))
  const further = Object.keys(more)
  const open = further.some((member) => errorOf(data, member) !== undefined || (known && isSaid(data, member)))
  const rest = Object.entries(more).map(([member, kind]) => memberField(view, data, member, kind))
  const folded = html`<details class="part"${attrs({ open })}><summary><h2>${words.more}</h2></summary>${rest}</details>`
  const back = known ? link(view, paths.admin_connector, { connector }) : link(view, paths.admin_connectors)
  const save = button(known ? words.save_known : words.save)
  const actions = html`<div class="actions start">${save}${buttonLink(words.cancel, back, 'quiet')}</div>`
  const action = link(view, known ? paths.admin_edit_connector : paths.admin_new_connector)
  const renamed = data.wrong_name !== undefined && nameField(view, data)
  const hidden = { ...(!renamed && { connector }), provider: provider.provider, grant_type, seen }
  return html`${form(view, { action, hidden }, html`${renamed}${fields}${folded}${actions}`)}${sameByScript(view, data.script)}`
}

function isSaid(data: ConnectorFormData, member: string): boolean {
  return member !== 'hand_out_tokens' && isSet(data, member) && data.values[member] !== ''
}

function memberField(view: View, data: ConnectorFormData, member: string, kind: FieldKind): Child {
  const { connector_form: words } = view.text.console
  const { fields, hints } = words as {
    fields: Readonly<Record<string, string>>
    hints: Readonly<Record<string, string>>
  }
  const place = data.provider.placeholders[member.replace(/^placeholders\./, '')]
  if (place && member.startsWith('placeholders.')) {
    return typedField(view, data, member, kind, {
      label: html`<span lang="en">${displayName(place.label, 120)}</span>`,
    })
  }
  if (member === 'scopes') return scopeBoxes(view, data)
  if (member === 'sign_in') return signIn(view, data)
  const short = member.replace(/^fields\./, '')
  const kept = data.known && (kind === 'secret' || kind === 'secret_lines') ? hints[`${short}_known`] : undefined
  const any = member === 'issuer' && data.provider.discovery !== 'oidc' ? hints['issuer_or'] : undefined
  return typedField(view, data, member, kind, { label: fields[short] ?? short, hint: kept ?? any ?? hints[short] })
}

/** Boxes for the scopes that are known, each with what it means where that is known too. */
function scopeBoxes(view: View, data: ConnectorFormData): Child {
  const { connector_form: words } = view.text.console
  const { known_scope } = data.provider
  if (known_scope.length === 0) return ''
  const meanings: Readonly<Record<string, string>> = words.scope_words
  const ticked = new Set(
    Object.entries(data.values).flatMap(([at, value]) => (/^scopes\.\d+$/.test(at) ? [value] : [])),
  )
  const boxes = known_scope.map((scope, i) =>
    check({
      ...{ name: `scopes.${i}`, value: scope, checked: ticked.has(scope) },
      label: html`${code(scope)}${Object.hasOwn(meanings, scope) && html` ${meanings[scope]}`}`,
    }),
  )
  return group(words.fields.scopes, html`<div class="choices">${boxes}</div>`, { name: 'scopes' })
}

function signIn(view: View, data: ConnectorFormData): Child {
  const { connector_form: words } = view.text.console
  const choices = (['off', 'linked', 'create'] as const).map((value) => ({ value, label: words.sign_in[value] }))
  const error = errorOf(data, 'sign_in')
  const label = html`${words.fields.sign_in} ${code('sign_in')}`
  const told = error !== undefined && { error: refusalText(view, error) }
  return select({ name: 'sign_in', label, value: data.values['sign_in'] ?? 'off', choices, ...told })
}
