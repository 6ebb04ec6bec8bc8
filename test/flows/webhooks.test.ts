import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { verifyWebhook } from '@sallyport/sdk/webhook'
import { newId } from '../../server/src/crypto/random.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { readWebhookKey, signWebhook } from '../../server/src/crypto/webhook_signature.ts'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import { openOrCreateTenant } from '../../server/src/inbound/tenants.ts'
import type { NewEvent } from '../../server/src/store/records.ts'
import { createWebhookContext, stopWebhooks, type WebhookContext } from '../../server/src/webhooks/context.ts'
import { settleWebhooks, tendWebhooks, waitAfter } from '../../server/src/webhooks/deliver.ts'
import { EVENT_TYPES } from '../../server/src/webhooks/event_types.ts'
import { pageDeliveries, replayDelivery, replayTime } from '../../server/src/webhooks/replay.ts'
import {
  findWebhook,
  rotateWebhookSecret,
  saveWebhook,
  setWebhookDisabled,
} from '../../server/src/webhooks/webhooks.ts'
import { declaresEtag, findRoute } from '../parts/api_document.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { DIALECTS, type Dialect, makeDatabase, type TestDatabase } from '../parts/stores.ts'

const MINUTE = 60_000
const DAY = 86_400_000
const SECRET = `whsec_${randomBytes(32).toString('base64')}`

interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
/** What came, and how each path answers; 200 unless told otherwise. */
let received: Received[] = []
let answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {}
let receiver: Server
let origin: string
let egress: Egress
const databases = new Map<Dialect, TestDatabase>()

