import {
  deleteRegistration,
  readRegistration,
  registerDynamicClient,
  updateRegistration,
} from '../../inbound/clients/registration.ts'
import type { Json } from '../../oauth/clients/metadata_member.ts'
import { readDescription } from '../../oauth/clients/registration.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { decodeUtf8, jsonAnswer, LARGEST_DESCRIPTION, type MachineEndpoint, type MachineRequest } from '../machine.ts'
import type { Web } from '../web.ts'

/** POST /register (RFC 7591 section 3.1); from any origin, as MCP clients in browsers need it. */
export const register: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: true,
  largest_body: LARGEST_DESCRIPTION,
  async answer(web, request) {
    const source = readJson(request)
    return jsonAnswer(await registerDynamicClient(web.inbound, grantTypes(web), source, whoAsks(request)), 201)
  },
}

/** GET, PUT and DELETE /register/{client_id}: a client's own registration (RFC 7592 section 2). */
export const registration: MachineEndpoint<Web> = {
  methods: ['GET', 'PUT', 'DELETE'],
  cors: true,
  largest_body: LARGEST_DESCRIPTION,
  async answer(web, request) {
    const client_id = request.path.slice(request.path.lastIndexOf('/') + 1)
    const who = whoAsks(request)
    if (request.method === 'DELETE') {
      await deleteRegistration(web.inbound, client_id, who)
      return { status: 204, headers: { 'Cache-Control': 'no-store' }, body: '' }
    }
    if (request.method !== 'PUT') return jsonAnswer(await readRegistration(web.inbound, client_id, who))
    const source = readJson(request)
    return jsonAnswer(await updateRegistration(web.inbound, grantTypes(web), { client_id, source }, who))
  },
}

const grantTypes = (web: Web) => web.grant_types.map(({ grant_type }) => grant_type)

function whoAsks(request: MachineRequest) {
  return { authorization: request.header('authorization'), address: request.sender.address }
}

function readJson(request: MachineRequest): Json {
  const type = (request.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()
  if (type !== 'application/json') throw new OAuthError('invalid_request', 'The Content-Type must be application/json')
  return readDescription(decodeUtf8(request.body))
}
