import { readOkpJwk } from '../crypto/agreement_keys.ts'
import { readKid, signJwt, verifyOwnJwt } from '../crypto/jwt.ts'
import { randomSecret } from '../crypto/random.ts'
import { readVerifyingKey } from '../crypto/signing_keys.ts'
import {
  BROKER_ANSWER_TYP,
  BROKER_REQUEST_TYP,
  type BrokerRequest,
  MESSAGE_SECONDS,
  whyNoAnswer,
} from '../oauth/broker.ts'
import { readJsonObject } from '../relying/read_json.ts'
import type { BrokerContext } from './context.ts'

/** The primary cannot be reached, or its answer is not its own; what was asked may be asked again. */
export class PrimaryDown extends Error {}

/** The primary has decided: there is no such flow any more. */
export class PrimaryRefused extends Error {}

/** The primary answers, and does not take this broker for one of its own. */
export class NotRegistered extends PrimaryDown {}

/** What is asked about a flow. */
export type Question = Pick<BrokerRequest, 'act' | 'flow'> & Partial<Pick<BrokerRequest, 'sealed' | 'receipt_hash'>>

/** A message of this broker, signed, of now, and with a name of its own. */
export async function writeMessage(
  { url, primary, signing_key, clock }: BrokerContext,
  question: Question,
  seconds = MESSAGE_SECONDS,
): Promise<{ message: string; asked: BrokerRequest }> {
  const iat = Math.floor(clock() / 1000)
  const asked = { iss: url, aud: primary, iat, exp: iat + seconds, jti: randomSecret(), ...question }
  return { message: await signJwt(signing_key, BROKER_REQUEST_TYP, asked), asked }
}

/** Asks the primary, and answers the claims of what it signed for this very question. */
export async function askPrimary(context: BrokerContext, question: Question): Promise<Record<string, unknown>> {
  const { message, asked } = await writeMessage(context, question)
  const text = await call(context, { method: 'POST', headers: { 'content-type': 'application/jwt' }, body: message })
  const kid = readKid(text)
  if (kid === null || !context.primary_keys.has(kid)) context.primary_keys = await readKeys(context)
  const claims = verifyOwnJwt(text, BROKER_ANSWER_TYP, (name) => context.primary_keys.get(name))
  const wrong = claims ? whyNoAnswer(claims, asked, context.clock()) : 'it is not signed by the primary'
  if (wrong !== null) throw new PrimaryDown(`The primary's answer is not taken: ${wrong}`)
  return claims!
}

/** Asks the primary whether it knows this broker; throws NotRegistered where it does not, and PrimaryDown where it is away. */
export async function greetPrimary(context: BrokerContext): Promise<void> {
  await askPrimary(context, { act: 'hello', flow: '' })
}

async function readKeys(context: BrokerContext): Promise<BrokerContext['primary_keys']> {
  try {
    const { keys } = readJsonObject(await call(context, { method: 'GET' }))
    const known = (Array.isArray(keys) ? keys : []).flatMap((jwk) => {
      const key = readOkpJwk(jwk, 'Ed25519')
      return key ? [[key.kid, readVerifyingKey('EdDSA', { ...key.jwk })] as const] : []
    })
    return new Map(known)
  } catch (cause) {
    throw cause instanceof PrimaryDown ? cause : new PrimaryDown('The keys of the primary cannot be read', { cause })
  }
}

async function call(
  { primary, primary_egress }: BrokerContext,
  init: { method: string; headers?: Record<string, string>; body?: string },
): Promise<string> {
  let response: Response
  let text: string
  try {
    response = await primary_egress.fetch(`${primary}/broker`, { purpose: 'broker', ...init })
    text = await response.text()
  } catch (cause) {
    throw new PrimaryDown('The primary does not answer', { cause })
  }
  if (response.status === 200) return text
  const { error, error_description } = readError(text)
  // A flow that is over stays over; everything else is a matter of keys, clocks or a proxy, and may pass.
  if (response.status === 400 && error === 'invalid_grant') throw new PrimaryRefused('The primary knows no such flow')
  if ([400, 404].includes(response.status) && error === 'invalid_request') {
    throw new NotRegistered(`The primary does not take this broker: ${error_description}`)
  }
  throw new PrimaryDown(`The primary answers with status ${response.status}${error === '' ? '' : ` (${error})`}`)
}

function readError(text: string): { error: string; error_description: string } {
  const readable = (value: unknown, form: RegExp) => (typeof value === 'string' && form.test(value) ? value : '')
  try {
    const { error, error_description } = readJsonObject(text)
    return {
      error: readable(error, /^[a-z_]{1,64}$/),
      error_description: readable(error_description, /^[\x20-\x7e]{1,200}$/),
    }
  } catch {
    return { error: '', error_description: '' }
  }
}
