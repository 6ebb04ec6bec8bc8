import { equalBytes } from '../crypto/hash.ts'
import { BackupError } from '../store/backup/backup_file.ts'
import type { RestoreTarget } from '../store/backup/tables.ts'
import { type ChainHead, findBrokenLink, type SealedEvent } from '../store/event_chain.ts'
import { loadChainHead } from '../store/verbs/events.ts'
import { mayHaveEnded, replayEnded } from '../store/verbs/restored.ts'
import { listTenants } from '../store/verbs/tenants.ts'
import { openFile, readEvents } from './events_verify.ts'

/** What an export has said of the time since the backup. */
export interface Replayed {
  readonly events: number
  /** When the last of them was: what was revoked later is not known. */
  readonly until: number | null
  /** What was done for safety and is as before again, by type: how often. */
  readonly undone: Readonly<Record<string, number>>
}

const AT_ONCE = 500
// Of no grant and no connection, or more than them.
const UNDONE =
  /^(?:password\.(?:changed|reset)|factor\.removed|signing_key\.revoked|client\.secret_rotated|client\.former_secret_ended|user\.updated|role\.saved|trusted_issuer\.saved|connector\.(?:disabled|deleted)|webhook\.(?:deleted|disabled))$/

/**
 * Ends in a filled database what exports of the audit log (`events export`) say has ended since the backup. Each goes on
 * from the link at which the chain of a tenant stood in the backup, so that nothing between is missing; answers by tenant.
 */
export async function replayRevocations(
  target: RestoreTarget,
  files: readonly string[],
): Promise<ReadonlyMap<string, Replayed>> {
  const heads = new Map<string, ChainHead>()
  for (const { tenant_id } of files.length === 0 ? [] : await target.run(listTenants, {})) {
    const head = await target.run(loadChainHead, { tenant_id })
    if (head) heads.set(tenant_id, head)
  }
  const replayed = new Map<string, Replayed>()
  for (const file of files) {
    const [tenant_id, one] = await replayFile(target, file, heads)
    replayed.set(tenant_id, one)
  }
  return replayed
}

async function replayFile(
  target: RestoreTarget,
  file: string,
  heads: ReadonlyMap<string, ChainHead>,
): Promise<[string, Replayed]> {
  let found: { readonly tenant_id: string; head: ChainHead } | undefined
  let page: SealedEvent[] = []
  const undone: Record<string, number> = {}
  let events = 0
  let until: number | null = null
  const replayPage = async () => {
    const last = page.at(-1)
    if (!found || !last) return
    const broken_at = findBrokenLink(found.head, page)
    if (broken_at !== null) throw new BackupError(`${file}: the chain is broken at ${broken_at}`)
    await target.run(replayEnded, { tenant_id: found.tenant_id, ended: page.filter(mayHaveEnded) })
    for (const { type } of page) if (UNDONE.test(type)) undone[type] = (undone[type] ?? 0) + 1
    found.head = last
    events += page.length
    until = last.at
    page = []
  }
  for await (const event of readEvents(openFile(file))) {
    if (found) page.push(event)
    else {
      const place = findPlace(heads, event)
      if (!place) continue
      found = { tenant_id: place.tenant_id, head: place.head }
      if (place.is_next) page.push(event)
    }
    if (page.length === AT_ONCE) await replayPage()
  }
  if (found) await replayPage()
  if (!found) {
    const last = [...heads.values()].map(({ sequence }) => sequence).join(', ')
    throw new BackupError(
      `${file} does not go on from the backup, whose last event is number ${last}: export all of the log`,
    )
  }
  return [found.tenant_id, { events, until, undone }]
}

/** Whose chain an event belongs to: it is the last one of the backup, or the first behind it. */
function findPlace(heads: ReadonlyMap<string, ChainHead>, event: SealedEvent) {
  for (const [tenant_id, head] of heads) {
    if (event.sequence === head.sequence && equalBytes(event.chain, head.chain))
      return { tenant_id, head, is_next: false }
    if (findBrokenLink(head, [event]) === null) return { tenant_id, head, is_next: true }
  }
  return null
}
