import { LRUCache } from 'lru-cache'
import type { Client, KeptMetadata } from '../../oauth/clients/client.ts'
import type { ClientRecord } from '../../store/records.ts'

const parsed = new LRUCache<string, Readonly<KeptMetadata>>({ max: 10_000 })

/** The metadata of a row. Only the reading of its text is remembered, never whether its client lives. */
export function readMetadata(text: string): Readonly<KeptMetadata> {
  let metadata = parsed.get(text)
  if (!metadata) {
    metadata = Object.freeze(JSON.parse(text) as KeptMetadata)
    parsed.set(text, metadata)
  }
  return metadata
}

/** The client that a row describes. */
export function readClientRecord({ metadata, client_id, client_name, trusted }: ClientRecord): Client {
  return { ...readMetadata(metadata), client_id, client_name, trusted: trusted === 1 }
}
