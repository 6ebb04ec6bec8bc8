import { getCookie } from 'hono/cookie'
import { redirect, type Visit, writeCookie } from './page.ts'

/** A browser takes less from the redirect to the page that tells it. */
const KEPT_MS = 60_000

/**
 * Sends the browser on to a page that says once what was done. The word for it travels in a cookie: a URL anybody writes,
 * and a link could have a page of ours say that something is done which is not. Without a word nothing is told.
 */
export function redirectTelling(visit: Visit, location: string, word: string | undefined): Response {
  if (word !== undefined) writeCookie(visit.c, visit.web, visit.web.cookies.told, word, { after_ms: KEPT_MS })
  return redirect(visit, location)
}

/** Whether this is what was done just before: it is told once. */
export function isTold(visit: Visit, word: string): boolean {
  return readTold(visit, { [word]: true }) === word
}

/** What was done just before, where it is one of what this page has a sentence for: it is told once. */
export function readTold<Word extends string>(
  visit: Visit,
  sentences: Readonly<Record<Word, unknown>>,
): Word | undefined {
  const word = getCookie(visit.c, visit.web.cookies.told)
  if (word === undefined) return undefined
  writeCookie(visit.c, visit.web, visit.web.cookies.told, '', 0)
  return Object.hasOwn(sentences, word) ? (word as Word) : undefined
}
