import type { SignedIn } from '../../inbound/sessions/sessions.ts'
import { ADMINISTRATOR } from '../../inbound/tenants.ts'
import { errorPage, type Visit } from '../page.ts'
import { signedInPage, signedInSubmit } from '../pages/account.ts'

/** A page of the console: for users whose roles, read now, hold the administrator's. */
export function consolePage(answer: (visit: Visit, administrator: string) => Promise<Response>) {
  return signedInPage((visit, signed_in) => guard(visit, signed_in, (administrator) => answer(visit, administrator)))
}

/** A form of the console. */
export function consoleSubmit(
  answer: (visit: Visit, administrator: string, values: Readonly<Record<string, string>>) => Promise<Response>,
) {
  return signedInSubmit((visit, signed_in, values) =>
    guard(visit, signed_in, (administrator) => answer(visit, administrator, values)),
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
