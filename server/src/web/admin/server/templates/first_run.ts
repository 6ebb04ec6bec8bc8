import { setupStep } from '../../../pages/templates/setup_step.ts'
import { card, copyable, definitions, notice, pageHeader } from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, tell, type View } from '../../../ui/view.ts'

/** What the second step of a first run asks to be looked at. */
export interface FirstRunData {
  readonly issuer: string
  readonly discovery: string
  readonly production: boolean
  /** The host that this browser asked for, where it is not that of the issuer. */
  readonly seen_host: string | undefined
}

/** The page that has the issuer checked before a client is told of it. */
export function renderFirstRun(view: View, data: FirstRunData): SafeHtml {
  const { first_run } = view.text.console
  const { issuer, discovery, production, seen_host } = data
  const seen =
    seen_host === undefined
      ? notice('good', html`<p>${first_run.same_host}</p>`)
      : notice('warning', html`<p>${tell(view, first_run.other_host, { host: name(seen_host) })}</p>`)
  const values = definitions([
    [first_run.issuer, html`${copyable(issuer)}<p class="facts">${first_run.change}</p>`],
    [first_run.discovery, copyable(discovery)],
    [first_run.mode, production ? first_run.production : first_run.development],
  ])
  const on = buttonLink(first_run.go_on, link(view, paths.admin_new_client, { first: 'true' }), 'primary')
  const later = buttonLink(first_run.later, link(view, paths.admin), 'quiet')
  const content = html`${setupStep(view, 2)}${pageHeader(first_run.title, first_run.lead)}${seen}${card(values)}<div class="actions start">${on}${later}</div>`
  return consolePage(view, { entry: 'overview', title: first_run.title, content })
}
