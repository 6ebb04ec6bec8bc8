import type { KeyObject } from 'node:crypto'
import { equalBytes } from '../crypto/hash.ts'
import { newId } from '../crypto/random.ts'
import { newWebhookKey, readWebhookKey, writePublicWebhookKey } from '../crypto/webhook_signature.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { NewEvent } from '../store/records.ts'
import type { Tenant } from '../store/tenant.ts'
import type { WebhookRecord } from '../store/verbs/webhooks.ts'
import type { WebhookContext } from './context.ts'
import { EVENT_TYPE_NAMES, type EventTypeName, isEventType } from './event_types.ts'

/** What an administrator says about a webhook; what is left out stays as it is. */
export interface WebhookInput {
  readonly webhook: string
  readonly url?: string | undefined
  readonly description?: string | undefined
  /** The types it wants; an empty list is all. */
  readonly event_types?: readonly string[] | undefined
  /** What signs, as Standard Webhooks writes it; the one before it signs beside it for a day. */
  readonly secret?: string | undefined
  /** Which kind is made where none is given. */
  readonly signature?: 'v1' | 'v1a' | undefined
}

/** A webhook as it is shown: of what signs only what may be known. */
export interface ShownWebhook
  extends Pick<
    WebhookRecord,
    | 'webhook'
    | 'url'
    | 'description'
    | 'version'
    | 'failures'
    | 'failing_since'
    | 'retry_at'
    | 'disabled_at'
    | 'disabled_reason'
    | 'created_at'
    | 'updated_at'
  > {
  readonly event_types: readonly EventTypeName[]
  /** The newest first. */
  readonly keys: readonly ShownWebhookKey[]
}

/** What signs, without the secret of it. */
export interface ShownWebhookKey {
  readonly signature: 'v1' | 'v1a'
  /** For receivers (`whpk_`); null for a secret, which they were given when it was made. */
  readonly public_key: string | null
  readonly made_at: number
  /** When it signs no more; null for the newest. */
  readonly ends_at: number | null
}

interface KeptSecret {
  readonly secret: string
  readonly made_at: number
  readonly ends_at: number | null
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/
const LONGEST_URL = 2000
const LONGEST_DESCRIPTION = 500
const FORMER_SECRET_MS = 86_400_000
const MOST_TRIES = 5
// Each costs a row for every event that it wants.
const MOST_WEBHOOKS = 100

/** What saving came to; `secret` is the one that was made for it, and is nowhere else. `stale`: not what was seen. */
export interface SavedOutcome {
  readonly outcome: 'created' | 'changed' | 'unchanged' | 'stale'
  readonly secret: string | null
}

/** Makes a webhook or changes it; `unchanged` when it already is as described. With `dry_run` it only says. */
export async function saveWebhook(
  context: WebhookContext,
  actor: string,
  input: WebhookInput,
  options: {
    readonly dry_run?: boolean
    /** What is changed; null is nothing yet. Without it, whatever stands. */
    readonly from_version?: number | null
  } = {},
): Promise<SavedOutcome> {
  const { tenant_id, store } = context.tenant
  checkInput(context, input)
  const { webhook } = input
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const found = await store.findWebhook({ tenant_id, webhook })
    const { from_version } = options
    if (from_version !== undefined && (found?.version ?? null) !== from_version)
      return { outcome: 'stale', secret: null }
    const now = context.tenant.clock()
    const former = found ? openSecrets(context.tenant, found) : []
    if (!found && (await store.listWebhooks({ tenant_id })).length >= MOST_WEBHOOKS) {
      throw new OAuthError('invalid_request', `There are ${MOST_WEBHOOKS} webhooks, and no more`)
    }
    const made = found === null && input.secret === undefined ? newWebhookKey(input.signature ?? 'v1') : null
    const secret = input.secret ?? made ?? former[0]!.secret
    const secrets = addSecret(former, secret, now)
    const wanted = { ...merge(found, input), secrets }
    const changed = found ? differences(found, former, wanted) : []
    if (found && changed.length === 0) return { outcome: 'unchanged', secret: null }
    const outcome = found ? 'changed' : 'created'
    if (options.dry_run) return { outcome, secret: null }
    const { url, event_types } = wanted
    const detail = { webhook, host: new URL(url).host, event_types, ...(found && { changed }) }
    const event = webhookEvent(context.tenant, `webhook.${outcome}`, actor, detail)
    if (await keep(context, found, { webhook, ...wanted }, event)) return { outcome, secret: made }
  }
  throw new OAuthError('temporarily_unavailable', `Webhook ${webhook} is being changed by somebody else`)
}

