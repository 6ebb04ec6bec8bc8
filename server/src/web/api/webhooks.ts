import * as z from 'zod'
import { OAuthError } from '../../oauth/errors.ts'
import { EVENT_TYPE_NAMES } from '../../webhooks/event_types.ts'
import { MOST_READ, pageDeliveries, replayDelivery, replayTime } from '../../webhooks/replay.ts'
import {
  deleteWebhook,
  findWebhook,
  listWebhooks,
  rotateWebhookSecret,
  type ShownWebhook,
  saveWebhook,
  setWebhookDisabled,
} from '../../webhooks/webhooks.ts'
import { PAGING, pageOf, replyPage, replyWhole } from './page_of.ts'
import { stale } from './preconditions.ts'
import { conflict } from './problem.ts'
import { route, type Subject, shown } from './route.ts'

const EventType = z.enum(EVENT_TYPE_NAMES as [string, ...string[]])
const event_types = z.array(EventType).meta({ description: 'What it is told of; an empty list is everything' })

const Webhook = z
  .strictObject({
    webhook: z.string(),
    url: z.string(),
    description: z.string(),
    event_types,
    keys: z
      .array(
        z.strictObject({
          signature: z.enum(['v1', 'v1a']),
          public_key: z.string().nullable().meta({ description: 'whpk_ for v1a; null for a secret' }),
          made_at: z.int(),
          ends_at: z.int().nullable(),
        }),
      )
      .meta({ description: 'What signs, the newest first: two while they change' }),
    failures: z.int().meta({ description: 'In a row' }),
    failing_since: z.int().nullable(),
    retry_at: z.int().nullable(),
    disabled_at: z.int().nullable(),
    disabled_reason: z.string().nullable().meta({ description: 'administrator, failing or gone' }),
    created_at: z.int(),
    updated_at: z.int(),
  })
  .meta({ id: 'Webhook', description: 'An address that is told of events (Standard Webhooks); never its secret' })

const MadeSecret = z.string().meta({ description: 'whsec_ or whsk_; it is in this answer and nowhere else' })

const Delivery = z
  .strictObject({
    event_id: z.string(),
    webhook_id: z.string().meta({ description: 'The header webhook-id, the same at each try' }),
    type: EventType,
    state: z.enum(['pending', 'delivered', 'failed']),
    attempts: z.int(),
    tries: z.array(
      z.strictObject({
        at: z.int(),
        ms: z.int(),
        status: z.int().optional(),
        error: z.string().optional().meta({ description: 'A word for why there was no status' }),
      }),
    ),
    next_at: z.int().nullable(),
    give_up_at: z.int(),
    created_at: z.int(),
    settled_at: z.int().nullable(),
  })
  .meta({ id: 'WebhookDelivery', description: 'What became of telling one event to one webhook' })

const webhook: Subject<ShownWebhook> = {
  name: 'webhook',
  find: ({ web, params }) => findWebhook(web.webhooks, params['webhook']!),
  version: ({ version, disabled_at }) => JSON.stringify([version, disabled_at]),
}

const one = '/webhooks/{webhook}'

