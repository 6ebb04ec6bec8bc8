/** The Fetch API's function, as this package calls it: with a string and plain options. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** A parsed answer. `json` is undefined when the status is not 200. */
export interface JsonAnswer {
  readonly status: number
  readonly json: Record<string, unknown> | undefined
}

interface Limits {
  readonly timeout_seconds: number
  readonly bytes: number
}

/** Asks an authorization server for a JSON object. */
export async function fetchJson(fetch: Fetch, url: string, init: RequestInit, limits: Limits): Promise<JsonAnswer> {
  const headers = { accept: 'application/json', ...(init.headers as Record<string, string> | undefined) }
  const { status, text } = await fetchText(fetch, url, { ...init, headers }, limits)
  if (text === undefined) return { status, json: undefined }
  const json: unknown = JSON.parse(text)
  if (!isObject(json)) throw new TypeError(`${url} did not answer with a JSON object`)
  return { status, json }
}

/**
 * Asks an authorization server for a text, undefined when the status is not 200. Redirects are not followed, so that
 * neither keys nor credentials come from or go to another place; time and size are limited.
 */
export async function fetchText(
  fetch: Fetch,
  url: string,
  init: RequestInit,
  limits: Limits,
): Promise<{ readonly status: number; readonly text: string | undefined }> {
  const signal = AbortSignal.timeout(limits.timeout_seconds * 1000)
  const response = await fetch(url, { ...init, redirect: 'manual', signal })
  if (response.status === 200) return { status: 200, text: await readText(response, limits.bytes) }
  await response.body?.cancel()
  return { status: response.status, text: undefined }
}

/** Whether a JSON value is an object, and not an array or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text of an answer; one that is longer than the limit is not read to its end. */
export async function readText(response: Response, limit: number): Promise<string> {
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
