import type { ErrorMeaning, ErrorResponse } from '../providers/quirks.ts'
import { cleanText } from './clean_text.ts'
import { type ClientRefused, type Refused, type Throttled, type Unknown, unknownOutcome } from './outcome.ts'
import { type Json, type JsonObject, readPath } from './read_json.ts'

// Of RFC 6749 section 5.2 and the codes that servers borrow from its section 4.1.2.1. What is not here is a refusal.
const MEANINGS: Readonly<Record<string, ErrorMeaning>> = {
  invalid_client: 'invalid_client',
  unauthorized_client: 'invalid_client',
  server_error: 'unknown',
  temporarily_unavailable: 'unknown',
  slow_down: 'throttled',
}

const LONGEST_RETRY_AFTER_SECONDS = 86_400

/** True for an answer with a status of success that is an error all the same, by what the provider's record says. */
export function isErrorWithin200(shape: ErrorResponse, body: JsonObject): boolean {
  if (shape.within_200 === null) return false
  if (shape.within_200 === 'error_member') return readCode(shape, body) !== null
  return readPath(body, shape.within_200.path) === shape.within_200.equals
}

/** Reads an error answer (RFC 6749 section 5.2, or the provider's own shape); null where it names no error. */
export function readErrorResponse(
  shape: ErrorResponse,
  body: JsonObject,
  status: number,
  retry_after_seconds: number | null,
  secrets: readonly string[],
): Refused | ClientRefused | Throttled | Unknown | null {
  const code = readCode(shape, body)
  if (code === null) return null
  const provider_error = cleanText(code, secrets).slice(0, 100)
  const described = readFirst(body, shape.error_description, (value) => typeof value === 'string')
  const error_description = cleanText(described, secrets)
  const own = Object.hasOwn(shape.meanings, code) ? shape.meanings[code] : undefined
  const meaning = own ?? (Object.hasOwn(MEANINGS, code) ? MEANINGS[code] : undefined)
  switch (meaning) {
    case 'throttled':
      return { kind: 'throttled', retry_after_seconds }
    case 'unknown':
      return unknownOutcome(new Error(`The provider answered ${provider_error}`), { status, retry_after_seconds })
    case 'invalid_client':
      return { kind: 'client_refused', error: own ?? provider_error, provider_error, error_description }
    default:
      return { kind: 'refused', error: meaning ?? provider_error, provider_error, error_description }
  }
}

// A number is a code where its meaning is known, and may else be anything.
function readCode(shape: ErrorResponse, body: JsonObject): string | null {
  const isCode = (value: Json) =>
    typeof value === 'number' ? Object.hasOwn(shape.meanings, value) : typeof value === 'string' && value !== ''
  const code = readFirst(body, shape.error, isCode)
  return code === undefined ? null : String(code)
}

function readFirst(body: JsonObject, paths: readonly string[], fits: (value: Json) => boolean): Json | undefined {
  return paths.map((path) => readPath(body, path)).find((value) => value !== undefined && fits(value))
}

/** Reads Retry-After in seconds or as a date (RFC 9110 section 10.2.3); null where it is absent or senseless. */
export function readRetryAfter(headers: Headers, now: number): number | null {
  const value = headers.get('retry-after')?.trim()
  if (!value) return null
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - now) / 1000)
  return Number.isNaN(seconds) ? null : Math.min(Math.max(seconds, 0), LONGEST_RETRY_AFTER_SECONDS)
}
