import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApp } from '../../server/src/app.ts'
import { openOrCreateTenant } from '../../server/src/inbound/tenants.ts'
import { CALLBACK, type ClientName, challengeOf, onBothDatabases, VERIFIER } from '../parts/platform.ts'
import { countRows, snapshotRows, watchEvents } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
const wrong = 'wrong-verifier-wrong-verifier-wrong-verifier'

testOnBoth(
  'F-R1 10.4.2 2.3.4 15.4.2 django-oidc-provider-411 of 64 parallel exchanges of one code one succeeds, and the others end its grant',
  async (p) => {
    const code = await p.getCode('web')
    const replies = await Promise.all(Array.from({ length: 64 }, () => p.exchange('web', code)))
    const won = replies.filter(({ status }) => status === 200)
    assert.equal(won.length, 1)
    for (const { status, body } of replies) if (status !== 200) assert.equal(body.error, 'invalid_grant')
    const { access_token, refresh_token } = won[0]!.body
    assert.deepEqual(await p.introspect(access_token, 'web'), { active: false })
    assert.deepEqual(await p.introspect(refresh_token, 'web'), { active: false })
    assert.equal((await p.refresh('web', refresh_token)).body.error, 'invalid_grant')
  },
)

testOnBoth('10.4.2 B-04 a second valid redemption of a code ends its grant, with an event', async (p) => {
  const code = await p.getCode('web')
  const { access_token } = (await p.exchange('web', code)).body
  assert.equal((await p.introspect(access_token, 'web')).active, true)
  const newEvents = await watchEvents(p.server.store)
  assert.equal((await p.exchange('web', code)).body.error, 'invalid_grant')
  assert.deepEqual(await p.introspect(access_token, 'web'), { active: false })
  const [event, ...more] = await newEvents()
  assert.deepEqual(
    [event!.type, event!.actor, event!.detail['reason']],
    ['grant.revoked', 'client:web', 'code_replayed'],
  )
  assert.deepEqual(more, [])
})

testOnBoth('10.4.2 V-09 CVE-2026-55672 a replay that is not otherwise valid changes nothing', async (p) => {
  const code = await p.getCode('web')
  const { access_token, refresh_token } = (await p.exchange('web', code)).body
  const before = await snapshotRows(p.server.store)
  const replays: [ClientName, Record<string, string>][] = [
    ['other', {}],
    ['post', {}],
    ['web', { code_verifier: wrong }],
    ['web', { redirect_uri: `${CALLBACK}/` }],
    ['spa', { redirect_uri: CALLBACK }],
  ]
  for (const [client, more] of replays) {
    const { status, body } = await p.exchange(client, code, more)
    assert.deepEqual([status, body.error], [400, 'invalid_grant'], JSON.stringify([client, more]))
  }
  assert.equal((await p.post('/token', { grant_type: 'authorization_code', code }, null)).status, 401)
  assert.deepEqual(await snapshotRows(p.server.store), before)
  assert.equal((await p.introspect(access_token, 'web')).active, true)
  assert.equal((await p.refresh('web', refresh_token)).status, 200)
})

testOnBoth(
  'CVE-2026-28513 CVE-2026-55672 a code is bound to client, redirect URI and verifier, each alone',
  async (p) => {
    const agent = new UserAgent()
    const code = await p.getCode('web', {}, agent)
    for (const client of ['other', 'post'] as const) {
      assert.equal((await p.exchange(client, code)).body.error, 'invalid_grant')
    }
    assert.equal((await p.exchange('spa', code, { redirect_uri: CALLBACK })).body.error, 'invalid_grant')
    assert.equal((await p.exchange('web', code, { redirect_uri: 'http://127.0.0.1:3000/other' })).status, 400)
    assert.equal((await p.exchange('web', code, { code_verifier: wrong })).status, 400)
    assert.equal((await p.exchange('web', code)).status, 200, 'none of it has consumed the code')
  },
)

testOnBoth('V-06 redirect_uri may be left out of the exchange, and is enforced when sent', async (p) => {
  const agent = new UserAgent()
  const code = await p.getCode('web', {}, agent)
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER }
  assert.equal((await p.post('/token', { ...form, redirect_uri: '' })).status, 200)
  const second = await p.getCode('web', {}, agent)
  const { body } = await p.exchange('web', second, { redirect_uri: CALLBACK.toUpperCase() })
  assert.equal(body.error, 'invalid_grant')
  assert.match(body.error_description, /redirect_uri/)
})

testOnBoth('CVE-2026-41213 five wrong verifiers are the end of a code, and they reveal nothing', async (p) => {
  const code = await p.getCode('web')
  const replies = []
  for (let i = 0; i < 5; i++) replies.push(await p.exchange('web', code, { code_verifier: `${wrong}${i}` }))
  for (const { status, body } of replies) {
    assert.deepEqual([status, body.error], [400, 'invalid_grant'])
    assert.doesNotMatch(body.error_description, new RegExp(challengeOf(VERIFIER)))
  }
  assert.equal((await p.exchange('web', code)).body.error, 'invalid_grant')
})

testOnBoth('B-07 a client that sends one code_challenge all day is in the log, once a day', async (p) => {
  const agent = new UserAgent()
  const seen = await watchEvents(p.server.store)
  const allow = async (client: ClientName, verifier: string, times: number) => {
    for (let i = 0; i < times; i++) await p.getCode(client, { code_challenge: challengeOf(verifier) }, agent)
    return (await seen()).filter(({ type }) => type === 'code_challenge.repeated')
  }
  for (let i = 0; i < 12; i++) assert.deepEqual(await allow('spa', `${wrong}${i}`, 1), [], 'each code has its own')
  assert.deepEqual(await allow('spa', 'constant', 9), [], 'whoever goes back and allows again is no constant')
  assert.deepEqual(await allow('trusted', 'constant', 1), [], 'another client counts for itself')
  const [warning, ...more] = await allow('spa', 'constant', 3)
  assert.deepEqual([warning!.actor, warning!.detail['codes']], ['client:spa', 10])
  assert.deepEqual(more, [])
  p.pass(86_401)
  assert.equal((await allow('spa', 'constant', 10)).length, 2, 'it is told again while it goes on')
})