/**
 * Makes a further secret, of the kind of the present one: both sign for a day. Null without the webhook, or where it is no
 * longer of the version that it is to be changed from: of three secrets the oldest would sign no more at once.
 */
export async function rotateWebhookSecret(
  context: WebhookContext,
  actor: string,
  webhook: string,
  from_version?: number,
): Promise<{ readonly secret: string; readonly former_ends_at: number } | null> {
  const { tenant } = context
  const found = await tenant.store.findWebhook({ tenant_id: tenant.tenant_id, webhook })
  if (!found || (from_version ?? found.version) !== found.version) return null
  const former = openSecrets(tenant, found)
  const secret = newWebhookKey(describeSecret(former[0]!).signature)
  const now = tenant.clock()
  const secrets = addSecret(former, secret, now)
  const event = webhookEvent(tenant, 'webhook.changed', actor, { webhook, changed: ['secret'] })
  if (!(await keep(context, found, { ...found, event_types: readTypes(found), secrets }, event))) {
    if (from_version !== undefined) return null
    throw new OAuthError('temporarily_unavailable', `Webhook ${webhook} is being changed by somebody else`)
  }
  return { secret, former_ends_at: now + FORMER_SECRET_MS }
}

/** Disables or enables a webhook; false when it already is, or is not there. */
export function setWebhookDisabled(
  { tenant }: WebhookContext,
  actor: string,
  webhook: string,
  disabled: boolean,
): Promise<boolean> {
  const type = disabled ? 'webhook.disabled' : 'webhook.enabled'
  const reason = 'administrator'
  const event = webhookEvent(tenant, type, actor, { webhook, ...(disabled && { reason }) })
  return tenant.store.setWebhookDisabled({ tenant_id: tenant.tenant_id, webhook, disabled, reason, event })
}

/** Deletes a webhook with its deliveries; false when there is none. */
export function deleteWebhook({ tenant }: WebhookContext, actor: string, webhook: string): Promise<boolean> {
  const event = webhookEvent(tenant, 'webhook.deleted', actor, { webhook })
  return tenant.store.deleteWebhook({ tenant_id: tenant.tenant_id, webhook, event })
}

/** Every webhook of the tenant, as shown. */
export async function listWebhooks({ tenant }: WebhookContext): Promise<ShownWebhook[]> {
  return (await tenant.store.listWebhooks({ tenant_id: tenant.tenant_id })).map((record) => show(tenant, record))
}

/** One webhook as shown, or null. */
export async function findWebhook({ tenant }: WebhookContext, webhook: string): Promise<ShownWebhook | null> {
  const found = await tenant.store.findWebhook({ tenant_id: tenant.tenant_id, webhook })
  return found && show(tenant, found)
}

/** The keys that sign for a webhook now, the newest first. */
export function openWebhookKeys(tenant: Tenant, record: WebhookRecord, now: number): KeyObject[] {
  const living = openSecrets(tenant, record).filter(({ ends_at }) => ends_at === null || ends_at > now)
  return living.map(({ secret }) => readWebhookKey(secret)!)
}

/** An audit event about a webhook. */
export function webhookEvent(tenant: Tenant, type: string, actor: string, detail: NewEvent['detail']): NewEvent {
  const at = tenant.clock()
  return { tenant_id: tenant.tenant_id, event_id: newId(at), at, type, actor, ...(detail && { detail }) }
}

interface WantedWebhook {
  readonly url: string
  readonly description: string
  readonly event_types: readonly string[]
  readonly secrets: readonly KeptSecret[]
}

function keep(
  { tenant }: WebhookContext,
  found: WebhookRecord | null,
  { webhook, url, description, event_types, secrets }: WantedWebhook & { readonly webhook: string },
  event: NewEvent,
): Promise<boolean> {
  const { tenant_id, store, keys } = tenant
  // A name that is used again never repeats a version.
  const version = Math.max(tenant.clock(), (found?.version ?? 0) + 1)
  const sealed_secrets = keys.seal(JSON.stringify(secrets), secretsPlace(webhook, version))
  const row = { webhook, url, description, event_types: JSON.stringify(event_types), sealed_secrets, version }
  return found
    ? store.updateWebhook({ tenant_id, webhook: row, from_version: found.version, event })
    : store.createWebhook({ tenant_id, webhook: row, event })
}

