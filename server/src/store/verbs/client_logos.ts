import type { NewEvent } from '../records.ts'
import { NOW, type Run, read, sql, together, write } from '../sql.ts'
import { insertEvent } from './events.ts'

/** The picture of a client as it stands, and what became of fetching it. */
export interface ClientLogo {
  readonly logo_uri: string
  /** The name under which it is served; null until there is one. */
  readonly file: string | null
  readonly fetched_at: number | null
  /** Why it could not be fetched of late. */
  readonly failure: string | null
  readonly failed_at: number | null
  /** When it is fetched next. */
  readonly due_at: number
}

/**
 * Notes what picture a client has registered, as part of the verb that makes or changes the client: another address drops
 * what was fetched from the one before. Of who registered itself nothing is fetched: it may show anybody's.
 */
export function* noteLogo(tenant_id: string, client_id: string, metadata: string): Run<void> {
  const { logo_uri } = JSON.parse(metadata) as { logo_uri?: string }
  yield* sql`
    delete from client_logos where tenant_id = ${tenant_id} and client_id = ${client_id} and logo_uri <> ${logo_uri ?? ''}`
  if (logo_uri === undefined) return
  yield* sql`
    insert into client_logos (tenant_id, client_id, logo_uri, attempts, due_at)
    select tenant_id, client_id, ${logo_uri}, 0, ${NOW} from clients
    where tenant_id = ${tenant_id} and client_id = ${client_id}
      and source not in ('open', 'dynamic', 'metadata_document')
    on conflict do nothing`
}

/** A picture whose turn has come. */
export interface DueLogo {
  readonly client_id: string
  readonly logo_uri: string
  readonly attempts: number
}

/**
 * Pictures to fetch now, where neither client nor tenant is disabled: a read, so that a server at rest writes nothing. The
 * latest due first: whoever has just registered or asked does not wait behind thousands whose hosts are down.
 */
export const listDueLogos = read(function* (args: { tenant_id: string; most: number }): Run<DueLogo[]> {
  return yield* sql<DueLogo>`
    select l.client_id, l.logo_uri, l.attempts from client_logos l
    join clients c on c.tenant_id = l.tenant_id and c.client_id = l.client_id
    join tenants t on t.tenant_id = l.tenant_id
    where l.tenant_id = ${args.tenant_id} and l.due_at <= ${NOW} and c.disabled_at is null and t.disabled_at is null
    order by l.due_at desc limit ${args.most}`
})

/** Which picture of which client is meant: one from another address is another. */
interface LogoKey {
  readonly tenant_id: string
  readonly client_id: string
  readonly logo_uri: string
}

const keyOf = ({ tenant_id, client_id }: LogoKey) => `${tenant_id}/${client_id}`

/** Takes a picture before it is fetched, so that nobody else fetches it, and it is fetched later if this process dies over it. */
export const leaseLogo = write(
  function* (args: LogoKey & { attempts: number; again_in_ms: number }): Run<boolean> {
    const [leased] = yield* sql<{ client_id: string }>`
      update client_logos set attempts = attempts + 1, due_at = ${NOW} + ${args.again_in_ms}
      where tenant_id = ${args.tenant_id} and client_id = ${args.client_id} and logo_uri = ${args.logo_uri}
        and attempts = ${args.attempts} and due_at <= ${NOW}
      returning client_id`
    return leased !== undefined
  },
  { key: keyOf },
)

/** Keeps a picture that was fetched, until the client has another address for it; the event is written where it is another one than before. */
export const keepLogo = write(
  function* (
    args: LogoKey & { file: string; picture: Uint8Array; again_in_ms: number; event: NewEvent },
  ): Run<'kept' | 'same' | 'gone'> {
    const { tenant_id, client_id, logo_uri, file } = args
    const [known] = yield* sql<{ client_id: string }>`
      update client_logos set fetched_at = ${NOW}, failure = null, failed_at = null, attempts = 0,
        due_at = ${NOW} + ${args.again_in_ms}
      where tenant_id = ${tenant_id} and client_id = ${client_id} and logo_uri = ${logo_uri} returning client_id`
    if (!known) return 'gone'
    const [changed] = yield* sql<{ client_id: string }>`
      update client_logos set file = ${file}, picture = ${args.picture}
      where tenant_id = ${tenant_id} and client_id = ${client_id} and (file is null or file <> ${file})
      returning client_id`
    if (!changed) return 'same'
    yield* insertEvent(args.event)
    return 'kept'
  },
  { key: keyOf },
)

/** Notes why a picture could not be fetched; what was fetched before stays. */
export const noteLogoFailure = write(
  function* (args: LogoKey & { failure: string }): Run<void> {
    yield* sql`
      update client_logos set failure = ${args.failure}, failed_at = ${NOW}
      where tenant_id = ${args.tenant_id} and client_id = ${args.client_id} and logo_uri = ${args.logo_uri}`
  },
  { key: keyOf },
)

/** Has the picture of a client fetched at the next turn, however often that failed; false where it has none to fetch. */
export const askForLogo = write(function* (args: {
  tenant_id: string
  client_id: string
  event: NewEvent
}): Run<boolean> {
  const { tenant_id, client_id } = args
  const [client] = yield* sql<{ metadata: string }>`
    update clients set updated_at = updated_at where tenant_id = ${tenant_id} and client_id = ${client_id} returning metadata`
  // A version before this one may have registered it. The row is locked: another address that is saved now comes after.
  if (client) yield* noteLogo(tenant_id, client_id, client.metadata)
  const [asked] = yield* sql<{ client_id: string }>`
    update client_logos set attempts = 0, due_at = ${NOW}
    where tenant_id = ${tenant_id} and client_id = ${client_id} returning client_id`
  if (asked) yield* insertEvent(args.event)
  return asked !== undefined
})

/** What is known of the picture of a client, or null. */
export const findClientLogo = read(function* (args: { tenant_id: string; client_id: string }): Run<ClientLogo | null> {
  const [logo] = yield* sql<ClientLogo>`
    select logo_uri, file, fetched_at, failure, failed_at, due_at from client_logos
    where tenant_id = ${args.tenant_id} and client_id = ${args.client_id}`
  return logo ?? null
})

/** Which clients have a picture from the address that they have now, and under which name. */
export const listLogoFiles = read(function* (args: {
  tenant_id: string
  clients: readonly { readonly client_id: string; readonly logo_uri: string }[]
}): Run<{ client_id: string; file: string }[]> {
  const found = yield* together(
    args.clients.map(
      ({ client_id, logo_uri }) => sql<{ client_id: string; file: string }>`
        select client_id, file from client_logos
        where tenant_id = ${args.tenant_id} and client_id = ${client_id} and logo_uri = ${logo_uri} and file is not null`,
    ),
  )
  return found.flat()
})

/** The bytes of a picture that some client has now. */
export const findLogoPicture = read(function* (args: { tenant_id: string; file: string }): Run<Uint8Array | null> {
  const [logo] = yield* sql<{ picture: Uint8Array }>`
    select picture from client_logos where tenant_id = ${args.tenant_id} and file = ${args.file} limit 1`
  return logo?.picture ?? null
})
