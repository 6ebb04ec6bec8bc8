import { listResponseTypes } from '../../inbound/authorization/grant_type.ts'
import { pushAuthorizationRequest } from '../../inbound/authorization/pushed_requests.ts'
import { renewNonce } from '../../inbound/client_authentication/sender_constraint.ts'
import { jsonAnswer, type MachineEndpoint, readForm } from '../machine.ts'
import type { Web } from '../web.ts'
import { toDirectRequest } from './direct_request.ts'

/** POST /par (RFC 9126 section 2). What is too long for a URL has room here. */
export const par: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: true,
  largest_body: 131_072,
  async answer(web, request) {
    const asked = toDirectRequest(web, request, readForm(request))
    const pushed = await pushAuthorizationRequest(web.inbound, listResponseTypes(web.grant_types), asked)
    return jsonAnswer(pushed, 201, renewNonce(web.inbound, asked.dpop))
  },
}
