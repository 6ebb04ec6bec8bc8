import type { Random } from '../egress/circuit.ts'
import type { Egress } from '../egress/egress.ts'
import type { Tenant } from '../store/tenant.ts'

/** What the roof gives to the webhooks of a tenant. */
export interface WebhookParts {
  readonly tenant: Tenant
  readonly egress: Egress
  readonly random?: Random
  /** Told of what went wrong behind the back of every caller. */
  readonly report?: (what: string, cause: unknown) => void
}

/** What webhooks work with, and what this process has under way. */
export interface WebhookContext extends Required<WebhookParts> {
  /** Who is being sent to, by name: one after the other, while others are sent to at the same time. */
  readonly sending: Map<string, Promise<void>>
  /** Ends the calls of a process that stops; what they were about is sent again by another. */
  readonly stop: AbortController
}

/** Makes the context of one tenant in one process. */
export function createWebhookContext(parts: WebhookParts): WebhookContext {
  return { random: Math.random, report: () => {}, ...parts, sending: new Map(), stop: new AbortController() }
}

/** Cuts what is being sent and waits until it is cut, for a process that is about to stop. */
export async function stopWebhooks({ stop, sending }: WebhookContext): Promise<void> {
  stop.abort()
  await Promise.all(sending.values())
}
