import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { KeyWrapper } from '../crypto/key_wrapper.ts'
import { newId } from '../crypto/random.ts'
import { Circuits, type Random } from '../egress/circuit.ts'
import type { Egress } from '../egress/egress.ts'
import type { Catalogue } from '../providers/catalogue.ts'
import { createRelyingContext, type RelyingContext } from '../relying/context.ts'
import type { NewEvent } from '../store/records.ts'
import type { Tenant } from '../store/tenant.ts'
import { PROXY_LIMITS, type ProxyLimits } from './proxy_limits.ts'
import { ConnectionUses } from './uses.ts'
import { VaultKeys } from './vault/vault_keys.ts'

/** What the roof gives the outbound half. */
export interface OutboundParts {
  readonly tenant: Tenant
  readonly egress: Egress
  /** The providers that connectors may name, built-in or the embedder's own. */
  readonly catalogue: Catalogue
  /** Names this process among the replicas, anew at each start. */
  readonly owner: string
  readonly clock: () => number
  /** What wraps the keys of the vault: the first wraps, the others open what they wrapped. Else the tenant's root key. */
  readonly wrappers?: readonly KeyWrapper[] | undefined
  /** What bounds calls through the proxy, where it is not PROXY_LIMITS. */
  readonly proxy_limits?: Partial<ProxyLimits> | undefined
  /** Waits; tests pass one that does not. */
  readonly wait?: (ms: number) => Promise<void>
  readonly random?: Random
  /** Told what each refresh came to at its provider, for whoever counts. */
  readonly noteRefresh?: (outcome: string) => void
  /** Told of what went wrong behind the back of every caller. */
  readonly report?: (what: string, cause: unknown) => void
}

/** Why a refresh has to wait: for the provider, for our registration there, or for somebody else's call. */
export interface RefreshPause {
  readonly reason: 'provider' | 'connector' | 'busy'
  readonly retry_ms: number
}

/** What an outbound use case works with: the given parts, and what this process remembers between calls. */
export interface OutboundContext extends Required<Omit<OutboundParts, 'wrappers' | 'proxy_limits'>> {
  readonly proxy_limits: ProxyLimits
  readonly vault_keys: VaultKeys
  /** No other process can be alive on this database, so that the open intents of others are those of the dead. */
  readonly sole_owner: boolean
  readonly relying: RelyingContext
  readonly circuits: Circuits
  /** Refreshes under way, by connection: whoever comes later joins. */
  readonly refreshes: Map<string, Promise<RefreshPause | null>>
  /** Calls whose answers must find their place in the store; a process that stops waits for them. */
  readonly calls: Set<Promise<unknown>>
  /** The generation that the last forced refresh of a connection brought, and when. */
  readonly forced: LRUCache<string, { readonly generation: number; readonly at: number }>
  /** Until when a provider wants no calls of a connection, as it said with its 429. */
  readonly pauses: LRUCache<string, number>
  readonly uses: ConnectionUses
  /** The host that issues the tokens of a connector, as it was seen last. */
  readonly token_hosts: LRUCache<string, string>
  /** How often in a row upkeep went wrong over a connection. */
  readonly troubles: LRUCache<string, number>
}

/** Makes the context of one tenant in one process. */
export function createOutboundContext({ wrappers, ...parts }: OutboundParts): OutboundContext {
  const random = parts.random ?? Math.random
  return {
    wait: (ms) => sleep(ms),
    report: () => {},
    noteRefresh: () => {},
    ...parts,
    proxy_limits: { ...PROXY_LIMITS, ...parts.proxy_limits },
    random,
    vault_keys: new VaultKeys(parts.tenant, wrappers ?? parts.tenant.wrappers),
    // One process owns a SQLite database.
    sole_owner: parts.tenant.store.driver.dialect === 'sqlite',
    relying: createRelyingContext(parts),
    circuits: new Circuits(random),
    refreshes: new Map(),
    calls: new Set(),
    forced: new LRUCache({ max: 10_000 }),
    pauses: new LRUCache({ max: 10_000 }),
    uses: new ConnectionUses(),
    token_hosts: new LRUCache({ max: 10_000 }),
    troubles: new LRUCache({ max: 10_000 }),
  }
}

/** Waits until every call to a token endpoint is over and all that came of it stored, for a process that is about to stop. */
export async function settleOutbound(context: OutboundContext): Promise<void> {
  context.uses.flush(context)
  while (context.calls.size > 0) await Promise.allSettled(context.calls)
}

/** The page on which a person connects through a connector, or repairs one connection of theirs. */
export function connectUrl(context: { readonly tenant: Tenant }, connector: string, connection_id?: string): string {
  const url = `${context.tenant.issuer}/connect/${encodeURIComponent(connector)}`
  return connection_id === undefined ? url : `${url}?connection_id=${encodeURIComponent(connection_id)}`
}

/** An audit event of this tenant, at this process's time. */
export function outboundEvent(
  context: OutboundContext,
  type: string,
  actor: string,
  more: Pick<NewEvent, 'user_id' | 'connection_id' | 'client_id' | 'detail'> = {},
): NewEvent {
  const at = context.clock()
  return { tenant_id: context.tenant.tenant_id, event_id: newId(at), at, type, actor, ...more }
}
