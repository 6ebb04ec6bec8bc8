import { renewNonce } from '../../inbound/client_authentication/sender_constraint.ts'
import { describeUser } from '../../inbound/tokens/userinfo.ts'
import { jsonAnswer, type MachineEndpoint } from '../machine.ts'
import type { Web } from '../web.ts'
import { toResourceRequest } from './direct_request.ts'

/** GET and POST /userinfo (OpenID Connect Core section 5.3); the token is taken from the header only (RFC 9700 section 4.3.2). */
export const userinfo: MachineEndpoint<Web> = {
  methods: ['GET', 'POST'],
  cors: true,
  async answer(web, request) {
    const asked = toResourceRequest(web, request)
    return jsonAnswer(await describeUser(web.inbound, asked), 200, renewNonce(web.inbound, asked.dpop))
  },
}
