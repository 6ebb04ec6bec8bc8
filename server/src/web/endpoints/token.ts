import { renewNonce } from '../../inbound/sender_constraint.ts'
import { issueTokens } from '../../inbound/token.ts'
import { jsonAnswer, type MachineEndpoint } from '../machine.ts'
import type { Web } from '../web.ts'
import { toDirectRequest } from './direct_request.ts'
import { readTokenParams } from './json_token_request.ts'

/** POST /token (RFC 6749 section 3.2). */
export const token: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: true,
  async answer(web, request) {
    const asked = toDirectRequest(web, request, await readTokenParams(web, request))
    const issued = await issueTokens(web.inbound, web.grant_types, asked)
    return jsonAnswer(issued, 200, renewNonce(web.inbound, asked.dpop))
  },
}
