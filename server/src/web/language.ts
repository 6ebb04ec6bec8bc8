import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { openAnyInteraction } from '../inbound/interactions.ts'
import { localeOf } from '../inbound/users/locale.ts'
import type { Language } from '../languages/languages.ts'
import type { UserRecord } from '../store/records.ts'
import type { Configuration } from '../store/tenant.ts'
import type { Text } from './ui/text/en.ts'
import type { Web } from './web.ts'

/** A request of a client, as far as it says in which language its user is to be asked. */
export interface Asked {
  readonly ui_locales: readonly string[]
  readonly started_at: number
}

/**
 * The language of a page: what the client of the request under way asks for, unless its user has chosen another one
 * since; what the user has chosen for good, here or in this browser; what the browser accepts; the tenant's own.
 */
export function chooseLanguage(
  c: Context,
  web: Web,
  whose: { readonly configuration: Configuration; readonly user: UserRecord | undefined; readonly asked: Asked | null },
): Language<Text> {
  const { configuration, user, asked } = whose
  const kept = readChoice(web, getCookie(c, web.cookies.language))
  return web.languages.choose({
    here: asked && kept && kept.at >= asked.started_at ? kept.tag : undefined,
    ui_locales: asked?.ui_locales,
    chosen: [user && localeOf(user), kept?.tag],
    accept_language: c.req.header('accept-language'),
    default_locale: configuration.settings.default_locale,
  })
}

/** What a URL of ours knows of the request of a client that it belongs to, or that it leads back to. */
export function readAsked(web: Web, search: URLSearchParams, now: number, depth = 3): Asked | null {
  const interaction = openAnyInteraction(web.inbound, search.get('request') ?? undefined)
  if (interaction) {
    const { lang, query, started_at } = interaction
    return { ui_locales: lang === undefined ? readUiLocales(new URLSearchParams(query)) : [lang], started_at }
  }
  const ui_locales = readUiLocales(search)
  if (ui_locales.length > 0) return { ui_locales, started_at: now }
  const [, behind] = search.get('return_to')?.split('?', 2) ?? []
  return behind === undefined || depth === 0 ? null : readAsked(web, new URLSearchParams(behind), now, depth - 1)
}

function readUiLocales(params: URLSearchParams): string[] {
  const text = params.get('ui_locales') ?? ''
  return text.length > 500 ? [] : text.split(' ').filter((tag) => /^[A-Za-z0-9-]{2,35}$/.test(tag))
}

/** What the cookie says of a choice: the language, and when. */
export function writeChoice(tag: string, now: number): string {
  return `${tag}.${Math.floor(now / 1000)}`
}

function readChoice(web: Web, cookie: string | undefined): { readonly tag: string; readonly at: number } | undefined {
  const [, tag, seconds] = /^([A-Za-z0-9-]{2,35})\.(\d{1,12})$/.exec(cookie ?? '') ?? []
  const found = web.languages.find(tag)
  // Of the second that it was chosen in, the end: the request may have begun in that very second.
  return found && { tag: found.tag, at: Number(seconds) * 1000 + 999 }
}
