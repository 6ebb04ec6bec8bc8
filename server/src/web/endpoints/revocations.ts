import { readRevocationFeed } from '../../inbound/tokens/revocation_feed.ts'
import { type MachineEndpoint, readForm } from '../machine.ts'
import type { Web } from '../web.ts'
import { toDirectRequest } from './direct_request.ts'

const HEADERS = {
  'Content-Type': 'application/jwt',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
}

/** POST /revocations: the revocation feed. The cursor is in the form, beside the credentials of the client. */
export const revocations: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: false,
  async answer(web, request) {
    const body = await readRevocationFeed(web.inbound, toDirectRequest(web, request, readForm(request)))
    return { status: 200, headers: HEADERS, body }
  },
}
