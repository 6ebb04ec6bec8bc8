import { sha256 } from '../crypto/hash.ts'
import type { Acr } from '../oauth/acr.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { InboundContext } from './context.ts'

/** An authorization request on its way through sign-in and consent: its text, when it began, and where. */
export interface Interaction {
  readonly query: string
  readonly started_at: number
  /** The browser it began in, as a hash; absent where that could not be seen, so that it must begin once more. */
  readonly browser?: string
  /** The session of whoever has signed in for this very request. */
  readonly session_id?: string
  /** Who the client thinks will sign in. */
  readonly login_hint?: string
  /** How surely whoever signs in for it must do so, where they can. */
  readonly acr?: Acr
  /** Nothing less will do. */
  readonly essential?: boolean
  /** The language that the client asks for, of those that there are. */
  readonly lang?: string | undefined
  /** Who was shown the consent page. */
  readonly shown_to?: string
  /** What it said. */
  readonly shown?: string
}

/** How long a person may take from the request to the answer. */
const INTERACTION_LIFETIME_MS = 60 * 60_000
/** Bytes of a request: sealed and with the rest of the URL they are below the 8192 that the listener takes. */
export const LONGEST_QUERY = 5400
const LONGEST_HINT = 300

/** A hint that the sealed interaction has room for; it is a convenience, and none is better than a URL that is too long. */
export function keepHint(login_hint: string | undefined): Pick<Interaction, 'login_hint'> {
  if (login_hint === undefined || Buffer.byteLength(JSON.stringify(login_hint)) > LONGEST_HINT) return {}
  return { login_hint }
}

/** Seals an interaction for the links and forms of the pages between. */
export function sealInteraction(context: InboundContext, interaction: Interaction): string {
  return context.interactions.seal(context.tenant.keys, interaction)
}

/** What an interaction remembers of the browser it began in. */
export function browserOf(browser: string): string {
  return sha256(browser).subarray(0, 16).toString('base64url')
}

/** Opens a sealed interaction of this browser; null when it is not ours, too old, or began in another one. */
export function openInteraction(
  context: InboundContext,
  sealed: string | undefined,
  browser: string,
): Interaction | null {
  const interaction = openAnyInteraction(context, sealed)
  if (!interaction || context.tenant.clock() - interaction.started_at > INTERACTION_LIFETIME_MS) return null
  return interaction.browser === undefined || interaction.browser === browserOf(browser) ? interaction : null
}

/** Opens a sealed interaction of any age: one that is too old can only be started again. */
export function openAnyInteraction(context: InboundContext, sealed: string | undefined): Interaction | null {
  const claims = sealed === undefined ? null : context.interactions.open(context.tenant.keys, sealed)
  if (typeof claims?.['query'] !== 'string' || typeof claims['started_at'] !== 'number') return null
  // What was sealed here is whole.
  return claims as unknown as Interaction
}

/** Whether an interaction, sealed, fits into the URLs of the pages between. */
export function fitsUrl({ query }: Interaction): boolean {
  return Buffer.byteLength(JSON.stringify(query)) <= LONGEST_QUERY
}

/** Refuses a request that the pages between could not carry. */
export function refuseLongRequest(interaction: Interaction): void {
  if (fitsUrl(interaction)) return
  throw new OAuthError('invalid_request', `The authorization request is longer than ${LONGEST_QUERY} bytes`)
}
