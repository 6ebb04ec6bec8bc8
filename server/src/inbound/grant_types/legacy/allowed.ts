import type { Client } from '../../../oauth/clients/client.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { rulesOf } from '../../../oauth/profile.ts'
import type { Configuration } from '../../../store/tenant.ts'

/** Refuses a legacy grant where the tenant has switched them off or the client's profile has none, whatever it was allowed before. */
export function requireLegacyGrants(client: Client, { settings }: Configuration, grant_type: string): void {
  if (settings.legacy_grants === 'off') {
    throw new OAuthError('unauthorized_client', `The grant type ${grant_type} is switched off for every client here`)
  }
  if (rulesOf(client, settings).legacy_grants) return
  throw new OAuthError('unauthorized_client', `The client's profile has no grant type ${grant_type}`)
}
