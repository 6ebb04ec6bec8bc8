import { keepLocale } from '../../inbound/users/locale.ts'
import { writeChoice } from '../language.ts'
import { redirect, submit, writeCookie } from '../page.ts'
import { readReturnTo } from './sign_in.ts'

const YEAR_MS = 366 * 86_400_000

/** POST /language: the language in which whoever is here wants to be answered, in this browser and, signed in, everywhere. */
export const languageSubmit = submit(async (visit, form) => {
  const { web, signed_in, view } = visit
  const language = web.languages.find(form.values['locale'])
  const back = readReturnTo(visit, form.values['return_to'])
  if (!language) return redirect(visit, back)
  writeCookie(visit.c, web, web.cookies.language, writeChoice(language.tag, view.now), view.now + YEAR_MS)
  if (signed_in) await keepLocale(web.tenant, signed_in.user, language.tag)
  // What a link asks for by itself would be stronger than the choice.
  const url = new URL(back, web.origin)
  if (!url.searchParams.has('ui_locales')) return redirect(visit, back)
  url.searchParams.delete('ui_locales')
  return redirect(visit, url.pathname + url.search)
})
