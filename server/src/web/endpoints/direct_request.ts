import type { DirectRequest } from '../../inbound/direct_request.ts'
import type { Params } from '../../oauth/params.ts'
import type { MachineRequest } from '../machine.ts'
import type { Web } from '../web.ts'

/** A machine's request as the use cases take it. */
export function toDirectRequest({ origin }: Web, request: MachineRequest, params: Params): DirectRequest {
  return {
    params,
    method: request.method,
    url: `${origin}${request.path}`,
    authorization: request.header('authorization'),
    dpop: request.header('dpop'),
    address: request.sender.address,
  }
}
