import { OAuthError } from '../../oauth/errors.ts'
import { answerBroker } from '../../outbound/connect/broker_requests.ts'
import { listBrokerKeys, listBrokers } from '../../outbound/connect/brokers.ts'
import { decodeUtf8, jsonAnswer, LARGEST_DESCRIPTION, type MachineEndpoint } from '../machine.ts'
import type { Web } from '../web.ts'

const HEADERS = {
  'Content-Type': 'application/jwt',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
}

/** /broker: to redirect brokers; GET the keys by which this server signs, POST one signed message for one signed answer. */
export const broker: MachineEndpoint<Web> = {
  methods: ['GET', 'POST'],
  cors: false,
  largest_body: LARGEST_DESCRIPTION,
  async answer({ outbound }, request) {
    if ((await listBrokers(outbound)).length === 0) {
      throw new OAuthError('invalid_request', 'No redirect broker is registered here', { status: 404 })
    }
    if (request.method !== 'POST') return jsonAnswer(listBrokerKeys(outbound))
    if (request.header('content-type') !== 'application/jwt') {
      throw new OAuthError('invalid_request', 'The Content-Type must be application/jwt')
    }
    return { status: 200, headers: HEADERS, body: await answerBroker(outbound, decodeUtf8(request.body)) }
  },
}
