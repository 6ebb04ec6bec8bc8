import { newAgreementSeed, readSeededSigningKey } from '../../crypto/agreement_keys.ts'
import { randomSecret } from '../../crypto/random.ts'
import { type Broker, brokerRedirectUri, isBrokerUrl, readBrokers } from '../../oauth/broker.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { type Connector, callbackUrl } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'
import { newSessionFlow } from './session_flow.ts'

/** What a flow keeps sealed for its way through a broker. */
export interface BrokeredMemory {
  readonly redirect_uri: string
  /** What the provider gives back, which is not what names the flow between broker and primary. */
  readonly state: string
  readonly authorization_url: string
  /** 32 bytes as base64url: the key that deliveries of this flow are sealed to. */
  readonly seed: string
}

const read = new WeakMap<readonly object[], readonly Broker[]>()

/** The redirect brokers of the tenant, as they are registered now. */
export async function listBrokers({ tenant }: OutboundContext): Promise<readonly Broker[]> {
  const { brokers } = (await tenant.currentConfiguration()).settings
  const known = read.get(brokers) ?? readBrokers(brokers)
  read.set(brokers, known)
  return known
}

/**
 * The redirect URI of a flow, and the broker behind it; null for our own (V2: a connection chooses one of several). A
 * repair goes by the one of before, for as long as that is registered.
 */
export async function chooseRedirectUri(
  context: OutboundContext,
  { record, settings }: Connector,
  asked: string | undefined,
  former: string | null = null,
): Promise<{ redirect_uri: string; broker: Broker | null }> {
  const own = callbackUrl(context, record.connector)
  const registered = settings.redirect_uris ?? [own]
  const known = former !== null && registered.includes(former) ? former : registered[0]!
  const redirect_uri = asked ?? known
  if (!registered.includes(redirect_uri)) {
    throw new OAuthError('invalid_request', 'Parameter redirect_uri is none of the connector')
  }
  if (redirect_uri === own) return { redirect_uri, broker: null }
  const broker = (await listBrokers(context)).find(({ url }) => brokerRedirectUri(url) === redirect_uri)
  if (!broker) throw new OAuthError('server_error', 'The connector names a redirect broker that is not registered')
  return { redirect_uri, broker }
}

/** Reads the redirect URIs of a connector: at least one, none of them empty, and none twice (V2). */
export function readRedirectUris(uris: readonly string[], refuse: (what: string) => OAuthError): readonly string[] {
  if (uris.length === 0) throw refuse('redirect_uris must name at least one')
  if (uris.some((uri) => uri.trim() === '')) throw refuse('redirect_uris must not have an empty entry')
  if (new Set(uris).size < uris.length) throw refuse('redirect_uris must not have an entry twice')
  const wrong = uris.find((uri) => !uri.endsWith('/callback') || !isBrokerUrl(uri))
  if (wrong !== undefined)
    throw refuse('redirect_uris must be https URLs: its own callback, or that of a redirect broker')
  return uris
}

/** What sends a browser to a broker: a name for the flow that is of use to that broker alone, and what the flow keeps. */
export function enlistBroker(
  { url }: Broker,
  kept: Omit<BrokeredMemory, 'seed'>,
  of_session: boolean,
): { flow: string; start_url: string; memory: BrokeredMemory } {
  const flow = of_session ? newSessionFlow('brokered') : randomSecret('sp_br_')
  const seed = newAgreementSeed().toString('base64url')
  return { flow, start_url: `${url}/start?flow=${flow}`, memory: { ...kept, seed } }
}

/** The key by which this tenant signs what it answers to brokers: of the tenant key that seals now. */
export function brokerSigningKey({ tenant }: OutboundContext, kid = tenant.keys.kid) {
  return readSeededSigningKey(tenant.keys.derive('broker', kid)!.export())
}

/** The public halves that brokers verify with. */
export function listBrokerKeys(context: OutboundContext): { keys: readonly object[] } {
  const { kid, newest } = context.tenant.keys
  // Another replica may sign with the next one already.
  return { keys: [...new Set([kid, newest])].map((one) => brokerSigningKey(context, one).public_jwk) }
}
