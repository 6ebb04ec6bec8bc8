import { revoke as revokeToken } from '../../inbound/revoke.ts'
import { type MachineEndpoint, readForm } from '../machine.ts'
import type { Web } from '../web.ts'

/** POST /revoke (RFC 7009 section 2). */
export const revoke: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: true,
  async answer(web, request) {
    const params = readForm(request)
    await revokeToken(web.inbound, { params, authorization: request.header('authorization') })
    return { status: 200, headers: { 'Cache-Control': 'no-store', 'Content-Length': '0' }, body: '' }
  },
}
