import type { UserRecord } from '../../store/records.ts'
import type { Tenant } from '../../store/tenant.ts'
import { updateUser } from './administer_users.ts'

/** The language of a user: the claim `locale` (OpenID Connect Core section 5.1), as registered or as they chose it. */
export function localeOf({ claims }: Pick<UserRecord, 'claims'>): string | undefined {
  if (!claims.includes('"locale"')) return undefined
  const { locale } = JSON.parse(claims) as { readonly locale?: unknown }
  return typeof locale === 'string' ? locale : undefined
}

/** Keeps the language that a user has chosen. Where somebody else changes the user at that moment, it is tried once more. */
export async function keepLocale(tenant: Tenant, user: UserRecord, locale: string): Promise<void> {
  let present: UserRecord | null = user
  for (let tries = 0; present && tries < 3; tries++) {
    if (localeOf(present) === locale) return
    const claims = { ...(JSON.parse(present.claims) as Record<string, unknown>), locale }
    const how = { actor: `user:${user.user_id}`, changed: ['locale'], seen: true } as const
    if (await updateUser(tenant, present, { claims }, how)) return
    present = await tenant.store.findUser({ tenant_id: tenant.tenant_id, user_id: user.user_id })
  }
}
