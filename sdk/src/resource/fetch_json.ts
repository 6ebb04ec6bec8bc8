/** The Fetch API's function, as this package calls it: with a string and plain options. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A parsed answer. `json` is undefined when the status is not 200. */
export interface JsonAnswer {
  readonly status: number
  readonly json: Record<string, unknown> | undefined
}

/**
 * Asks an authorization server for a JSON object. Redirects are not followed, so that neither keys nor credentials
 * come from or go to another place; time and size are limited.
 */
export async function fetchJson(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  limits: { timeout_seconds: number; bytes: number },
): Promise<JsonAnswer> {
  const signal = AbortSignal.timeout(limits.timeout_seconds * 1000)
  const headers = { accept: 'application/json', ...(init.headers as Record<string, string> | undefined) }
  const response = await fetch(url, { ...init, headers, redirect: 'manual', signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    return { status: response.status, json: undefined }
  }
  const json: unknown = JSON.parse(await readText(response, limits.bytes))
  if (!isObject(json)) throw new TypeError(`${url} did not answer with a JSON object`)
  return { status: 200, json }
}

/** Whether a JSON value is an object, and not an array or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

async function readText(response: Response, limit: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let length = 0
  const reader = response.body?.getReader()
  if (reader === undefined) return text
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    length += value.byteLength
    if (length > limit) {
      await reader.cancel()
      throw new RangeError(`${response.url} answered with more than ${limit} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}
