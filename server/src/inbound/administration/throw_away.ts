import type { PublicJwks } from '../../oauth/clients/client_jwks.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { TrustedIssuerRules } from '../../oauth/trusted_issuer.ts'
import type { Tenant } from '../../store/tenant.ts'
import { deleteClient } from '../clients/administer_clients.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { createUser } from '../users/administer_users.ts'
import { deleteUser } from '../users/delete_user.ts'

const DAY_MS = 86_400_000
const CLIENTS_AT_ONCE = 100

const issuerOf = (tenant: Pick<Tenant, 'issuer'>, client_id: string) => `${tenant.issuer}/playground/${client_id}`
// By its own name and not by what the issuer's rules say: those may have been changed meanwhile.
const userOf = (client_id: string) => `${client_id}-user`

/** Whether an issuer is trusted for the playground alone, and goes with its client. */
export function isThrowAwayIssuer(tenant: Pick<Tenant, 'issuer'>, issuer: string): boolean {
  return issuer.startsWith(issuerOf(tenant, 'playground-'))
}

/** Whether a user was made by the playground, and goes with its client. */
export function isThrowAwayUser(user_id: string): boolean {
  return /^playground-.+-user$/.test(user_id)
}

/**
 * Trusts somebody for a throw-away client of the playground, and for a user who is made for it: the issuer can speak for
 * nobody else, through no other client, and for nothing but a name (ADR 54). Answers the issuer.
 */
export async function makeThrowAwayIssuer(
  tenant: Tenant,
  client_id: string,
  { jwks, name, subject, actor }: { jwks: PublicJwks; name: string; subject: string; actor: string },
): Promise<string> {
  const { tenant_id, store } = tenant
  const issuer = issuerOf(tenant, client_id)
  // Without password, address and role: nobody signs in as this user.
  const user_id = await createUser(tenant, { username: client_id, name }, { actor, user_id: userOf(client_id) })
  if (user_id === null) throw new OAuthError('invalid_request', 'The name of the throw-away user is taken')
  const rules: TrustedIssuerRules = {
    ...{ jwks, subjects: { [subject]: client_id }, clients: [client_id] },
    scope: 'openid profile',
  }
  await store.saveTrustedIssuer({
    ...{ tenant_id, issuer, rules: JSON.stringify(rules), disabled: false, seen: null },
    event: event(tenant, 'trusted_issuer.saved', actor, {
      detail: { issuer, disabled: false, changed: Object.keys(rules) },
    }),
  })
  return issuer
}

/** Deletes a client of the playground with all that was made for it; false where it is none. */
export async function throwAway(
  tenant: Tenant,
  client_id: string,
  { actor, reason }: { readonly actor: string; readonly reason?: string },
): Promise<boolean> {
  const { tenant_id, store } = tenant
  const found = await store.findClient({ tenant_id, client_id })
  if (found?.source !== 'playground') return false
  const issuer = issuerOf(tenant, client_id)
  const ended = event(tenant, 'trusted_issuer.deleted', actor, { detail: { issuer } })
  await store.deleteTrustedIssuer({ tenant_id, issuer, event: ended })
  await deleteUser(tenant, { user_id: userOf(client_id) }, actor)
  // Last, so that whoever dies in between leaves it to be found again.
  const deleted = event(tenant, 'client.deleted', actor, { client_id, ...(reason && { detail: { reason } }) })
  return store.deleteClient({ tenant_id, client_id, event: deleted })
}

/** Deletes a client with its grants, and one of the playground with all that was made for it; false when there is none. */
export async function deleteAnyClient(tenant: Tenant, client_id: string, actor: string): Promise<boolean> {
  return (await throwAway(tenant, client_id, { actor })) || (await deleteClient(tenant, client_id, actor))
}

/** Throws the clients of the playground away after a day, used or not: nobody tries a flow for longer. Answers how many. */
export async function sweepThrownAwayClients({ tenant }: InboundContext): Promise<number> {
  const { tenant_id, store } = tenant
  const created_before = (await store.ping({})) - DAY_MS
  let swept = 0
  for (;;) {
    const found = await store.listThrownAwayClients({ tenant_id, created_before, most: CLIENTS_AT_ONCE })
    for (const { client_id } of found) {
      if (await throwAway(tenant, client_id, { actor: 'system', reason: 'thrown_away' })) swept++
    }
    if (found.length < CLIENTS_AT_ONCE) return swept
  }
}
