import { attrs, html, type SafeHtml } from './html.ts'
import { paths } from './paths.ts'
import { link, type View } from './view.ts'

const ENTRIES = {
  overview: paths.account,
  security: paths.account_security,
  activity: paths.account_activity,
  data: paths.account_data,
} as const

/** A page of the account that its navigation leads to. */
export type AccountEntry = keyof typeof ENTRIES

/** The path of an entry. */
export const pathOfAccount = (entry: AccountEntry): string => ENTRIES[entry]

/** The pages of an account, one beside the other. */
export function accountNav(view: View, now: AccountEntry): SafeHtml {
  const { nav, title } = view.text.account
  const entries = Object.entries(ENTRIES).map(([entry, to]) => {
    const current = attrs({ 'aria-current': entry === now ? 'page' : undefined })
    return html`<li><a href="${link(view, to)}"${current}>${nav[entry as AccountEntry]}</a></li>`
  })
  return html`<nav class="tabs" aria-label="${title}"><ul>${entries}</ul></nav>`
}
