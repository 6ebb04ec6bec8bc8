import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import { readProofKey } from '../../crypto/proof_key.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { type ConnectorGrantType, isAskedAgain } from '../../providers/grant_types.ts'
import type { ProviderFields } from '../../providers/provider.ts'
import { type ResolvedProvider, resolveProvider } from '../../providers/resolve.ts'
import { isAnyServer } from '../../providers/search.ts'
import { SettingError } from '../../providers/setting_error.ts'
import type { PlaceholderValues } from '../../providers/template.ts'
import type { AskedGrant } from '../../relying/asked_grant.ts'
import type { RelyingParty } from '../../relying/context.ts'
import type { JsonObject } from '../../relying/read_json.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import type { OutboundContext } from '../context.ts'
import type { ProviderTokens } from '../vault/vault.ts'
import { identify } from './connector_certificate.ts'
import { type ConnectorKeys, signingKeyOf } from './connector_key_rotation.ts'
import { readPlaces } from './learned.ts'

/** What a connector's row keeps as JSON beside its columns. */
export interface ConnectorSettings extends ConnectorKeys {
  readonly placeholders: PlaceholderValues
  /** Fields of the provider that this connector sets or overrides. */
  readonly fields: Partial<ProviderFields>
  /** How its tokens come; a person's consent at the provider where it is left out. */
  readonly grant_type?: ConnectorGrantType
  /** Where a consent flow may lead to besides the paths of this server. */
  readonly return_uris: readonly string[]
  /** The redirect URIs registered at the provider, the usual one first: its own here, and those of redirect brokers. */
  readonly redirect_uris?: readonly string[]
  /** Whether a client may be given the provider's token, or may only call through the proxy. */
  readonly hand_out_tokens: boolean
  /** PEM of the certificate that the provider knows the key by, and of those that signed it. */
  readonly certificate?: string
  /** In whose name a key signs client secrets. */
  readonly team_id?: string
  /** How long its connections last at most, from consent on. */
  readonly connection_lifetime_seconds?: number
  /** It comes from whoever runs the server, for every tenant: no administrator of this one changes it. */
  readonly for_everyone?: true
  /** Whether people sign in here by their account there: those who linked it, or anybody, who then becomes a user. */
  readonly sign_in?: SignInMode
}

/** Who may sign in through a connector. */
export type SignInMode = 'linked' | 'create'

/** A connector as the outbound half works with it: its row, and its provider as plain values. */
export interface Connector {
  readonly record: ConnectorRecord
  readonly settings: ConnectorSettings
  readonly provider: ResolvedProvider
}

const opened = new WeakMap<OutboundContext, LRUCache<string, Connector>>()

/** The connector that a row describes. A version never changes, so each is read once. */
export function openConnector(context: OutboundContext, record: ConnectorRecord): Connector {
  const cache = opened.get(context) ?? new LRUCache({ max: 1000 })
  opened.set(context, cache)
  const known = cache.get(record.connector)
  // Whether it is disabled, or at fault, is always the row's to say.
  if (known?.record.version === record.version) return { ...known, record }
  const found = context.catalogue.get(record.provider)
  if (!found) throw new OAuthError('server_error', `Provider ${record.provider} is no longer in the catalogue`)
  const settings = JSON.parse(record.settings) as ConnectorSettings
  const provider = withGrant(resolveProvider(found, { ...settings, client_id: record.client_id }), settings.grant_type)
  const connector = { record, settings, provider }
  cache.set(record.connector, connector)
  return connector
}

/** How tokens come through a connector. */
export function grantTypeOf({ settings }: Pick<Connector, 'settings'>): ConnectorGrantType {
  return settings.grant_type ?? 'authorization_code'
}

/** What a connector asks for its tokens with where nobody has to be there, and again whenever they are over; else null. */
export function askedGrant(connector: Pick<Connector, 'settings'>, subject?: string): AskedGrant | null {
  const grant_type = grantTypeOf(connector)
  if (grant_type === 'client_credentials') return { grant_type }
  return grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer' ? { grant_type, subject } : null
}

/** Whether what comes through a connector is nobody's account, and so for administrators to connect. */
export function isForAdministrators(context: OutboundContext, record: ConnectorRecord): boolean {
  return isAskedAgain(grantTypeOf(openConnector(context, record)))
}

/** What is asked for again has no refresh token: no request for it can end what another has brought, and it never dies of age. */
function withGrant(
  provider: ResolvedProvider,
  grant_type: ConnectorGrantType = 'authorization_code',
): ResolvedProvider {
  if (!isAskedAgain(grant_type)) return provider
  return {
    ...provider,
    ...{ refresh_token_rotation: 'never', refresh_token_replay: 'accepted', refresh_token_life: 'unlimited' },
    ...{ refresh_grant: null, refresh_token_seconds: null, refresh_token_max_seconds: null },
  }
}

/** What people call the other side of a connector: the provider, or the connector itself where the record stands for any server. */
export function nameProvider(
  { catalogue }: Pick<OutboundContext, 'catalogue'>,
  { provider, connector }: { readonly provider: string; readonly connector: string },
): string {
  const record = catalogue.get(provider)
  return record && !isAnyServer(record) ? record.name : connector
}

