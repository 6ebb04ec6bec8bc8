import { newId, randomLetters } from '../../crypto/random.ts'
import type { Tenant } from '../../store/tenant.ts'
import { type Identity, IdentityTaken } from '../../store/verbs/identities.ts'
import type { UserWithPassword } from '../../store/verbs/users.ts'
import { event } from '../event.ts'
import { isEmail, prepareUser, type UserDescription } from './prepare_user.ts'

/** Somebody whom another server vouches for, and whether a stranger becomes a user here. */
export interface Arrival {
  readonly identity: Identity
  readonly mode: 'linked' | 'create'
  readonly claims: {
    readonly name?: string
    readonly username?: string
    readonly email?: string
    readonly email_verified: boolean
  }
}

const MOST_TRIES = 5

/**
 * The user who arrives with an identity (OpenID Connect Core section 5.7): the one it is linked to, found by authority
 * and account alone and never by an address or a name (ASVS 10.5.2, CVE-2026-53516); or a new one where the connector
 * makes users. Null is nobody, or somebody who is disabled.
 */
export async function findArrival(tenant: Tenant, arrival: Arrival): Promise<UserWithPassword | null> {
  const { tenant_id, store } = tenant
  const { authority, account } = arrival.identity
  const user_id = await store.useIdentity({ tenant_id, authority, account })
  const known = user_id === null ? await createArrival(tenant, arrival) : user_id
  const user = known === null ? null : await store.findUser({ tenant_id, user_id: known })
  return user && user.disabled_at === null ? user : null
}

async function createArrival(tenant: Tenant, { identity, mode, claims }: Arrival): Promise<string | null> {
  if (mode !== 'create') return null
  const { tenant_id, store } = tenant
  const wanted = readUsername(nameOf(claims)) ?? identity.connector
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const username =
      tries === 0 && wanted !== identity.connector ? wanted : `${wanted}-${randomLetters('bcdfghjkmnpqrstvwxz', 6)}`
    const name = claims.name?.replace(/[\p{Cc}\s]+/gu, ' ').trim()
    const description: UserDescription = { username, ...(name && { name }) }
    const email = readEmail(claims.email)
    const user = await prepareUser(newId(tenant.clock()), {
      ...description,
      ...(email !== undefined && { email, email_verified: claims.email_verified }),
    })
    const { user_id } = user
    const detail = { authority: identity.authority, account: identity.account, connector: identity.connector }
    const made = event(tenant, 'user.created', `connector:${identity.connector}`, { user_id, detail })
    try {
      if (await store.createUserOfIdentity({ tenant_id, identity, user, event: made })) return user_id
    } catch (error) {
      if (!(error instanceof IdentityTaken)) throw error
      // Two of their browsers came at once: the other one has made the user.
      const { authority, account } = identity
      return store.useIdentity({ tenant_id, authority, account })
    }
  }
  return null
}

/**
 * What a stranger is called here. An address as a name is for whoever has it: else it would keep its owner from being found
 * by it, or be taken for them. Of one that nobody has verified there remains what is before the host.
 */
function nameOf({ username, email, email_verified }: Arrival['claims']): string | undefined {
  const name = username ?? email
  const owned = email_verified && name?.toLowerCase() === email?.toLowerCase()
  return owned ? name : name?.split('@')[0]
}

function readUsername(text: string | undefined): string | undefined {
  const name = text
    ?.normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, '')
    .slice(0, 100)
  return name === undefined || name === '' ? undefined : name
}

function readEmail(text: string | undefined): string | undefined {
  return text !== undefined && isEmail(text) ? text : undefined
}

/** Links an identity to a user who has just proved both (ASVS 6.8.1); `taken` when it is another user's. */
export function linkArrival(
  tenant: Tenant,
  user_id: string,
  identity: Identity,
): Promise<'linked' | 'known' | 'taken'> {
  const { authority, account, connector } = identity
  const linked = event(tenant, 'identity.linked', `user:${user_id}`, {
    user_id,
    detail: { authority, account, connector },
  })
  return tenant.store.linkIdentity({ tenant_id: tenant.tenant_id, identity, user_id, event: linked })
}
