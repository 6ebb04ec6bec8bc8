import { OAuthError } from '../../../oauth/errors.ts'
import type { Configuration } from '../../../store/tenant.ts'

/** Refuses a legacy grant where the tenant has switched them off, whatever its clients were allowed before. */
export function requireLegacyGrants({ settings }: Configuration, grant_type: string): void {
  if (settings.legacy_grants !== 'off') return
  throw new OAuthError('unauthorized_client', `The grant type ${grant_type} is switched off for every client here`)
}
