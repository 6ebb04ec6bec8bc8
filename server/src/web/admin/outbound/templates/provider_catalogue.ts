import type { DescribedProvider } from '../../../../outbound/administration/describe_provider.ts'
import { badge, emptyState, pageHeader, table } from '../../../ui/components.ts'
import { buttonLink } from '../../../ui/forms.ts'
import { attrs, type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { consolePage } from '../../../ui/layout.ts'
import { displayName, name } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { link, type View } from '../../../ui/view.ts'

/** What the catalogue of providers shows. */
export interface CatalogueData {
  readonly providers: readonly DescribedProvider[]
  /** What was searched for. */
  readonly q?: string | undefined
}

/** The catalogue from which a connector is chosen, with a search that lives in the address. */
export function renderCatalogue(view: View, { providers, q }: CatalogueData): SafeHtml {
  const { catalogue } = view.text.console
  const rows = providers.map((one): Child[] => [
    html`<a href="${link(view, paths.admin_new_connector, { provider: one.provider })}">${name(one.name)}</a>${generic(view, one)}`,
    html`${waysIn(view, one)} ${one.client_per_connection && badge(catalogue.per_customer)}`,
    needs(view, one),
  ])
  const action = link(view, paths.admin_new_connector)
  const search = html`<form class="filters" role="search" action="${action}"><div class="field"><label for="q">${catalogue.search}</label><div class="joined"><input id="q" name="q" type="search"${attrs({ value: q || undefined })}><button class="button quiet">${catalogue.search}</button></div></div></form>`
  const list =
    rows.length === 0
      ? emptyState(catalogue.none, catalogue.none_body, anyServer(view))
      : table(catalogue.title, [catalogue.name, catalogue.how, catalogue.needs], rows)
  const content = html`${pageHeader(catalogue.title, catalogue.lead)}${search}${list}`
  return consolePage(view, { entry: 'connectors', under: [], title: catalogue.title, content })
}

function anyServer(view: View): SafeHtml {
  const { any_openid, any_oauth } = view.text.console.catalogue
  const to = (provider: string) => link(view, paths.admin_new_connector, { provider })
  return html`<div class="actions">${buttonLink(any_openid, to('oidc'))}${buttonLink(any_oauth, to('oauth2'))}</div>`
}

function generic(view: View, { any_server, discovery }: DescribedProvider): Child {
  const { any_openid, any_oauth } = view.text.console.catalogue
  return any_server && html` <small>${discovery === 'oidc' ? any_openid : any_oauth}</small>`
}

function waysIn(view: View, { credential }: DescribedProvider): string {
  const { catalogue } = view.text.console
  if (credential === 'oauth') return catalogue.by_consent
  return credential === 'api_key' ? catalogue.by_key : catalogue.by_password
}

/** What has to be at hand, in words. */
function needs(view: View, { needs: members, placeholders }: DescribedProvider): Child {
  const { catalogue } = view.text.console
  if (members.length === 0) return catalogue.nothing
  return members.map((member, i) => {
    const place = placeholders[member.replace(/^placeholders\./, '')]
    // The label of a record says what the value is, and behind a colon where to find it.
    const word = place
      ? html`<span lang="en">${displayName(place.label.split(':', 1)[0]!)}</span>`
      : catalogue.need[member as keyof typeof catalogue.need]
    return html`${i > 0 && ' · '}${word}`
  })
}
