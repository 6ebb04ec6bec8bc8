import { equalBytes, sha256 } from '../../crypto/hash.ts'
import { PasswordQueueFull } from '../../crypto/password.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Tenant } from '../../store/tenant.ts'

/** An answer as it is kept and given again. */
export interface KeptAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What makes two requests the same: whoever sends them, where to, and each byte. */
export interface KeyedRequest {
  readonly key: string
  readonly actor: string
  readonly client_id: string
  readonly method: string
  readonly target: string
  readonly bytes: Uint8Array
}

const LIVES_MS = 86_400_000
/** A request that takes longer has lost its process. */
const UNDER_WAY_MS = 60_000

/**
 * Answers a request that names an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): once by doing it, and again
 * by what was answered then. A key of another request is refused, and so is one whose outcome nobody knows: it is never
 * done twice. What was refused has changed nothing and may be sent again under its key.
 */
export async function answerOnce(
  tenant: Tenant,
  request: KeyedRequest,
  answer: () => Promise<KeptAnswer>,
): Promise<KeptAnswer> {
  const { tenant_id, store } = tenant
  const key_hash = sha256(JSON.stringify([request.client_id, request.actor, readKey(request.key)]))
  const target = Buffer.from(JSON.stringify([request.method, request.target]))
  // Under a key: a body may hold a password, which a bare hash would let anybody guess who reads the row.
  const request_hash = tenant.keys.hashSecret(sha256(Buffer.concat([target, request.bytes])).toString('base64url'))
  const former = await store.claimIdempotencyKey({ tenant_id, key_hash, request_hash, lives_ms: LIVES_MS })
  if (former === 'released') throw underWay()
  if (former !== 'claimed') {
    if (!equalBytes(former.request_hash, request_hash)) {
      throw refuse(422, 'This Idempotency-Key was that of another request: each takes one of its own')
    }
    if (former.answer) return JSON.parse(tenant.keys.open(former.answer, placeOf(key_hash)).toString()) as KeptAnswer
    if (former.now - former.started_at < UNDER_WAY_MS) throw underWay()
    throw refuse(409, 'What became of the request with this Idempotency-Key is not known: look, then use another')
  }
  const release = () => store.releaseIdempotencyKey({ tenant_id, key_hash })
  let given: KeptAnswer
  try {
    given = await answer()
  } catch (error) {
    // A refusal has changed nothing. Of whatever else went wrong nobody knows how far it had come.
    if (error instanceof OAuthError || error instanceof PasswordQueueFull) await release()
    throw error
  }
  if (given.status < 400) {
    await store.keepAnswer({ tenant_id, key_hash, answer: tenant.keys.seal(JSON.stringify(given), placeOf(key_hash)) })
  } else await release()
  return given
}

// A string of Structured Fields (RFC 9651 section 3.3.3), or bare, as most of those who send one write it.
function readKey(header: string): string {
  const key = /^(?:"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255}))$/.exec(header.trim())
  if (key) return (key[1] ?? key[2])!
  throw refuse(400, 'The header Idempotency-Key must have 1 to 255 printable ASCII characters, without space')
}

function underWay(): OAuthError {
  return refuse(409, 'The request with this Idempotency-Key is under way', { 'Retry-After': '1' })
}

function refuse(status: number, text: string, headers: Record<string, string> = {}): OAuthError {
  return new OAuthError('invalid_request', text, { status, headers })
}

function placeOf(key_hash: Uint8Array) {
  const row = Buffer.from(key_hash).toString('base64url')
  return { table: 'idempotency_keys', row, column: 'answer', version: 1 }
}
