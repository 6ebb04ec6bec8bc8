import { renewNonce } from '../../inbound/client_authentication/sender_constraint.ts'
import { issueTokens } from '../../inbound/tokens/token.ts'
import type { Params } from '../../oauth/params.ts'
import { noteLegacyGrant } from '../legacy_log.ts'
import { type Answer, jsonAnswer, type MachineEndpoint, type MachineRequest } from '../machine.ts'
import type { Web } from '../web.ts'
import { toDirectRequest } from './direct_request.ts'
import { readTokenParams } from './json_token_request.ts'

/** POST /token (RFC 6749 section 3.2). */
export const token: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: true,
  answer: async (web, request) => answerTokens(web, request, await readTokenParams(web, request)),
}

/** The answer of a token endpoint, whatever door its parameters came by. */
export async function answerTokens(web: Web, request: MachineRequest, params: Params): Promise<Answer> {
  const asked = toDirectRequest(web, request, params)
  const issued = await issueTokens(web.inbound, web.grant_types, asked)
  const { grant_type, client_id } = params.values
  const known = web.grant_types.find((known) => known.grant_type === grant_type)
  if (known) web.observer?.issued(known.grant_type)
  if (known?.legacy) {
    noteLegacyGrant(web, request.request_id, client_id)
  }
  return jsonAnswer(issued, 200, renewNonce(web.inbound, asked.dpop))
}
