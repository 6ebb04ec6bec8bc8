import { introspect as describeToken } from '../../inbound/tokens/introspect.ts'
import { jsonAnswer, type MachineEndpoint, readForm } from '../machine.ts'
import type { Web } from '../web.ts'
import { toDirectRequest } from './direct_request.ts'

/** POST /introspect (RFC 7662 section 2). */
export const introspect: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: false,
  async answer(web, request) {
    return jsonAnswer(await describeToken(web.inbound, toDirectRequest(web, request, readForm(request))))
  },
}
