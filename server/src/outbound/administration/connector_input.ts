import { formatScope, parseScope } from '../../oauth/scope.ts'
import { CONNECTOR_GRANT_TYPES, isAskedAgain } from '../../providers/grant_types.ts'
import { readOverrides } from '../../providers/overrides.ts'
import type { Provider, ProviderFields } from '../../providers/provider.ts'
import { missingPlaceholders, type ResolvedProvider, resolveProvider } from '../../providers/resolve.ts'
import type { PlaceholderValues } from '../../providers/template.ts'
import { readAskedScope } from '../../relying/authorization_url.ts'
import { readRedirectUris } from '../connect/brokers.ts'
import { type ConnectorSettings, callbackUrl, type SignInMode } from '../connectors/connector.ts'
import { checkSecrets, refusal, type SecretInput, withSettings } from '../connectors/connector_secret.ts'
import type { OutboundContext } from '../context.ts'

/** What an administrator says about a connector; a secret that is left out stays as it is. */
export interface ConnectorInput extends SecretInput {
  readonly connector: string
  readonly provider: string
  /** Short for the field of that name. */
  readonly issuer?: string | undefined
  readonly placeholders?: PlaceholderValues | undefined
  readonly fields?: Readonly<Record<string, unknown>> | undefined
  readonly return_uris?: readonly string[] | undefined
  /** Registered at the provider, the usual one first: its own here, and those of redirect brokers. */
  readonly redirect_uris?: readonly string[] | undefined
  readonly hand_out_tokens?: boolean | undefined
  /** How long its connections last at most, from consent on. */
  readonly connection_lifetime_seconds?: number | undefined
  readonly sign_in?: 'off' | SignInMode | undefined
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/
const LONGEST_LIFETIME_SECONDS = 315_360_000

/** Whether a connector may be called so: the proxy has a path of the reserved name. */
export function isConnectorName(connector: string): boolean {
  return NAME.test(connector) && connector !== 'connections'
}

/** The same, checked and complete. */
export interface WantedConnector {
  readonly connector: string
  readonly provider: string
  readonly client_id: string
  readonly scope: string
  readonly settings: ConnectorSettings
  readonly resolved: ResolvedProvider
}

/** Checks what an administrator says against the provider's record, so that a connector that is saved can work. */
export function readConnectorInput(context: OutboundContext, input: ConnectorInput): WantedConnector {
  const { connector } = input
  if (!NAME.test(connector)) throw refusal('connector must be a name of lower-case letters, digits, - and _')
  if (connector === 'connections') throw refusal('connector must not be connections: the proxy has a path of that name')
  const record = context.catalogue.get(input.provider)
  if (!record) throw refusal(`provider ${input.provider} is not in the catalogue`)
  const client_id = input.client_id ?? ''
  if (!takesKeys(record) && !/^[\x20-\x7e]{1,512}$/.test(client_id)) {
    throw refusal('client_id must have 1 to 512 printable ASCII characters')
  }
  const { settings, provider } = withSettings(() => readSettings(context, record, input))
  // What a provider is asked for by default is about a person.
  const usual = isAskedAgain(settings.grant_type ?? 'authorization_code') ? [] : readAskedScope({ provider, scope: '' })
  const scope = formatScope(input.scope === undefined ? usual : parseScope(input.scope))
  const saved = { connector, provider: record.provider, client_id, scope, settings }
  return { ...saved, resolved: provider }
}

function readSettings(context: OutboundContext, record: Provider, input: ConnectorInput) {
  const issuer = input.issuer === undefined ? {} : { issuer: input.issuer }
  const settings: ConnectorSettings = {
    placeholders: input.placeholders ?? {},
    fields: readOverrides({ ...input.fields, ...issuer }),
    return_uris: (input.return_uris ?? []).map(readReturnUri),
    ...(input.redirect_uris && { redirect_uris: readRedirectUris(input.redirect_uris, refusal) }),
    // A key that somebody typed never expires, and opens all that its person may do.
    hand_out_tokens: input.hand_out_tokens ?? !takesKeys(record),
    ...(input.team_id !== undefined && { team_id: input.team_id }),
    ...(input.connection_lifetime_seconds !== undefined && {
      connection_lifetime_seconds: readLongest(input.connection_lifetime_seconds),
    }),
    ...readGrantType(input.grant_type),
    ...(input.certificate !== undefined && { certificate: input.certificate.trim() }),
    ...(input.sign_in && input.sign_in !== 'off' && { sign_in: input.sign_in }),
  }
  const provider = readProvider(context, record, input.client_id ?? '', settings)
  if (settings.grant_type) checkGrant(provider, settings)
  checkSecrets(provider, input)
  if (provider.credential !== 'oauth' && settings.redirect_uris) {
    throw refusal(`redirect_uris do not go with provider ${provider.provider}, which sends nobody back`)
  }
  const { account } = provider
  const own = callbackUrl(context, input.connector)
  if (settings.sign_in && settings.redirect_uris?.includes(own) === false) {
    throw refusal(`redirect_uris must name ${own} as well: people who sign in come back there, and not to a broker`)
  }
  if (settings.sign_in && (account ? account.of !== 'person' : provider.issuer === null)) {
    throw refusal('sign_in needs a provider that says which person it is')
  }
  return { settings, provider }
}

function readGrantType(grant_type: ConnectorInput['grant_type']): Pick<ConnectorSettings, 'grant_type'> {
  if (grant_type === undefined || grant_type === 'authorization_code') return {}
  if (!CONNECTOR_GRANT_TYPES.includes(grant_type)) {
    throw refusal(`grant_type must be one of ${CONNECTOR_GRANT_TYPES.join(', ')}`)
  }
  return { grant_type }
}

/** What only goes with a person's way through the provider and back. */
function checkGrant(provider: ResolvedProvider, { grant_type, redirect_uris, sign_in }: ConnectorSettings): void {
  if (redirect_uris) throw refusal(`redirect_uris do not go with grant_type ${grant_type}, which sends nobody back`)
  if (sign_in) throw refusal(`sign_in does not go with grant_type ${grant_type}`)
  const { token_endpoint_auth_method: method, issuer, discovery, device_authorization_endpoint } = provider
  if (grant_type === 'client_credentials' && method === 'none') {
    throw refusal('token_endpoint_auth_method none does not go with grant_type client_credentials')
  }
  const discovered = issuer !== null && discovery !== null
  if (grant_type?.endsWith('device_code') && device_authorization_endpoint === null && !discovered) {
    throw refusal('device_authorization_endpoint is missing')
  }
}

function readLongest(seconds: number): number {
  if (Number.isSafeInteger(seconds) && seconds >= 60 && seconds <= LONGEST_LIFETIME_SECONDS) return seconds
  throw refusal(`connection_lifetime_seconds must be a whole number from 60 to ${LONGEST_LIFETIME_SECONDS}`)
}

function takesKeys({ fields }: Provider): boolean {
  return (fields.credential?.value ?? 'oauth') !== 'oauth'
}

function readProvider(
  context: OutboundContext,
  record: Provider,
  client_id: string,
  { placeholders, fields, grant_type = 'authorization_code' }: ConnectorSettings,
): ResolvedProvider {
  const missing = missingPlaceholders(record, placeholders)
  if (missing.length > 0) throw refusal(`placeholders.${missing[0]} is missing`)
  const provider = resolveProvider(record, { client_id, placeholders, fields })
  const { credential, grant_types, issuer, discovery, authorization_endpoint, token_endpoint } = provider
  const is_oauth = credential === 'oauth'
  const by_consent = grant_type === 'authorization_code'
  if (is_oauth && by_consent && !grant_types.includes(grant_type)) {
    throw refusal(`provider ${record.provider} has no consent of a person`)
  }
  if (!is_oauth && provider.api_base_url === null) throw refusal('api_base_url is missing')
  if (
    is_oauth &&
    (issuer === null || discovery === null) &&
    ((by_consent && authorization_endpoint === null) || token_endpoint === null)
  ) {
    throw refusal(`issuer is missing, or ${by_consent ? 'authorization_endpoint and ' : ''}token_endpoint`)
  }
  for (const name of URL_FIELDS) {
    const url = provider[name]
    if (
      url !== null &&
      !url.startsWith('https:') &&
      !context.egress.mayUseHttp(url) &&
      !isForDevelopment(context, url)
    ) {
      throw refusal(`${name} must be https, unless the operator allows its host in SALLYPORT_EGRESS_ALLOW`)
    }
  }
  return provider
}

// A connector to a provider on this machine may be described before the operator lets anything through to it.
function isForDevelopment({ tenant }: OutboundContext, url: string): boolean {
  return !tenant.issuer.startsWith('https:') && isLoopback(url)
}

function isLoopback(url: string): boolean {
  const { protocol, hostname } = URL.parse(url) ?? {}
  return protocol === 'http:' && /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(hostname ?? '')
}

/** The URLs of a connector that the egress guard does not let through yet: host and port, for the operator to allow. */
export function findUnreachable(context: OutboundContext, input: ConnectorInput): string[] {
  const urls = [input.issuer, ...Object.values(input.fields ?? {})].filter((url) => typeof url === 'string')
  const hosts = urls.filter((url) => isLoopback(url) && !context.egress.mayUseHttp(url)).map((url) => new URL(url).host)
  return [...new Set(hosts)]
}

const URL_FIELDS = [
  ...(['issuer', 'authorization_endpoint', 'token_endpoint', 'refresh_endpoint', 'revocation_endpoint'] as const),
  ...(['introspection_endpoint', 'userinfo_endpoint', 'jwks_uri', 'api_base_url'] as const),
  ...(['device_authorization_endpoint', 'pushed_authorization_request_endpoint'] as const),
] satisfies (keyof ProviderFields)[]

function readReturnUri(uri: string): string {
  const url = URL.parse(uri)
  if (
    !url ||
    url.href !== uri ||
    url.username + url.password !== '' ||
    (url.protocol !== 'https:' && !isLoopback(uri))
  ) {
    throw refusal('return_uris must be https URLs in their normal form')
  }
  return uri
}
