import type { SignedIn } from '../../inbound/sessions/sessions.ts'
import { ADMINISTRATOR } from '../../inbound/tenants.ts'
import { errorPage, type Visit } from '../page.ts'
import { signedInPage, signedInSubmit } from '../pages/account.ts'
import { makeSure } from '../pages/security.ts'

type Values = Readonly<Record<string, string>>

/** A page of the console: for users whose roles, read now, hold the administrator's. */
export function consolePage(answer: (visit: Visit, administrator: string) => Promise<Response>) {
  return signedInPage((visit, signed_in) => guard(visit, signed_in, (administrator) => answer(visit, administrator)))
}

/** A form of the console. */
export function consoleSubmit(answer: (visit: Visit, administrator: string, values: Values) => Promise<Response>) {
  return signedInSubmit((visit, signed_in, values) =>
    guard(visit, signed_in, (administrator) => answer(visit, administrator, values)),
  )
}

/** A page of the console on the way to a secret: whoever opens it has signed in just now (ASVS 7.5.3). */
export function sureConsolePage(answer: (visit: Visit, administrator: string) => Promise<Response>) {
  return signedInPage((visit, signed_in) =>
    guard(visit, signed_in, (administrator) => {
      const back = visit.here.slice(visit.web.base.length)
      return makeSure(visit, signed_in, back, () => answer(visit, administrator))
    }),
  )
}

/** A form of such a page, or one that shows a secret; whoever signs in anew comes back to the page that `back` names. */
export function sureConsoleSubmit(
  back: (values: Values) => string,
  answer: (visit: Visit, administrator: string, values: Values) => Promise<Response>,
) {
  return signedInSubmit((visit, signed_in, values) =>
    guard(visit, signed_in, (administrator) =>
      makeSure(visit, signed_in, back(values), () => answer(visit, administrator, values)),
    ),
  )
}

async function guard(
  visit: Visit,
  { user }: SignedIn,
  answer: (administrator: string) => Promise<Response>,
): Promise<Response> {
  if (!(JSON.parse(user.roles) as string[]).includes(ADMINISTRATOR)) return errorPage(visit, 'forbidden', 403)
  return answer(`user:${user.user_id}`)
}