/** A connector as one connection sees it: what was learned on the way stands in for the placeholders of its name. */
export function localize(context: OutboundContext, connector: Connector, extra: JsonObject): Connector {
  const { record, settings, provider } = connector
  const found = context.catalogue.get(record.provider)
  const places = found ? readPlaces(provider, extra, found.placeholders) : {}
  if (Object.keys(places).length === 0) return connector
  try {
    const placeholders = { ...settings.placeholders, ...places }
    return {
      ...connector,
      provider: withGrant(
        resolveProvider(found!, { ...settings, client_id: record.client_id, placeholders }),
        settings.grant_type,
      ),
    }
  } catch (error) {
    // A place that the record does not know of is none to send secrets to.
    if (error instanceof SettingError) return connector
    throw error
  }
}

/** The redirect URI of a connector. */
export function callbackUrl(context: Pick<OutboundContext, 'tenant'>, connector: string): string {
  return `${context.tenant.issuer}/connect/${connector}/callback`
}

/** Where a provider reads the public key of a connector. */
export function connectorJwksUri(context: Pick<OutboundContext, 'tenant'>, connector: string): string {
  return `${context.tenant.issuer}/jwks/${connector}`
}

/** Seals a connector's secret, or the private key in its place, for one version of its row. */
export function sealClientSecret(
  context: OutboundContext,
  connector: string,
  version: number,
  client_secret: string | null,
): Uint8Array | null {
  return client_secret === null ? null : context.tenant.keys.seal(client_secret, secretPlace(connector, version))
}

/** The client secret of a connector, or the private key in its place; null where it has neither. */
export function openClientSecret(
  context: OutboundContext,
  record: Pick<ConnectorRecord, 'connector' | 'version' | 'sealed_client_secret'>,
): string | null {
  const { connector, version, sealed_client_secret } = record
  if (sealed_client_secret === null) return null
  return context.tenant.keys.open(sealed_client_secret, secretPlace(connector, version)).toString()
}

// What is sent the client's secret and the users' refresh tokens, or names what is.
const RECEIVERS = [
  ...(['issuer', 'discovery', 'token_endpoint', 'refresh_endpoint'] as const),
  ...(['revocation_endpoint', 'introspection_endpoint', 'device_authorization_endpoint'] as const),
  'pushed_authorization_request_endpoint',
] as const
// What else is sent the users' tokens, or says where they are sent.
const TOKEN_RECEIVERS = [
  ...RECEIVERS,
  ...(['userinfo_endpoint', 'api_base_url', 'api_hosts', 'learned', 'steps'] as const),
] as const

/** Whether a connector that is being changed stays with its server: what was given for one is sent to no other. */
export function staysAtServer(context: OutboundContext, found: ConnectorRecord, provider: ResolvedProvider): boolean {
  return findMoved(context, found, provider, RECEIVERS) === null
}

/**
 * What a change of a connector would do to the tokens of its living connections: the first field by which they would go
 * elsewhere, or be another client's; null where all of them go on as they are.
 */
export function movesTokens(
  context: OutboundContext,
  found: ConnectorRecord,
  wanted: Pick<Connector, 'settings'> & { readonly client_id: string; readonly resolved: ResolvedProvider },
): string | null {
  if (found.client_id !== wanted.client_id) return 'client_id'
  const former = JSON.parse(found.settings) as ConnectorSettings
  if (former.grant_type !== wanted.settings.grant_type) return 'grant_type'
  return findMoved(context, found, wanted.resolved, TOKEN_RECEIVERS)
}

function findMoved(
  context: OutboundContext,
  found: ConnectorRecord,
  provider: ResolvedProvider,
  names: readonly (keyof ResolvedProvider)[],
): string | null {
  try {
    const former = openConnector(context, found).provider
    return names.find((name) => !isDeepStrictEqual(former[name], provider[name])) ?? null
  } catch (error) {
    // What the catalogue no longer describes is not known to be the same.
    if (error instanceof OAuthError || error instanceof SettingError) return 'provider'
    throw error
  }
}

/** Us as the client of a connector's provider, at the place that is kept beside a connection's tokens. */
export function relyingParty(context: OutboundContext, connector: Connector, extra: JsonObject = {}): RelyingParty {
  const { record, settings } = connector
  const { key, team_id } = settings
  const secret = openClientSecret(context, record)
  return {
    provider: localize(context, connector, extra).provider,
    client_id: record.client_id,
    client_secret: key ? null : secret,
    ...(key && secret !== null && { private_key: signingKeyOf(settings, secret, context.clock()) }),
    ...identify(settings.certificate, key ? secret : null),
    ...(team_id !== undefined && { team_id }),
    redirect_uri: callbackUrl(context, record.connector),
    scope: record.scope,
  }
}

/** The same for the tokens of a connection, at their place and with the key that they are bound to. */
export function partyOfTokens(context: OutboundContext, connector: Connector, tokens: ProviderTokens): RelyingParty {
  return withProofKey(relyingParty(context, connector, tokens.extra), tokens.proof_key)
}

/** A client whose tokens are bound to a key, where there is one. */
export function withProofKey(party: RelyingParty, proof_key: string | undefined): RelyingParty {
  return proof_key === undefined ? party : { ...party, proof_key: readProofKey(proof_key) }
}

function secretPlace(connector: string, version: number) {
  return { table: 'connectors', row: connector, column: 'client_secret', version }
}
