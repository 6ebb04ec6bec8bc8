import { type AccountEntry, accountNav, pathOfAccount } from './account_nav.ts'
import {
  brandPath,
  copyButtons,
  icon,
  liveEvents,
  passkey,
  playground,
  playgroundStylesheet,
  showPassword,
  signedInStylesheet,
  stylesheet,
} from './assets.ts'
import { mark } from './components.ts'
import { type ConsoleEntry, consoleNav, pathOfEntry } from './console_nav.ts'
import { button, form } from './forms.ts'
import { attrs, type Child, html, type SafeHtml } from './html.ts'
import { globe, lens, menu } from './icons.ts'
import { displayName, name } from './name.ts'
import { paths } from './paths.ts'
import { link, tellText, type View } from './view.ts'

/** What a page hands to its frame. */
export interface PageFrame {
  /** Plain text for the tab. */
  readonly title: string
  readonly content: Child
  /** True where the show-password island runs; the headers must then allow scripts of ours. */
  readonly script?: boolean
  /** True where the island of passkeys runs; the headers must then allow scripts of ours. */
  readonly passkeys?: boolean
  /** True where the island of the playground runs; the headers must then allow scripts of ours. */
  readonly playground?: boolean
  /** True where the island that follows the audit log runs; the headers must then allow scripts of ours. */
  readonly live_events?: boolean
  /** True where the island of copying runs; the headers must then allow scripts of ours. */
  readonly copies?: boolean
  /** Where whoever chooses another language comes back to, where that is not the address of this answer. */
  readonly here?: string | undefined
}

/** A page with one thing to do, in one column: sign-in, consent, refusals. */
export function narrowPage(view: View, frame: PageFrame & { below?: Child }): SafeHtml {
  const brand = html`<header class="brand">${tenantMark(view)}</header>`
  const links = frame.below && html`<div class="links">${frame.below}</div>`
  const languages = languageChoice(view, frame.here ?? view.here)
  const below = links || languages ? html`<footer>${links}${languages}</footer>` : ''
  return shell(
    view,
    'narrow',
    frame,
    html`${brand}<main id="main"><div class="panel">${frame.content}${frame.copies && copying(view)}</div></main>${below}`,
  )
}

/** The page of a signed-in person. */
export function accountPage(view: View, frame: PageFrame & { entry: AccountEntry; console?: boolean }): SafeHtml {
  const { layout } = view.text
  const toConsole =
    frame.console && html`<a class="button quiet" href="${link(view, paths.admin)}">${layout.console}</a>`
  const top = html`<header class="top">${tenantMark(view)}<div class="actions">${toConsole}${signOut(view)}</div></header>`
  return shell(
    view,
    'account',
    frame,
    html`${top}${accountNav(view, frame.entry)}<main id="main">${frame.content}</main>${footer(view, pathOfAccount(frame.entry), frame.here)}`,
  )
}

/** Where a page of the console stands: an entry of the navigation, and what is between that and the page. */
export interface ConsoleFrame extends PageFrame {
  readonly entry?: ConsoleEntry
  /** On a page that is not the entry itself: what leads up from it, the nearest last. */
  readonly under?: readonly (readonly [label: Child, to: string])[]
  /** What is searched for. */
  readonly find?: string
}

/** A page of the console: navigation beside it, behind a menu button on small screens (a native popover, no script). */
export function consolePage(view: View, frame: ConsoleFrame): SafeHtml {
  const { layout, console } = view.text
  const toggle = html`<button class="button quiet menu" type="button" popovertarget="nav">${menu}${console.nav.menu}</button>`
  const account = html`<a class="button quiet" href="${link(view, paths.account)}">${layout.account}</a>`
  const top = html`<header class="top">${toggle}${tenantMark(view)}${finder(view, frame.find)}<div class="actions">${account}${signOut(view)}</div></header>`
  const foot = footer(view, pathOfEntry(frame.entry ?? 'overview'), frame.here)
  return shell(
    view,
    'console',
    frame,
    html`${top}${consoleNav(view, frame.entry)}<main id="main">${wayUp(view, frame)}${frame.content}${frame.copies && copying(view)}</main>${foot}`,
  )
}

/** The button that the island puts beside what can be copied, and what it says then. */
function copying(view: View): SafeHtml {
  const { copy, words } = view.text.console.playground
  const said = attrs({ 'data-copied': words.copied, 'data-selected': words.selected })
  return html`<button class="button quiet" id="copy" type="button" hidden${said}>${copy}</button><script type="module" src="${view.base + copyButtons.path}"></script>`
}

