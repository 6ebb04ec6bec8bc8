import type { ClientCertificate } from '../../crypto/certificate.ts'
import type { Params } from '../../oauth/params.ts'

/** A client's direct request, past the socket: its parameters and what of its head says who sends it. */
export interface DirectRequest {
  readonly params: Params
  readonly method: string
  /** The URL it came to, without its query: what a proof for this request names (RFC 9449 section 4.2, `htu`). */
  readonly url: string
  /** The Authorization header. */
  readonly authorization: string | undefined
  /** The DPoP header (RFC 9449 section 4.1); several are joined by a comma, which no proof has. */
  readonly dpop: string | undefined
  /** The certificate that its client has shown in TLS, as a trusted proxy says (RFC 8705). */
  readonly certificate?: ClientCertificate | undefined
  /** A script in a browser sent it: every browser says from which origin (RFC 10017). */
  readonly from_browser?: boolean
  /** Of the client, where it is known. */
  readonly address?: string | undefined
}
