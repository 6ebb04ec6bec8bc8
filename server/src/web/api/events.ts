import * as z from 'zod'
import type { EventRecord } from '../../store/verbs/events.ts'
import { exportEvents } from '../export_events.ts'
import { PAGING, pageOf, replyPage } from './page_of.ts'
import { route } from './route.ts'

const EventSchema = z
  .strictObject({
    event_id: z.string(),
    at: z.int(),
    type: z.string(),
    actor: z.string(),
    client_id: z.string().nullable(),
    user_id: z.string().nullable(),
    grant_id: z.string().nullable(),
    connection_id: z.string().nullable(),
    request_id: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
    sequence: z.int().nullable().meta({ description: 'Its number in the chain; null for a moment after it happened' }),
    chain: z.string().nullable().meta({ description: 'Its link, in base64url' }),
  })
  .meta({ id: 'Event', description: 'An event of the audit log' })

// Above every identifier: the cursor of the first page of a list that runs backwards.
const LAST_ID = '~'

/** The routes of the audit log. */
export const EVENT_ROUTES = [
  route({
    ...{ method: 'GET', path: '/events', scope: 'admin:read', name: 'listEvents' },
    summary: 'Events of the audit log, newest first; a type is the beginning of one',
    query: { ...PAGING, type: z.string().optional(), actor: z.string().optional() },
    answer: pageOf(EventSchema),
    run: ({ web, query }) => {
      const { tenant_id, store } = web.tenant
      const filter = { tenant_id, type: query.type ?? '', actor: query.actor ?? '' }
      const find = (before: string, most: number) =>
        store.pageEvents({ ...filter, before_event_id: before || LAST_ID, most })
      return replyPage(query, find, describe, ({ event_id }) => event_id)
    },
  }),
  route({
    ...{ method: 'GET', path: '/events/export', scope: 'admin:read', name: 'exportEvents' },
    summary: 'The chain of sealed events, oldest first, one JSON object a line, from after a sequence',
    query: {
      after_sequence: z
        .string()
        .regex(/^\d{1,15}$/, 'must be a whole number')
        .transform(Number)
        .default(0)
        .meta({ type: 'integer', minimum: 0 }),
    },
    media_type: 'application/x-ndjson',
    run: ({ c, web, query }) => {
      const body = c.req.method === 'HEAD' ? null : exportEvents(web.tenant, query.after_sequence)
      return new Response(body, { headers: { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' } })
    },
  }),
]

function describe({ detail, chain, ...rest }: EventRecord): z.input<typeof EventSchema> {
  return { ...rest, detail: JSON.parse(detail) as Record<string, unknown>, chain: write(chain) }
}

function write(bytes: Uint8Array | null): string | null {
  return bytes && Buffer.from(bytes).toString('base64url')
}
