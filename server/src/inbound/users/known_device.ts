import { equalBytes } from '../../crypto/hash.ts'
import { randomBytes } from '../../crypto/random.ts'
import type { Tenant } from '../../store/tenant.ts'

/** How long a browser is known after a sign-in. */
export const KNOWN_DEVICE_DAYS = 90
const MOST_USERS = 5

const ID = 16
const TIME = 6
const MAC = 16

/** Who signed in at a device; a reset or a sign-out everywhere raises the epoch, and then it is known no more. */
export interface DeviceUser {
  readonly user_id: string
  readonly epoch: number
}

/**
 * The id of a device from which this user signed in before, or undefined. The cookie is its own proof: a random id, and
 * for each user a time and a MAC over both; it lets nobody in, and only counts wrong guesses apart (ASVS 6.1.1).
 */
export function readKnownDevice(
  tenant: Tenant,
  cookie: string | undefined,
  user: DeviceUser,
  now: number,
): string | undefined {
  const device = readCookie(cookie)
  const known = device?.entries.some(
    ({ ends_at, mac }) => ends_at > now && equalBytes(mac, makeMac(tenant, device.id, user, ends_at)),
  )
  return known ? device!.id.toString('base64url') : undefined
}

/** The cookie of a device after a sign-in: this user is known there from now on, beside the last ones. */
export function rememberDevice(
  tenant: Tenant,
  cookie: string | undefined,
  user: DeviceUser,
  now: number,
): { cookie: string; expires_at: number } {
  const known = readCookie(cookie)
  const id = known?.id ?? randomBytes(ID)
  const expires_at = now + KNOWN_DEVICE_DAYS * 86_400_000
  const others = (known?.entries ?? []).filter(
    ({ ends_at, mac }) => ends_at > now && !equalBytes(mac, makeMac(tenant, id, user, ends_at)),
  )
  const entries = [{ ends_at: expires_at, mac: makeMac(tenant, id, user, expires_at) }, ...others].slice(0, MOST_USERS)
  const bytes = [id, ...entries.flatMap(({ ends_at, mac }) => [writeTime(ends_at), mac])]
  return { cookie: Buffer.concat(bytes).toString('base64url'), expires_at }
}

interface Device {
  readonly id: Buffer
  readonly entries: readonly { readonly ends_at: number; readonly mac: Buffer }[]
}

function readCookie(cookie: string | undefined): Device | null {
  if (cookie === undefined || cookie.length > 200) return null
  const bytes = Buffer.from(cookie, 'base64url')
  const count = (bytes.length - ID) / (TIME + MAC)
  if (!Number.isInteger(count) || count < 1 || count > MOST_USERS || bytes.toString('base64url') !== cookie) return null
  const entries = Array.from({ length: count }, (_, i) => {
    const from = ID + i * (TIME + MAC)
    return { ends_at: bytes.readUIntBE(from, TIME), mac: bytes.subarray(from + TIME, from + TIME + MAC) }
  })
  return { id: bytes.subarray(0, ID), entries }
}

function makeMac(tenant: Tenant, id: Buffer, { user_id, epoch }: DeviceUser, ends_at: number): Buffer {
  const what = JSON.stringify(['known_device', id.toString('base64url'), user_id, epoch, ends_at])
  return tenant.keys.hashSecret(what).subarray(0, MAC)
}

function writeTime(ends_at: number): Buffer {
  const bytes = Buffer.alloc(TIME)
  bytes.writeUIntBE(ends_at, 0, TIME)
  return bytes
}
