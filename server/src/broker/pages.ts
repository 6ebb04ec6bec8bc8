import { sign } from '../web/ui/components.ts'
import { buttonLink } from '../web/ui/forms.ts'
import { attrs, html, type SafeHtml } from '../web/ui/html.ts'
import { caution, cross } from '../web/ui/icons.ts'
import { narrowPage } from '../web/ui/layout.ts'
import { displayName, name } from '../web/ui/name.ts'
import { createLanguages } from '../web/ui/text/languages.ts'
import { tell, tellText, type View } from '../web/ui/view.ts'

/** What keeps a person from going on. */
export type BrokerTrouble = 'down_start' | 'down' | 'busy' | 'over' | 'other_browser' | 'not_found' | 'broken'

/** Whose the page is. */
export interface BrokerNames {
  readonly primary: string | undefined
  readonly provider: string | undefined
}

const languages = createLanguages()

/**
 * What every page of a broker shares: it knows no tenant, so it shows the primary's name where it has one, and speaks
 * the language that the browser asks for.
 */
export function viewOf(
  base: string,
  now: number,
  { primary }: Pick<BrokerNames, 'primary'>,
  accept_language?: string | undefined,
): View {
  const { tag: lang, dir, text } = languages.choose({ accept_language })
  return { lang, dir, text, now, base, tenant: { name: primary ?? 'Sallyport' }, csrf_token: '' }
}

/** What happened, and the way on where there is one. */
export function renderTrouble(
  view: View,
  trouble: BrokerTrouble,
  data: BrokerNames & { readonly retry_href?: string | undefined },
): SafeHtml {
  const { broker } = view.text
  const title = trouble === 'down_start' ? broker.down : broker[trouble]
  const sign = trouble === 'down' || trouble === 'down_start' || trouble === 'busy' ? caution : cross
  const retry =
    data.retry_href && html`<div class="stack">${buttonLink(broker.try_again, data.retry_href, 'primary')}</div>`
  return frame(view, { title, body: broker[`${trouble}_body`], sign, data, after: retry })
}

/** The sealed answer in a form: the person sends it on to the primary, which nobody else can open it for. */
export function renderCarry(
  view: View,
  data: BrokerNames & { readonly action: string; readonly hidden: Readonly<Record<string, string>> },
): SafeHtml {
  const { broker } = view.text
  const fields = Object.entries(data.hidden).map(
    ([key, value]) => html`<input type="hidden"${attrs({ name: key, value })}>`,
  )
  const form = html`<form method="post" action="${data.action}">${fields}<div class="stack"><button class="button primary">${broker.go_on}</button></div></form>`
  return frame(view, { title: broker.carry, body: broker.carry_body, sign: caution, data, after: form })
}

function frame(
  view: View,
  page: { title: string; body: string; sign: SafeHtml; data: BrokerNames; after: SafeHtml | '' | undefined },
): SafeHtml {
  const { broker } = view.text
  const [primary, provider] = [page.data.primary ?? broker.primary, page.data.provider ?? broker.provider]
  const holes = { primary: name(primary), provider: name(provider) }
  const content = html`<div class="heading">${sign('warning', page.sign)}<h1>${tell(view, page.title, holes)}</h1><p class="lead">${tell(view, page.body, holes)}</p></div>${page.after}`
  const title = tellText(view, page.title, { primary: displayName(primary), provider: displayName(provider) })
  return narrowPage(view, { title, content })
}
