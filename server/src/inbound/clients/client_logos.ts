import { EgressError } from '../../egress/egress_error.ts'
import type { Tenant } from '../../store/tenant.ts'
import type { DueLogo } from '../../store/verbs/client_logos.ts'
import type { InboundContext } from '../context.ts'
import { event } from '../event.ts'
import { nameOfPicture, type Picture, readPicture, type WhyNoPicture } from '../picture.ts'

const AT_ONCE = 10
const DAY_MS = 86_400_000
// Longer than a call may take: nobody fetches it again while somebody still does.
const FIRST_WAIT_MS = 60_000

/** Why a picture could not be fetched; `status` with the one that was answered behind it. */
export type WhyNoLogo = WhyNoPicture | 'blocked' | 'unreachable' | `status ${number}`

/** How long until the next try, after so many in a row that failed. */
export function waitForLogo(attempts: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** attempts, DAY_MS)
}

/**
 * Fetches the pictures of clients whose turn has come (`logo_uri`, RFC 7591 section 2): never because somebody looks at a
 * page, a bounded number at a time, each by one replica. Each day it looks anew. Says how many it saw to.
 */
export async function fetchClientLogos(context: InboundContext): Promise<number> {
  const { tenant_id, store } = context.tenant
  const due = await store.listDueLogos({ tenant_id, most: AT_ONCE })
  await Promise.all(due.map((logo) => fetchLogo(context, logo)))
  return due.length
}

async function fetchLogo(
  { tenant, egress }: InboundContext,
  { client_id, logo_uri, attempts }: DueLogo,
): Promise<void> {
  const { tenant_id, store } = tenant
  const key = { tenant_id, client_id, logo_uri }
  if (!(await store.leaseLogo({ ...key, attempts, again_in_ms: waitForLogo(attempts) }))) return
  const picture = await callFor(egress, logo_uri)
  if (typeof picture === 'string') {
    await store.noteLogoFailure({ ...key, failure: picture })
    return
  }
  const file = nameOfPicture(picture)
  const detail = { logo_uri, file, bytes: picture.bytes.length }
  const changed = event(tenant, 'client.logo_changed', 'system', { client_id, detail })
  await store.keepLogo({ ...key, file, picture: picture.bytes, again_in_ms: DAY_MS, event: changed })
}

// What it is called, and of which type, its host may say as it likes: the bytes decide.
async function callFor(egress: InboundContext['egress'], logo_uri: string): Promise<Picture | WhyNoLogo> {
  try {
    const headers = { accept: 'image/png, image/jpeg, image/webp' }
    const response = await egress.fetch(logo_uri, { purpose: 'logo', headers, redirects: 2 })
    if (response.status === 200) return readPicture(new Uint8Array(await response.arrayBuffer()))
    await response.body?.cancel()
    return `status ${response.status}`
  } catch (error) {
    if (!(error instanceof EgressError)) throw error
    if (error.code === 'too_large') return 'large'
    return error.code.startsWith('blocked_') ? 'blocked' : 'unreachable'
  }
}

/** Has the picture of a client fetched at the next turn; false where there is none to fetch. */
export function askForLogo(tenant: Tenant, client_id: string, actor: string): Promise<boolean> {
  const asked = event(tenant, 'client.logo_asked', actor, { client_id })
  return tenant.store.askForLogo({ tenant_id: tenant.tenant_id, client_id, event: asked })
}
