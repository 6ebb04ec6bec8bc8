import { OAuthError } from '../../oauth/errors.ts'

/** A body as it is sent. */
export type Body = ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null

/** A body that was looked at, and how it is sent. */
export interface ReadBody {
  readonly first: Body
  /** Gives the body once more; absent where it streams. */
  readonly again?: () => Body
  /** Of a stream, where its sender has said it. */
  readonly length?: number
}

const REPLAYABLE_BYTES = 65_536
const EMPTY: ReadBody = { first: null, again: () => null }

/**
 * A request's body: a short one of known length is kept for a second try, any other is sent on as it comes. Whoever gives
 * a request without these headers, which no socket does, has its body read ahead.
 */
export async function readBody(
  headers: Headers,
  body: ReadableStream<Uint8Array> | null,
  largest: number,
): Promise<ReadBody> {
  const coding = headers.get('transfer-encoding')
  // RFC 9112 section 6.1: the header goes no further, so what it says of the body must be true without it.
  if (coding !== null && coding.trim().toLowerCase() !== 'chunked') {
    throw new OAuthError('invalid_request', 'The only transfer coding is chunked', { status: 501 })
  }
  if (body === null) return EMPTY
  const length = coding === null ? readLength(headers) : undefined
  if (length !== undefined && length > largest) throw bodyTooLarge(largest)
  if (coding !== null) return { first: body }
  if (length !== undefined && length > REPLAYABLE_BYTES) return { first: body, length }
  return readAhead(body, REPLAYABLE_BYTES)
}

/** The refusal of a request's body (RFC 9110 section 15.5.14). */
export function bodyTooLarge(largest: number): OAuthError {
  return new OAuthError('invalid_request', `The body is larger than ${largest} bytes`, { status: 413 })
}

function readLength(headers: Headers): number | undefined {
  const text = headers.get('content-length') ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** Keeps a short body for a second try; a longer one goes on as a stream that starts with what was read. */
export async function readAhead(stream: ReadableStream<Uint8Array> | null, most: number): Promise<ReadBody> {
  if (stream === null) return EMPTY
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  while (bytes <= most) {
    const { done, value } = await reader.read()
    if (done) {
      const whole = new Uint8Array(Buffer.concat(chunks))
      return bytes === 0 ? EMPTY : { first: whole, again: () => whole }
    }
    chunks.push(value)
    bytes += value.byteLength
  }
  return { first: continueStream(chunks, reader) }
}

function continueStream(
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const ahead = chunks.shift()
        if (ahead) return controller.enqueue(ahead)
        const { done, value } = await reader.read()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
