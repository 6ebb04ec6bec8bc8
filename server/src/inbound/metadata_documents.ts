import { LRUCache } from 'lru-cache'
import type { Egress } from '../egress/egress.ts'
import { EgressError } from '../egress/egress_error.ts'
import { RESPONSE_MODES } from '../oauth/authorization_request.ts'
import type { ClientMetadata, KeptMetadata } from '../oauth/clients/client.ts'
import {
  documentLifetime,
  isJsonType,
  readDocumentUrl,
  readMetadataDocument,
} from '../oauth/clients/metadata_document.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Settings } from '../store/settings.ts'

/** Whether the tenant takes the metadata document at this client_id for a client. */
export function mayNameDocument(client_id: string, settings: Settings): boolean {
  if (settings.metadata_documents === 'off') return false
  const url = readDocumentUrl(client_id)
  return url !== null && (settings.metadata_documents === 'any' || settings.metadata_document_hosts.includes(url.host))
}

/** The grant types of clients that nobody of the tenant registered: each asks a user. */
export const UNKNOWN_CLIENTS_GRANT_TYPES: readonly string[] = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
]

const MOST_DOCUMENTS = 1000
const FAILURE_PAUSE_MS = 60_000

interface Fetched {
  /** As it is kept in the client's row. */
  readonly metadata: string
  readonly fresh_until: number
}

/** Metadata documents of clients (Client ID Metadata Document), fetched through the guard; kept while they are fresh, failures never. */
export class MetadataDocuments {
  readonly #egress: Egress
  readonly #clock: () => number
  readonly #kept = new LRUCache<string, Fetched>({ max: MOST_DOCUMENTS })
  readonly #underway = new Map<string, Promise<Fetched>>()
  readonly #failed = new LRUCache<string, number>({ max: MOST_DOCUMENTS })

  constructor(egress: Egress, clock: () => number) {
    this.#egress = egress
    this.#clock = clock
  }

  /** The document if it is fresh here. */
  peek(client_id: string): string | null {
    const known = this.#kept.get(client_id)
    return known && known.fresh_until > this.#clock() ? known.metadata : null
  }

  /** The document, fetched if it is not fresh here; whoever asks while it is under way shares it. */
  async fetch(client_id: string): Promise<string> {
    const underway = this.#underway.get(client_id) ?? this.#start(client_id)
    return (await underway).metadata
  }

  /** As fetch, but null when it fails, and for a while after it failed. */
  async tryFetch(client_id: string): Promise<string | null> {
    const failed_at = this.#failed.get(client_id)
    if (failed_at !== undefined && this.#clock() - failed_at < FAILURE_PAUSE_MS) return null
    return this.fetch(client_id).catch(() => null)
  }

  #start(client_id: string): Promise<Fetched> {
    const call = this.#call(client_id)
      .then((fetched) => {
        this.#kept.set(client_id, fetched)
        this.#failed.delete(client_id)
        return fetched
      })
      .catch((error) => {
        this.#failed.set(client_id, this.#clock())
        throw error
      })
      .finally(() => this.#underway.delete(client_id))
    this.#underway.set(client_id, call)
    return call
  }

  async #call(client_id: string): Promise<Fetched> {
    try {
      const response = await this.#egress.fetch(client_id, {
        purpose: 'client_metadata',
        headers: { accept: 'application/json' },
      })
      if (response.status !== 200 || !isJsonType(response.headers.get('content-type'))) {
        await response.body?.cancel()
        throw unusable(response.status === 200 ? 'It is not JSON' : `The answer has status ${response.status}`)
      }
      const described = readDocument(client_id, await response.text())
      const metadata = JSON.stringify({ ...described, unverified: true, scope_by_policy: true } satisfies KeptMetadata)
      const now = this.#clock()
      return { metadata, fresh_until: now + documentLifetime(response.headers, now) * 1000 }
    } catch (error) {
      if (error instanceof EgressError) throw unusable('It could not be fetched', error)
      // What is refused about a registration is here wrong with the document.
      if (error instanceof OAuthError && error.error !== 'invalid_request')
        throw unusable(error.error_description, error)
      throw error
    }
  }
}

function readDocument(client_id: string, text: string): ClientMetadata {
  return readMetadataDocument(text, client_id, {
    grant_types: UNKNOWN_CLIENTS_GRANT_TYPES,
    response_types: ['code'],
    response_modes: RESPONSE_MODES,
  })
}

function unusable(what: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_request', `The metadata document at client_id cannot be used. ${what}`, { cause })
}
