import { EgressError, toEgressError } from './egress_error.ts'

/** What bounds one body while it streams. */
export interface BodyGuard {
  host: string
  maxBytes: number
  /** Longest time without a byte. */
  idleMs: number
  /** Called once, when the body has ended for whatever reason. */
  onEnd: () => void
}

/** Passes a body on as a stream: counts its bytes after decompression, and ends it with an EgressError at a limit. */
export function guardBody(body: ReadableStream<Uint8Array>, guard: BodyGuard): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  let bytes = 0
  const stop = (error: EgressError, controller: ReadableStreamDefaultController) => {
    guard.onEnd()
    reader.cancel(error).catch(() => {})
    controller.error(error)
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await readWithin(reader, guard)
          if (done) {
            guard.onEnd()
            return controller.close()
          }
          bytes += value.byteLength
          if (bytes > guard.maxBytes) return stop(new EgressError('too_large', guard.host), controller)
          controller.enqueue(value)
        } catch (cause) {
          stop(toEgressError(cause, guard.host), controller)
        }
      },
      async cancel(reason) {
        guard.onEnd()
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, guard: BodyGuard) {
  if (!Number.isFinite(guard.idleMs)) return reader.read()
  const { promise: idle, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new EgressError('timeout', guard.host)), guard.idleMs)
  try {
    return await Promise.race([reader.read(), idle])
  } finally {
    clearTimeout(timer)
  }
}
