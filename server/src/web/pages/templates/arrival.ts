import { sign } from '../../ui/components.ts'
import { buttonLink } from '../../ui/forms.ts'
import { html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { displayName, name } from '../../ui/name.ts'
import { tell, tellText, type View } from '../../ui/view.ts'

/** Why somebody who came back from another server is not signed in, or has linked nothing. */
export type ArrivalOutcome = 'nobody' | 'taken' | 'refused' | 'failed' | 'other_browser'

/** The page after a sign-in elsewhere that led nowhere, with the way on. */
export function renderArrival(
  view: View,
  data: {
    readonly outcome: ArrivalOutcome
    readonly provider_name: string
    readonly account_name?: string | undefined
    readonly login_href: string
  },
): SafeHtml {
  const { arrival } = view.text
  const account = html`<strong>${name(data.account_name ?? data.provider_name)}</strong>`
  const holes = { provider: name(data.provider_name), account }
  const title = arrival[data.outcome]
  const body = tell(view, arrival[`${data.outcome}_body`], holes)
  const content = html`<div class="heading">${sign('warning')}<h1>${tell(view, title, holes)}</h1><p class="lead">${body}</p></div><div class="stack">${buttonLink(arrival.go_on, data.login_href, 'primary')}</div>`
  return narrowPage(view, { title: tellText(view, title, { provider: displayName(data.provider_name) }), content })
}
