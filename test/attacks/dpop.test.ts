import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { App } from '../../server/src/app.ts'
import { badProofs, goodClaims } from '../parts/bad_dpop_proofs.ts'
import { type DpopKey, hashOfToken, makeDpopKey, makeProof } from '../parts/dpop.ts'
import {
  ALICE,
  CALLBACK,
  CLIENTS,
  type ClientName,
  claimsOf,
  JWT_API,
  OPAQUE_API,
  onBothDatabases,
  type Platform,
  readReply,
  SPA_CALLBACK,
  VERIFIER,
} from '../parts/platform.ts'
import { assertRefusal, sendRaw } from '../parts/raw_request.ts'
import { countRows, snapshotRows, watchEvents } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
const key = makeDpopKey()
const other = makeDpopKey()
const ALGS = 'ES256 EdDSA Ed25519 PS256'

/** A proof for a request to the token endpoint. */
function tokenProof(p: Platform, claims: Record<string, unknown> = {}, signer: DpopKey = key): string {
  const target = { method: 'POST', url: `${p.issuer}/token`, now: p.now() }
  return makeProof(signer, { claims: { ...goodClaims(target), ...claims } })
}

/** A proof for a request to a resource of ours. */
function accessProof(p: Platform, path: string, access_token: string, more: Record<string, unknown> = {}, by = key) {
  const target = { method: 'GET', url: p.issuer + path, now: p.now(), access_token }
  return makeProof(by, { claims: { ...goodClaims(target), ...more } })
}

function exchange(p: Platform, client: ClientName, code: string, dpop: string, more: object = {}, app?: App) {
  const { redirect_uri } = CLIENTS[client]
  const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier: VERIFIER, ...more }
  return p.post('/token', form, client, app, { dpop })
}

function refresh(p: Platform, client: ClientName, refresh_token: string, dpop: string, app?: App) {
  return p.post('/token', { grant_type: 'refresh_token', refresh_token }, client, app, { dpop })
}

async function get(p: Platform, path: string, authorization: string, dpop?: string) {
  const headers = { authorization, ...(dpop !== undefined && { dpop }) }
  return readReply(await fetch(p.issuer + path, { headers }))
}

