import { type Json, readBoolean, refusal } from './metadata_member.ts'

/** What is registered about the keys that the tokens of a client are bound to, under the names of their registry. */
export interface BindingMetadata {
  /** Each of its token requests has a DPoP proof (RFC 9449 section 5.2). */
  dpop_bound_access_tokens?: boolean
}

const FLAGS = ['dpop_bound_access_tokens'] as const

/** Reads it, for any client. */
export function readBindingMetadata(source: Json): BindingMetadata {
  const metadata: BindingMetadata = {}
  for (const name of FLAGS) {
    if (readBoolean(source, name) === true) metadata[name] = true
  }
  return metadata
}

/** Refuses a client that is to have bound tokens alone, and a grant whose tokens come through the browser, where no key is shown. */
export function requireBindable(metadata: BindingMetadata & { readonly grant_types: readonly string[] }): void {
  if (metadata.dpop_bound_access_tokens === true && metadata.grant_types.includes('implicit')) {
    throw refusal('dpop_bound_access_tokens', 'cannot be true with the grant type implicit, which shows no key')
  }
}
