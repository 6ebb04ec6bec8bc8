import { newId } from '../../crypto/random.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { UserRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { event } from '../event.ts'
import { checkPasswordOf, prepareUser, type UserDescription } from './prepare_user.ts'

/** Refuses what `createUser` or `updateUser` would refuse, without hashing anything. */
export async function checkUser(description: UserDescription): Promise<void> {
  checkPasswordOf(description)
  await prepareUser('', { ...description, password: undefined })
}

/** Makes a user; answers the user_id, or null when the username is taken. */
export async function createUser(
  tenant: Tenant,
  description: UserDescription,
  args: { actor: string; user_id?: string | undefined },
): Promise<string | null> {
  const { tenant_id, store } = tenant
  const user_id = args.user_id ?? newId(tenant.clock())
  // A user must never be taken for a client (RFC 9700 section 4.15).
  if (await store.findClient({ tenant_id, client_id: user_id })) {
    throw new OAuthError('invalid_request', 'user_id is the client_id of a client')
  }
  const user = await prepareUser(user_id, description)
  const detail = { username: user.username, roles: description.roles ?? [] }
  const made = event(tenant, 'user.created', args.actor, { user_id, detail })
  return (await store.createUser({ tenant_id, user, event: made })) ? user_id : null
}

/** Changes what a description names of a user, and leaves the rest; false when the user is gone. */
export async function updateUser(
  tenant: Tenant,
  present: UserRecord,
  description: Omit<UserDescription, 'username'>,
  args: { actor: string; changed: readonly string[] },
): Promise<boolean> {
  const { tenant_id, store } = tenant
  const { user_id, username } = present
  const user = await prepareUser(user_id, {
    username,
    name: description.name ?? present.name ?? undefined,
    email: description.email ?? present.email ?? undefined,
    email_verified: description.email_verified ?? present.email_verified === 1,
    roles: description.roles ?? (JSON.parse(present.roles) as string[]),
    claims: description.claims ?? (JSON.parse(present.claims) as Record<string, unknown>),
    password: description.password,
  })
  const detail = { changed: args.changed }
  return store.updateUser({ tenant_id, user, event: event(tenant, 'user.updated', args.actor, { user_id, detail }) })
}
