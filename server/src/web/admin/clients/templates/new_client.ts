import { setupStep } from '../../../pages/templates/setup_step.ts'
import { notice, pageHeader, sameByScript } from '../../../ui/components.ts'
import { button, buttonLink, check, field, form, group, radio, textArea } from '../../../ui/forms.ts'
import { html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { paths } from '../../../ui/paths.ts'
import { link, type View } from '../../../ui/view.ts'
import { type LintedRedirect, refusedRedirects } from '../../forms/templates/redirect_lint.ts'
import { refusalText } from '../../forms/templates/refusal.ts'
import type { TypedForm } from '../../forms/templates/typed_field.ts'
import { renewal } from '../../forms/templates/typed_page.ts'
import { CLIENT_TYPES, type ClientType, PROOFS, type Proof } from './client_type.ts'

/** What the form for a new client shows, again after a refusal. Fields are named as in RFC 7591, plus `type` and `trusted`. */
export interface NewClientData {
  readonly values?: {
    readonly client_name?: string
    readonly type?: ClientType
    readonly token_endpoint_auth_method?: Proof
    /** One per line. */
    readonly redirect_uris?: string
    readonly scope?: string
    readonly trusted?: boolean
  }
  readonly errors?: Readonly<Partial<Record<'client_name' | 'type' | 'redirect_uris' | 'scope' | 'trusted', string>>>
  /** What it will be called, so that a form that is sent twice makes one. */
  readonly client_id?: string
  /** What is wrong with each redirect URI, after a refusal. */
  readonly redirects?: readonly LintedRedirect[]
  /** It comes back after a sign-in anew, with what was typed or without. */
  readonly again?: TypedForm['wrong']
  /** It is the first one, and the last of three steps. */
  readonly first?: boolean
  readonly script?: { readonly api: string; readonly cli: string }
}

/** The form for a new client. */
export function renderNewClient(view: View, data: NewClientData): SafeHtml {
  const { new_client, client_types, client_type_hints } = view.text.console
  const { values = {} } = data
  const errors = tellErrors(view, data.errors)
  const types = CLIENT_TYPES.map((type) =>
    radio({
      name: 'type',
      value: type,
      label: html`<strong>${client_types[type]}</strong>`,
      hint: client_type_hints[type],
      checked: type === (values.type ?? 'server'),
    }),
  )
  const proofs = PROOFS.map((proof) =>
    radio({
      name: 'token_endpoint_auth_method',
      value: proof,
      label: html`<strong>${new_client.proofs[proof]}</strong>`,
      hint: new_client.proof_hints[proof],
      checked: proof === (values.token_endpoint_auth_method ?? PROOFS[0]),
    }),
  )
  const fields = html`${field({
    name: 'client_name',
    label: new_client.name,
    hint: new_client.name_hint,
    value: values.client_name,
    error: errors['client_name'],
    required: true,
    autocomplete: 'off',
  })}${group(new_client.where, html`<div class="choices">${types}</div>`, { name: 'type', error: errors['type'] })}<div class="with-proof">${group(new_client.proof, html`<div class="choices">${proofs}</div>`)}</div><div class="with-redirects">${textArea(
    {
      name: 'redirect_uris',
      label: new_client.redirect_uris,
      hint: new_client.redirect_uris_hint,
      value: values.redirect_uris,
      error: errors['redirect_uris'] && (refusedRedirects(view, data.redirects ?? []) ?? errors['redirect_uris']),
      literal: true,
    },
  )}</div>${field({
    name: 'scope',
    label: new_client.scope,
    hint: new_client.scope_hint,
    value: values.scope,
    error: errors['scope'],
    autocomplete: 'off',
    literal: true,
  })}${group(
    new_client.trusted,
    check({
      name: 'trusted',
      value: 'true',
      label: new_client.trusted_label,
      hint: new_client.trusted_hint,
      checked: values.trusted === true,
    }),
    { name: 'trusted', error: errors['trusted'] },
  )}<div class="actions start">${button(new_client.submit)}${buttonLink(new_client.cancel, link(view, paths.admin_clients), 'quiet')}</div>`
  const wrong = Object.keys(errors).length > 0 ? notice('danger', new_client.wrong) : renewal(view, data.again)
  const content = html`${data.first && setupStep(view, 3)}${pageHeader(new_client.title, new_client.lead)}<div class="measure">${wrong}${form(view, { action: link(view, paths.admin_new_client), hidden: data.client_id === undefined ? {} : { client_id: data.client_id } }, fields)}${sameByScript(view, data.script)}</div>`
  return consolePage(view, { entry: 'clients', under: [], title: new_client.title, content })
}

/** Sentences about what was typed, which may repeat it. */
function tellErrors(view: View, errors: NewClientData['errors']): Partial<Record<string, SafeHtml>> {
  return Object.fromEntries(
    Object.entries(errors ?? {}).map(([field, sentence]) => [field, refusalText(view, sentence)]),
  )
}
