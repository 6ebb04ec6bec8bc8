import { readAgreementKey } from '../../crypto/agreement_keys.ts'
import { sha256 } from '../../crypto/hash.ts'
import { sealTo } from '../../crypto/jwe.ts'
import { signJwt, verifyOwnJwt } from '../../crypto/jwt.ts'
import {
  BROKER_ANSWER_TYP,
  BROKER_CREDENTIAL_TYP,
  BROKER_REQUEST_TYP,
  type Broker,
  type BrokerRequest,
  LONGEST_MESSAGE_SECONDS,
  MESSAGE_SECONDS,
  readBrokerRequest,
} from '../../oauth/broker.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { BrokerCredential } from '../../relying/brokered.ts'
import { type Proof, ProofReplayed } from '../../store/verbs/proofs.ts'
import { type Connector, nameProvider, openConnector, relyingParty } from '../connectors/connector.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'
import { brokerSigningKey, listBrokers } from './brokers.ts'
import { type FlowMemory, flowPlace } from './start_connect.ts'

const FLOW = /^sp_b[cr]_[\w-]{43}$/

/**
 * Answers a redirect broker's message: signed by a key that the operator registered, for this server, of now, and seen
 * for the first time. Whatever is refused changes nothing.
 */
export async function answerBroker(context: OutboundContext, message: string): Promise<string> {
  const { broker, request } = await readMessage(context, message)
  // It changes nothing, so that it may come again.
  if (request.act === 'hello') return answer(context, request, { mode: broker.mode })
  if (request.act === 'open') return answer(context, request, { credential: await openFlow(context, broker, request) })
  if (request.act === 'check') {
    const { tenant_id, store } = context.tenant
    const args = { tenant_id, ...nameFlow(context, request), broker: broker.url, proof: proofOf(context, request) }
    if (!(await once(() => store.checkBrokeredFlow(args)))) throw over()
  } else await keep(context, broker, request)
  return answer(context, request, {})
}

/** Keeps a delivery that a browser carried, in place of the broker: the same message, which only lives longer. */
export async function acceptDelivery(context: OutboundContext, message: string): Promise<{ flow: string }> {
  const { broker, request } = await readMessage(context, message)
  if (request.act !== 'deliver') throw new OAuthError('invalid_request', 'The message delivers nothing')
  await keep(context, broker, request)
  return { flow: request.flow }
}

async function readMessage(
  context: OutboundContext,
  message: string,
): Promise<{ broker: Broker; request: BrokerRequest }> {
  const { issuer } = context.tenant
  const brokers = await listBrokers(context)
  const findKey = (kid: string) => brokers.find((known) => known.verifying_keys.has(kid))?.verifying_keys.get(kid)
  const claims = verifyOwnJwt(message, BROKER_REQUEST_TYP, findKey)
  const refused = new OAuthError('invalid_request', 'The message is not signed by a redirect broker of this server')
  if (!claims) throw refused
  const request = readBrokerRequest(claims, { aud: issuer, now: context.clock() })
  // A key speaks for its own broker alone.
  const broker = brokers.find(({ url }) => url === request.iss)
  if (!broker || verifyOwnJwt(message, BROKER_REQUEST_TYP, (kid) => broker.verifying_keys.get(kid)) === null)
    throw refused
  if (request.act !== 'deliver' && request.exp - request.iat > MESSAGE_SECONDS) {
    throw new OAuthError('invalid_request', 'The message lives too long (exp)')
  }
  return { broker, request }
}

/** What a broker needs for one flow, sealed to it: given once. */
async function openFlow(context: OutboundContext, broker: Broker, request: BrokerRequest): Promise<string> {
  const { tenant_id, store, keys, issuer } = context.tenant
  const named = nameFlow(context, request)
  const proof = proofOf(context, request)
  const flow = await once(() =>
    store.openBrokeredFlow({
      tenant_id,
      ...named,
      broker: broker.url,
      proof,
      event: told(context, broker, 'connect.opened_by_broker'),
    }),
  )
  if (!flow) throw over()
  const record = await store.findConnector({ tenant_id, connector: flow.connector })
  if (!record || record.version !== flow.connector_version || record.disabled_at !== null) throw over()
  const memory = JSON.parse(keys.open(flow.sealed, flowPlace(named.state_hash)).toString()) as FlowMemory
  const { through, scope, code_verifier, nonce } = memory
  const connector = openConnector(context, record)
  const { private_key, ...party } = {
    ...relyingParty(context, connector),
    scope,
    redirect_uri: through!.redirect_uri,
  }
  const { kty, crv, x } = readAgreementKey(Buffer.from(through!.seed, 'base64url')).public_jwk
  const credential: BrokerCredential = {
    ...{ authorization_url: through!.authorization_url, state: through!.state },
    ...{
      provider_name: nameProvider(context, record),
      primary_name: (await context.tenant.currentConfiguration()).name,
    },
    seal_to: { kty, crv, x },
    finish_uri: `${issuer}/connect/${record.connector}/finish`,
    expires_at: flow.expires_at,
    exchange:
      broker.mode === 'exchange' && mayExchange(connector) && !private_key && !memory.proof_key
        ? { party, code_verifier, nonce }
        : null,
  }
  return sealTo(broker.seal_to, BROKER_CREDENTIAL_TYP, JSON.stringify(credential))
}

// Where a callback says where its code is redeemed, or is signed with our secret, or we sign by a key, the primary redeems it.
function mayExchange({ provider }: Connector): boolean {
  return provider.callback_signature === null && !provider.learned.some(({ from }) => from === 'callback')
}

async function keep(context: OutboundContext, broker: Broker, request: BrokerRequest): Promise<void> {
  const { tenant_id, store, keys } = context.tenant
  const receipt_hash = keys.hashSecret(request.receipt_hash!)
  const event = told(context, broker, 'connect.delivered_by_broker')
  const args = { tenant_id, ...nameFlow(context, request), broker: broker.url, receipt_hash, event }
  if (!(await store.deliverBrokeredFlow({ ...args, delivered: request.sealed! }))) throw over()
}

function told(context: OutboundContext, { url, mode }: Broker, type: string) {
  return outboundEvent(context, type, `broker:${url}`, { detail: { mode } })
}

function nameFlow(context: OutboundContext, { flow }: BrokerRequest): { state_hash: Uint8Array } {
  if (!FLOW.test(flow)) throw over()
  return { state_hash: context.tenant.keys.hashSecret(flow) }
}

function proofOf(context: OutboundContext, { iss, jti, exp }: BrokerRequest): Proof {
  const id_hash = sha256(`${iss} ${jti}`)
  return { kind: 'broker', id_hash, expires_at: Math.max(exp * 1000, context.clock()) + LONGEST_MESSAGE_SECONDS * 1000 }
}

async function once<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProofReplayed)) throw error
    throw new OAuthError('invalid_request', 'The message was received before (jti)')
  }
}

// One refusal for what is unknown, of another broker, used or past: a broker learns nothing of flows that are not its own.
function over(): OAuthError {
  return new OAuthError('invalid_grant', 'There is no such flow that waits for this broker')
}

function answer(context: OutboundContext, { act, iss, jti }: BrokerRequest, more: object): Promise<string> {
  const iat = Math.floor(context.clock() / 1000)
  const claims = { iss: context.tenant.issuer, aud: iss, iat, exp: iat + MESSAGE_SECONDS, nonce: jti, act, ...more }
  return signJwt(brokerSigningKey(context), BROKER_ANSWER_TYP, claims)
}
