import { equalBytes } from '../crypto/hash.ts'
import { newId } from '../crypto/random.ts'
import type { Algorithm } from '../crypto/signing_keys.ts'
import type { RootKey } from '../crypto/tenant_keys.ts'
import { makeSigningKey } from '../inbound/tenants.ts'
import { BackupError } from '../store/backup/backup_file.ts'
import type { RestoreTarget } from '../store/backup/tables.ts'
import { type ChainHead, findBrokenLink, type SealedEvent } from '../store/event_chain.ts'
import { loadChainHead } from '../store/verbs/events.ts'
import { mayHaveEnded, replayEnded } from '../store/verbs/restored.ts'
import { changeSigningKeys, type KeyMove, listSigningKeys } from '../store/verbs/signing_keys.ts'
import { listTenantKeys, listTenants } from '../store/verbs/tenants.ts'
import { openFile, readEvents } from './events_verify.ts'

/** What an export has said of the time since the backup. */
export interface Replayed {
  readonly events: number
  /** When the last of them was: what was revoked later is not known. */
  readonly until: number
  readonly undone: Undone
  /** Signing keys that were revoked. */
  readonly revoked_kids: readonly string[]
}

/** What was done and is as before again, by type: how often, and of what, as far as the events name it. */
export type Undone = Readonly<Record<string, { readonly times: number; readonly of: readonly string[] }>>

const AT_ONCE = 500
const MOST_NAMED = 100
// What the backup has already is in no chain for a moment; what it lacks may have been under way, by another clock.
const SKEW_MS = 60_000
// What no end of a grant or of a connection brings back to how it was.
const UNDONE =
  /^(?:password\.(?:changed|reset)|email\.confirmed|factor\.removed|identity\.unlinked|recovery_codes\.renewed|client\.(?:enabled|former_secret_ended|secret_rotated|updated)|user\.(?:enabled|updated)|(?:resource|role|settings|trusted_issuer)\.saved|trusted_issuer\.deleted|tenant\.enabled|connector\.(?:changed|deleted|disabled|key_rotated)|webhook\.(?:changed|deleted|disabled))$/
// What else the detail of an event names.
const NAMES = ['resource', 'role', 'issuer', 'connector', 'webhook']

/**
 * Ends in a filled database what exports of the audit log (`events export`) say has ended since the backup. Each goes on
 * from the link at which the chain of a tenant stood in the backup, so that nothing between is missing. One that ends before
 * the backup was made says nothing of the time since. Answers by tenant.
 */
export async function replayRevocations(
  target: RestoreTarget,
  root: RootKey,
  files: readonly string[],
  made_at: number,
): Promise<ReadonlyMap<string, Replayed>> {
  const heads = new Map<string, ChainHead>()
  for (const { tenant_id } of files.length === 0 ? [] : await target.run(listTenants, {})) {
    const head = await target.run(loadChainHead, { tenant_id })
    if (head) heads.set(tenant_id, head)
  }
  const replayed = new Map<string, Replayed>()
  for (const file of files) {
    const [tenant_id, one] = await replayFile(target, file, heads, made_at)
    await revokeKeys(target, root, tenant_id, one.revoked_kids)
    if (one.until >= made_at) replayed.set(tenant_id, one)
  }
  return replayed
}

async function replayFile(
  target: RestoreTarget,
  file: string,
  heads: ReadonlyMap<string, ChainHead>,
  made_at: number,
): Promise<[tenant_id: string, Replayed]> {
  let found: { readonly tenant_id: string; head: ChainHead } | undefined
  let page: SealedEvent[] = []
  const since = {
    events: 0,
    until: 0,
    undone: {} as Record<string, { times: number; of: string[] }>,
    revoked_kids: [] as string[],
  }
  const replayPage = async () => {
    const last = page.at(-1)
    if (!found || !last) return
    const broken_at = findBrokenLink(found.head, page)
    if (broken_at !== null) throw new BackupError(`${file}: the chain is broken at ${broken_at}`)
    await target.run(replayEnded, { tenant_id: found.tenant_id, ended: page.filter(mayHaveEnded) })
    for (const event of page) if (UNDONE.test(event.type) && event.at >= made_at - SKEW_MS) note(since.undone, event)
    found.head = last
    for (const event of page)
      if (event.type === 'signing_key.revoked') since.revoked_kids.push(...listRevokedKids(event))
    since.events += page.length
    since.until = last.at
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
  return [found.tenant_id, since]
}

function note(undone: Record<string, { times: number; of: string[] }>, event: SealedEvent): void {
  undone[event.type] ??= { times: 0, of: [] }
  const noted = undone[event.type]!
  noted.times++
  const name = nameOf(event)
  if (name !== undefined && noted.of.length < MOST_NAMED && !noted.of.includes(name)) noted.of.push(name)
}

function nameOf({ client_id, user_id, detail }: SealedEvent): string | undefined {
  const said = JSON.parse(detail) as Readonly<Record<string, unknown>>
  const named = NAMES.map((key) => said[key]).find((one) => typeof one === 'string') as string | undefined
  return user_id ?? named ?? client_id ?? undefined
}

function listRevokedKids({ detail }: SealedEvent): string[] {
  const { moves = [] } = JSON.parse(detail) as { moves?: readonly Pick<KeyMove, 'kid' | 'to'>[] }
  return moves.filter(({ to }) => to === 'revoked').map(({ kid }) => kid)
}

/** Revokes signing keys again: whoever has one could sign whatever they like. One that signed is replaced at once. */
async function revokeKeys(target: RestoreTarget, root: RootKey, tenant_id: string, kids: readonly string[]) {
  for (const kid of kids) {
    const { keys } = await target.run(listSigningKeys, { tenant_id })
    const key = keys.find((one) => one.kid === kid)
    if (!key || key.state === 'revoked') continue
    const sealing = root.unwrap(tenant_id, await target.run(listTenantKeys, { tenant_id }))
    const added =
      key.state === 'current' ? [await makeSigningKey({ keys: sealing }, 'current', key.alg as Algorithm)] : []
    const at = Date.now()
    const detail = { alg: key.alg, moves: [{ kid, to: 'revoked' }], added: added.map((one) => one.kid) }
    await target.run(changeSigningKeys, {
      ...{ tenant_id, moves: [{ kid, from: key.state, to: 'revoked' }], added },
      events: [{ tenant_id, event_id: newId(at), at, type: 'signing_key.revoked', actor: 'cli', detail }],
    })
  }
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
