import type { KeyWrapper } from './crypto/key_wrapper.ts'
import { newId } from './crypto/random.ts'
import { TokenSealer } from './crypto/sealed_token.ts'
import type { Signer } from './crypto/signer.ts'
import type { RootKey } from './crypto/tenant_keys.ts'
import { createEgress, type Egress } from './egress/egress.ts'
import { observeHours } from './hourly_observer.ts'
import type { GrantType } from './inbound/authorization/grant_type.ts'
import type { CertificateForwarding } from './inbound/certificate_forwarding.ts'
import type { ClaimsHook } from './inbound/claims_hook.ts'
import type { Sender } from './inbound/client_address.ts'
import type { InboundContext } from './inbound/context.ts'
import { GRANT_TYPES } from './inbound/grant_types/index.ts'
import { createTokenExchange } from './inbound/grant_types/token_exchange.ts'
import { MetadataDocuments } from './inbound/metadata_documents.ts'
import { ProcessCounters } from './inbound/process_counters.ts'
import { RefusedLogins } from './inbound/refused_logins.ts'
import { RemoteKeys } from './inbound/remote_keys.ts'
import { limitSigner } from './inbound/signer_deadline.ts'
import { openOrCreateTenant } from './inbound/tenants.ts'
import { UsageCounter } from './inbound/usage.ts'
import type { Mailer } from './mail/mailer.ts'
import { Outbox } from './mail/outbox.ts'
import { openConnector } from './outbound/connectors/connector.ts'
import { createOutboundContext, settleOutbound } from './outbound/context.ts'
import type { ProxyLimits } from './outbound/proxy_limits.ts'
import { createCatalogue } from './providers/catalogue.ts'
import type { Provider } from './providers/provider.ts'
import type { Store } from './store/store.ts'
import type { Tenant } from './store/tenant.ts'
import { createHandOut } from './web/bridge.ts'
import { COMPAT_DOORS } from './web/compat/index.ts'
import type { CompatDoor } from './web/door.ts'
import type { EndpointAliases } from './web/endpoint_paths.ts'
import { EventTail } from './web/event_tail.ts'
import type { Log } from './web/log.ts'
import { createMachines, createRouter, type Machines } from './web/router.ts'
import { createLanguages, type Translations } from './web/ui/text/languages.ts'
import { type Authenticate, cookieNames, type Web, type WebObserver } from './web/web.ts'
import { createWebhookContext, stopWebhooks } from './webhooks/context.ts'

/** Of this software. */
export const VERSION = '0.1.0'

/** What an embedder gives to `createApp`. */
export interface AppOptions {
  /** The issuer: its URL without a trailing slash, on https, or on http for a loopback host (RFC 8414 section 2). */
  readonly issuer: string
  /** Where everything is kept; the app does not close it. */
  readonly store: Store
  /** The key that wraps every other key at rest. */
  readonly root: RootKey
  /**
   * What wraps the keys of the vault, such as a KMS: the first wraps, the others open what they wrapped before. Without
   * it the root key does; without any of them the vault is closed, and the rest serves. It has three seconds to answer.
   */
  readonly vault_root?: readonly KeyWrapper[]
  readonly log: Log
  /** Milliseconds since the epoch; the database's own clock decides about expiry. */
  readonly clock?: () => number
  /** Further grant types; they pass the same door as the built-in ones (RFC 6749 section 4.5). */
  readonly grant_types?: readonly GrantType[]
  /** Further providers for connectors; a record with the name of a built-in one replaces it. */
  readonly providers?: readonly Provider[]
  /** The way out; the default lets nothing through to private addresses. The app does not close it. */
  readonly egress?: Egress
  /** How a trusted proxy passes on the certificates of clients (RFC 8705); without it there are none. */
  readonly certificate_forwarding?: CertificateForwarding
  /** Claims of the embedder's own, asked for each token and userinfo answer; it has two seconds. */
  readonly claims_hook?: ClaimsHook
  /** Holds the private halves of signing keys outside of this process, such as a KMS; it has three seconds to sign. */
  readonly signer?: Signer
  /** Users of the embedder's own: asked before the sign-in page is shown; whom it names is signed in without a password here. */
  readonly authenticate?: Authenticate
  /** What sends letters; without it, whatever needs them is off. The app does not close it. */
  readonly mailer?: Mailer
  /** Is told of tokens and refusals, for metrics. */
  readonly observer?: WebObserver
  /** Doors of other systems; all that come with the server unless a list is given. */
  readonly doors?: readonly CompatDoor[]
  /** What bounds calls through the proxy, where it is not `PROXY_LIMITS`. */
  readonly proxy_limits?: Partial<ProxyLimits>
  /** Further paths of the common endpoints, by metadata name; discovery and links name the first of each. */
  readonly endpoint_aliases?: EndpointAliases
  /** When administrators have the playground: under an http issuer, or always; the default is `development`. */
  readonly playground?: 'development' | 'always'
  /** Further languages, and wording of your own, by language tag: see docs/translate.md. */
  readonly languages?: Translations
}

