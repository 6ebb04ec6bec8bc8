import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { after, before } from 'node:test'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { createEgress } from '../../server/src/egress/egress.ts'
import { inboundChores } from '../../server/src/inbound/administration/chores.ts'
import { deliverLogouts, waitAfter } from '../../server/src/inbound/sessions/backchannel_logout.ts'
import { updateUser } from '../../server/src/inbound/users/administer_users.ts'
import { startUpkeep } from '../../server/src/index.ts'
import { handTimers } from '../parts/hand_timers.ts'
import { ALICE, BOB, CLIENTS, onBothDatabases, type Platform, VERIFIER } from '../parts/platform.ts'
import { csrfOf, open, post } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases({ egress: async () => createEgress({ allow: ['127.0.0.1'] }) })
const CLIENT = { client_id: 'rp', client_secret: 'secret-of-the-rp', redirect_uri: 'https://rp.example/cb' }

/** What the client's address was sent, and what it answers from now on. */
let posts: { url: string; type: string; body: URLSearchParams }[] = []
let status = 200
let rp: Server
let address: string
before(async () => {
  Object.assign(CLIENTS, { rp: CLIENT })
  rp = createServer(async (request, response) => {
    const body = new URLSearchParams(await text(request))
    posts.push({ url: request.url!, type: request.headers['content-type']!, body })
    response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => rp.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(rp.address() as { port: number }).port}/backchannel?tenant=1`
})
after(() => rp.close())

const ready = new WeakSet<Platform>()
async function signInToRp(p: Platform, scope = 'openid mcp:tools', user = ALICE, agent = new UserAgent()) {
  if (!ready.has(p)) {
    ready.add(p)
    await p.server.addClient({
      ...{ client_id: 'rp', client_secret: CLIENT.client_secret, redirect_uris: [CLIENT.redirect_uri], trusted: true },
      ...{ backchannel_logout_uri: address, backchannel_logout_session_required: true },
      ...{ grant_types: ['authorization_code', 'refresh_token'], scope: 'openid offline_access mcp:tools' },
    })
  }
  posts = []
  status = 200
  const name = 'rp' as 'web'
  const back = await agent.authorize(p.authorizeUrl(name, { scope }), user)
  const { body } = await p.exchange(name, back.searchParams.get('code')!, { code_verifier: VERIFIER })
  return { agent, tokens: body, sid: decodeJwt(body.id_token)['sid'] as string, sub: decodeJwt(body.id_token).sub! }
}

const deliver = (p: Platform) => deliverLogouts(p.server.app.web.inbound)
const eventsOf = async (p: Platform, type: string) => {
  const { tenant_id } = p.server.app.tenant
  return p.server.store.pageEvents({ tenant_id, before_event_id: '~', type, actor: '', most: 50 })
}
async function signOut(p: Platform, agent: UserAgent) {
  const page = await open(agent, `${p.issuer}/account`)
  assert.equal((await post(agent, `${p.issuer}/logout`, { csrf_token: csrfOf(page) })).status, 200)
}

testOnBoth(
  'Back-Channel Logout 2.4 2.5 a client is told of the end of a session with a token of its own kind',
  async (p) => {
    const { agent, sid, sub } = await signInToRp(p)
    await signOut(p, agent)
    assert.equal(posts.length, 0, 'nothing is sent by the request itself')
    assert.equal(await deliver(p), 1)
    const [told] = posts
    assert.equal(told!.url, '/backchannel?tenant=1')
    assert.equal(told!.type, 'application/x-www-form-urlencoded')
    const { payload, protectedHeader } = await jwtVerify(
      told!.body.get('logout_token')!,
      createRemoteJWKSet(new URL(`${p.issuer}/jwks`)),
      {
        typ: 'logout+jwt',
        issuer: p.issuer,
        audience: 'rp',
        currentDate: new Date(p.now()),
        requiredClaims: ['jti', 'iat'],
      },
    )
    assert.deepEqual(payload['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} })
    assert.deepEqual([payload['sid'], payload.sub, payload['nonce']], [sid, sub, undefined])
    assert.equal(payload.exp! - payload.iat!, 120)
    assert.equal(protectedHeader.alg, 'ES256')
    assert.equal(await deliver(p), 0)
    assert.equal(posts.length, 1)
    const events = await eventsOf(p, 'logout.delivered')
    assert.deepEqual(JSON.parse(events[0]!.detail), { sid, attempts: 1 })
  },
)

testOnBoth(
  '7.6.1 Back-Channel Logout 2.7 refresh tokens end with the session, unless they are for offline access',
  async (p) => {
    const online = await signInToRp(p)
    const offline = await signInToRp(p, 'openid offline_access mcp:tools', ALICE, online.agent)
    assert.equal(offline.sid, online.sid)
    await signOut(p, online.agent)
    const name = 'rp' as 'web'
    if (online.tokens.refresh_token) {
      assert.equal((await p.refresh(name, online.tokens.refresh_token)).body.error, 'invalid_grant')
    }
    assert.equal((await p.introspect(online.tokens.access_token)).active, false)
    assert.equal((await p.refresh(name, offline.tokens.refresh_token)).status, 200)
    await deliver(p)
    assert.equal(posts.length, 1, 'once for the session, however many grants')
  },
)

testOnBoth(
  'an app that is embedded and kept up tells clients, seals, rotates its keys and sweeps by itself',
  async (p) => {
    const { agent, sid } = await signInToRp(p)
    const timers = handTimers()
    const upkeep = startUpkeep(p.server.app, { timers })
    const loops = timers.waiting
    const DAY = 86_400
    /** One round of everything that is done within so many seconds. */
    const round = async (seconds: number) => {
      timers.pass(seconds * 1000)
      while (timers.waiting < loops) await new Promise((resolve) => setImmediate(resolve))
    }
    const { tenant_id } = p.server.app.tenant
    const kids = async () => {
      const { keys } = (await (await fetch(`${p.issuer}/jwks`)).json()) as { keys: { kid: string }[] }
      return keys.map(({ kid }) => kid)
    }
    const [first] = await kids()

    await signOut(p, agent)
    await round(1)
    assert.deepEqual(
      posts.map(({ body }) => decodeJwt(body.get('logout_token')!)['sid']),
      [sid],
    )
    await round(1)
    assert.equal(await p.server.store.hasUnsealedEvents({ tenant_id }), false)

    p.pass(89 * DAY)
    await round(600)
    assert.equal((await kids()).length, 2, 'the next key is published a day before it signs')
    p.pass(2 * DAY)
    await round(600)
    assert.equal((await p.server.app.tenant.currentConfiguration()).signing_key.kid === first, false)
    assert.equal(await p.server.store.sweepEnded({ before: p.now() - 60_000, most: 10 }), 0, 'all that ended is swept')

    await upkeep.stop()
    assert.equal(timers.waiting, 0)
  },
)

testOnBoth('7.4.1 7.4.2 7.4.3 however a session ends, its clients are told', async (p) => {
  const { tenant } = p.server.app
  const { tenant_id, store } = tenant
  const ends: Record<string, (of: Awaited<ReturnType<typeof signInToRp>>) => Promise<unknown>> = {
    'the user is disabled': async ({ sub }) => {
      await p.setDisabled(true, { user_id: sub })
      await p.setDisabled(false, { user_id: sub })
    },
    'the password is reset': async ({ sub }) => {
      const user = (await store.findUser({ tenant_id, user_id: sub }))!
      await updateUser(tenant, user, { password: ALICE.password }, { actor: 'cli', changed: ['password'] })
    },
    'signed out from another browser': async ({ sid }) => {
      const { agent } = await signInToRp(p)
      const { html } = await open(agent, `${p.issuer}/account`)
      const form = { csrf_token: csrfOf({ html }), sid }
      assert.equal((await post(agent, `${p.issuer}/account/sessions/end`, form)).status, 303)
    },
    'signed out everywhere else': async () => {
      const { agent } = await signInToRp(p)
      const csrf_token = csrfOf(await open(agent, `${p.issuer}/account`))
      await post(agent, `${p.issuer}/account/sessions/end_others`, { csrf_token })
    },
    'somebody else signs in': async ({ agent }) => {
      await open(agent, p.authorizeUrl('trusted', { prompt: 'login' }))
      const page = await open(agent, p.authorizeUrl('trusted', { prompt: 'login' }))
      await agent.submit(page, BOB, 'password')
    },
    'nobody used it': async () => {
      p.pass(9 * 3600)
      await inboundChores(p.server.app.web.inbound)
        .find(({ name }) => name === 'sessions')!
        .run()
    },
  }
  for (const [how, end] of Object.entries(ends)) {
    await deliver(p)
    const signed_in = await signInToRp(p)
    await end(signed_in)
    await deliver(p)
    const sids = posts.map(({ body }) => decodeJwt(body.get('logout_token')!)['sid'])
    assert.ok(sids.includes(signed_in.sid), how)
    assert.equal((await p.introspect(signed_in.tokens.access_token)).active, false, how)
  }
})

testOnBoth('7.2.4 who signs in again keeps the sid, and is told once at the end', async (p) => {
  const first = await signInToRp(p)
  p.pass(60)
  const again = await open(first.agent, p.authorizeUrl('trusted', { prompt: 'login' }))
  await first.agent.submit(again, ALICE, 'password')
  const second = await signInToRp(p, undefined, ALICE, first.agent)
  assert.equal(second.sid, first.sid)
  await deliver(p)
  assert.equal(posts.length, 0)
  await signOut(p, first.agent)
  await deliver(p)
  assert.deepEqual(
    posts.map(({ body }) => decodeJwt(body.get('logout_token')!)['sid']),
    [first.sid],
  )
})

testOnBoth(
  'Back-Channel Logout 2.5 an address that fails is tried again, ever more rarely, until it answers',
  async (p) => {
    const { agent, sid } = await signInToRp(p)
    await signOut(p, agent)
    status = 503
    for (let tries = 1; tries <= 4; tries++) {
      await deliver(p)
      assert.equal(posts.length, tries)
      await deliver(p)
      assert.equal(posts.length, tries, 'its turn has not come')
      p.pass(waitAfter(tries - 1) / 1000)
    }
    status = 204
    await deliver(p)
    assert.equal(posts.length, 5)
    assert.equal(new Set(posts.map(({ body }) => decodeJwt(body.get('logout_token')!).jti)).size, 5)
    assert.deepEqual(JSON.parse((await eventsOf(p, 'logout.delivered'))[0]!.detail), { sid, attempts: 5 })
    assert.deepEqual([0, 5, 9, 29].map(waitAfter), [10_000, 320_000, 3_600_000, 3_600_000])
  },
)

testOnBoth('a client that refuses a logout, or nobody that answers in a day, is given up with an event', async (p) => {
  const { agent } = await signInToRp(p)
  await signOut(p, agent)
  status = 400
  await deliver(p)
  p.pass(7200)
  await deliver(p)
  assert.equal(posts.length, 1)
  assert.match((await eventsOf(p, 'logout.failed'))[0]!.detail, /"refused"/)
  const { agent: other } = await signInToRp(p)
  await signOut(p, other)
  status = 500
  for (let minutes = 0; minutes < 25 * 60; minutes += 20) {
    await deliver(p)
    p.pass(1200)
  }
  assert.ok(posts.length > 24 && posts.length < 32, String(posts.length))
  const failed = await eventsOf(p, 'logout.failed')
  assert.deepEqual([failed.length, JSON.parse(failed[0]!.detail).reason], [2, 'unanswered'])
})

testOnBoth('what is not delivered yet survives the process, and two processes deliver it once', async (p) => {
  const { agent } = await signInToRp(p)
  await signOut(p, agent)
  const { tenant_id } = p.server.app.tenant
  const due = await p.server.store.listDueNotices({ tenant_id, most: 5 })
  assert.equal(due.length, 1)
  // A process takes it and dies before it has called.
  const { sid, client_id, attempts } = due[0]!
  const lease = { tenant_id, sid, client_id, attempts, again_in_ms: waitAfter(attempts) }
  assert.equal(await p.server.store.leaseNotice(lease), true)
  assert.equal(await p.server.store.leaseNotice(lease), false)
  p.pass(10)
  const replica = await p.openReplica()
  await Promise.all([deliver(p), deliverLogouts(replica.web.inbound)])
  assert.equal(posts.length, 1)
})

testOnBoth('CVE-2026-4874 nothing of a request is in the address that is called', async (p) => {
  const agent = new UserAgent()
  const evil = { client_session_host: 'evil.example', backchannel_logout_uri: 'http://127.0.0.1:1/evil' }
  const name = 'rp' as 'web'
  await signInToRp(p)
  const back = await agent.authorize(p.authorizeUrl(name, { scope: 'openid mcp:tools', ...evil }), ALICE)
  await p.exchange(name, back.searchParams.get('code')!, { code_verifier: VERIFIER, ...evil })
  const page = await open(agent, `${p.issuer}/account`)
  const form = { csrf_token: csrfOf(page), ...evil }
  const headers = { 'sec-fetch-site': 'same-origin', 'x-forwarded-host': 'evil.example', host: 'evil.example' }
  await post(agent, `${p.issuer}/logout`, form, headers)
  await deliver(p)
  assert.deepEqual(
    posts.map(({ url }) => url),
    ['/backchannel?tenant=1'],
  )
  assert.equal(decodeJwt(posts[0]!.body.get('logout_token')!).iss, p.issuer)
})

testOnBoth('8.3.2 a grant that is made while its session ends is not made, or ends with it', async (p) => {
  const { tenant } = p.server.app
  const { tenant_id, store } = tenant
  for (let i = 0; i < 12; i++) {
    const { sid, sub } = await signInToRp(p, 'openid offline_access mcp:tools')
    const about = { tenant_id, user_id: sub, before_event_id: '~' }
    const session = (await store.listSessionsOfUser(about)).find(({ session_id }) => session_id === sid)!
    const at = p.now()
    const grant_id = `race-${randomUUID()}`
    const event = { tenant_id, event_id: randomUUID(), at, type: 'race', actor: 'cli' }
    const approve = store.approveGrant({
      tenant_id,
      grant: {
        ...{ grant_id, client_id: 'rp', user_id: sub, session_id: session.session_id, scope: 'openid', resource: '[]' },
        ...{ authorization_details: null, connections: null, claims: null, nonce: null, auth_time: at, acr: null },
        ...{ amr: null, tenant_epoch: 0, client_epoch: 0, user_epoch: 0, session_epoch: 0, offline: 0 },
        ...{ code_hash: null, code_expires_at: null, code_challenge: null, redirect_uri: null },
        ...{ created_at: at, idle_expires_at: null, expires_at: at + 60_000 },
      },
      consent: null,
      event,
    })
    const end = store.endSession({
      tenant_id,
      session_id: session.session_id,
      event: { ...event, event_id: randomUUID() },
    })
    const [made] = await Promise.all(i % 2 ? [approve, end] : [end.then(() => approve), end])
    const authority = await store.loadGrantAuthority({ tenant_id, client_id: 'rp', grant_id })
    if (made === 'session_ended') assert.equal(authority!.grant, null)
    else assert.notEqual(authority!.grant!.revoked_at, null)
  }
})

testOnBoth(
  '7.3.1 what hangs on a session ends when nobody used it for too long, and not only at its last day',
  async (p) => {
    const { tokens } = await signInToRp(p)
    assert.equal((await p.introspect(tokens.access_token)).active, true)
    p.pass(590)
    assert.equal((await p.introspect(tokens.access_token)).active, true)
    await p.server.saveSettings({ session_idle_seconds: 60 })
    const late = await signInToRp(p)
    p.pass(121)
    assert.equal((await p.introspect(late.tokens.access_token)).active, false)
    await p.server.saveSettings({})
  },
)

testOnBoth('CVE-2024-1249 discovery says what logout there is, none of it by a frame', async (p) => {
  const document = await (await fetch(`${p.issuer}/.well-known/openid-configuration`)).json()
  assert.equal(document.end_session_endpoint, `${p.issuer}/logout`)
  assert.equal(document.backchannel_logout_supported, true)
  assert.equal(document.backchannel_logout_session_supported, true)
  assert.equal(document.revocation_feed_endpoint, `${p.issuer}/revocations`)
  assert.ok(!('check_session_iframe' in document) && !('frontchannel_logout_supported' in document))
})
