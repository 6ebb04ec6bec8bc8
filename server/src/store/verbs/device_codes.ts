import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, text, write } from '../sql.ts'
import { insertEvent } from './events.ts'
import { approveGrant, endGrant, type NewGrant } from './grants.ts'

/** A device's request while its user looks for the page (RFC 8628 section 3.1). */
export interface NewDeviceCode {
  readonly tenant_id: string
  readonly device_code_hash: Uint8Array
  readonly user_code_hash: Uint8Array
  readonly client_id: string
  readonly scope: string
  readonly resource: string
  readonly code_challenge: string | null
  readonly user_agent: string | null
  readonly address: string | null
  readonly interval_seconds: number
  readonly lifetime_ms: number
}

/** A device's request as it is kept. */
export interface DeviceCode {
  readonly device_code_hash: Uint8Array
  readonly client_id: string
  readonly scope: string
  readonly resource: string
  readonly code_challenge: string | null
  readonly user_agent: string | null
  readonly address: string | null
  readonly state: 'pending' | 'approved' | 'denied' | 'dead'
  readonly user_id: string | null
  readonly grant_id: string | null
  readonly created_at: number
  readonly expires_at: number
}

/** So many people who enter one code are the sign of a code that is passed around (RFC 8628 section 5.4). */
const MOST_PEOPLE = 3

/** Keeps a device's request; false when another one that waits has the same user code. */
export const startDeviceCode = write(function* (args: NewDeviceCode): Run<boolean> {
  const [kept] = yield* sql<{ client_id: string }>`
    insert into device_codes (tenant_id, device_code_hash, user_code_hash, client_id, scope, resource, code_challenge,
      user_agent, address, interval_seconds, state, other_users, created_at, expires_at)
    values (${args.tenant_id}, ${args.device_code_hash}, ${args.user_code_hash}, ${args.client_id}, ${args.scope},
      ${args.resource}, ${text(args.code_challenge)}, ${text(args.user_agent)}, ${text(args.address)},
      ${args.interval_seconds}, 'pending', '[]', ${NOW}, ${NOW} + ${args.lifetime_ms})
    on conflict do nothing returning client_id`
  return kept !== undefined
})

/** The grant that a device code has brought, if any; without a look at whether it lives. */
export const findGrantOfDevice = read(function* (args: {
  tenant_id: string
  device_code_hash: Uint8Array
}): Run<string | null> {
  const [row] = yield* sql<{ grant_id: string | null }>`
    select grant_id from device_codes
    where tenant_id = ${args.tenant_id} and device_code_hash = ${args.device_code_hash}`
  return row?.grant_id ?? null
})

/** A client's own device code is polled: the time is kept, and whoever comes too soon has to wait longer each time. */
export const pollDeviceCode = write(
  function* (args: {
    tenant_id: string
    device_code_hash: Uint8Array
    client_id: string
    grace_ms: number
  }): Run<(DeviceCode & { readonly too_soon: boolean }) | null> {
    const { tenant_id, device_code_hash, client_id } = args
    // Updating it first locks it: of two polls at once the second one came too soon.
    const [before] = yield* sql<{ interval_seconds: number; polled_at: number | null; now: number }>`
      update device_codes set interval_seconds = interval_seconds
      where tenant_id = ${tenant_id} and device_code_hash = ${device_code_hash} and client_id = ${client_id}
      returning interval_seconds, polled_at, ${NOW} as now`
    if (!before) return null
    const { interval_seconds, polled_at, now } = before
    const too_soon = polled_at !== null && now - polled_at < interval_seconds * 1000 - args.grace_ms
    const [row] = yield* sql<DeviceCode>`
      update device_codes set polled_at = ${NOW}, interval_seconds = ${interval_seconds + (too_soon ? 5 : 0)}
      where tenant_id = ${tenant_id} and device_code_hash = ${device_code_hash}
      returning device_code_hash, client_id, scope, resource, code_challenge, user_agent, address, state, user_id,
        grant_id, created_at, expires_at`
    return { ...row!, too_soon }
  },
  { key: ({ tenant_id, device_code_hash }) => `${tenant_id}/${Buffer.from(device_code_hash).toString('base64url')}` },
)

/**
 * A user has entered a code: the first one has it to answer, nobody else. `taken` for others; so many others end it,
 * with the grant that it may have brought.
 */
export const openDeviceCode = write(function* (args: {
  tenant_id: string
  user_code_hash: Uint8Array
  user_id: string
  /** Written when the code turns out to be passed around. */
  event: NewEvent
}): Run<DeviceCode | 'taken' | null> {
  const { tenant_id, user_code_hash, user_id } = args
  const [row] = yield* sql<DeviceCode & { other_users: string }>`
    update device_codes set user_id = coalesce(user_id, ${user_id})
    where tenant_id = ${tenant_id} and user_code_hash = ${user_code_hash} and expires_at > ${NOW}
    returning device_code_hash, client_id, scope, resource, code_challenge, user_agent, address, state, user_id,
      grant_id, created_at, expires_at, other_users`
  if (!row) return null
  const { other_users, ...code } = row
  if (code.user_id === user_id) return code
  const others = new Set(JSON.parse(other_users) as string[]).add(user_id)
  const passed_around = others.size + 1 >= MOST_PEOPLE && code.state !== 'dead'
  yield* sql`
    update device_codes set other_users = ${JSON.stringify([...others].slice(0, MOST_PEOPLE))},
      state = ${passed_around ? 'dead' : code.state}
    where tenant_id = ${tenant_id} and user_code_hash = ${user_code_hash}`
  if (!passed_around) return 'taken'
  if (code.grant_id === null) yield* insertEvent(args.event)
  else yield* endGrant({ ...args.event, grant_id: code.grant_id }, code.grant_id, 'device_code_passed_around')
  return 'taken'
})

/** The user who has the code to answer refuses; false when there is nothing to answer any more. */
export const denyDeviceCode = write(function* (args: {
  tenant_id: string
  user_code_hash: Uint8Array
  user_id: string
  event: NewEvent
}): Run<boolean> {
  const denied = yield* decide(args, 'denied', null)
  if (denied) yield* insertEvent(args.event)
  return denied
})

/** The user who has the code to answer allows it: the grant is made, and the device finds it when it asks next. */
export const approveDeviceCode = write(function* (args: {
  tenant_id: string
  user_code_hash: Uint8Array
  approval: NewGrant
}): Run<boolean> {
  const { tenant_id } = args
  const { grant } = args.approval
  const { user_id, grant_id } = grant
  const approved = yield* decide({ tenant_id, user_code_hash: args.user_code_hash, user_id }, 'approved', grant_id)
  if (!approved) return false
  if ((yield* approveGrant.run(args.approval)) === 'approved') return true
  // The session has ended meanwhile: the code waits for an answer as before.
  yield* sql`
    update device_codes set state = 'pending', grant_id = null
    where tenant_id = ${tenant_id} and user_code_hash = ${args.user_code_hash}`
  return false
})

function* decide(
  { tenant_id, user_code_hash, user_id }: { tenant_id: string; user_code_hash: Uint8Array; user_id: string },
  state: 'approved' | 'denied',
  grant_id: string | null,
): Run<boolean> {
  const [decided] = yield* sql<{ client_id: string }>`
    update device_codes set state = ${state}, grant_id = ${text(grant_id)}
    where tenant_id = ${tenant_id} and user_code_hash = ${user_code_hash} and user_id = ${user_id}
      and state = 'pending' and expires_at > ${NOW}
    returning client_id`
  return decided !== undefined
}
