import { findCertificate } from '../../inbound/certificate_forwarding.ts'
import type { DirectRequest } from '../../inbound/client_authentication/direct_request.ts'
import type { ResourceRequest } from '../../inbound/tokens/require_access_token.ts'
import type { Params } from '../../oauth/params.ts'
import type { MachineRequest } from '../machine.ts'
import type { Web } from '../web.ts'

/** A machine's request as the use cases take it. */
export function toDirectRequest(web: Web, request: MachineRequest, params: Params): DirectRequest {
  return {
    ...toResourceRequest(web, request),
    params,
    from_browser: request.header('origin') !== undefined,
    address: request.sender.address,
  }
}

/** The head of a machine's request. Its URL is at the origin of the issuer, whatever host a proxy says it came to. */
export function toResourceRequest({ origin, inbound }: Web, request: MachineRequest): ResourceRequest {
  const forwarding = inbound.certificate_forwarding
  return {
    method: request.method,
    url: `${origin}${request.path}`,
    authorization: request.header('authorization'),
    dpop: request.header('dpop'),
    certificate: forwarding ? findCertificate(forwarding, request.sender, request.header) : undefined,
  }
}
