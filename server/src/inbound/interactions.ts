import type { InboundContext } from './context.ts'

/** An authorization request on its way through sign-in and consent: its text, and when it began. */
export interface Interaction {
  readonly query: string
  readonly started_at: number
  /** Who was shown the consent page. */
  readonly shown_to?: string
  /** What it said. */
  readonly shown?: string
}

/** How long a person may take from the request to the answer. */
const INTERACTION_LIFETIME_MS = 60 * 60_000
/** Bytes of a request: sealed and with the rest of the URL they are below the 8192 that the listener takes. */
export const LONGEST_QUERY = 5800

/** Seals an interaction for the links and forms of the pages between. */
export function sealInteraction(context: InboundContext, interaction: Interaction): string {
  return context.interactions.seal(context.tenant.keys, interaction)
}

/** Opens a sealed interaction; null when it is not ours or too old. */
export function openInteraction(context: InboundContext, sealed: string | undefined): Interaction | null {
  const interaction = openAnyInteraction(context, sealed)
  return interaction && context.tenant.clock() - interaction.started_at <= INTERACTION_LIFETIME_MS ? interaction : null
}

/** Opens a sealed interaction of any age: one that is too old can only be started again. */
export function openAnyInteraction(context: InboundContext, sealed: string | undefined): Interaction | null {
  const claims = sealed === undefined ? null : context.interactions.open(context.tenant.keys, sealed)
  if (typeof claims?.['query'] !== 'string' || typeof claims['started_at'] !== 'number') return null
  const { query, started_at, shown_to, shown } = claims
  const was_shown = typeof shown_to === 'string' && typeof shown === 'string'
  return was_shown ? { query, started_at, shown_to, shown } : { query, started_at }
}

/** Whether an interaction, sealed, fits into the URLs of the pages between. */
export function fitsUrl({ query }: Interaction): boolean {
  return Buffer.byteLength(JSON.stringify(query)) <= LONGEST_QUERY
}
