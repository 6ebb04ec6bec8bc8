import { redirect, submit, writeCookie } from '../page.ts'
import { readReturnTo } from './sign_in.ts'

const YEAR_MS = 366 * 86_400_000

/** POST /theme: light, dark, or as the system says. */
export const themeSubmit = submit(async (visit, form) => {
  const { theme, return_to } = form.values
  const chosen = theme === 'light' || theme === 'dark' ? theme : ''
  writeCookie(visit.c, visit.web, visit.web.cookies.theme, chosen, chosen === '' ? 0 : visit.view.now + YEAR_MS)
  return redirect(visit, readReturnTo(visit, visit.web.base + (return_to ?? '')))
})
