import type { JsonWebKey } from 'node:crypto'
import { equalBytes } from '../../crypto/hash.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { unverifiedFields } from '../../providers/catalogue.ts'
import type { ConnectorRecord, ListedConnector } from '../../store/verbs/connectors.ts'
import { revokeChoices } from '../connect/unchosen.ts'
import { disconnect } from '../connections/disconnect.ts'
import {
  type ConnectorSettings,
  callbackUrl,
  connectorJwksUri,
  movesTokens,
  openClientSecret,
  sealClientSecret,
  staysAtServer,
} from '../connectors/connector.ts'
import { certify } from '../connectors/connector_certificate.ts'
import { listPublished, publicKeyOf } from '../connectors/connector_key_rotation.ts'
import { chooseSecret, refusal, withSettings } from '../connectors/connector_secret.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'
import { type ConnectorInput, readConnectorInput } from './connector_input.ts'

/** A connector as the console and the configuration show it; never its secret. */
export interface ShownConnector {
  readonly connector: string
  readonly provider: string
  readonly provider_name: string
  readonly client_id: string
  readonly has_client_secret: boolean
  /** The public half of its key, where it has one in place of a secret. */
  readonly public_jwk: JsonWebKey | null
  /** Where the provider reads that; null where the provider knows it already. */
  readonly jwks_uri: string | null
  readonly scope: string
  readonly settings: ConnectorSettings
  /** The redirect URI to register at the provider: its own for each connector (RFC 9700 section 4.4.2). */
  readonly callback_url: string
  /** Fields of the provider's record that nobody has checked with the vendor. */
  readonly unverified_fields: readonly string[]
  readonly version: number
  readonly disabled_at: number | null
  /** What the provider holds against this registration. */
  readonly error: string | null
  readonly error_description: string | null
  readonly error_at: number | null
  /** Those that are not disconnected, counted up to `MOST_COUNTED`. */
  readonly connections: number
  readonly created_at: number
  readonly updated_at: number
}

/** No more connections of a connector than these are counted, so that it stays fast. */
export const MOST_COUNTED = 10_000
const MOST_TRIES = 5

/**
 * Makes a connector or changes it; says which, and `unchanged` when it already is as described, so that flows under way
 * are not disturbed. With `dry_run` it only says; with `seen`, the version that whoever decided this has seen (null is
 * none), it is refused when another stands. `for_everyone` is for whoever runs the server.
 */
export async function saveConnector(
  context: OutboundContext,
  actor: string,
  input: ConnectorInput,
  options: { dry_run?: boolean; seen?: number | null; for_everyone?: boolean } = {},
): Promise<'created' | 'changed' | 'unchanged'> {
  const { tenant_id, store } = context.tenant
  const { for_everyone = false } = options
  const wanted = readConnectorInput(context, input)
  const { connector } = wanted
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const found = await store.findConnector({ tenant_id, connector })
    if (options.seen !== undefined && options.seen !== (found?.version ?? null)) {
      throw new OAuthError('invalid_request', 'The connector has changed since it was seen', { status: 412 })
    }
    if (found) checkWhose(found, for_everyone)
    const stays = found !== null && staysAtServer(context, found, wanted.resolved)
    const moved = found && movesTokens(context, found, wanted)
    if (moved !== null && (await countConnections(context, [connector], 1))[0]! > 0) throw movedRefusal(moved)
    const chosen = await chooseSecret(context, input, wanted.resolved, found, stays)
    const { secret, ...keys } = withSettings(() => certify(chosen, wanted.settings.certificate, context.clock()))
    const settings = JSON.stringify({ ...wanted.settings, ...keys, ...(for_everyone && { for_everyone }) })
    if (found && isSame(context, found, { ...wanted, settings }, secret)) return 'unchanged'
    const outcome = found ? 'changed' : 'created'
    if (options.dry_run) return outcome
    // A name that is used again never repeats a version, so that a flow of the old connector cannot end in the new one.
    const version = Math.max(context.clock(), (found?.version ?? 0) + 1)
    const sealed_client_secret = sealClientSecret(context, connector, version, secret)
    const { provider, client_id, scope } = wanted
    const secret_changed = (input.client_secret ?? input.private_key) !== undefined
    const detail = { connector, provider, client_id, scope, secret_changed }
    const event = outboundEvent(context, `connector.${outcome}`, actor, { detail })
    const row = { connector, provider, client_id, scope, settings, version, sealed_client_secret }
    if (!found) {
      if (await store.createConnector({ tenant_id, connector: row, event })) return outcome
      continue
    }
    const unconnected = moved !== null
    const saved = await store.updateConnector({
      tenant_id,
      connector: row,
      from_version: found.version,
      unconnected,
      event,
    })
    if (saved === 'has_connections') throw movedRefusal(moved!)
    // What came of one server is sent to no other.
    if (saved === 'has_choices') await revokeChoices(context, connector)
    if (saved === 'updated') return outcome
  }
  throw new OAuthError('temporarily_unavailable', `Connector ${connector} is being changed by somebody else`)
}