/** A running Sallyport without a socket. */
export interface App {
  readonly tenant: Tenant
  readonly web: Web
  /**
   * Answers any request, on any runtime. Whoever embeds the app says in `sender` where the request comes from; without
   * an address guesses are counted by account alone, and what only addresses limit is one limit for everybody.
   */
  fetch(request: Request, sender?: Sender): Promise<Response>
  /** Answers machines without building streams, for a listener that has the whole body already. */
  readonly machines: Machines
  /** Paths where what is asked and answered may go on for long: the proxy's. */
  readonly streams: { has(path: string): boolean; readonly seconds: number }
  /** Ends the answers that go on for as long as somebody listens: a listener that stops would wait for them. */
  endStreams(): void
  /** Writes what was counted; the store stays open. */
  close(): Promise<void>
}

/**
 * Builds the server around a store: opens the tenant of the issuer, made at first start, and wires every URL.
 * Throws when the root key does not open the tenant's keys.
 * Who embeds it passes the client's address to `fetch`: limits by address, and nothing else, are made of it.
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { issuer, store, log } = options
  const { root, clock = Date.now, signer } = options
  const tenant = await openOrCreateTenant({ issuer, store, root, clock, signer: signer && limitSigner(signer) })
  const egress = options.egress ?? createEgress()
  const languages = createLanguages(options.languages, (reason) => {
    log.warn({ reason }, 'a message of a language is not as it must be')
  })
  const inbound: InboundContext = {
    tenant,
    languages,
    access_tokens: new TokenSealer('access_token', 'sp_at_'),
    interactions: new TokenSealer('interaction', ''),
    usage: new UsageCounter(store),
    counters: new ProcessCounters(),
    challenges: new ProcessCounters(10_000),
    refused_logins: new RefusedLogins(tenant),
    outbox: new Outbox(options.mailer ?? null, (what, cause) => log.warn({ err: cause }, what)),
    egress,
    remote_keys: new RemoteKeys(egress, tenant.clock),
    certificate_forwarding: options.certificate_forwarding ?? null,
    documents: new MetadataDocuments(egress, tenant.clock),
    reads_by_method: (connector) => openConnector(outbound, connector).provider.reads_by_method,
    claims_hook: options.claims_hook,
  }
  const outbound = createOutboundContext({
    tenant,
    egress,
    catalogue: createCatalogue(options.providers),
    owner: newId(tenant.clock()),
    clock: tenant.clock,
    wrappers: options.vault_root,
    proxy_limits: options.proxy_limits,
    noteRefresh: (outcome) => inbound.usage.countHour(tenant.tenant_id, 'refreshes', outcome),
    report: (what, cause) => log.warn({ err: cause }, what),
  })
  const webhooks = createWebhookContext({ tenant, egress, report: (what, cause) => log.warn({ err: cause }, what) })
  const closed = await outbound.vault_keys.whyClosed()
  if (closed !== null) log.error({ reason: closed }, 'the vault is closed: connections cannot be used')
  const url = new URL(issuer)
  const production = url.protocol === 'https:'
  const web: Web = {
    authenticate: options.authenticate,
    observer: observeHours(inbound.usage, tenant.tenant_id, options.observer),
    tenant,
    inbound,
    outbound,
    webhooks,
    event_tail: new EventTail(tenant, (what, cause) => log.warn({ err: cause }, what)),
    languages,
    version: VERSION,
    grant_types: [...GRANT_TYPES, createTokenExchange(createHandOut(outbound)), ...(options.grant_types ?? [])],
    aliases: options.endpoint_aliases ?? {},
    log,
    production,
    playground: !production || options.playground === 'always',
    base: url.pathname.replace(/\/$/, ''),
    origin: url.origin,
    cookies: cookieNames(issuer),
  }
  const doors = options.doors ?? COMPAT_DOORS
  const machines = createMachines(web, doors)
  const router = createRouter(web, machines, doors)
  return {
    tenant,
    web,
    fetch: async (request, sender = {}) => router.fetch(request, sender),
    machines,
    streams: {
      has: (path) => path.startsWith(`${web.base}/proxy/`),
      seconds: Math.ceil(outbound.proxy_limits.timeout_ms / 1000),
    },
    endStreams: () => web.event_tail.stop(),
    async close() {
      web.event_tail.stop()
      await stopWebhooks(webhooks)
      await settleOutbound(outbound)
      await inbound.outbox.settle()
      await inbound.usage.flush()
      await inbound.refused_logins.flush()
    },
  }
}