/** The tokens of a new grant, bound to the key. */
async function getBoundTokens(p: Platform, client: ClientName, params: Record<string, string> = {}) {
  const { status, body } = await exchange(p, client, await p.getCode(client, params), tokenProof(p))
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

const machine = { grant_type: 'client_credentials', scope: 'api:read', resource: JWT_API }

testOnBoth(
  'P-04/05 RFC 9449 5 a token that is asked for with a proof says DPoP, and whose key it is bound to',
  async (p) => {
    const jwt = await getBoundTokens(p, 'spa')
    assert.equal(jwt.token_type, 'DPoP')
    assert.deepEqual(claimsOf(jwt.access_token)['cnf'], { jkt: key.jkt })
    const opaque = await getBoundTokens(p, 'web', { resource: OPAQUE_API, scope: 'openid vault:open' })
    for (const { access_token } of [jwt, opaque]) {
      const seen = await p.introspect(access_token)
      assert.deepEqual([seen.active, seen.token_type, seen.cnf], [true, 'DPoP', { jkt: key.jkt }])
    }
    const own = await p.post('/token', machine, 'web', undefined, { dpop: tokenProof(p) })
    assert.deepEqual([own.body.token_type, claimsOf(own.body.access_token)['cnf']], ['DPoP', { jkt: key.jkt }])
    const bearer = await p.getTokens('web')
    assert.deepEqual([bearer.token_type, claimsOf(bearer.access_token)['cnf']], ['Bearer', undefined])
    assert.equal((await p.introspect(bearer.access_token)).token_type, 'Bearer')
  },
)

testOnBoth('B-12 what is no proof gets no token, changes nothing and is told why', async (p) => {
  const before = await snapshotRows(p.server.store)
  for (const [what, dpop] of badProofs(key, { method: 'POST', url: `${p.issuer}/token`, now: p.now() })) {
    // Over 16 kB the listener itself refuses.
    if (dpop.length > 15_000) continue
    const { status, body } = await p.post('/token', machine, 'web', undefined, { dpop })
    assert.deepEqual([status, body.error], [400, 'invalid_dpop_proof'], what)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

testOnBoth('10.3.5 B-11 B-12 a bound token is nothing without a proof of its key for this very request', async (p) => {
  const { access_token } = await getBoundTokens(p, 'spa', { resource: p.issuer, scope: 'openid' })
  const scheme = `DPoP ${access_token}`
  const used = accessProof(p, '/userinfo', access_token)
  assert.equal((await get(p, '/userinfo', scheme, used)).status, 200)
  const without: [string, string, string | undefined][] = [
    ['no proof', scheme, undefined],
    ['the proof of before', scheme, used],
    ['another key', scheme, accessProof(p, '/userinfo', access_token, {}, other)],
    ['no ath', scheme, accessProof(p, '/userinfo', access_token, { ath: undefined })],
    ['the ath of another token', scheme, accessProof(p, '/userinfo', access_token, { ath: hashOfToken('x') })],
    ['htm', scheme, accessProof(p, '/userinfo', access_token, { htm: 'POST' })],
    ['htu', scheme, accessProof(p, '/api/connections', access_token)],
    ['a minute ago', scheme, accessProof(p, '/userinfo', access_token, { iat: p.now() / 1000 - 61 })],
    ['Bearer, without a proof', `Bearer ${access_token}`, undefined],
    ['Bearer, with a proof', `Bearer ${access_token}`, accessProof(p, '/userinfo', access_token)],
  ]
  for (const [what, authorization, dpop] of without) {
    const { status, body, headers } = await get(p, '/userinfo', authorization, dpop)
    assert.equal(status, 401, what)
    assert.match(body.error, /^(invalid_token|invalid_dpop_proof)$/, what)
    const challenge = headers.get('www-authenticate')!
    assert.match(challenge, /^DPoP realm="/, what)
    assert.match(challenge, new RegExp(`error="${body.error}".*, algs="${ALGS}"$`), what)
  }
})

testOnBoth('B-12 10.3.5 what is no proof opens no resource', async (p) => {
  const { access_token } = await getBoundTokens(p, 'spa', { resource: p.issuer, scope: 'openid' })
  const target = { method: 'GET', url: `${p.issuer}/userinfo`, now: p.now(), access_token }
  for (const [what, dpop] of badProofs(key, target)) {
    if (dpop.length > 14_000) continue
    const { status, body } = await get(p, '/userinfo', `DPoP ${access_token}`, dpop)
    assert.deepEqual([status, body.error], [401, 'invalid_dpop_proof'], what)
  }
})

testOnBoth(
  'RFC 9449 7.1 each resource of ours asks for the proof of a bound token, and takes no other for one',
  async (p) => {
    const agent = new UserAgent()
    await p.server.addClient({
      ...{ client_id: `admin-${p.now()}`, client_secret: 'secret-of-admin', scope: 'admin:read', redirect_uris: [] },
      grant_types: ['client_credentials'],
    })
    const form = { grant_type: 'client_credentials', scope: 'admin:read', resource: `${p.issuer}/api` }
    const authorization = `Basic ${btoa(`admin-${p.now()}:secret-of-admin`)}`
    const asked = await p.post('/token', form, null, undefined, { authorization, dpop: tokenProof(p) })
    const code = await p.getCode('web', { resource: p.issuer }, agent)
    const user = (await exchange(p, 'web', code, tokenProof(p))).body
    for (const [path, access_token, status] of [
      ['/api/connections', asked.body.access_token, 200],
      ['/proxy/nowhere/me', user.access_token, 404],
      ['/userinfo', user.access_token, 200],
    ] as const) {
      assert.equal((await get(p, path, `Bearer ${access_token}`)).status, 401, path)
      assert.equal((await get(p, path, `DPoP ${access_token}`)).status, 401, path)
      const dpop = accessProof(p, path, access_token)
      assert.equal((await get(p, `${path}?limit=1`, `dpop ${access_token}`, dpop)).status, status, path)
      const again = await get(p, path, `DPoP ${access_token}`, dpop)
      assert.deepEqual([again.status, again.body.error], [401, 'invalid_dpop_proof'], path)
    }
  },
)

testOnBoth('RFC 9449 7.1 who brings no token is told both schemes, and a bearer token is no DPoP token', async (p) => {
  const none = await readReply(await fetch(`${p.issuer}/userinfo`))
  const realm = `realm="${p.issuer}"`
  assert.equal(none.headers.get('www-authenticate'), `Bearer ${realm}, DPoP ${realm}, algs="${ALGS}"`)
  const { access_token } = await p.getTokens('web', { resource: p.issuer, scope: 'openid' })
  const taken = await get(p, '/userinfo', `DPoP ${access_token}`, accessProof(p, '/userinfo', access_token))
  assert.deepEqual([taken.status, taken.body.error], [401, 'invalid_token'])
  assert.match(taken.headers.get('www-authenticate')!, /^Bearer .*error="invalid_token"/)
  assert.equal((await get(p, '/userinfo', `Bearer ${access_token}`)).status, 200)
})

testOnBoth(
  '10.4.5 RFC 9449 5 a public client refreshes with the key of its grant alone, and another one changes nothing',
  async (p) => {
    const first = await getBoundTokens(p, 'spa')
    const before = await snapshotRows(p.server.store)
    for (const dpop of [tokenProof(p, {}, other), undefined]) {
      const headers = dpop === undefined ? {} : { dpop }
      const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token }
      const { status, body } = await p.post('/token', form, 'spa', undefined, headers)
      assert.deepEqual([status, body.error], [400, 'invalid_grant'])
      assert.match(body.error_description, /bound to a key/)
    }
    assert.deepEqual(await snapshotRows(p.server.store), before)
    const second = (await refresh(p, 'spa', first.refresh_token, tokenProof(p))).body
    assert.deepEqual(claimsOf(second.access_token)['cnf'], { jkt: key.jkt })
    p.pass(3600)
    const late = (await refresh(p, 'spa', first.refresh_token, tokenProof(p))).body
    assert.equal(late.refresh_token, second.refresh_token, 'who is bound may retry until the successor is used')
    const third = (await refresh(p, 'spa', second.refresh_token, tokenProof(p))).body
    const stolen = await refresh(p, 'spa', first.refresh_token, tokenProof(p, {}, other))
    assert.equal(stolen.body.error, 'invalid_grant')
    assert.equal((await refresh(p, 'spa', third.refresh_token, tokenProof(p))).status, 200, 'a thief ends nothing')
  },
)

testOnBoth('RFC 9449 5 a confidential client may change its keys', async (p) => {
  const first = await getBoundTokens(p, 'web')
  const { body } = await refresh(p, 'web', first.refresh_token, tokenProof(p, {}, other))
  assert.deepEqual(claimsOf(body.access_token)['cnf'], { jkt: other.jkt })
  const bearer = (await p.refresh('web', body.refresh_token)).body
  assert.deepEqual([bearer.token_type, claimsOf(bearer.access_token)['cnf']], ['Bearer', undefined])
})

testOnBoth('RFC 9449 5 a public client that shows a key at a refresh is bound to it from then on', async (p) => {
  const bearer = await p.getTokens('spa')
  const bound = (await refresh(p, 'spa', bearer.refresh_token, tokenProof(p))).body
  assert.equal(bound.token_type, 'DPoP')
  assert.equal((await p.refresh('spa', bound.refresh_token)).body.error, 'invalid_grant')
  assert.equal((await refresh(p, 'spa', bound.refresh_token, tokenProof(p))).status, 200)
})

testOnBoth('P-12 RFC 9449 10 a code that was asked for with dpop_jkt is exchanged with that key alone', async (p) => {
  for (const client of ['web', 'spa'] as const) {
    const code = await p.getCode(client, { dpop_jkt: key.jkt })
    const before = await snapshotRows(p.server.store)
    const wrong = await exchange(p, client, code, tokenProof(p, {}, other))
    assert.deepEqual([wrong.status, wrong.body.error], [400, 'invalid_grant'])
    const none = await p.exchange(client, code)
    assert.deepEqual([none.status, none.body.error], [400, 'invalid_grant'])
    assert.deepEqual(await snapshotRows(p.server.store), before)
    const right = await exchange(p, client, code, tokenProof(p))
    assert.deepEqual([right.status, right.body.token_type], [200, 'DPoP'])
    const replay = await exchange(p, client, code, tokenProof(p, {}, other))
    assert.equal(replay.body.error, 'invalid_grant')
    assert.equal((await p.introspect(right.body.access_token)).active, true, 'who lacks the key ends nothing')
  }
})

testOnBoth('RFC 9449 10 a dpop_jkt that is no thumbprint is refused at the client', async (p) => {
  const agent = new UserAgent()
  await p.getCode('web', {}, agent)
  for (const dpop_jkt of ['x', `${key.jkt}A`, key.jkt.slice(1), `${key.jkt.slice(0, -1)}=`]) {
    const response = await agent.request(p.authorizeUrl('web', { dpop_jkt }))
    const back = new URL(response.headers.get('location')!)
    assert.equal(back.origin + back.pathname, CALLBACK)
    assert.equal(back.searchParams.get('error'), 'invalid_request', dpop_jkt)
    assert.match(back.searchParams.get('error_description')!, /dpop_jkt/)
  }
})

testOnBoth('F-R1 a failed exchange consumes neither the code nor the proof', async (p) => {
  const code = await p.getCode('spa')
  const dpop = tokenProof(p)
  for (const more of [
    { code_verifier: 'x'.repeat(43) },
    { redirect_uri: 'https://spa.example/other' },
    { resource: 'x:y' },
  ]) {
    assert.equal((await exchange(p, 'spa', code, dpop, more)).status, 400)
  }
  assert.equal((await exchange(p, 'spa', code, dpop)).status, 200)
})

testOnBoth(
  'I7 RFC 9449 11.1 a replayed proof changes nothing: neither the grant, nor the code, nor the log',
  async (p) => {
    const code = await p.getCode('spa')
    const dpop = tokenProof(p)
    const first = (await exchange(p, 'spa', code, dpop)).body
    const newEvents = await watchEvents(p.server.store)
    const before = await snapshotRows(p.server.store)
    const whole = await exchange(p, 'spa', code, dpop)
    assert.deepEqual([whole.status, whole.body.error], [400, 'invalid_dpop_proof'])
    const wrong = await exchange(p, 'spa', code, dpop, { code_verifier: 'x'.repeat(43) })
    assert.equal(wrong.status, 400)
    assert.equal((await refresh(p, 'spa', first.refresh_token, dpop)).body.error, 'invalid_dpop_proof')
    assert.deepEqual(await snapshotRows(p.server.store), before)

    const rotation = tokenProof(p)
    const second = (await refresh(p, 'spa', first.refresh_token, rotation)).body
    const third = (await refresh(p, 'spa', second.refresh_token, tokenProof(p))).body
    const reused = await refresh(p, 'spa', first.refresh_token, rotation)
    assert.equal(reused.body.error, 'invalid_dpop_proof', 'an eavesdropper ends no grant by sending a request again')
    assert.equal((await refresh(p, 'spa', third.refresh_token, tokenProof(p))).status, 200)
    assert.deepEqual(await newEvents(), [])

    const bearer = await p.getTokens('spa')
    await p.refresh('spa', bearer.refresh_token)
    const retry = tokenProof(p)
    assert.equal((await refresh(p, 'spa', bearer.refresh_token, retry)).status, 200)
    const laterEvents = await watchEvents(p.server.store)
    assert.equal((await refresh(p, 'spa', bearer.refresh_token, retry)).body.error, 'invalid_dpop_proof')
    assert.deepEqual(await laterEvents(), [])
  },
)

testOnBoth(
  '10.4.2 10.4.5 a second redemption, and the reuse of an old token, by whoever has the key still end the grant',
  async (p) => {
    const code = await p.getCode('spa')
    const { access_token } = (await exchange(p, 'spa', code, tokenProof(p))).body
    assert.equal((await exchange(p, 'spa', code, tokenProof(p))).body.error, 'invalid_grant')
    assert.deepEqual(await p.introspect(access_token), { active: false })

    const first = await getBoundTokens(p, 'spa')
    const second = (await refresh(p, 'spa', first.refresh_token, tokenProof(p))).body
    const third = (await refresh(p, 'spa', second.refresh_token, tokenProof(p))).body
    assert.equal((await refresh(p, 'spa', first.refresh_token, tokenProof(p))).body.error, 'invalid_grant')
    assert.equal((await refresh(p, 'spa', third.refresh_token, tokenProof(p))).body.error, 'invalid_grant')
  },
)

testOnBoth('I7 F-R2 T-12 of 64 parallel requests with one proof, on two replicas, one is answered', async (p) => {
  const replica = await p.openReplica()
  const on = (i: number) => (i % 2 === 0 ? undefined : replica)
  const parallel = (send: (i: number) => ReturnType<Platform['post']>) =>
    Promise.all(Array.from({ length: 64 }, (_, i) => send(i)))
  const check = (replies: Awaited<ReturnType<typeof parallel>>, what: string) => {
    const won = replies.filter(({ status }) => status === 200)
    assert.equal(won.length, 1, what)
    for (const { status, body } of replies) if (status !== 200) assert.equal(body.error, 'invalid_dpop_proof', what)
    return won[0]!.body
  }
  const code = await p.getCode('spa')
  const dpop = tokenProof(p)
  const tokens = check(await parallel((i) => exchange(p, 'spa', code, dpop, {}, on(i))), 'code')
  const rotation = tokenProof(p)
  const fresh = check(await parallel((i) => refresh(p, 'spa', tokens.refresh_token, rotation, on(i))), 'refresh')
  assert.equal((await p.introspect(fresh.access_token)).active, true, 'the losers have ended nothing')
  const alone = tokenProof(p)
  check(await parallel((i) => p.post('/token', machine, 'web', on(i), { dpop: alone })), 'client credentials')

  const { access_token } = await getBoundTokens(p, 'spa', { resource: p.issuer, scope: 'openid' })
  const headers = { authorization: `DPoP ${access_token}`, dpop: accessProof(p, '/userinfo', access_token) }
  const seen = await Promise.all(
    Array.from({ length: 64 }, (_, i) => {
      const request = new Request(`${p.issuer}/userinfo`, { headers })
      return i % 2 === 0 ? fetch(request) : replica.fetch(request)
    }),
  )
  assert.equal(seen.filter(({ status }) => status === 200).length, 1)
  assert.equal(seen.filter(({ status }) => status === 401).length, 63)
})

testOnBoth('P-10 RFC 9449 8 a client that needs nonces is given them, and old ones are no longer taken', async (p) => {
  const client_id = `nonces-${p.now()}`
  await p.server.addClient({
    ...{ client_id, client_secret: 'secret', scope: 'api:read admin:read', redirect_uris: [] },
    ...{ grant_types: ['client_credentials'], require_dpop_nonce: true },
  })
  const authorization = `Basic ${btoa(`${client_id}:secret`)}`
  const form = { grant_type: 'client_credentials', scope: 'admin:read', resource: `${p.issuer}/api` }
  const ask = (claims: Record<string, unknown>, app?: App) =>
    p.post('/token', form, null, app, { authorization, dpop: tokenProof(p, claims) })
  const refused = await ask({})
  assert.deepEqual([refused.status, refused.body.error], [400, 'use_dpop_nonce'])
  const nonce = refused.headers.get('dpop-nonce')!
  const replica = await p.openReplica()
  const { status, body, headers } = await ask({ nonce }, replica)
  assert.equal(status, 200, 'the nonce of one replica is good at another')
  assert.equal(headers.get('dpop-nonce'), null, 'there is no newer one yet')
  for (const foreign of ['', 'x', nonce.slice(1), `${nonce.slice(0, -1)}${nonce.endsWith('A') ? 'B' : 'A'}`]) {
    assert.equal((await ask({ nonce: foreign })).body.error, 'use_dpop_nonce', foreign)
  }
  p.pass(120)
  const renewed = await ask({ nonce })
  assert.equal(renewed.status, 200)
  const next = renewed.headers.get('dpop-nonce')!
  assert.notEqual(next, nonce)
  p.pass(120)
  assert.equal((await ask({ nonce })).body.error, 'use_dpop_nonce')
  assert.equal((await ask({ nonce: next })).status, 200)

  const call = (claims: Record<string, unknown>) =>
    get(
      p,
      '/api/connections',
      `DPoP ${body.access_token}`,
      accessProof(p, '/api/connections', body.access_token, claims),
    )
  const denied = await call({})
  assert.deepEqual([denied.status, denied.body.error], [401, 'use_dpop_nonce'])
  assert.match(denied.headers.get('www-authenticate')!, /^DPoP .*error="use_dpop_nonce"/)
  assert.equal((await call({ nonce: denied.headers.get('dpop-nonce') })).status, 200)
  const old = await call({ nonce: next })
  assert.equal(old.status, 200)
  assert.match(old.headers.get('dpop-nonce')!, /^[A-Za-z0-9_-]{32}$/)
})

testOnBoth(
  '10.4.14 P-04/05 RFC 9449 5.2 a client that is registered for DPoP gets no token without, by any grant',
  async (p) => {
    const client_id = `bound-${p.now()}`
    await p.server.addClient({
      ...{ client_id, client_secret: 'secret', scope: 'openid api:read offline_access', redirect_uris: [CALLBACK] },
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      dpop_bound_access_tokens: true,
    })
    const authorization = `Basic ${btoa(`${client_id}:secret`)}`
    const code = await p.getCode('web', { client_id, scope: 'openid api:read offline_access' })
    const redeem = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER }
    const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
      p.post('/token', form, null, undefined, { authorization, ...headers })
    const before = await snapshotRows(p.server.store)
    for (const form of [redeem, machine]) {
      const { status, body } = await ask(form)
      assert.deepEqual([status, body.error], [400, 'invalid_dpop_proof'])
    }
    assert.deepEqual(await snapshotRows(p.server.store), before)
    const tokens = await ask(redeem, { dpop: tokenProof(p) })
    const renewal = { grant_type: 'refresh_token', refresh_token: tokens.body.refresh_token }
    assert.equal((await ask(renewal)).body.error, 'invalid_dpop_proof')
    const renewed = await ask(renewal, { dpop: tokenProof(p) })
    const own = await ask(machine, { dpop: tokenProof(p) })
    for (const { status, body } of [tokens, renewed, own]) {
      assert.deepEqual([status, body.token_type], [200, 'DPoP'])
      assert.deepEqual(claimsOf(body.access_token)['cnf'], { jkt: key.jkt })
    }
  },
)

testOnBoth('B-12 a bound token is exchanged by its key alone: a public client has nothing else to show', async (p) => {
  const client_id = `exchanger-${p.now()}`
  const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
  await p.server.addClient({
    ...{ client_id, token_endpoint_auth_method: 'none', redirect_uris: [SPA_CALLBACK], scope: 'openid' },
    grant_types: ['authorization_code', grant_type],
  })
  const code = await p.getCode('spa', { client_id, scope: 'openid', resource: p.issuer })
  const redeem = {
    grant_type: 'authorization_code',
    code,
    client_id,
    code_verifier: VERIFIER,
    redirect_uri: SPA_CALLBACK,
  }
  const tokens = await p.post('/token', redeem, null, undefined, { dpop: tokenProof(p) })
  const form = {
    ...{ grant_type, client_id, subject_token: tokens.body.access_token, audience: 'connector:acme' },
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  }
  for (const headers of [{}, { dpop: tokenProof(p, {}, other) }]) {
    const { status, body } = await p.post('/token', form, null, undefined, headers as Record<string, string>)
    assert.deepEqual([status, body.error], [400, 'invalid_request'])
    assert.match(body.error_description, /bound to a key/)
  }
  const right = await p.post('/token', form, null, undefined, { dpop: tokenProof(p) })
  assert.equal(right.body.error, 'invalid_target', 'the key is right, and there is no such connection')
})

testOnBoth('P-12 RFC 9449 10.1 a pushed request binds its code in both ways, and the two must agree', async (p) => {
  const pushed = (more: Record<string, string>, headers: Record<string, string> = {}) => {
    const url = new URL(p.authorizeUrl('web', more))
    return p.post('/par', Object.fromEntries(url.searchParams), 'web', undefined, headers)
  }
  const proof = (claims: Record<string, unknown> = {}) => {
    const target = { method: 'POST', url: `${p.issuer}/par`, now: p.now() }
    return makeProof(key, { claims: { ...goodClaims(target), ...claims } })
  }
  const getCode = async (request_uri: string) => {
    const query = new URLSearchParams({ client_id: 'web', request_uri })
    const back = await new UserAgent().authorize(`${p.issuer}/authorize?${query}`, ALICE)
    return back.searchParams.get('code')!
  }
  for (const ask of [
    () => pushed({ dpop_jkt: key.jkt }),
    () => pushed({}, { dpop: proof() }),
    () => pushed({ dpop_jkt: key.jkt }, { dpop: proof() }),
  ]) {
    const { status, body } = await ask()
    assert.equal(status, 201, JSON.stringify(body))
    const code = await getCode(body.request_uri)
    assert.equal((await exchange(p, 'web', code, tokenProof(p, {}, other))).body.error, 'invalid_grant')
    assert.equal((await p.exchange('web', code)).body.error, 'invalid_grant')
    assert.equal((await exchange(p, 'web', code, tokenProof(p))).status, 200)
  }
  const before = await snapshotRows(p.server.store)
  for (const [what, refused] of [
    ['another dpop_jkt', await pushed({ dpop_jkt: other.jkt }, { dpop: proof() })],
    ['a proof for the token endpoint', await pushed({}, { dpop: tokenProof(p) })],
  ] as const) {
    assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_dpop_proof'], what)
  }
  assert.equal((await pushed({ dpop_jkt: 'x' })).body.error, 'invalid_request')
  assert.deepEqual(await snapshotRows(p.server.store), before)
  const used = proof()
  assert.equal((await pushed({}, { dpop: used })).status, 201)
  assert.equal((await pushed({}, { dpop: used })).body.error, 'invalid_dpop_proof')
})

testOnBoth('4.1.3 B-17 htu is held against the issuer, whatever host a request says it is for', async (p) => {
  const body = new URLSearchParams(machine).toString()
  const headers = {
    authorization: `Basic ${btoa('web:secret-of-web')}`,
    'content-type': 'application/x-www-form-urlencoded',
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
  }
  const url = `${p.issuer}/token`
  const { pathname } = new URL(url)
  for (const htu of [`http://evil.example${pathname}`, `https://evil.example${pathname}`]) {
    const refused = await sendRaw(url, { headers: { ...headers, dpop: tokenProof(p, { htu }) }, body })
    assertRefusal(refused, 400, 'invalid_dpop_proof', htu)
  }
  assert.equal((await sendRaw(url, { headers: { ...headers, dpop: tokenProof(p) }, body })).status, 200)
})

testOnBoth('RFC 9449 4.3 two DPoP headers are refused, on the wire', async (p) => {
  const body = new URLSearchParams(machine).toString()
  const headers = {
    authorization: `Basic ${btoa('web:secret-of-web')}`,
    'content-type': 'application/x-www-form-urlencoded',
    dpop: [tokenProof(p), tokenProof(p)],
  }
  const refused = await sendRaw(`${p.issuer}/token`, { headers, body })
  assert.match(assertRefusal(refused, 400, 'invalid_dpop_proof', 'two headers'), /several/)
})

testOnBoth(
  'RFC 9449 5.1 discovery names the algorithms, and browsers of any origin may send proofs and read nonces',
  async (p) => {
    const metadata = (await readReply(await fetch(`${p.issuer}/.well-known/openid-configuration`))).body
    assert.deepEqual(metadata.dpop_signing_alg_values_supported, ALGS.split(' '))
    const resource = `${new URL(p.issuer).origin}/.well-known/oauth-protected-resource/hub/api`
    assert.deepEqual((await readReply(await fetch(resource))).body.dpop_signing_alg_values_supported, ALGS.split(' '))
    const origin = 'https://spa.example'
    for (const path of ['/token', '/userinfo']) {
      const preflight = await fetch(p.issuer + path, { method: 'OPTIONS', headers: { origin } })
      assert.match(preflight.headers.get('access-control-allow-headers')!, /\bDPoP\b/)
      const answer = await fetch(p.issuer + path, { method: path === '/token' ? 'POST' : 'GET', headers: { origin } })
      assert.match(answer.headers.get('access-control-expose-headers')!, /\bWWW-Authenticate, DPoP-Nonce\b/)
    }
  },
)

testOnBoth('T-07 a proof leaves one row until it is too old, and a request without leaves none', async (p) => {
  const { store } = p.server
  const rows = async () => (await countRows(store))['replay_ids']!
  await store.sweepEnded({ before: p.now() + 600_000, most: 1000 })
  const before = await rows()
  await p.post('/token', machine)
  assert.equal(await rows(), before)
  await p.post('/token', machine, 'web', undefined, { dpop: tokenProof(p) })
  assert.equal(await rows(), before + 1)
  await store.sweepEnded({ before: p.now() + 59_000, most: 1000 })
  assert.equal(await rows(), before + 1, 'it could still be replayed')
  await store.sweepEnded({ before: p.now() + 62_000, most: 1000 })
  assert.equal(await rows(), before)
})

test('a client is registered for DPoP by the members of RFC 9449 and our own', async () => {
  const { readClientMetadata } = await import('../../server/src/oauth/clients/client_metadata.ts')
  const rules = {
    ...{ grant_types: ['client_credentials', 'implicit'], response_types: ['token'], response_modes: [] },
    token_endpoint_auth_methods: ['client_secret_basic'],
  }
  const read = (more: object, door: 'administrator' | 'dynamic' = 'administrator') =>
    readClientMetadata({ grant_types: ['client_credentials'], ...more }, { ...rules, door })
  assert.equal(read({ dpop_bound_access_tokens: true }, 'dynamic').dpop_bound_access_tokens, true)
  assert.equal(read({}).dpop_bound_access_tokens, undefined)
  assert.throws(() => read({ dpop_bound_access_tokens: 'true' }), /dpop_bound_access_tokens must be true or false/)
  const implicit = { grant_types: ['implicit'], redirect_uris: [CALLBACK] }
  assert.throws(() => read({ ...implicit, dpop_bound_access_tokens: true }), /implicit, which shows no key/)
  assert.equal(read(implicit).dpop_bound_access_tokens, undefined)
  assert.equal(read({ require_dpop_nonce: true }).require_dpop_nonce, true)
  assert.equal(read({ require_dpop_nonce: true }, 'dynamic').require_dpop_nonce, undefined)
})
