import type { Tenant } from '../store/tenant.ts'
import { streamText } from './stream_text.ts'

const ROWS_AT_ONCE = 500

/**
 * The sealed events after a number of the chain, oldest first, one JSON object a line; each with what its link is computed
 * from, so that whoever has the lines can verify the chain.
 */
export function exportEvents(tenant: Pick<Tenant, 'tenant_id' | 'store'>, after: number): ReadableStream<Uint8Array> {
  return streamText(readLines(tenant, after))
}

async function* readLines(
  { tenant_id, store }: Pick<Tenant, 'tenant_id' | 'store'>,
  after: number,
): AsyncGenerator<string, undefined> {
  for (let after_sequence = after; ; ) {
    const page = await store.pageSealedEvents({ tenant_id, after_sequence, most: ROWS_AT_ONCE })
    if (page.length === 0) return
    yield page
      .map(({ detail, detail_salt, detail_digest, chain, ...rest }) => {
        const link = { detail_salt: write(detail_salt), detail_digest: write(detail_digest), chain: write(chain) }
        // The detail as text: its digest is of each byte.
        return `${JSON.stringify({ ...rest, detail, ...link })}\n`
      })
      .join('')
    after_sequence = page.at(-1)!.sequence
  }
}

function write(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes).toString('base64url')
}
