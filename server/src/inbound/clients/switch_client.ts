import { LEGACY_GRANT_TYPES } from '../../oauth/clients/own_metadata.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { ClientRecord } from '../../store/records.ts'
import type { Settings } from '../../store/settings.ts'
import type { Tenant } from '../../store/tenant.ts'
import { readClientRecord } from './client_record.ts'
import { isSelfRegistered, readAdministratedClient } from './register_client.ts'
import { updateClient } from './update_client.ts'

/** The flows of a service, and who asks for them. */
export interface ServiceFlows {
  readonly settings: Settings
  readonly trusted: boolean
  /** Nobody whom we know has registered it. */
  readonly stranger: boolean
  /** What it has now. */
  readonly before: readonly string[]
  /** What it asks for itself; false declines what it would get. */
  readonly asks?: { readonly implicit?: boolean | undefined; readonly password?: boolean | undefined }
}

/**
 * The grant types of a service that came by another system's door. A trusted one may act on its own behalf; where the
 * tenant is one of Hub's clients, implicit comes with registration and passwords with Trust; elsewhere the legacy ones
 * need a tenant that gives them to who asks. What an administrator has switched on stays, and a stranger gets none.
 */
export function listServiceFlows({ settings, trusted, stranger, before, asks = {} }: ServiceFlows): string[] {
  const hub = settings.compat === 'hub'
  const given = (grant_type: 'implicit' | 'password', by_hub: boolean) => {
    const asked = asks[grant_type]
    if (stranger || settings.legacy_grants === 'off' || asked === false) return false
    const stays = before.includes(grant_type) && (by_hub || !hub)
    return stays || (hub && by_hub) || (asked === true && settings.legacy_grants === 'on_request')
  }
  return [
    ...['authorization_code', 'refresh_token'],
    ...(trusted ? ['client_credentials'] : []),
    ...(given('implicit', true) ? ['implicit'] : []),
    ...(given('password', trusted) ? ['password'] : []),
  ]
}

/** One thing that an administrator switches on or off for a client. */
export type ClientSwitch = 'trusted' | 'password' | 'implicit'

/** What can be switched for a client, and how it stands; nothing of one that a stranger registered. */
export function listSwitches(record: ClientRecord): { readonly name: ClientSwitch; readonly on: boolean }[] {
  if (isSelfRegistered(record.source)) return []
  const { trusted, grant_types, redirect_uris, token_endpoint_auth_method } = readClientRecord(record)
  return [
    ...(redirect_uris.length > 0 ? [{ name: 'trusted' as const, on: trusted }] : []),
    ...(token_endpoint_auth_method === 'none'
      ? []
      : [{ name: 'password' as const, on: grant_types.includes('password') }]),
    ...(redirect_uris.length > 0 ? [{ name: 'implicit' as const, on: grant_types.includes('implicit') }] : []),
  ]
}

/** Switches one thing of a client; Trust gives a service of another system's door the flows that come with it. */
export async function switchClient(
  tenant: Tenant,
  record: ClientRecord,
  wanted: { name: string; on: boolean; actor: string; grant_types: readonly string[] },
): Promise<void> {
  const { name, on, actor } = wanted
  if (!listSwitches(record).some((one) => one.name === name)) {
    throw new OAuthError('invalid_request', 'This cannot be switched for this client')
  }
  const { client_id, response_types: _, ...client } = readClientRecord(record)
  const { settings } = await tenant.currentConfiguration()
  const trusted = name === 'trusted' ? on : client.trusted
  const switched = LEGACY_GRANT_TYPES.includes(name)
    ? [...client.grant_types.filter((one) => one !== name), ...(on ? [name] : [])]
    : client.grant_types
  const service = record.source === 'hub' && name === 'trusted'
  const grant_types = service
    ? listServiceFlows({
        settings,
        trusted,
        stranger: false,
        before: switched,
      })
    : switched
  const metadata = readAdministratedClient({ ...client, trusted, grant_types }, wanted.grant_types)
  const args = { client_id, metadata, seen: record.metadata, actor, changed: [name] }
  if (await updateClient(tenant, args)) return
  throw new OAuthError('invalid_request', 'The client has just changed; look at it and do it again')
}
