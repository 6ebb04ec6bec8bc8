import type { Context } from 'hono'
import { OAuthError } from '../../oauth/errors.ts'
import type { PageEnv } from '../page.ts'

/** What is wrong, as the administration API says it: the members of RFC 9457 beside those of RFC 6750 section 3. */
export interface Problem {
  readonly status: number
  readonly error: string
  readonly error_description: string
  /** Further members, such as `errors`: each with the JSON Pointer (RFC 6901) of what it is about. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** Answers a problem as application/problem+json (RFC 9457 section 3). */
export function answerProblem(c: Context<PageEnv>, problem: Problem): Response {
  const { status, error, error_description, members, headers = {} } = problem
  c.get('web').observer?.refused('/api', error)
  for (const [name, value] of Object.entries(headers)) c.header(name, value)
  c.header('Content-Type', 'application/problem+json')
  const body = {
    ...{ type: 'about:blank', title: TITLES[status] ?? 'Refused', status, detail: error_description },
    ...{ request_id: c.get('request_id'), error, error_description, ...members },
  }
  return c.body(JSON.stringify(body), status as 400)
}

/** The problem that a refusal is. */
export function problemOf({ status, error, error_description, members, headers }: OAuthError): Problem {
  return { status, error, error_description, members, headers }
}

/** The refusal of what is not there. */
export function notThere(what: string): OAuthError {
  return new OAuthError('invalid_request', `There is no such ${what}`, { status: 404 })
}

/** The refusal of what is there already, or cannot be done to it as it stands (RFC 9110 section 15.5.10). */
export function conflict(text: string): OAuthError {
  return new OAuthError('invalid_request', text, { status: 409 })
}

// With `about:blank` the title is the phrase of the status (RFC 9457 section 4.2.1).
const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
}