/** The routes of webhooks. */
export const WEBHOOK_ROUTES = [
  route({
    ...{ method: 'GET', path: '/webhooks', scope: 'admin:read', name: 'listWebhooks' },
    summary: 'Addresses that are told of events',
    query: PAGING,
    answer: pageOf(Webhook),
    run: async ({ web, query }) =>
      replyWhole(query, await listWebhooks(web.webhooks), describe, ({ webhook }) => webhook),
  }),
  route({
    ...{ method: 'POST', path: '/webhooks', scope: 'admin:write', name: 'createWebhook', status: 201 },
    summary: 'Has an address told of what happens from now on',
    body: z.strictObject({
      webhook: z.string(),
      url: z.string(),
      description: z.string().optional(),
      event_types: event_types.optional(),
      secret: z.string().optional().meta({ description: 'whsec_ or whsk_; one is made unless it is given' }),
      signature: z.enum(['v1', 'v1a']).optional().meta({ description: 'Which kind is made: v1 unless said' }),
    }),
    answer: z.strictObject({ ...Webhook.shape, secret: MadeSecret.optional() }),
    versioned: true,
    async run({ web, actor, body }) {
      const { outcome, secret } = await saveWebhook(web.webhooks, actor, body, { from_version: null })
      if (outcome === 'stale') throw conflict('Member webhook is taken')
      const made = (await findWebhook(web.webhooks, body.webhook))!
      return shown(webhook, made, { ...describe(made), ...(secret !== null && { secret }) })
    },
  }),
  route({
    ...{ method: 'GET', path: one, scope: 'admin:read', name: 'getWebhook' },
    summary: 'One webhook',
    answer: Webhook,
    versioned: true,
    subject: webhook,
    run: ({ found }) => shown(webhook, found, describe(found)),
  }),
  route({
    ...{ method: 'PATCH', path: one, scope: 'admin:write', name: 'updateWebhook' },
    summary: 'Changes a webhook; what is left out stays',
    body: z.strictObject({
      url: z.string().optional(),
      description: z.string().optional(),
      event_types: event_types.optional(),
      disabled: z
        .boolean()
        .optional()
        .meta({ description: 'While it is, nothing is sent, and nothing kept for later' }),
    }),
    answer: Webhook,
    versioned: true,
    subject: webhook,
    async run({ web, actor, found, body: { disabled, ...body } }) {
      const name = found.webhook
      const options = { from_version: found.version }
      const { outcome } = await saveWebhook(web.webhooks, actor, { webhook: name, ...body }, options)
      if (outcome === 'stale') throw stale()
      // Only from what was seen to the other: else the switch of whoever was faster would be undone.
      const switched = disabled !== undefined && disabled !== (found.disabled_at !== null)
      if (switched && !(await setWebhookDisabled(web.webhooks, actor, name, disabled))) throw stale()
      const changed = await findWebhook(web.webhooks, name)
      if (!changed) throw stale()
      return shown(webhook, changed, describe(changed))
    },
  }),
  route({
    ...{ method: 'DELETE', path: one, scope: 'admin:write', name: 'deleteWebhook' },
    summary: 'Deletes a webhook with its deliveries',
    subject: webhook,
    async run({ web, actor, found }) {
      await deleteWebhook(web.webhooks, actor, found.webhook)
    },
  }),
  route({
    ...{ method: 'POST', path: `${one}/rotate_secret`, scope: 'admin:write', name: 'rotateWebhookSecret' },
    summary: 'Makes a further secret of the same kind; the one before it signs beside it for a day',
    answer: z.strictObject({ secret: MadeSecret, former_ends_at: z.int() }),
    subject: webhook,
    async run({ web, actor, found }) {
      const value = await rotateWebhookSecret(web.webhooks, actor, found.webhook)
      if (!value) throw stale()
      return { value }
    },
  }),
  route({
    ...{ method: 'GET', path: `${one}/deliveries`, scope: 'admin:read', name: 'listWebhookDeliveries' },
    summary: 'What became of each event, the newest first; kept for 30 days',
    query: { ...PAGING, state: z.enum(['pending', 'delivered', 'failed']).optional() },
    answer: pageOf(Delivery),
    subject: webhook,
    run: ({ web, query, found }) =>
      replyPage(
        query,
        (after, most) =>
          pageDeliveries(web.webhooks, {
            ...{ webhook: found.webhook, state: query.state ?? '', before_event_id: after || '~', most },
          }),
        (row) => ({ ...row, tries: [...row.tries] }),
        ({ event_id }) => event_id,
      ),
  }),
  route({
    ...{
      method: 'POST',
      path: `${one}/deliveries/{event_id}/replay`,
      scope: 'admin:write',
      name: 'replayWebhookDelivery',
    },
    summary: 'Sends one event again, with the same webhook-id',
    subject: webhook,
    async run({ web, actor, found, params }) {
      const { event_id } = params
      const ask = { webhook: found.webhook, event_id }
      if (!(await replayDelivery(web.webhooks, actor, ask))) {
        throw new OAuthError('invalid_request', 'There is no such event, or it waits already', { status: 409 })
      }
    },
  }),
  route({
    ...{ method: 'POST', path: `${one}/replay`, scope: 'admin:write', name: 'replayWebhook' },
    summary: `Sends what happened in a stretch of time again; one call looks at ${MOST_READ} events at most`,
    body: z.strictObject({
      from_at: z.int().min(0),
      to_at: z.int().min(0).meta({ description: 'Not included' }),
      undelivered_only: z.boolean().default(true).meta({ description: 'Only what never arrived' }),
      cursor: z.string().optional().meta({ description: 'The next_cursor of the call before' }),
    }),
    answer: z.strictObject({
      replayed: z.int(),
      next_cursor: z.string().nullable().meta({ description: 'Where the next call goes on; null when that was all' }),
    }),
    subject: webhook,
    async run({ web, actor, found, body }) {
      return { value: await replayTime(web.webhooks, actor, { webhook: found.webhook, ...body }) }
    },
  }),
]

function describe({ version: _, event_types, keys, ...row }: ShownWebhook) {
  return { ...row, event_types: [...event_types], keys: [...keys] }
}