testOnBoth('10.4.3 P-11 a code is good at 59 seconds and dead at 61', async (p) => {
  const agent = new UserAgent()
  const early = await p.getCode('web', {}, agent)
  p.pass(59)
  assert.equal((await p.exchange('web', early)).status, 200)
  const late = await p.getCode('web', {}, agent)
  p.pass(61)
  const before = await snapshotRows(p.server.store)
  assert.equal((await p.exchange('web', late)).body.error, 'invalid_grant')
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

testOnBoth('B-10 a verifier without a challenge is refused, and a challenge without a verifier', async (p) => {
  const agent = new UserAgent()
  for (const client of ['web', 'post', 'spa'] as const) {
    const code = await p.getCode(client, {}, agent)
    const { body } = await p.exchange(client, code, { code_verifier: '' })
    assert.equal(body.error, 'invalid_grant')
    assert.match(body.error_description, /code_verifier is missing/)
    assert.equal((await p.exchange(client, code)).status, 200)
  }
  const plain = await p.getCode('exempt', {}, agent)
  const { body } = await p.exchange('exempt', plain, { code_verifier: VERIFIER })
  assert.equal(body.error, 'invalid_grant')
  assert.match(body.error_description, /code_verifier/)
  assert.equal((await p.exchange('exempt', plain)).status, 200)
  const bound = await p.getCode(
    'exempt',
    { code_challenge: challengeOf(VERIFIER), code_challenge_method: 'S256' },
    agent,
  )
  assert.equal((await p.exchange('exempt', bound)).body.error, 'invalid_grant', 'bound once asked for')
  assert.equal((await p.exchange('exempt', bound, { code_verifier: VERIFIER })).status, 200)
})

testOnBoth('CVE-2026-27840 a code that is cut, lengthened or written otherwise is refused', async (p) => {
  const code = await p.getCode('web')
  const flipped = code.replace(/[A-Za-z](?=[^A-Za-z]*$)/, (c) =>
    c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase(),
  )
  const spellings = [
    ...[1, 2, 3, 10, 40].map((n) => code.slice(0, -n)),
    ...['A', '=', '==', ' ', '.', '\n'].map((end) => code + end),
    flipped,
    code.toUpperCase(),
    code.slice('sp_ac_'.length),
    `sp_rt_${code.slice('sp_ac_'.length)}`,
    `${code.slice(0, 20)}+${code.slice(21)}`,
  ].filter((spelling) => spelling !== code)
  for (const spelling of spellings) {
    const { status, body } = await p.exchange('web', spelling)
    assert.deepEqual([status, body.error], [400, 'invalid_grant'], spelling)
  }
  assert.equal((await p.exchange('web', code)).status, 200)
})

testOnBoth('9.1.3 B-13 8.4.1 the code of one issuer is nothing at another issuer of the same database', async (p) => {
  const { store } = p.server
  const issuer = 'http://127.0.0.1:1/second'
  const clock = p.now
  const second = await openOrCreateTenant({ issuer, store, root: p.root, clock })
  assert.notEqual(second.tenant_id, p.server.app.tenant.tenant_id)
  const app = await createApp({ issuer, store, root: p.root, log: p.server.app.web.log, clock })
  const code = await p.getCode('web')
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: CALLBACK,
    code_verifier: VERIFIER,
  })
  const authorization = `Basic ${btoa('web:secret-of-web')}`
  const foreign = await app.fetch(new Request(`${issuer}/token`, { method: 'POST', headers: { authorization }, body }))
  assert.equal(foreign.status, 401, 'the client is not known there')
  await app.close()
  assert.equal((await p.exchange('web', code)).status, 200)
})

testOnBoth('T-07 authorization requests of nobody leave no row, and manufactured codes cost one read', async (p) => {
  const before = await countRows(p.server.store)
  for (let i = 0; i < 50; i++) await new UserAgent().follow(p.authorizeUrl('web', { state: `s${i}` }))
  const code = `sp_ac_${Buffer.alloc(48, 7).toString('base64url')}`
  for (let i = 0; i < 50; i++) assert.equal((await p.exchange('web', code)).body.error, 'invalid_grant')
  assert.deepEqual(await countRows(p.server.store), before)
})

testOnBoth('T-07 a code that nobody redeems leaves no row once it is over', async (p) => {
  const { store } = p.server
  const agent = new UserAgent()
  await p.getCode('trusted', {}, agent)
  await store.sweepEnded({ before: p.now(), most: 1000 })
  const before = (await countRows(store))['grants']!
  for (let i = 0; i < 20; i++) await p.getCode('trusted', {}, agent)
  assert.equal((await countRows(store))['grants'], before + 20)
  p.pass(3700)
  await store.sweepEnded({ before: p.now(), most: 1000 })
  assert.ok((await countRows(store))['grants']! <= before)
})

test('10.4.3 a code that would live longer than ten minutes is not a setting', async () => {
  const { readSettings } = await import('../../server/src/store/settings.ts')
  assert.throws(() => readSettings({ code_lifetime_seconds: 601 }), /code_lifetime_seconds/)
})
