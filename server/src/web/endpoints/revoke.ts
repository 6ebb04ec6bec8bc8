import { revoke as revokeToken } from '../../inbound/revoke.ts'
import { jsonAnswer, type MachineEndpoint, readForm } from '../machine.ts'
import type { Web } from '../web.ts'

/** POST /revoke (RFC 7009 section 2). */
export const revoke: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: true,
  async answer(web, request) {
    const params = readForm(request)
    await revokeToken(web.inbound, { params, authorization: request.header('authorization') })
    // The body says nothing (section 2.2); there are client libraries that read JSON from every answer.
    return jsonAnswer({})
  },
}
