import { equalBytes, sha256 } from '../crypto/hash.ts'
import { randomBytes } from '../crypto/random.ts'

/** What of an audit event its link of the chain covers. */
export interface ChainedEvent {
  readonly event_id: string
  readonly at: number
  readonly type: string
  readonly actor: string
  readonly client_id: string | null
  readonly user_id: string | null
  readonly grant_id: string | null
  readonly connection_id: string | null
  readonly request_id: string | null
  readonly detail: string
}

/** Where a chain stands: the number and the hash of its newest link. */
export interface ChainHead {
  readonly sequence: number
  readonly chain: Uint8Array
}

/**
 * An event with its link. The chain holds a salted digest of the detail, so that personal data in it can be erased, and
 * the salt with it, while every link still verifies.
 */
export interface SealedEvent extends ChainedEvent, ChainHead {
  readonly detail_salt: Uint8Array | null
  readonly detail_digest: Uint8Array
}

/** The head of a chain without events. */
export const EMPTY_CHAIN: ChainHead = { sequence: 0, chain: new Uint8Array(32) }

/** Links events to a chain, in the order given. */
export function sealInOrder(
  head: ChainHead,
  events: readonly ChainedEvent[],
): (SealedEvent & { detail_salt: Buffer })[] {
  let { sequence, chain } = head
  return events.map((event) => {
    const detail_salt = randomBytes(16)
    const detail_digest = digestDetail(detail_salt, event.detail)
    chain = link(chain, ++sequence, event, detail_digest)
    return { ...event, sequence, detail_salt, detail_digest, chain }
  })
}

/** The number at which a chain breaks: of the first event that is altered, missing or out of order; null when sound. */
export function findBrokenLink(head: ChainHead, events: readonly SealedEvent[]): number | null {
  let { sequence, chain } = head
  for (const event of events) {
    chain = link(chain, ++sequence, event, event.detail_digest)
    if (event.sequence !== sequence || !equalBytes(event.chain, chain)) return sequence
    const { detail_salt } = event
    if (detail_salt && !equalBytes(event.detail_digest, digestDetail(detail_salt, event.detail))) return sequence
    if (!detail_salt && event.detail !== ERASED) return sequence
  }
  return null
}

/** What stands in place of a detail that was erased. */
export const ERASED = '{}'

function digestDetail(salt: Uint8Array, detail: string): Buffer {
  return sha256(Buffer.concat([salt, Buffer.from(detail)]))
}

// JSON of an array keeps the members apart, whatever they contain.
function link(previous: Uint8Array, sequence: number, event: ChainedEvent, digest: Uint8Array): Buffer {
  const { event_id, at, type, actor, client_id, user_id, grant_id, connection_id, request_id } = event
  const members = [hex(previous), sequence, event_id, at, type, actor, client_id, user_id, grant_id, connection_id]
  return sha256(JSON.stringify([...members, request_id, hex(digest)]))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
