import type { Client } from '../../oauth/client.ts'
import type { Params } from '../../oauth/params.ts'
import type { TokenResponse } from '../../oauth/token_response.ts'
import type { ClientRecord, TenantState } from '../../store/records.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { InboundContext } from '../context.ts'
import type { DirectRequest } from '../direct_request.ts'
import type { Proofs } from '../proofs.ts'

/** What every grant type reads first, in one query: the time, the tenant and the client that asks. */
export interface Loaded {
  readonly now: number
  readonly tenant: TenantState
  readonly client: ClientRecord | null
}

/** A token request whose client is authenticated and may use the grant type. */
export interface TokenRequest<Authority extends Loaded> {
  readonly params: Params
  readonly client: Client
  readonly authority: Authority
  readonly configuration: Configuration
  readonly request: DirectRequest
  /** What the request rests on and may be accepted once: recorded with the commit, or else after `issue`. */
  readonly proofs: Proofs
}

/** A grant type (RFC 6749 sections 4 and 4.5): the built-in ones and an embedder's own pass the same door. */
export interface GrantType<Authority extends Loaded = Loaded> {
  readonly grant_type: string
  /** Reads everything that decides, without having looked at the client's credentials yet. */
  load(context: InboundContext, params: Params, client_id: string): Promise<Authority | null>
  /** Decides, prepares and commits. */
  issue(context: InboundContext, request: TokenRequest<Authority>): Promise<TokenResponse>
}
