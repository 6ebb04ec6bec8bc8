import { TokenSealer } from '../../../crypto/sealed_token.ts'
import { browserOf } from '../../../inbound/interactions.ts'
import type { Visit } from '../../page.ts'

type Values = Readonly<Record<string, string>>

/** What somebody had typed before they were asked to sign in anew; too long to be kept, it is only told of. */
export type Kept = { readonly values: Values; readonly without_file: boolean } | 'too_long'

// A kind of its own: it opens nowhere else, and nothing else opens as one.
const texts = new TokenSealer('kept_text', '')
/** How long it fills in the form that it comes from. */
const KEPT_MS = 10 * 60_000
/** Of the way back as it stands in the URL of the sign-in page, which the listener takes up to 8192. */
const LONGEST_WAY = 7000
const PARAMETER = 'typed'
const TOO_LONG = 'too_long'
/** Fields whose content travels nowhere: whoever comes back types it again. */
const SECRET_FIELD = /(^|[._])(secret|client_secret|password|private_key|key|token|code|csrf_token)$/

/** Fields of files, which are longer than a way back may be: whoever comes back chooses again. */
const FILE_FIELD = /(^|_)logo$/

/** Whether a field of a form is one of those whose content is kept nowhere. */
export function isSecretField(name: string): boolean {
  return SECRET_FIELD.test(name)
}

/**
 * A path back to a form with what was typed in it, sealed as requests between pages are (ADR 5): for this user, in this
 * browser, for this form, and for a short while. It fills in fields and submits nothing.
 */
export function keepText(visit: Visit, user_id: string, back: string, values: Values): string {
  const typed = Object.entries(values).filter(([name]) => !isSecretField(name))
  if (typed.length === 0) return back
  const kept = typed.filter(([name]) => !FILE_FIELD.test(name))
  const without_file = typed.some(([name, value]) => FILE_FIELD.test(name) && value !== '')
  const claims = { back, user_id, browser: browserOf(visit.browser), at: visit.view.now, values: kept, without_file }
  const way = withParameter(back, texts.seal(visit.web.tenant.keys, claims))
  return encodeURIComponent(way).length <= LONGEST_WAY ? way : withParameter(back, TOO_LONG)
}

/** What was typed before, where this page was opened with it by who typed it, where they did. */
export function readKept(visit: Visit, user_id: string): Kept | undefined {
  const sealed = visit.query[PARAMETER]
  if (sealed === undefined) return undefined
  if (sealed === TOO_LONG) return 'too_long'
  const claims = texts.open(visit.web.tenant.keys, sealed)
  // What was sealed here is whole.
  if (!claims || claims['user_id'] !== user_id || claims['browser'] !== browserOf(visit.browser)) return undefined
  if (visit.view.now - (claims['at'] as number) > KEPT_MS) return undefined
  if (visit.here !== visit.web.base + withParameter(claims['back'] as string, sealed)) return undefined
  const values = Object.fromEntries(claims['values'] as [string, string][])
  return { values, without_file: claims['without_file'] === true }
}

function withParameter(path: string, value: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${PARAMETER}=${value}`
}
