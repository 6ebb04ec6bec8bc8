import type { NewEvent } from '../records.ts'
import { int, type Run, read, sql, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** Somebody whose assertions are taken; `rules` is JSON. */
export interface TrustedIssuerRecord {
  readonly issuer: string
  readonly rules: string
  readonly disabled_at: number | null
}

/** Finds a trusted issuer, disabled or not. */
export const findTrustedIssuer = read(function* (args: {
  tenant_id: string
  issuer: string
}): Run<TrustedIssuerRecord | null> {
  const [found] = yield* sql<TrustedIssuerRecord>`
    select issuer, rules, disabled_at from trusted_issuers
    where tenant_id = ${args.tenant_id} and issuer = ${args.issuer}`
  return found ?? null
})

/** Trusted issuers in the order of their names, after one of them. */
export const pageTrustedIssuers = read(function* (args: {
  tenant_id: string
  after_issuer: string
  most: number
}): Run<TrustedIssuerRecord[]> {
  return yield* sql<TrustedIssuerRecord>`
    select issuer, rules, disabled_at from trusted_issuers
    where tenant_id = ${args.tenant_id} and issuer > ${args.after_issuer} order by issuer limit ${args.most}`
})

/** Forgets a trusted issuer; false where there is none. A token that came of its word lives on for its minutes. */
export const deleteTrustedIssuer = write(function* (args: {
  tenant_id: string
  issuer: string
  event: NewEvent
}): Run<boolean> {
  const [deleted] = yield* sql<{ issuer: string }>`
    delete from trusted_issuers where tenant_id = ${args.tenant_id} and issuer = ${args.issuer} returning issuer`
  if (deleted) yield* insertEvent(args.event)
  return deleted !== undefined
})

/**
 * Makes or changes a trusted issuer, and switches it on or off. False when what stands is no longer what was `seen`: null is
 * nothing.
 */
export const saveTrustedIssuer = write(function* (args: {
  tenant_id: string
  issuer: string
  rules: string
  disabled: boolean
  seen?: Omit<TrustedIssuerRecord, 'issuer'> | null
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, issuer, rules, seen, event } = args
  const [saved] = yield* sql<{ issuer: string }>`
    insert into trusted_issuers (tenant_id, issuer, rules, disabled_at, created_at, updated_at)
    values (${tenant_id}, ${issuer}, ${rules}, ${int(args.disabled ? event.at : null)}, ${event.at}, ${event.at})
    on conflict (tenant_id, issuer) do update set rules = excluded.rules, updated_at = excluded.updated_at,
      disabled_at = case when excluded.disabled_at is null then null
        else coalesce(trusted_issuers.disabled_at, excluded.disabled_at) end
      where ${seen === undefined ? 1 : 0} = 1 or (trusted_issuers.rules = ${seen?.rules ?? ''}
        and coalesce(trusted_issuers.disabled_at, -1) = ${int(seen?.disabled_at ?? -1)})
    returning issuer`
  if (saved) yield* insertEvent(event)
  return saved !== undefined
})
