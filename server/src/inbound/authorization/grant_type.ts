import type { Confirmation } from '../../oauth/access_token.ts'
import type { AuthorizationRequest } from '../../oauth/authorization_request.ts'
import type { Client } from '../../oauth/clients/client.ts'
import type { Params } from '../../oauth/params.ts'
import type { TokenResponse } from '../../oauth/token_response.ts'
import type { ClientRecord, TenantState } from '../../store/records.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { DirectRequest } from '../client_authentication/direct_request.ts'
import type { Proofs } from '../client_authentication/proofs.ts'
import type { InboundContext } from '../context.ts'
import type { Approval } from './grants.ts'

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
  /** The key that its sender has shown, and that its tokens are bound to (RFC 9449 section 5); null binds them to nothing. */
  readonly cnf: Confirmation | null
  /** What the request rests on and may be accepted once: recorded with the commit, or else after `issue`. */
  readonly proofs: Proofs
}

/** The response types of the authorization endpoint (RFC 6749 section 3.1.1): a code, and what grant types answer themselves. */
export function listResponseTypes(grant_types: readonly GrantType[]): string[] {
  return ['code', ...grant_types.flatMap(({ response }) => response?.response_type ?? [])]
}

/** A grant type (RFC 6749 sections 4 and 4.5): the built-in ones and an embedder's own pass the same door. */
export interface GrantType<Authority extends Loaded = Loaded> {
  readonly grant_type: string
  /** RFC 9700 section 2 warns of it: off until an administrator switches it on for a client, and marked where it shows. */
  readonly legacy?: boolean
  /** Where the authorization endpoint itself issues the tokens (RFC 6749 section 3.1.1): its response type, and its answer. */
  readonly response?: {
    readonly response_type: string
    /** Refuses what no sign-in could make right. */
    check(client: Client, configuration: Configuration, request: AuthorizationRequest): void
    respond(context: InboundContext, approval: Approval): Promise<Readonly<Record<string, string | number>>>
  }
  /** The client that proves itself otherwise than by its credentials; null where the request does not try. */
  authenticate?(context: InboundContext, request: DirectRequest): Promise<Client | null>
  /** Reads everything that decides, without having looked at the client's credentials yet. */
  load(context: InboundContext, params: Params, client_id: string): Promise<Authority | null>
  /** Decides, prepares and commits. */
  issue(context: InboundContext, request: TokenRequest<Authority>): Promise<TokenResponse>
}
