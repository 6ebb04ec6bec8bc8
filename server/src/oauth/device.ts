import { randomLetters } from '../crypto/random.ts'
import { OAuthError } from './errors.ts'

/** The grant type that a device polls with (RFC 8628 section 3.4). */
export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/** How long a device waits for its user; RFC 8628 section 3.2, `expires_in`. */
export const DEVICE_CODE_SECONDS = 600
/** How long a device waits between two questions (RFC 8628 section 3.2, `interval`). */
export const POLLING_INTERVAL_SECONDS = 5

// No vowels, so that no words arise, and nothing that is taken for something else (RFC 8628 section 6.1).
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ'
const LENGTH = 8

/** A new user code (RFC 8628 section 6.1): eight of twenty letters, 34 bits. */
export function newUserCode(): string {
  return randomLetters(ALPHABET, LENGTH)
}

/** The code of the same kind that belongs to a hash of 16 bytes or more: of 128 bits no letter is likelier than another. */
export function userCodeOf(hash: Uint8Array): string {
  let number = hash.subarray(0, 16).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
  let code = ''
  while (code.length < LENGTH) {
    code += ALPHABET[Number(number % BigInt(ALPHABET.length))]
    number /= BigInt(ALPHABET.length)
  }
  return code
}

/** A user code as a person types it from a screen. */
export function showUserCode(user_code: string): string {
  return `${user_code.slice(0, LENGTH / 2)}-${user_code.slice(LENGTH / 2)}`
}

/** Reads what a person typed, with or without its hyphen, in any case; null when it cannot be a code (section 6.1). */
export function readUserCode(typed: string): string | null {
  if (typed.length > 64) return null
  const code = typed.toUpperCase().replace(/[^A-Z0-9]/g, '')
  return code.length === LENGTH && [...code].every((letter) => ALPHABET.includes(letter)) ? code : null
}

/** The answer of the device authorization endpoint (RFC 8628 section 3.2). */
export function buildDeviceAuthorizationResponse(args: {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
}) {
  const { device_code, verification_uri } = args
  const user_code = showUserCode(args.user_code)
  return {
    device_code,
    user_code,
    verification_uri,
    verification_uri_complete: `${verification_uri}?${new URLSearchParams({ user_code })}`,
    expires_in: DEVICE_CODE_SECONDS,
    interval: POLLING_INTERVAL_SECONDS,
  }
}

/** Where a device's request stands, and whether the device asks again too soon. */
export interface Waiting {
  readonly state: 'pending' | 'approved' | 'denied' | 'dead'
  readonly expires_at: number
  readonly too_soon: boolean
}

/** What a device that polls is told until there are tokens (RFC 8628 section 3.5); null when they are ready. */
export function judgePoll({ state, expires_at, too_soon }: Waiting, now: number): OAuthError | null {
  if (expires_at <= now) {
    return new OAuthError('expired_token', 'The device code has expired: start again with a new one')
  }
  if (state === 'denied') return new OAuthError('access_denied', 'The user refused')
  if (state === 'dead') return new OAuthError('access_denied', 'The code was used by too many people and is void')
  if (too_soon) {
    return new OAuthError('slow_down', 'The device asks too often: it must wait 5 seconds longer from now on')
  }
  return state === 'approved' ? null : new OAuthError('authorization_pending', 'The user has not answered yet')
}