before(async () => {
  receiver = createServer(async (request, response) => {
    received.push({ path: request.url!, headers: request.headers, body: await text(request) })
    const answer = answers[request.url!]
    if (answer) answer(request, response)
    else response.writeHead(204).end()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const { port } = receiver.address() as { port: number }
  origin = `http://127.0.0.1:${port}`
  egress = createEgress({ allow: [`127.0.0.1:${port}`] })
  for (const dialect of DIALECTS) databases.set(dialect, await makeDatabase(dialect))
})
after(async () => {
  await egress.close()
  receiver.closeAllConnections()
  receiver.close()
  for (const database of databases.values()) await database.drop()
})

/** A tenant with a webhook, and processes that tend it. */
interface Scene {
  readonly dialect: Dialect
  readonly clock: { now: number }
  readonly context: WebhookContext
  /** Another process on the same database; on SQLite the same again after a restart. */
  another(): Promise<WebhookContext>
  record(type: string, more?: Partial<NewEvent>): Promise<NewEvent>
  /** Numbers what was recorded, and has a process send what is due. */
  tend(context?: WebhookContext): Promise<void>
  /** What came since, by the path. */
  take(path?: string): { id: string; type: string; sequence: number; data: Record<string, unknown>; raw: Received }[]
}

function scene(title: string, play: (scene: Scene) => Promise<void>): void {
  for (const dialect of DIALECTS) {
    test(`${title} (${dialect})`, async () => {
      received = []
      answers = {}
      const database = databases.get(dialect)!
      const store = await database.open()
      const issuer = `http://localhost/${randomUUID()}`
      const { clock } = database
      const root = new RootKey(randomBytes(32))
      const open = async (own = store) => {
        const tenant = await openOrCreateTenant({ issuer, store: own, root, clock: () => clock.now })
        return createWebhookContext({ tenant, egress, random: () => 1 })
      }
      const context = await open()
      const { tenant_id } = context.tenant
      const tend = async (by = context) => {
        while ((await store.sealEvents({ tenant_id, most: 500 })) > 0);
        await tendWebhooks(by)
        await settleWebhooks(by)
      }
      await play({
        ...{ dialect, clock, context, tend },
        another: async () => open(await database.open()),
        async record(type, more = {}) {
          const at = clock.now++
          const event: NewEvent = { tenant_id, event_id: newId(at), at, type, actor: 'cli', ...more }
          await store.recordEvent(event)
          return event
        },
        take(path) {
          const came = received.filter((one) => path === undefined || one.path === path)
          received = received.filter((one) => !came.includes(one))
          return came.map((raw) => ({ id: String(raw.headers['webhook-id']), ...JSON.parse(raw.body), raw }))
        },
      })
      await stopWebhooks(context)
    })
  }
}

const save = (context: WebhookContext, webhook = 'crm', more: object = {}) =>
  saveWebhook(context, 'cli', { webhook, url: `${origin}/${webhook}`, secret: SECRET, ...more })
const log = (context: WebhookContext, webhook = 'crm') =>
  pageDeliveries(context, { webhook, state: '', before_event_id: '~', most: 50 })
const isGenuine = ({ headers, body }: Received, secret = SECRET) => {
  const now = Number(headers['webhook-timestamp']) * 1000
  const signed = signWebhook(readWebhookKey(secret)!, { id: String(headers['webhook-id']), now, body })
  return String(headers['webhook-signature']).split(' ').includes(signed['webhook-signature']!)
}

scene('what is committed is told, signed, by ids alone, to whoever wants its type, and once', async (s) => {
  await save(s.context)
  await save(s.context, 'grants', { event_types: ['grant.ended'] })
  await s.tend()
  s.take()
  const connected = await s.record('connection.connected', {
    ...{ connection_id: 'c1', user_id: 'u1' },
    detail: { connector: 'acme', account: 'alice@example.test', scope: 'a b', access_token: 'hidden', changed: [{}] },
  })
  await s.record('login.refused', { user_id: 'u1' })
  await s.record('grant.revoked', { grant_id: 'g1', client_id: 'web', user_id: 'u1', detail: { reason: 'user' } })
  await s.tend()
  const [ready, ended, ...more] = s.take('/crm')
  assert.deepEqual(more, [])
  const { raw, ...told } = ready!
  assert.deepEqual(told, {
    ...{ id: `msg_${connected.event_id}`, type: 'connection.ready', sequence: told.sequence },
    ...{ issuer: s.context.tenant.issuer, timestamp: new Date(connected.at).toISOString() },
    data: { user_id: 'u1', connection_id: 'c1', connector: 'acme', scope: 'a b' },
  })
  assert.deepEqual(ended!.data, { client_id: 'web', user_id: 'u1', grant_id: 'g1' })
  assert.ok(ended!.sequence > ready!.sequence)
  assert.equal(raw.headers['content-type'], 'application/json')
  assert.equal(raw.headers['webhook-timestamp'], String(Math.floor(s.clock.now / 1000)))
  assert.ok(isGenuine(raw))
  assert.deepEqual(
    s.take('/grants').map(({ type }) => type),
    ['grant.ended'],
  )
  await s.tend()
  assert.deepEqual(s.take(), [])
  const [delivery] = await log(s.context, 'grants')
  assert.deepEqual([delivery!.state, delivery!.attempts, delivery!.tries[0]!.status], ['delivered', 1, 204])
})

scene('whoever is registered hears of what comes after, not of what was', async (s) => {
  await s.record('user.created', { user_id: 'before' })
  await s.tend()
  await save(s.context)
  await s.tend()
  await s.record('user.created', { user_id: 'after' })
  await s.tend()
  assert.deepEqual(
    s.take().map(({ data }) => data['user_id']),
    ['after'],
  )
})

scene(
  'what was committed is told by another process when one dies: before it was seen, and over sending it',
  async (s) => {
    await save(s.context)
    const first = await s.record('user.created', { user_id: 'u' })
    // Nobody has looked since: the process that made the event is gone.
    const other = await s.another()
    let hung: ServerResponse | undefined
    answers = {
      '/crm': (_, response) => {
        hung = response
      },
    }
    await s.context.tenant.store.sealEvents({ tenant_id: s.context.tenant.tenant_id, most: 50 })
    await tendWebhooks(other)
    while (!hung) await new Promise((resolve) => setTimeout(resolve, 5))
    // It dies over the call.
    await stopWebhooks(other)
    answers = {}
    const third = await s.another()
    await s.tend(third)
    assert.equal(s.take().length, 1, 'while it may still be alive nobody sends')
    s.clock.now += 30_000
    await s.tend(third)
    assert.deepEqual(
      s.take().map(({ id }) => id),
      [`msg_${first.event_id}`],
    )
    const [delivery] = await log(third)
    assert.deepEqual([delivery!.state, delivery!.attempts], ['delivered', 2])
  },
)

scene('two processes that look at the same time send each event once', async (s) => {
  await save(s.context)
  const processes = [s.context, await s.another(), await s.another()]
  for (let i = 0; i < 40; i++) await s.record('user.created', { user_id: `u${i}` })
  const { tenant_id, store } = s.context.tenant
  while ((await store.sealEvents({ tenant_id, most: 500 })) > 0);
  for (let i = 0; i < 3; i++) await Promise.all(processes.map(tendWebhooks))
  await Promise.all(processes.map(settleWebhooks))
  const told = s.take().map(({ data }) => data['user_id'])
  assert.equal(told.length, 40)
  assert.equal(new Set(told).size, 40)
})

scene(
  'a receiver that answers with an error, a redirect or nothing is tried again, later and later, up to days',
  async (s) => {
    await save(s.context)
    const [{ id }] = [await fails(s, 500), await fails(s, 404), await fails(s, 302)] as [{ id: string }, ...unknown[]]
    const [delivery] = await log(s.context)
    assert.deepEqual(
      delivery!.tries.map(({ status, error }) => status ?? error),
      [500, 404, 302],
    )
    assert.equal(delivery!.webhook_id, id)
    answers = { '/crm': (request) => request.socket.destroy() }
    await later(s)
    assert.equal((await log(s.context))[0]!.tries.at(-1)!.error, 'cut')
    answers = {}
    await later(s)
    assert.deepEqual([(await log(s.context))[0]!.state, s.take().at(-1)!.id], ['delivered', id])
    const waits = Array.from({ length: 12 }, (_, i) => waitAfter(i + 1, 1))
    assert.deepEqual(waits.slice(0, 4), [5_000, 20_000, 80_000, 320_000])
    assert.equal(waits.at(-1), 12 * 60 * MINUTE)
    assert.equal(waitAfter(3, 0), 60_000)
    assert.deepEqual([waitAfter(1, 1, MINUTE), waitAfter(1, 1, 99 * DAY)], [MINUTE, DAY])
  },
)

/** A new event at first, then its next try; the receiver answers so. */
async function fails(s: Scene, status: number) {
  answers = { '/crm': (_, response) => response.writeHead(status, { location: 'http://169.254.169.254/' }).end() }
  if ((await log(s.context)).length === 0) await s.record('user.created', { user_id: 'u' })
  await later(s)
  const [came, ...more] = s.take()
  assert.equal(more.length, 0, 'a redirect is not followed')
  return came!
}

async function later(s: Scene) {
  const [waiting] = await log(s.context)
  s.clock.now = Math.max(s.clock.now, waiting?.next_at ?? 0) + 1
  await s.tend()
}

scene(
  'of what a receiver answers nothing is read: a body without end is cut, one that drips is not waited for',
  async (s) => {
    await save(s.context)
    let ended = 0
    answers = {
      '/crm': (_, response) => {
        response.writeHead(200)
        const drip = setInterval(() => response.write('x'.repeat(65_536)), 1)
        response.on('close', () => {
          clearInterval(drip)
          ended++
        })
      },
    }
    await s.record('user.created', { user_id: 'u' })
    await s.tend()
    assert.equal((await log(s.context))[0]!.state, 'delivered')
    while (ended === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  },
)

scene('Retry-After is heeded, by the delivery and for all others', async (s) => {
  await save(s.context)
  answers = { '/crm': (_, response) => response.writeHead(429, { 'retry-after': '600' }).end() }
  await s.record('user.created', { user_id: 'u1' })
  await s.tend()
  assert.equal(s.take().length, 1)
  await s.record('user.created', { user_id: 'u2' })
  s.clock.now += 590_000
  await s.tend()
  assert.equal(s.take().length, 0)
  answers = {}
  s.clock.now += 10_001
  await s.tend()
  await s.tend()
  assert.equal(s.take().length, 2)
})

scene(
  '1.3.6 private addresses are refused at each call, whatever the address said when it was registered',
  async (s) => {
    for (const url of ['https://10.0.0.1/x', 'https://[::ffff:169.254.169.254]/', 'https://127.0.0.1:1/']) {
      await save(s.context, 'private', { url })
      await s.record('user.created', { user_id: 'u' })
      s.clock.now += DAY
      await s.tend()
      const tries = (await log(s.context, 'private')).flatMap((one) => one.tries.map(({ error }) => error))
      assert.ok(tries.length > 0)
      assert.ok(
        tries.every((error) => error === 'blocked_address' || error === 'blocked_port'),
        tries.join(),
      )
    }
  },
)

scene('a receiver that hangs keeps nobody else waiting', async (s) => {
  await save(s.context, 'slow')
  await save(s.context, 'quick')
  answers = { '/slow': () => {} }
  for (let i = 0; i < 20; i++) await s.record('user.created', { user_id: `u${i}` })
  const { tenant_id, store } = s.context.tenant
  while ((await store.sealEvents({ tenant_id, most: 500 })) > 0);
  await tendWebhooks(s.context)
  await s.context.sending.get('quick')
  assert.equal(s.take('/quick').length, 20)
  assert.ok(s.context.sending.has('slow'))
  assert.ok(s.take('/slow').length <= 8)
  await stopWebhooks(s.context)
  assert.equal(s.context.sending.size, 0, 'and nobody who stops')
})

scene('one message that a receiver chokes on does not hold up the others', async (s) => {
  await save(s.context)
  const poison = await s.record('user.created', { user_id: 'poison' })
  answers = {
    '/crm': (request, response) =>
      response.writeHead(request.headers['webhook-id'] === `msg_${poison.event_id}` ? 500 : 200).end(),
  }
  await s.tend()
  for (let i = 0; i < 5; i++) await s.record('user.created', { user_id: `u${i}` })
  s.clock.now += 4_000
  await s.tend()
  assert.equal(s.take().length, 1, 'it is left alone for a moment')
  s.clock.now += 2_000
  await s.tend()
  const [again, ...rest] = s.take().map(({ data }) => data['user_id'])
  s.clock.now += 30_000
  await s.tend()
  assert.deepEqual(
    new Set([again, ...rest, ...s.take().map(({ data }) => data['user_id'])]),
    new Set(['poison', 'u0', 'u1', 'u2', 'u3', 'u4']),
  )
})

scene('whoever does not answer for days is disabled, which the others hear of; a 410 disables at once', async (s) => {
  await save(s.context)
  await save(s.context, 'other', { event_types: ['webhook.disabled'] })
  answers = { '/crm': (_, response) => response.writeHead(503).end() }
  for (let day = 0; day < 6; day++) {
    await s.record('user.created', { user_id: `u${day}` })
    for (let i = 0; i < 3; i++) {
      s.clock.now += DAY / 3
      await s.tend()
    }
  }
  const found = await findWebhook(s.context, 'crm')
  assert.equal(found!.disabled_reason, 'failing')
  await s.tend()
  const [told] = s.take('/other')
  assert.deepEqual([told!.type, told!.data], ['webhook.disabled', { webhook: 'crm', reason: 'failing' }])
  const states = (await log(s.context)).map(({ state }) => state)
  assert.ok(states.includes('failed'), 'the oldest were given up after three days')
  s.take()
  await setWebhookDisabled(s.context, 'cli', 'crm', false)
  answers = { '/crm': (_, response) => response.writeHead(410).end() }
  await s.record('user.created', { user_id: 'last' })
  s.clock.now += DAY
  await s.tend()
  assert.equal((await findWebhook(s.context, 'crm'))!.disabled_reason, 'gone')
  s.take()
  await s.record('user.created', { user_id: 'unheard' })
  s.clock.now += DAY
  await s.tend()
  assert.deepEqual(s.take('/crm'), [])
})

scene('secrets change without a gap: for a day both sign, and at most two', async (s) => {
  await save(s.context)
  const rotated = await rotateWebhookSecret(s.context, 'cli', 'crm')
  const again = await rotateWebhookSecret(s.context, 'cli', 'crm')
  await s.record('user.created', { user_id: 'u' })
  await s.tend()
  const [{ raw }] = s.take() as unknown as [{ raw: Received }]
  assert.equal(String(raw.headers['webhook-signature']).split(' ').length, 2)
  assert.deepEqual(
    [again!.secret, rotated!.secret, SECRET].map((secret) => isGenuine(raw, secret)),
    [true, true, false],
  )
  assert.equal((await findWebhook(s.context, 'crm'))!.keys.length, 2)
  s.clock.now += DAY
  await s.record('user.created', { user_id: 'u' })
  await s.tend()
  const [next] = s.take()
  assert.deepEqual([isGenuine(next!.raw, again!.secret), isGenuine(next!.raw, rotated!.secret)], [true, false])
  assert.equal(await rotateWebhookSecret(s.context, 'cli', 'nobody'), null)
})

scene(
  'one delivery is sent again, with the same id; so is a stretch of time, what never arrived or all of it',
  async (s) => {
    await save(s.context, 'crm', { event_types: ['user.created'] })
    const begin = s.clock.now
    const events = [
      await s.record('user.created', { user_id: 'u0' }),
      await s.record('user.created', { user_id: 'u1' }),
    ]
    await s.tend()
    await setWebhookDisabled(s.context, 'cli', 'crm', true)
    const missed = await s.record('user.created', { user_id: 'missed' })
    await s.record('grant.revoked', { grant_id: 'g' })
    await s.tend()
    await setWebhookDisabled(s.context, 'cli', 'crm', false)
    await s.tend()
    assert.deepEqual(
      s.take().map(({ id }) => id),
      events.map(({ event_id }) => `msg_${event_id}`),
    )
    const ask = { webhook: 'crm', event_id: events[1]!.event_id }
    assert.equal(await replayDelivery(s.context, 'cli', ask), true)
    assert.equal(await replayDelivery(s.context, 'cli', ask), false, 'it waits already')
    await s.tend()
    assert.deepEqual(
      s.take().map(({ id }) => id),
      [`msg_${events[1]!.event_id}`],
    )
    const time = { webhook: 'crm', from_at: begin, to_at: s.clock.now }
    assert.deepEqual(await replayTime(s.context, 'cli', { ...time, undelivered_only: true }), {
      ...{ replayed: 1, next_cursor: null },
    })
    await s.tend()
    assert.deepEqual(
      s.take().map(({ data }) => data['user_id']),
      ['missed'],
    )
    assert.equal((await replayTime(s.context, 'cli', { ...time, undelivered_only: false })).replayed, 3)
    await s.tend()
    assert.equal(s.take().length, 3)
    for (const cursor of ['', 'x', '1', '.x', `${s.clock.now}.${'x'.repeat(65)}`]) {
      await assert.rejects(replayTime(s.context, 'cli', { ...time, undelivered_only: true, cursor }), /Member cursor/)
    }
    const nothing = { webhook: 'crm', event_id: 'no-such-event' }
    assert.equal(await replayDelivery(s.context, 'cli', nothing), false)
    await assert.rejects(
      replayTime(s.context, 'cli', { ...time, webhook: 'nobody', undelivered_only: true }),
      /no such/,
    )
    assert.ok(missed)
  },
)

scene('a replay reads so much and no more, however little of it is wanted, and goes on where it ended', async (s) => {
  await save(s.context, 'crm', { event_types: ['user.created'] })
  const { store } = s.context.tenant
  const at = s.clock.now
  // All of one moment: where the next call goes on is no time.
  const log = Array.from({ length: 25_000 }, (_, i) => ({
    ...{
      event_id: `e${String(i).padStart(5, '0')}`,
      at,
      type: i % 10_000 === 9_999 ? 'user.created' : 'login.refused',
    },
  }))
  let read = 0
  const pageEventsOfTime: typeof store.pageEventsOfTime = async ({ after, most }) => {
    const page = log.filter(({ event_id }) => event_id > after.event_id).slice(0, most)
    read += page.length
    return page
  }
  const whole = store.pageEventsOfTime
  Object.assign(store, { pageEventsOfTime })
  const counts: number[][] = []
  for (let cursor: string | undefined; ; ) {
    read = 0
    const ask = { webhook: 'crm', from_at: at, to_at: at + 1, undelivered_only: true, cursor }
    const { replayed, next_cursor } = await replayTime(s.context, 'cli', ask)
    counts.push([replayed, read])
    if (next_cursor === null || counts.length > 5) break
    cursor = next_cursor
  }
  Object.assign(store, { pageEventsOfTime: whole })
  assert.deepEqual(counts, [
    [1, 10_000],
    [1, 10_000],
    [0, 5_000],
  ])
})

scene('a webhook that is enabled again hears of nothing that waited, and may have it replayed', async (s) => {
  await save(s.context, 'crm', { event_types: ['user.created'] })
  const begin = s.clock.now
  answers = { '/crm': (_, response) => response.writeHead(500).end() }
  for (let i = 0; i < 20; i++) await s.record('user.created', { user_id: `u${i}` })
  await s.tend()
  assert.ok((await log(s.context)).every(({ state }) => state === 'pending'))
  await setWebhookDisabled(s.context, 'cli', 'crm', true)
  s.take()
  answers = {}
  s.clock.now += DAY
  await setWebhookDisabled(s.context, 'cli', 'crm', false)
  await s.tend()
  assert.deepEqual(
    s.take().map(({ type }) => type),
    [],
  )
  assert.deepEqual(new Set((await log(s.context)).map(({ state }) => state)), new Set(['failed']))
  await s.record('user.created', { user_id: 'new' })
  await s.tend()
  assert.deepEqual(
    s.take().map(({ data }) => data['user_id']),
    ['new'],
  )
  const time = { webhook: 'crm', from_at: begin, to_at: s.clock.now, undelivered_only: true }
  assert.deepEqual(await replayTime(s.context, 'cli', time), { replayed: 20, next_cursor: null })
  await s.tend()
  assert.equal(s.take().length, 20)
})

scene('bad descriptions are refused by name and nothing is kept; a secret is in no answer and no event', async (s) => {
  const refuse = async (more: object, sentence: RegExp) => {
    await assert.rejects(save(s.context, 'crm', more), sentence)
  }
  await refuse({ webhook: 'CRM' }, /name must be of lower-case/)
  await refuse({ url: 'not a url' }, /url must be a URL of at most/)
  await refuse({ url: 'http://example.com/' }, /url must be https/)
  await refuse({ url: 'ftp://example.com/' }, /url must be https/)
  await refuse({ url: 'https://user:word@example.com/' }, /no password/)
  await refuse({ url: 'https://example.com/#x' }, /no fragment/)
  await refuse({ url: `https://example.com/${'x'.repeat(2000)}` }, /at most 2000/)
  await refuse({ url: undefined }, /url is missing/)
  await refuse({ event_types: ['user.*'] }, /event_types holds one that there is not/)
  await refuse({ event_types: ['user.created', 'user.created'] }, /event_types names one twice/)
  await refuse({ secret: 'hunter2' }, /secret must be whsec_/)
  await refuse({ description: 'x'.repeat(501) }, /description has more than/)
  assert.equal(await findWebhook(s.context, 'crm'), null)
  const made = await save(s.context, 'made', { secret: undefined, signature: 'v1a' })
  assert.match(made.secret!, /^whsk_/)
  const shown = await findWebhook(s.context, 'made')
  assert.match(shown!.keys[0]!.public_key!, /^whpk_/)
  assert.deepEqual(await save(s.context, 'made', { secret: undefined }), { outcome: 'unchanged', secret: null })
  assert.deepEqual((await save(s.context, 'made', { description: 'Ours' })).outcome, 'changed')
  const { tenant_id, store } = s.context.tenant
  const events = await store.pageEvents({ tenant_id, before_event_id: '~', type: '', actor: '', most: 50 })
  const said = JSON.stringify([shown, events])
  assert.ok(!said.includes(made.secret!.slice(5)) && !said.includes(SECRET.slice(6)))
})

test('every type is made of audit events that are of no other type', () => {
  const all = Object.values(EVENT_TYPES).flatMap(({ of }) => [...of])
  assert.equal(new Set(all).size, all.length)
})

test('administrators register webhooks by the API, receivers verify them with the SDK, and secrets are told once', async () => {
  const server = await startSallyport({ app: { egress } })
  try {
    const call = await callAs(server)
    const url = `${origin}/api`
    const made = await call('POST', '/webhooks', { body: { webhook: 'crm', url, event_types: ['user.created'] } })
    assert.equal(made.status, 201, made.text)
    const { secret } = made.body
    const reader = await callAs(server, 'admin:read')
    for (const [method, path] of [
      ['POST', '/webhooks'],
      ['DELETE', '/webhooks/crm'],
      ['POST', '/webhooks/crm/rotate_secret'],
      ['POST', '/webhooks/crm/replay'],
    ] as const) {
      assert.equal((await reader(method, path, { body: {} })).status, 403, path)
      assert.equal((await fetch(`${server.issuer}/api${path}`, { method })).status, 401, path)
    }
    for (const body of [
      {},
      { webhook: 'x' },
      { webhook: 'x', url, event_types: ['nothing'] },
      { webhook: 'x', url, extra: 1 },
    ]) {
      assert.equal((await call('POST', '/webhooks', { body })).status, 400, JSON.stringify(body))
    }
    assert.match(secret, /^whsec_/)
    assert.equal((await call('POST', '/webhooks', { body: { webhook: 'crm', url } })).status, 409)
    const wrong = await call('POST', '/webhooks', { body: { webhook: 'other', url: 'http://evil.example/' } })
    assert.deepEqual([wrong.status, wrong.body.error], [400, 'invalid_request'])
    const signed = await call('POST', '/webhooks', { body: { webhook: 'erp', url, signature: 'v1a', event_types: [] } })
    const [{ public_key }] = signed.body.keys
    received = []
    answers = {}
    assert.equal(
      (await call('POST', '/users', { body: { username: 'carol', password: 'a long password' } })).status,
      201,
    )
    const { tenant_id } = server.app.tenant
    await server.store.sealEvents({ tenant_id, most: 500 })
    await tendWebhooks(server.app.web.webhooks)
    await settleWebhooks(server.app.web.webhooks)
    const verified = await Promise.allSettled(
      received.map((one) => verifyWebhook(one, { secret: [secret, public_key] })),
    )
    const users = verified.flatMap((one) =>
      one.status === 'fulfilled' && one.value.type === 'user.created' ? one.value : [],
    )
    assert.deepEqual([verified.length, users.length], [2, 2])
    assert.equal(users[0]!.webhook_id, users[1]!.webhook_id)
    assert.ok(!JSON.stringify(users).includes('carol'), 'a payload names people by id')
    const listed = await call('GET', '/webhooks')
    assert.deepEqual(
      listed.body.items.map((one: { webhook: string }) => one.webhook),
      ['crm', 'erp'],
    )
    assert.ok(!listed.text.includes(secret.slice(6)))
    const shown = await call('GET', '/webhooks/crm')
    const change = { description: 'Ours', disabled: true }
    assert.equal((await call('PATCH', '/webhooks/crm', { body: change })).status, 428)
    const if_match = shown.headers.get('etag')!
    const changed = await call('PATCH', '/webhooks/crm', { body: change, if_match })
    assert.deepEqual([changed.body.description, changed.body.disabled_reason], ['Ours', 'administrator'])
    assert.equal((await call('PATCH', '/webhooks/crm', { body: change, if_match })).status, 412)
    // Somebody else is faster by a hair: the first time as this one wants it, the second time the other way.
    const { store } = server.app.tenant
    const [find, set] = [store.findWebhook, store.setWebhookDisabled]
    Object.assign(store, {
      setWebhookDisabled: async (args: Parameters<typeof set>[0]) => (await set(args)) && set(args),
    })
    const late = await call('PATCH', '/webhooks/erp', { body: { disabled: true }, if_match: '*' })
    Object.assign(store, { setWebhookDisabled: set })
    assert.equal(late.status, 412)
    assert.equal((await call('PATCH', '/webhooks/erp', { body: { disabled: false }, if_match: '*' })).status, 200)
    let reads = 0
    const other = () => setWebhookDisabled(server.app.web.webhooks, 'other', 'erp', true)
    const slowly = async (args: Parameters<typeof find>[0]) =>
      ((++reads === 2 && (await other())) || true) && find(args)
    Object.assign(store, { findWebhook: slowly })
    await call('PATCH', '/webhooks/erp', { body: { disabled: false }, if_match: '*' })
    Object.assign(store, { findWebhook: find })
    assert.notEqual((await call('GET', '/webhooks/erp')).body.disabled_at, null, 'nobody has undone it unseen')
    assert.equal((await call('PATCH', '/webhooks/erp', { body: { disabled: false }, if_match: '*' })).status, 200)
    const { items } = (await call('GET', '/webhooks/crm/deliveries?state=delivered')).body
    assert.deepEqual([items.length, items[0].tries.length, items[0].webhook_id], [1, 1, users[0]!.webhook_id])
    const replay = `/webhooks/crm/deliveries/${items[0].event_id}/replay`
    assert.match((await call('POST', replay)).body.detail, /is disabled: enable it, then replay/)
    assert.equal((await call('PATCH', '/webhooks/crm', { body: { disabled: false }, if_match: '*' })).status, 200)
    assert.deepEqual([(await call('POST', replay)).status, (await call('POST', replay)).status], [204, 409])
    const all = { from_at: 0, to_at: Date.now() + 1000, undelivered_only: false }
    assert.deepEqual((await call('POST', '/webhooks/erp/replay', { body: all })).body.next_cursor, null)
    const rotated = await call('POST', '/webhooks/crm/rotate_secret')
    assert.notEqual(rotated.body.secret, secret)
    assert.equal((await call('DELETE', '/webhooks/crm')).status, 204)
    for (const path of ['', '/deliveries']) assert.equal((await call('GET', `/webhooks/crm${path}`)).status, 404)
  } finally {
    await server.stop()
  }
})

async function callAs(server: TestServer, scope = 'admin:read admin:write') {
  const { client_id, client_secret } = await server.addClient({ grant_types: ['client_credentials'], scope })
  const form = new URLSearchParams({ grant_type: 'client_credentials', scope, resource: `${server.issuer}/api` })
  const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
  const granted = await fetch(`${server.issuer}/token`, { method: 'POST', headers: { authorization }, body: form })
  const { access_token } = (await granted.json()) as { access_token: string }
  return async (method: string, path: string, { body, if_match }: { body?: object; if_match?: string } = {}) => {
    const headers = {
      authorization: `Bearer ${access_token}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(if_match && { 'if-match': if_match }),
    }
    const answer = await fetch(`${server.issuer}/api${path}`, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
    })
    const text = await answer.text()
    if (answer.ok) assert.equal(answer.headers.has('etag'), declaresEtag(findRoute(method, path)!), `${method} ${path}`)
    return { status: answer.status, headers: answer.headers, text, body: text === '' ? null : JSON.parse(text) }
  }
}
