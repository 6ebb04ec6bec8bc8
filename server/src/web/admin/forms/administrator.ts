import type { SignedIn } from '../../../inbound/sessions/sessions.ts'
import { ADMINISTRATOR } from '../../../inbound/tenants.ts'
import { errorPage, type ReadForm, type Visit } from '../../page.ts'
import { signedInPage, signedInSubmit } from '../../pages/account.ts'
import { makeSure } from '../../pages/security.ts'
import { isCsrfToken } from '../../web.ts'
import { type Kept, keepText, readKept } from './kept_text.ts'
import { formAt, leadsToSensitive } from './sensitive_forms.ts'

type Values = Readonly<Record<string, string>>

/**
 * A page of the console: for users whose roles, read now, hold the administrator's; on the way to a sensitive form also
 * for who has signed in just now (ASVS 7.5.3). What was typed before that sign-in comes with it.
 */
export function consolePage(answer: (visit: Visit, administrator: string, kept?: Kept) => Promise<Response>) {
  return signedInPage((visit, signed_in) =>
    guard(visit, signed_in, (administrator) => {
      if (!leadsToSensitive(pathOf(visit))) return answer(visit, administrator)
      return makeSure(visit, signed_in, visit.here.slice(visit.web.base.length), () =>
        answer(visit, administrator, readKept(visit, signed_in.user.user_id)),
      )
    }),
  )
}

/** A form of the console, of whose path the table says whether it asks for a sign-in of just now. */
export function consoleSubmit(
  answer: (visit: Visit, administrator: string, values: Values) => Promise<Response>,
  read?: ReadForm,
) {
  const submitted = (visit: Visit, signed_in: SignedIn, values: Values) =>
    guard(visit, signed_in, (administrator) => {
      if (!formAt(pathOf(visit)).sensitive) return answer(visit, administrator, values)
      const way_back = () => wayBack(visit, signed_in.user.user_id, values)
      return makeSure(visit, signed_in, way_back, () => answer(visit, administrator, values))
    })
  return signedInSubmit(submitted, read, (visit, values) => wayBack(visit, typedBy(visit, values), values))
}

/** Where whoever signs in anew goes on: at the form, with what they had typed, or at what its button was about. */
function wayBack(visit: Visit, user_id: string | null, values: Values): string {
  const path = pathOf(visit)
  const to = formAt(path).back(values)
  // A button alone has nothing to lose; what fills a form comes back with it.
  const has_fields = to.split('?', 1)[0] === path
  return has_fields && user_id !== null ? keepText(visit, user_id, to, values) : to
}

/** Who typed what a page of a session that is over has posted: whose that session was, if the page was one of it. */
function typedBy({ web, browser, session, former_user_id }: Visit, { csrf_token }: Values): string | null {
  const is_theirs = session !== null && isCsrfToken(web.tenant, browser, session.session_id, csrf_token)
  return is_theirs ? former_user_id : null
}

/** The path of a page under the issuer, read as it was when its route was found: `%6e` is an n. */
function pathOf({ c, web }: Visit): string {
  return c.req.path.slice(web.base.length)
}

async function guard(
  visit: Visit,
  signed_in: SignedIn,
  answer: (administrator: string) => Promise<Response>,
): Promise<Response> {
  if (!isAdministrator(signed_in)) return errorPage(visit, 'forbidden', 403)
  return answer(`user:${signed_in.user.user_id}`)
}

/** Whether the console is for them, by their roles of now. */
export function isAdministrator({ user }: SignedIn): boolean {
  return (JSON.parse(user.roles) as string[]).includes(ADMINISTRATOR)
}
