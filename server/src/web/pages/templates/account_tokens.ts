import { card, ending, rightsList, section } from '../../ui/components.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { ago, link, tell, type View } from '../../ui/view.ts'
import { facts, lastUsed } from './account_facts.ts'

/** A token that the user has made for a script. */
export interface AccountToken {
  readonly token_id: string
  readonly name: string
  readonly scopes: readonly { readonly scope: string; readonly description: string }[]
  readonly created_at: number
  readonly last_used_at?: number | undefined
}

/** The permanent tokens of a user, each with what it can do and the way to end it; nothing where there are none. */
export function renderTokens(view: View, tokens: readonly AccountToken[]): Child {
  const { account } = view.text
  if (tokens.length === 0) return ''
  const cards = tokens.map((token, i) => html`<li>${tokenCard(view, token, i)}</li>`)
  return section(account.tokens, html`<ul class="cards">${cards}</ul>`, account.tokens_lead)
}

function tokenCard(view: View, token: AccountToken, index: number): SafeHtml {
  const { account } = view.text
  const remove = ending(view, {
    id: `delete-token-${index}`,
    label: account.delete_token,
    title: tell(view, account.delete_token_title, { token: name(token.name) }),
    consequences: [account.delete_token_ends],
    action: link(view, paths.account_delete_token),
    hidden: { token_id: token.token_id },
  })
  const times = [tell(view, account.since, { when: ago(view, token.created_at) }), lastUsed(view, token.last_used_at)]
  return card(
    html`<div class="row"><div class="grow"><h3>${name(token.name)}</h3>${facts(times)}</div><div class="actions">${remove}</div></div>${rightsList(token.scopes)}`,
  )
}
