import type { KeyObject } from 'node:crypto'
import { type AgreementKey, readAgreementKey, readSeededSigningKey } from '../crypto/agreement_keys.ts'
import { deriveBytes } from '../crypto/seal.ts'
import type { VerifyingKey } from '../crypto/signing_keys.ts'
import type { Egress } from '../egress/egress.ts'
import { createRelyingContext, type RelyingContext } from '../relying/context.ts'
import type { Log } from '../web/log.ts'
import { Flows } from './flows.ts'

/** What the roof gives a redirect broker. */
export interface BrokerParts {
  /** Where browsers reach it: its name in messages. */
  readonly url: string
  /** The issuer for which it receives codes. */
  readonly primary: string
  /** What its keys are derived from: whoever has it is this broker. */
  readonly key: KeyObject
  /** The way to providers. */
  readonly egress: Egress
  /** The way to the primary, which the operator of the broker has named. */
  readonly primary_egress: Egress
  readonly clock: () => number
  readonly log: Log
}

/** A redirect broker that runs: keys, and flows in memory alone. */
export interface BrokerContext extends Omit<BrokerParts, 'key'> {
  readonly signing_key: ReturnType<typeof readSeededSigningKey>
  readonly agreement_key: AgreementKey
  readonly relying: RelyingContext
  readonly flows: Flows
  /** Keys of the primary, as they were last read. */
  primary_keys: ReadonlyMap<string, VerifyingKey>
}

/** Makes the context of one process. */
export function createBrokerContext({ key, ...parts }: BrokerParts): BrokerContext {
  return {
    ...parts,
    signing_key: readSeededSigningKey(deriveBytes(key, 'sallyport/broker/sign')),
    agreement_key: readAgreementKey(deriveBytes(key, 'sallyport/broker/open')),
    relying: createRelyingContext(parts),
    flows: new Flows(parts.clock),
    primary_keys: new Map(),
  }
}

/** What the operator of the primary registers of a broker: nothing of it is secret. */
export function describeBroker({ url, signing_key, agreement_key }: BrokerContext): object {
  return { url, mode: 'exchange', keys: [signing_key.public_jwk, agreement_key.public_jwk] }
}
