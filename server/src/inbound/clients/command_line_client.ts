import { DEVICE_CODE_GRANT } from '../../oauth/device.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Tenant } from '../../store/tenant.ts'
import { readAdministratedClient, registerClient } from './register_client.ts'

/** The client by which people sign in on a command line. */
export const COMMAND_LINE_CLIENT = 'sallyport-cli'

/** What it asks for: the administration API, for as long as nobody ends it. */
export const COMMAND_LINE_SCOPE = 'offline_access admin:read admin:write'

/**
 * Makes the client of the command line unless it is there. No server has it by itself: a code of a known client that may
 * administer is what somebody would send an administrator to have it typed in.
 */
export async function allowCommandLine(tenant: Tenant, actor: string): Promise<'made' | 'there'> {
  const { tenant_id, store } = tenant
  const client_id = COMMAND_LINE_CLIENT
  if (await store.findClient({ tenant_id, client_id })) return 'there'
  const grant_types = [DEVICE_CODE_GRANT, 'refresh_token']
  const described = {
    ...{ client_name: 'Sallyport command line', application_type: 'native', token_endpoint_auth_method: 'none' },
    ...{ grant_types, response_types: [], scope: COMMAND_LINE_SCOPE },
  }
  const metadata = readAdministratedClient(described, grant_types)
  try {
    await registerClient(tenant, { client_id, metadata, source: 'cli', actor })
    return 'made'
  } catch (error) {
    // Somebody else has made it in the same moment.
    if (error instanceof OAuthError && (await store.findClient({ tenant_id, client_id }))) return 'there'
    throw error
  }
}
