import { codeBlock, notice } from '../../ui/components.ts'
import { button, buttonLink, check, field, form, group, radio, select } from '../../ui/forms.ts'
import { type Child, html, type SafeHtml } from '../../ui/html.ts'
import { narrowPage } from '../../ui/layout.ts'
import { code, name } from '../../ui/name.ts'
import { paths } from '../../ui/paths.ts'
import { link, moment, tell, tellText, type View } from '../../ui/view.ts'
import type { ConsentScope } from './consent.ts'

/** A resource as people know it. */
export interface TokenResource {
  readonly resource: string
  readonly name?: string | undefined
}

/** What the form of a new token shows. */
export interface NewTokenForm {
  readonly resource: TokenResource
  readonly scopes: readonly ConsentScope[]
  /** In days; the longest last. */
  readonly lifetimes: readonly number[]
  /** What it is called, so that a form that is sent twice makes one. */
  readonly token_id: string
  /** What was typed before a refusal. */
  readonly typed?: { readonly name: string; readonly scope: readonly string[]; readonly days: number } | undefined
}

/** What the page of a new token shows: the resources to choose from, or the form for one of them. */
export interface NewTokenData {
  readonly resources: readonly TokenResource[]
  readonly form?: NewTokenForm | undefined
  readonly wrong?: keyof View['text']['tokens']['wrong'] | 'off' | undefined
}

/** The page on which somebody makes a token for a script. */
export function renderNewToken(view: View, data: NewTokenData): SafeHtml {
  const { tokens: text } = view.text
  const { wrong, form, resources } = data
  const back = html`<a href="${link(view, paths.account)}">${text.cancel}</a>`
  if (wrong === 'off') return frame(view, heading(text.off, text.off_body), back)
  if (resources.length === 0) return frame(view, heading(text.nothing, text.nothing_body), back)
  const about_all = wrong === 'full' || wrong === 'resource'
  const refusal = about_all && notice('danger', html`<p>${text.wrong[wrong]}</p>`)
  const head = html`${heading(text.title, text.lead)}${refusal}`
  if (!form) return frame(view, html`${head}${choice(view, resources)}`, back)
  const other = resources.length > 1 && html`<a href="${link(view, paths.account_new_token)}">${text.other}</a>`
  return frame(view, html`${head}${tokenForm(view, form, wrong)}`, html`${other}${back}`)
}

const heading = (title: Child, lead: Child) =>
  html`<div class="heading"><h1>${title}</h1><p class="lead">${lead}</p></div>`

function frame(view: View, content: Child, below: Child): SafeHtml {
  const here = view.here ?? link(view, paths.account_new_token)
  return narrowPage(view, { title: view.text.tokens.title, content, below, here })
}

function choice(view: View, resources: readonly TokenResource[]): SafeHtml {
  const { tokens: text } = view.text
  const choices = resources.map(({ resource, name: label }) =>
    radio({
      ...{ name: 'uri', value: resource, required: true },
      ...(label ? { label: name(label), hint: code(resource) } : { label: code(resource) }),
    }),
  )
  const question = group(html`<h2>${text.which}</h2>`, html`<div class="choices framed">${choices}</div>`)
  return html`<form action="${link(view, paths.account_new_token)}">${question}${button(text.go_on)}</form>`
}

function resourceName({ resource, name: label }: TokenResource): SafeHtml {
  return label ? html`<p><strong>${name(label)}</strong></p><p>${code(resource)}</p>` : html`<p>${code(resource)}</p>`
}

function tokenForm(view: View, data: NewTokenForm, wrong: NewTokenData['wrong']): SafeHtml {
  const { tokens: text } = view.text
  const { resource, token_id, lifetimes, typed } = data
  const error = (member: 'name' | 'scope' | 'lifetime') => (wrong === member ? text.wrong[member] : undefined)
  const named = field({
    ...{ name: 'name', label: text.name, value: typed?.name, hint: text.name_hint, error: error('name') },
    ...{ autocomplete: 'off', required: true },
  })
  const lives = select({
    ...{ name: 'days', label: text.lifetime, hint: text.lifetime_hint, error: error('lifetime') },
    value: String(typed?.days ?? lifetimes.findLast((days) => days <= 30) ?? lifetimes[0]),
    choices: lifetimes.map((days) => ({ value: String(days), label: tellText(view, text.days, { n: days }) })),
  })
  const rights = group(html`<h2>${text.scopes}</h2>`, scopeChoices(view, data), {
    name: 'scope',
    error: error('scope'),
  })
  const hidden = { uri: resource.resource, token_id }
  const to = { action: link(view, paths.account_new_token), hidden }
  const target = html`<div class="person"><div>${resourceName(resource)}</div></div>`
  return html`${target}${form(view, to, html`${named}${rights}${lives}${button(text.submit)}`)}`
}

/** What may be ticked, in the groups of the consent page. */
function scopeChoices(view: View, { scopes, typed }: NewTokenForm): SafeHtml {
  const { consent } = view.text
  const parts = (['read', 'change'] as const).map((kind) => {
    const choices = scopes.flatMap(({ scope, description, kind: of }, i) => {
      if (of !== kind) return []
      const checked = typed?.scope.includes(scope) ?? false
      return check({ name: `scope.${i}`, value: scope, label: name(description, 200), hint: code(scope), checked })
    })
    return choices.length > 0 && html`<h3>${consent[kind]}</h3><div class="choices">${choices}</div>`
  })
  return html`<section>${parts}</section>`
}

/** What the page shows that hands a new token over. */
export interface MadeTokenData {
  readonly name: string
  readonly token: string
  /** A line for a shell that uses it. */
  readonly line: string
  readonly expires_at: number
}

/** The one page that shows a new token. */
export function renderMadeToken(view: View, data: MadeTokenData): SafeHtml {
  const { tokens: text } = view.text
  const title = tell(view, text.ready, { token: name(data.name) })
  const until = tell(view, text.until, { when: moment(view, data.expires_at) })
  const content = html`<div class="heading"><h1>${title}</h1></div>${notice('warning', html`<p>${text.once}</p>`)}<p><strong>${text.token}</strong></p>${codeBlock(data.token)}<p class="after"><strong>${text.try}</strong></p>${codeBlock(data.line)}<p class="hint after">${until} ${text.keep}</p><div class="stack after">${buttonLink(text.done, link(view, paths.account), 'primary')}</div>`
  return narrowPage(view, { title: text.title, content, copies: true, here: link(view, paths.account_new_token) })
}