/** One field that leads to whatever has an id or a name. */
function finder(view: View, find = ''): SafeHtml {
  const { search } = view.text.console
  const words = attrs({ 'aria-label': search.field, placeholder: search.field, value: find })
  return html`<form class="finder" role="search" aria-label="${search.title}" action="${link(view, paths.admin_search)}"><input type="search" name="find" autocomplete="off" autocapitalize="none" spellcheck="false"${words}><button class="button quiet" aria-label="${search.submit}">${lens}</button></form>`
}

/** What a page belongs to, each a link. */
function wayUp(view: View, { entry, under }: ConsoleFrame): Child {
  if (!entry || !under) return ''
  const { nav } = view.text.console
  const steps = [[nav[entry], link(view, pathOfEntry(entry))] as const, ...under]
  return html`<nav class="way_up" aria-label="${nav.way_up}"><ol>${steps.map(([label, to]) => html`<li><a href="${to}">${label}</a></li>`)}</ol></nav>`
}

function shell(view: View, kind: 'narrow' | 'account' | 'console', frame: PageFrame, body: SafeHtml): SafeHtml {
  const title = tellText(view, view.text.layout.title_of, { page: frame.title, tenant: displayName(view.tenant.name) })
  const brand = brandPath(view.tenant.accent)
  return html`<!doctype html>
<html lang="${view.lang}" dir="${view.dir}"${attrs({ 'data-theme': view.theme })}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="${view.base + icon.path}">
<link rel="stylesheet" href="${view.base + stylesheet.path}">
${kind !== 'narrow' && html`<link rel="stylesheet" href="${view.base + signedInStylesheet.path}">`}${brand && html`<link rel="stylesheet" href="${view.base + brand}">`}${
  frame.script && html`<script type="module" src="${view.base + showPassword.path}"></script>`
}${frame.passkeys && html`<script type="module" src="${view.base + passkey.path}"></script>`}${frame.live_events && html`<script type="module" src="${view.base + liveEvents.path}"></script>`}${
  frame.playground &&
  html`<link rel="stylesheet" href="${view.base + playgroundStylesheet.path}"><script type="module" src="${view.base + playground.path}"></script>`
}</head>
<body class="${kind}">
<a class="skip" href="#main">${view.text.layout.skip}</a>
${body}
</body>
</html>
`
}

function tenantMark(view: View): SafeHtml {
  const { tenant } = view
  return html`<div class="tenant">${mark(tenant.name, tenant.logo_uri)}${name(tenant.name)}</div>`
}

function signOut(view: View): SafeHtml {
  return form(view, { action: link(view, paths.logout) }, button(view.text.layout.sign_out, { kind: 'quiet' }))
}

/** The languages to choose from, each in its own words; nothing where a choice would not find its way back. */
function languageChoice(view: View, here: string | undefined): Child {
  const { languages = [], lang, text } = view
  const now = languages.find(({ tag }) => tag === lang)
  if (here === undefined || languages.length < 2 || !now) return ''
  const choices = languages
    .filter((language) => language !== now)
    .map(
      ({ tag, name: own }) =>
        html`<button class="button quiet" name="locale" value="${tag}" lang="${tag}">${own}</button>`,
    )
  const opener = html`<summary>${globe}<span class="unseen">${text.layout.language} </span><span lang="${now.tag}">${now.name}</span></summary>`
  const to = { action: link(view, paths.language), hidden: { return_to: here } }
  return html`<details class="languages">${opener}${form(view, to, choices)}</details>`
}

function footer(view: View, theme_return_to: string, here: string | undefined): SafeHtml {
  return html`<footer>${languageChoice(view, here ?? view.here)}${themeChoice(view, theme_return_to)}</footer>`
}

function themeChoice(view: View, return_to: string): SafeHtml {
  const { layout } = view.text
  const choice = (theme: 'system' | 'light' | 'dark', label: string): SafeHtml =>
    button(label, { kind: 'quiet', name: 'theme', value: theme, pressed: (view.theme ?? 'system') === theme })
  const choices = html`<span id="theme">${layout.theme}</span><div class="switch" role="group" aria-labelledby="theme">${[
    choice('system', layout.theme_system),
    choice('light', layout.theme_light),
    choice('dark', layout.theme_dark),
  ]}</div>`
  return form(view, { action: link(view, paths.theme), hidden: { return_to } }, choices)
}
