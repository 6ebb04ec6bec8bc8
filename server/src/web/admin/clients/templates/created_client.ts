import { card, codeBlock, copyable, definitions, notice, pageHeader, section } from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { attrs, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { clientName, displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, tellText, type View } from '../../../ui/view.ts'

/** What is shown once after a client was made or got a new secret. */
export interface CreatedClientData {
  readonly client_id: string
  readonly client_name?: string | undefined
  /** Absent for a public client. */
  readonly client_secret?: string | undefined
  /** The private key of a client that signs, as a JWK. */
  readonly private_key?: string | undefined
  /** The client was there already: the secret before works for a while, or no more. */
  readonly secret?: 'rotated' | 'replaced'
  readonly issuer: string
  readonly discovery: string
  /** Code that uses the values, by framework, made by the caller; the first is open. */
  readonly snippets: readonly { readonly framework: string; readonly code: string }[]
}

/** The page that shows a client secret or a private key, once. */
export function renderCreatedClient(view: View, data: CreatedClientData): SafeHtml {
  const { created_client } = view.text.console
  const shown = clientName(data)
  const { client_secret, private_key } = data
  const secret = client_secret === undefined ? created_client.no_secret : copyable(client_secret)
  const values = definitions([
    [created_client.client_id, copyable(data.client_id)],
    private_key === undefined
      ? [created_client.client_secret, secret]
      : [created_client.private_key, copyable(private_key)],
    [created_client.issuer, copyable(data.issuer)],
    [created_client.discovery, copyable(data.discovery)],
  ])
  const told = private_key === undefined ? created_client.once : created_client.key_once
  const once = (client_secret ?? private_key) !== undefined && notice('warning', html`<p>${told}</p>`)
  const snippets = data.snippets.map(
    ({ framework, code }, i) =>
      html`<details class="script"${attrs({ open: i === 0 })}><summary>${name(framework)}</summary>${codeBlock(code)}</details>`,
  )
  const snippet = section(created_client.snippet, html`${snippets}`, created_client.snippet_lead)
  const on = buttonLink(created_client.go_on, link(view, paths.admin_client, { client_id: data.client_id }), 'primary')
  const title = data.secret ? created_client.rotated : created_client.title
  const lead = data.secret ? created_client[`${data.secret}_lead`] : created_client.lead
  const header = pageHeader(tell(view, title, { client: name(shown) }), lead)
  const content = html`${header}${once}${card(values)}${snippet}<div class="actions start">${on}</div>`
  const page_title = tellText(view, title, { client: displayName(shown) })
  return consolePage(view, { entry: 'clients', under: [], copies: true, title: page_title, content })
}
