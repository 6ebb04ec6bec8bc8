import { startDevice } from '../../inbound/authorization/device.ts'
import { jsonAnswer, type MachineEndpoint, readForm } from '../machine.ts'
import type { Web } from '../web.ts'
import { toDirectRequest } from './direct_request.ts'

/** POST /device_authorization (RFC 8628 section 3.1). */
export const device_authorization: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: false,
  async answer(web, request) {
    const asked = toDirectRequest(web, request, readForm(request))
    const device = { user_agent: request.header('user-agent'), address: request.sender.address }
    return jsonAnswer(await startDevice(web.inbound, asked, device))
  },
}
