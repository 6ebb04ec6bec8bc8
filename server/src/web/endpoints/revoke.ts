import { revoke as revokeToken } from '../../inbound/tokens/revoke.ts'
import { jsonAnswer, type MachineEndpoint, readForm } from '../machine.ts'
import type { Web } from '../web.ts'
import { toDirectRequest } from './direct_request.ts'

/** POST /revoke (RFC 7009 section 2). */
export const revoke: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: true,
  async answer(web, request) {
    await revokeToken(web.inbound, toDirectRequest(web, request, readForm(request)))
    // The body says nothing (section 2.2); there are client libraries that read JSON from every answer.
    return jsonAnswer({})
  },
}
