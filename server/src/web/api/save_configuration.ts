import { OAuthError } from '../../oauth/errors.ts'
import type { Configuration, Tenant } from '../../store/tenant.ts'
import { stale } from './preconditions.ts'

const MOST_TRIES = 8

/**
 * Saves a part of the tenant's configuration while that part is what was seen. Its verbs compare the version of the whole,
 * so a change of another part is looked at again, and not mistaken for one of this.
 */
export async function saveSeen(
  tenant: Tenant,
  isSeen: (configuration: Configuration) => boolean,
  save: (seen: number) => Promise<boolean>,
): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const configuration = await tenant.currentConfiguration()
    if (!isSeen(configuration)) throw stale()
    if (await save(configuration.config_version)) return
  }
  throw new OAuthError('temporarily_unavailable', 'The configuration is being changed by others; try again in a moment')
}
