import { badge, card, emptyState, ending, rightsList, section } from '../../ui/components.ts'
import { buttonLink } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { code, name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { ago, link, moment, tell, type View } from '../../ui/view.ts'
import { facts, lastUsed } from './account_facts.ts'

/** A token that the user has made for a script. */
export interface AccountToken {
  readonly token_id: string
  readonly name: string
  /** By which its owner knows it again. */
  readonly beginning: string
  /** What it is for, as people call it. */
  readonly resources: readonly string[]
  readonly scopes: readonly { readonly scope: string; readonly description: string }[]
  readonly created_at: number
  readonly state: 'works' | 'off' | 'ended'
  /** Of one that works: without it, it does until it is deleted. */
  readonly ends_at?: number | undefined
  readonly last_used_at?: number | undefined
}

/** The tokens of a user, each with what it can do and the way to end it; nothing where there are none and can be none. */
export function renderTokens(view: View, tokens: readonly AccountToken[], may_make: boolean): Child {
  const { account, tokens: text } = view.text
  if (tokens.length === 0 && !may_make) return ''
  const make = may_make && buttonLink(text.new, link(view, paths.account_new_token))
  if (tokens.length === 0) {
    return section(account.tokens, emptyState(text.empty, text.empty_body, make))
  }
  const cards = tokenCards(view, tokens, { action: link(view, paths.account_delete_token) })
  return section(account.tokens, cards, account.tokens_lead, make)
}

/** Where the form posts that deletes a token, and what it says beside which one. */
interface Deletion {
  readonly action: string
  readonly hidden?: Readonly<Record<string, string>>
}

/** Tokens, each with what it can do and the way to end it. */
export function tokenCards(view: View, tokens: readonly AccountToken[], deletion: Deletion): SafeHtml {
  const cards = tokens.map((token, i) => html`<li>${tokenCard(view, token, deletion, i)}</li>`)
  return html`<ul class="cards">${cards}</ul>`
}

function tokenCard(view: View, token: AccountToken, { action, hidden }: Deletion, index: number): SafeHtml {
  const { account } = view.text
  const remove = ending(view, {
    id: `delete-token-${index}`,
    label: account.delete_token,
    title: tell(view, account.delete_token_title, { token: name(token.name) }),
    consequences: [account.delete_token_ends],
    action,
    hidden: { ...hidden, token_id: token.token_id },
  })
  return card(
    html`<div class="row"><div class="grow"><h3>${name(token.name)} ${tokenState(view, token)}</h3>${tokenFacts(view, token)}${rightsList(token.scopes)}</div><div class="actions">${remove}</div></div>`,
  )
}

/** What is to be known of a token, but for its name and its rights. */
function tokenFacts(view: View, token: AccountToken): SafeHtml {
  const { account, tokens: text } = view.text
  const { ends_at, last_used_at, beginning } = token
  return facts([
    token.resources.map((resource) => tell(view, text.for, { resource: name(resource) })),
    tell(view, text.begins, { beginning: code(beginning) }),
    tell(view, text.made, { when: ago(view, token.created_at) }),
    lastUsed(view, last_used_at),
    ends_at !== undefined && tell(view, account.ends, { when: moment(view, ends_at) }),
  ])
}

function tokenState(view: View, { state }: AccountToken): Child {
  const { off_now, ended } = view.text.tokens
  return state !== 'works' && badge(state === 'off' ? off_now : ended, 'warning')
}
