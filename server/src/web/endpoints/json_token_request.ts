import { readClientRecord } from '../../inbound/clients/client_record.ts'
import { readClientCredentials } from '../../oauth/client_credentials.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { type Params, readJsonParams } from '../../oauth/params.ts'
import { decodeUtf8, isJson, type MachineRequest, readForm } from '../machine.ts'
import type { Web } from '../web.ts'

const NOTHING: Params = { values: {}, resource: [], audience: [] }

/** The parameters of a token request: a form, or a JSON object where the client that it names is configured so. */
export async function readTokenParams(web: Web, request: MachineRequest): Promise<Params> {
  return readForm(request, { json: isJson(request) && (await mayBeJson(web, request)) })
}

async function mayBeJson({ tenant }: Web, request: MachineRequest): Promise<boolean> {
  const client_id = findClientId(tenant.issuer, request)
  if (client_id === undefined) return false
  const record = await tenant.store.findClient({ tenant_id: tenant.tenant_id, client_id })
  return record !== null && readClientRecord(record).json_requests === true
}

// Who the request says its client is; whether that is true is asked where it is authenticated.
function findClientId(realm: string, request: MachineRequest): string | undefined {
  const params = tryTo(() => readJsonParams(decodeUtf8(request.body))) ?? NOTHING
  const authorization = request.header('authorization')
  const basic = authorization?.toLowerCase().startsWith('basic ') ? authorization : undefined
  return tryTo(() => readClientCredentials({ authorization: basic, params, realm }))?.client_id
}

function tryTo<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof OAuthError) return undefined
    throw error
  }
}
