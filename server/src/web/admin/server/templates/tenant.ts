import { badge, card, codeBlock, definitions, pageHeader, section } from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { code, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { countUpTo, link, moment, type View } from '../../../ui/view.ts'

const COUNTED = ['users', 'clients', 'grants', 'connections', 'resources', 'roles'] as const

/** What the page of the tenant shows. */
export interface TenantData {
  readonly name: string
  readonly issuer: string
  readonly tenant_id: string
  readonly created_at: number
  readonly counts: Readonly<Record<(typeof COUNTED)[number], number>>
  /** Counting stops there. */
  readonly most: number
  readonly commands: { readonly disable: string; readonly enable: string }
}

/** The page of the tenant itself: what it is, how much it holds, and what would end with it. */
export function renderTenant(view: View, data: TenantData): SafeHtml {
  const { tenant: words, brand } = view.text.console
  const numbers = COUNTED.map((one) => {
    return html`<div><dt>${words.counts[one]}</dt><dd>${countUpTo(view, data.counts[one], data.most)}</dd></div>`
  })
  // Whoever reads this page is served: were the tenant disabled, its console were closed.
  const about = definitions([
    [words.name, name(data.name)],
    [words.issuer, code(data.issuer)],
    [words.tenant_id, code(data.tenant_id)],
    [words.since, moment(view, data.created_at)],
    [words.state, badge(words.enabled, 'good')],
  ])
  const ends = html`<ul class="rights">${Object.values(words.ends).map((sentence) => html`<li>${sentence}</li>`)}</ul>`
  const how = definitions([
    [words.disable_how, codeBlock(data.commands.disable)],
    [words.enable_how, codeBlock(data.commands.enable)],
  ])
  const actions = html`${buttonLink(brand.change, link(view, paths.admin_brand), 'plain')}`
  const content = html`${pageHeader(words.title, words.lead, actions)}<dl class="counts">${numbers}</dl>${section(words.about, card(about))}${section(words.disable, html`<div class="stack">${ends}${card(how)}</div>`, words.disable_lead)}`
  return consolePage(view, { entry: 'tenant', title: words.title, content })
}
