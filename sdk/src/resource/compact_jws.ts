import { base64url } from 'jose'
import { isObject } from './fetch_json.ts'

/** The three parts of a JWS in compact form (RFC 7515 section 7.1); undefined for every other text. */
export function splitJws(text: string): readonly [header: string, payload: string, signature: string] | undefined {
  const parts = text.split('.', 4)
  return parts.length === 3 && parts[0] !== '' ? (parts as [string, string, string]) : undefined
}

/** The JSON object in a part of a JWS; undefined when there is none. */
export function decodeJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(base64url.decode(text)))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a text is base64url with its unused bits zero: any other would be a second spelling of the same bytes. */
export function isCanonical(text: string): boolean {
  try {
    return base64url.encode(base64url.decode(text)) === text
  } catch {
    return false
  }
}
