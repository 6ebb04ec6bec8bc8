import type { WhyNoPicture } from '../../../../inbound/picture.ts'
import { card, mark, notice, type SameScript, sameByScript, section } from '../../../ui/components.ts'
import { button, form } from '../../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../../ui/html.ts'
import { clientName, exactText } from '../../../ui/name.ts'
import { paths } from '../../../ui/paths.ts'
import { ago, link, tell, type View } from '../../../ui/view.ts'

/** What became of the picture that a client has registered; that of a client nobody has looked at is not fetched. */
export type LogoData =
  | 'unverified'
  | {
      /** A path of ours: the picture that people see. */
      readonly logo_uri?: string | undefined
      readonly fetched_at?: number | undefined
      /** Why it could not be fetched of late. */
      readonly failure?: string | undefined
      readonly failed_at?: number | undefined
      /** When it is fetched next; never while the client is disabled. */
      readonly next_at?: number | undefined
      readonly script: SameScript
    }

/** The picture of a client, why there is none, and the way to have it fetched again. */
export function renderLogo(
  view: View,
  client: {
    readonly client_id: string
    readonly client_name?: string | undefined
    readonly logo?: LogoData | undefined
  },
): Child {
  const { client_logo: words } = view.text.console
  const { client_id, logo } = client
  if (logo === undefined) return ''
  if (logo === 'unverified') return section(words.title, notice('note', html`<p>${words.unverified}</p>`))
  const { fetched_at, failure, failed_at, next_at } = logo
  const failed =
    failure !== undefined &&
    html`<p>${tell(view, words.failed, { when: ago(view, failed_at ?? view.now) })} ${reason(view, failure)}</p>`
  const later = next_at !== undefined && next_at > view.now && tell(view, words.next, { when: ago(view, next_at) })
  const next = next_at === undefined ? words.paused : later || words.soon
  const stands = fetched_at === undefined ? words.none : tell(view, words.fetched, { when: ago(view, fetched_at) })
  const again = form(
    view,
    { action: link(view, paths.admin_client_logo), hidden: { client_id } },
    button(words.again, { kind: 'plain' }),
  )
  const shown = html`<div class="row">${mark(clientName(client), logo.logo_uri)}<div class="grow"><p>${stands}</p><p class="hint">${next}</p></div>${again}</div>`
  return section(
    words.title,
    html`${failed && notice('warning', failed)}${card(shown)}${sameByScript(view, logo.script)}`,
    words.lead,
  )
}

function reason(view: View, failure: string): SafeHtml | string {
  const { client_logo: words, brand } = view.text.console
  const status = /^status (\d{3})$/.exec(failure)?.[1]
  if (status !== undefined) return tell(view, words.status, { status })
  if (failure === 'blocked' || failure === 'unreachable') return words[failure]
  return brand.wrong_logo[failure as WhyNoPicture] ?? exactText(failure)
}