/** A connector that comes from whoever runs the server is theirs, and one of the tenant's is the tenant's. */
function checkWhose({ connector, settings }: ConnectorRecord, for_everyone: boolean): void {
  const is_for_everyone = (JSON.parse(settings) as ConnectorSettings).for_everyone === true
  if (is_for_everyone === for_everyone) return
  const sentence = is_for_everyone
    ? `Connector ${connector} is for every tenant: only whoever runs this server changes it; it can be disabled here`
    : `The tenant has a connector ${connector} of its own`
  throw new OAuthError('invalid_request', sentence, { status: 403 })
}

function movedRefusal(field: string): OAuthError {
  const way_on = 'end those first, or make another connector'
  return refusal(`${field} may not change while it has connections, whose tokens are for the present one: ${way_on}`)
}

/** Every connector of the tenant, as shown. */
export async function listConnectors(context: OutboundContext): Promise<ShownConnector[]> {
  const { tenant_id, store } = context.tenant
  const records = await store.listConnectors({ tenant_id })
  const counts = await countConnections(
    context,
    records.map(({ connector }) => connector),
  )
  return records.map((record, i) => show(context, record, counts[i]!))
}

/** One connector as shown, or null. */
export async function findConnector(context: OutboundContext, connector: string): Promise<ShownConnector | null> {
  const { tenant_id, store } = context.tenant
  const record = await store.findConnector({ tenant_id, connector })
  if (!record) return null
  const [connections] = await countConnections(context, [connector])
  return show(context, record, connections!)
}

function countConnections({ tenant }: OutboundContext, connectors: readonly string[], most = MOST_COUNTED) {
  return tenant.store.countConnectionsThrough({ tenant_id: tenant.tenant_id, connectors, most })
}

/** The public keys that sign for a connector (RFC 7517 section 5), or null where none does. */
export async function listConnectorKeys(
  context: OutboundContext,
  connector: string,
): Promise<{ readonly keys: readonly JsonWebKey[] } | null> {
  const shown = await findConnector(context, connector)
  return shown?.jwks_uri && shown.public_jwk ? { keys: listPublished(shown.settings, context.clock()) } : null
}

/** Disables or enables a connector; false when it already is, or is not there. */
export function setConnectorDisabled(
  context: OutboundContext,
  actor: string,
  connector: string,
  disabled: boolean,
): Promise<boolean> {
  const { tenant_id, store } = context.tenant
  const type = disabled ? 'connector.disabled' : 'connector.enabled'
  const event = outboundEvent(context, type, actor, { detail: { connector } })
  return store.setConnectorDisabled({ tenant_id, connector, disabled, event })
}

/** Deletes a connector. While it has living connections only when told to end them, each also at the provider. */
export async function deleteConnector(
  context: OutboundContext,
  actor: string,
  connector: string,
  options: { disconnect?: boolean; for_everyone?: boolean } = {},
): Promise<'deleted' | 'has_connections' | 'unknown'> {
  const { tenant_id, store } = context.tenant
  const found = await store.findConnector({ tenant_id, connector })
  if (!found) return 'unknown'
  checkWhose(found, options.for_everyone === true)
  if (options.disconnect) {
    // No new connection comes about while the old ones are ended.
    await setConnectorDisabled(context, actor, connector, true)
    await disconnectAll(context, actor, connector)
  }
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const event = outboundEvent(context, 'connector.deleted', actor, { detail: { connector } })
    const outcome = await store.deleteConnector({ tenant_id, connector, event })
    if (outcome !== 'has_choices') return outcome
    await revokeChoices(context, connector)
  }
  throw new OAuthError('temporarily_unavailable', `Somebody is connecting by connector ${connector}: disable it first`)
}

async function disconnectAll(context: OutboundContext, actor: string, connector: string): Promise<void> {
  const { tenant_id, store } = context.tenant
  for (let after_connection_id = ''; ; ) {
    const page = await store.pageConnections({ tenant_id, connector, after_connection_id, most: 50 })
    if (page.length === 0) return
    await Promise.all(
      page.map(({ connection_id }) => disconnect(context, { connection_id, actor, reason: 'connector_deleted' })),
    )
    after_connection_id = page.at(-1)!.connection_id
  }
}

function isSame(
  context: OutboundContext,
  found: ListedConnector,
  wanted: Pick<ConnectorRecord, 'provider' | 'client_id' | 'scope' | 'settings'>,
  secret: string | null,
): boolean {
  const { provider, client_id, scope, settings } = wanted
  const same = found.provider === provider && found.client_id === client_id && found.scope === scope
  const known = Buffer.from(openClientSecret(context, found) ?? '')
  return same && found.settings === settings && equalBytes(known, Buffer.from(secret ?? ''))
}

function show(context: OutboundContext, row: ListedConnector, connections: number): ShownConnector {
  const { sealed_client_secret, settings, ...shown } = row
  const record = context.catalogue.get(row.provider)
  const read = JSON.parse(settings) as ConnectorSettings
  return {
    ...shown,
    connections,
    settings: read,
    provider_name: record?.name ?? row.provider,
    has_client_secret: sealed_client_secret !== null && read.key === undefined,
    public_jwk: publicKeyOf(read, context.clock()),
    jwks_uri: read.key && read.team_id === undefined ? connectorJwksUri(context, row.connector) : null,
    callback_url: callbackUrl(context, row.connector),
    unverified_fields: record ? unverifiedFields(record) : [],
  }
}