function checkInput({ egress, tenant }: WebhookContext, input: WebhookInput): void {
  const { webhook, url, description = '', event_types = [], secret } = input
  if (!NAME.test(webhook)) throw refuse('name must be of lower-case letters, digits, - and _')
  if (url !== undefined) {
    const parsed = URL.parse(url)
    if (!parsed || parsed.href.length > LONGEST_URL) {
      throw refuse(`url must be a URL of at most ${LONGEST_URL} characters`)
    }
    if (parsed.username + parsed.password + parsed.hash !== '')
      throw refuse('url must hold no password and no fragment')
    // Towards this machine itself it may be described before the operator lets anything through.
    const is_development =
      !tenant.issuer.startsWith('https:') && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(parsed.hostname)
    if (parsed.protocol !== 'https:' && !egress.mayUseHttp(url) && !(parsed.protocol === 'http:' && is_development)) {
      throw refuse('url must be https, unless the operator allows its host in SALLYPORT_EGRESS_ALLOW')
    }
  }
  if (description.length > LONGEST_DESCRIPTION)
    throw refuse(`description has more than ${LONGEST_DESCRIPTION} characters`)
  for (const type of event_types) {
    if (!isEventType(type)) {
      throw refuse(`event_types holds one that there is not; there are ${EVENT_TYPE_NAMES.join(', ')}`)
    }
  }
  if (new Set(event_types).size !== event_types.length) throw refuse('event_types names one twice')
  if (secret !== undefined && readWebhookKey(secret) === null) {
    throw refuse(
      'secret must be whsec_ and 24 to 64 random bytes as base64, or whsk_ and the 32 bytes of an Ed25519 key',
    )
  }
}

function merge(found: WebhookRecord | null, { url, description, event_types }: WebhookInput) {
  const address = url === undefined ? found?.url : new URL(url).href
  if (address === undefined) throw refuse('url is missing')
  return {
    url: address,
    description: description ?? found?.description ?? '',
    event_types: event_types ?? (found ? readTypes(found) : []),
  }
}

function differences(found: WebhookRecord, former: readonly KeptSecret[], wanted: WantedWebhook): string[] {
  return [
    ...(['url', 'description'] as const).filter((name) => found[name] !== wanted[name]),
    ...(found.event_types === JSON.stringify(wanted.event_types) ? [] : ['event_types']),
    ...(isSame(former[0]!, wanted.secrets[0]!.secret) ? [] : ['secret']),
  ]
}

/** At most two sign: the new one, and the one before it for a day. */
function addSecret(former: readonly KeptSecret[], secret: string, now: number): readonly KeptSecret[] {
  const [newest] = former
  if (newest && isSame(newest, secret)) return former
  const second = newest && { ...newest, ends_at: now + FORMER_SECRET_MS }
  return [{ secret, made_at: now, ends_at: null }, ...(second ? [second] : [])]
}

function isSame(kept: KeptSecret, secret: string): boolean {
  return equalBytes(Buffer.from(kept.secret), Buffer.from(secret))
}

function show(tenant: Tenant, record: WebhookRecord): ShownWebhook {
  const { sealed_secrets: _, spread_to: __, ...shown } = record
  const now = tenant.clock()
  const keys = openSecrets(tenant, record).filter(({ ends_at }) => ends_at === null || ends_at > now)
  return { ...shown, event_types: readTypes(record), keys: keys.map(describeSecret) }
}

function describeSecret({ secret, made_at, ends_at }: KeptSecret): ShownWebhookKey {
  const public_key = writePublicWebhookKey(readWebhookKey(secret)!)
  return { signature: public_key === null ? 'v1' : 'v1a', public_key, made_at, ends_at }
}

function openSecrets(tenant: Tenant, { webhook, version, sealed_secrets }: WebhookRecord): KeptSecret[] {
  return JSON.parse(tenant.keys.open(sealed_secrets, secretsPlace(webhook, version)).toString()) as KeptSecret[]
}

function readTypes({ event_types }: Pick<WebhookRecord, 'event_types'>): EventTypeName[] {
  return JSON.parse(event_types) as EventTypeName[]
}

function secretsPlace(webhook: string, version: number) {
  return { table: 'webhooks', row: webhook, column: 'sealed_secrets', version }
}

function refuse(text: string): OAuthError {
  return new OAuthError('invalid_request', `The webhook's ${text}`)
}
