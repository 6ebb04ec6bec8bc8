import type { Context, Next } from 'hono'
import { readFailure } from '../machine.ts'
import type { PageEnv } from '../page.ts'
import { answerProblem, problemOf } from './problem.ts'

/**
 * ANY /api/...: the administration API, `<issuer>/api` as a resource (RFC 6750, RFC 8707). Its table and its schemas are
 * loaded by the first who asks: most servers start without.
 */
export async function administrationApi(c: Context<PageEnv>, next: Next): Promise<Response | undefined> {
  try {
    const { answerApi } = await import('./answer_api.ts')
    const answer = await answerApi(c)
    if (answer) return answer
  } catch (error) {
    return answerProblem(c, problemOf(readFailure(error, c.get('request_id'), c.get('web').log)))
  }
  await next()
  return undefined
}
