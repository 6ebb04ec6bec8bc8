import { ALGORITHMS, isAlgorithm } from '../../crypto/signing_keys.ts'
import { type Json, readBoolean, readText, refusal } from './metadata_member.ts'

/** What is registered about the tokens a client gets, and how it hears of the end of a session. */
export interface TokenMetadata {
  /** OpenID Connect Dynamic Client Registration section 2; where the tenant does not have it, its first algorithm signs. */
  id_token_signed_response_alg?: string
  /** OpenID Connect Back-Channel Logout section 2.2. */
  backchannel_logout_uri?: string
  backchannel_logout_session_required?: boolean
}

/** Reads it; `readUri` checks a URL by the rules of the door that it comes through. */
export function readTokenMetadata(
  source: Json,
  readUri: (source: Json, name: string) => string | undefined,
): TokenMetadata {
  const metadata: TokenMetadata = {}
  const alg = readText(source, 'id_token_signed_response_alg', 20)
  if (alg !== undefined) {
    if (!isAlgorithm(alg)) throw refusal('id_token_signed_response_alg', `must be one of ${ALGORITHMS.join(', ')}`)
    metadata.id_token_signed_response_alg = alg
  }
  const uri = readUri(source, 'backchannel_logout_uri')
  if (uri?.includes('#')) throw refusal('backchannel_logout_uri', 'must not have a fragment')
  if (uri !== undefined) metadata.backchannel_logout_uri = uri
  if (readBoolean(source, 'backchannel_logout_session_required') === true) {
    metadata.backchannel_logout_session_required = true
  }
  return metadata
}
