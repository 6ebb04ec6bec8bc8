import { JwtError, readForeignJwt } from '../../crypto/foreign_jwt.ts'
import { signJwt } from '../../crypto/jwt.ts'
import { randomSecret } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import {
  LOGIN_ANSWER,
  LOGIN_CHALLENGE_TYP,
  type LoginAnswer,
  type LoginChallenge,
  type LoginHandoff,
  readChallenge,
  readLoginAnswer,
  readLoginHandoff,
} from '../../oauth/login_handoff.ts'
import { type Configuration, pickSigningKey } from '../../store/tenant.ts'
import type { InboundContext } from '../context.ts'
import { KeysUnavailable } from '../remote_keys.ts'
import { verifyBySource } from '../verify_assertion.ts'

/** Where a sign-in goes on: the sealed authorization request that waits for it, or else a path of ours. */
export interface WaitingPlace {
  readonly request: string | null
  readonly return_to: string
}

const LIFETIME_SECONDS = 600
// No connector can have this name, so that neither flow is taken for the other.
const FLOW = ':login_handoff'
const CHALLENGE = /^sp_lc_[\w-]{43}$/

const read = new WeakMap<object, LoginHandoff>()

/** The platform that signs its users in itself; null where this tenant has its own. */
export function findLoginHandoff({ settings }: Configuration): LoginHandoff | null {
  const given = settings.login_handoff
  if (given === null) return null
  const known = read.get(given)
  if (known) return known
  const handoff = readLoginHandoff(given)
  read.set(given, handoff)
  return handoff
}

/**
 * Asks the platform who the user of this browser is: a signed challenge, good once, in this browser, for ten minutes.
 * Answers the URL to send the browser to.
 */
export async function startHandoff(
  { tenant }: InboundContext,
  configuration: Configuration,
  handoff: LoginHandoff,
  start: WaitingPlace & {
    readonly browser: string
    readonly answer_uri: string
    readonly now: number
    readonly wanted: Pick<LoginChallenge, 'client_id' | 'login_hint' | 'prompt' | 'acr_values'>
  },
): Promise<string> {
  const { tenant_id, store, keys, issuer } = tenant
  const { browser, answer_uri, now, wanted, request, return_to } = start
  const jti = randomSecret('sp_lc_')
  const state_hash = keys.hashSecret(jti)
  const place: WaitingPlace = { request, return_to }
  const iat = Math.floor(now / 1000)
  const challenge: LoginChallenge = {
    ...{ iss: issuer, aud: handoff.issuer, iat, exp: iat + LIFETIME_SECONDS, jti, answer_uri, ...wanted },
  }
  const signed = await signJwt(pickSigningKey(configuration, undefined), LOGIN_CHALLENGE_TYP, challenge)
  await store.startConnectFlow({
    ...{ tenant_id, state_hash, lifetime_ms: LIFETIME_SECONDS * 1000 },
    flow: {
      ...{ connector: FLOW, connector_version: 0, user_id: '', connection_id: null },
      ...{ browser_hash: keys.hashSecret(browser), sealed: keys.seal(JSON.stringify(place), sealedAt(state_hash)) },
    },
  })
  const url = new URL(handoff.login_uri)
  url.searchParams.set('login_challenge', signed)
  return url.href
}

/**
 * Takes a platform's answer: signed by its key, to a challenge that this browser was given and that nobody has answered
 * yet. One refusal for whatever is wrong; the reason is for the log.
 */
export async function finishHandoff(
  context: InboundContext,
  handoff: LoginHandoff,
  given: { readonly login_answer: string; readonly browser: string; readonly now: number },
): Promise<{ answer: LoginAnswer; place: WaitingPlace }> {
  const { tenant_id, store, keys, issuer } = context.tenant
  const refuse = (cause: unknown) =>
    new OAuthError('access_denied', 'The answer of the sign-in service does not hold: start again', { cause })
  try {
    const jwt = readForeignJwt(given.login_answer, LOGIN_ANSWER)
    const claims = await verifyBySource(context, jwt, handoff)
    const answer = readLoginAnswer(claims, { handoff, issuer, now: given.now })
    const challenge = readChallenge(claims)
    if (challenge === null || !CHALLENGE.test(challenge)) throw refuse('it names no challenge of ours')
    const state_hash = keys.hashSecret(challenge)
    const browser_hash = keys.hashSecret(given.browser)
    const flow = await store.takeConnectFlow({ tenant_id, state_hash, connector: FLOW, user_id: '', browser_hash })
    if (typeof flow === 'string') throw refuse(flow)
    return { answer, place: JSON.parse(keys.open(flow.sealed, sealedAt(state_hash)).toString()) as WaitingPlace }
  } catch (error) {
    if (error instanceof JwtError || error instanceof KeysUnavailable) throw refuse(error)
    throw error
  }
}

function sealedAt(state_hash: Uint8Array) {
  return { table: 'connect_flows', row: Buffer.from(state_hash).toString('hex'), column: 'sealed', version: 1 }
}
