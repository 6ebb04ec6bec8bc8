import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ForeignProvider, startForeignProvider } from '../../../test/parts/foreign_provider.ts'
import { UserAgent } from '../../../test/parts/user_agent.ts'
import { createEgress, type Egress } from '../egress/egress.ts'
import { createCatalogue } from '../providers/catalogue.ts'
import { resolveProvider } from '../providers/resolve.ts'
import { buildAuthorizationUrl } from './authorization_url.ts'
import { createRelyingContext, type RelyingContext, type RelyingParty } from './context.ts'
import { exchangeCode } from './exchange_code.ts'
import type { Tokens } from './outcome.ts'
import { revokeToken } from './revocation.ts'
import { refreshToken } from './token_call.ts'
import { fetchUserinfo } from './userinfo.ts'

const redirect_uri = 'http://127.0.0.1:9/callback'
let foreign: ForeignProvider
let egress: Egress
let context: RelyingContext

const client = { client_id: 'web-1.a_b', client_secret: 'a secret: with + signs & more', redirect_uris: [redirect_uri] }
const post = { ...client, client_id: 'post', token_endpoint_auth_method: 'client_secret_post' }
const open = { client_id: 'open', redirect_uris: [redirect_uri], token_endpoint_auth_method: 'none' }

before(async () => {
  foreign = await startForeignProvider({ clients: [client, post, open] })
  egress = createEgress({ allow: [foreign.issuer.slice('http://'.length)] })
  context = createRelyingContext({ egress, clock: Date.now })
})
after(async () => {
  await egress.close()
  await foreign.close()
})

function partyOf(more: Partial<RelyingParty> = {}): RelyingParty {
  const oidc = createCatalogue().get('oidc')!
  return {
    provider: resolveProvider(oidc, { client_id: client.client_id, fields: { issuer: foreign.issuer } }),
    ...{ client_id: client.client_id, client_secret: client.client_secret, redirect_uri },
    scope: 'openid email offline_access',
    ...more,
  }
}

async function connect(party = partyOf(), login = 'alice') {
  foreign.auto_login = login
  const { url, remember } = await buildAuthorizationUrl(context, party, { state: 's1' })
  const back = await new UserAgent().authorize(url, { username: login, password: 'x' })
  assert.equal(back.searchParams.get('state'), 's1')
  return { remember, params: back.searchParams }
}

async function tokensOf(party = partyOf()) {
  const { remember, params } = await connect(party)
  const outcome = await exchangeCode(context, party, { params, ...remember })
  assert.equal(outcome.kind, 'tokens', JSON.stringify(outcome))
  return outcome as Extract<typeof outcome, Tokens>
}

test('a code is exchanged through discovery, PKCE, Basic credentials and a valid ID token', async () => {
  const tokens = await tokensOf()
  assert.equal(tokens.token_type, 'Bearer')
  assert.equal(tokens.expires_in, 3600)
  assert.ok(tokens.refresh_token)
  assert.deepEqual(tokens.scope?.split(' ').sort(), ['email', 'offline_access', 'openid'])
  assert.equal(tokens.id_token_claims?.sub, 'alice')
  assert.equal(tokens.id_token_claims?.['email'], 'alice@foreign.example')
  assert.deepEqual(tokens.warnings, [])
  const userinfo = await fetchUserinfo(context, partyOf(), { access_token: tokens.access_token, sub: 'alice' })
  assert.equal(userinfo.kind === 'claims' && userinfo.claims['email'], 'alice@foreign.example')
})

test('a client that posts its secret, and one without any, are served alike', async () => {
  // The catalogue's default is Basic; what the provider publishes about its methods allows both.
  const provider = { ...partyOf().provider, token_endpoint_auth_method: 'client_secret_post' as const }
  await tokensOf(partyOf({ client_id: 'post', provider }))
  await tokensOf(partyOf({ client_id: 'open', client_secret: null }))
})

test('real pages of the provider lead to the same end, and a person can say no', async () => {
  const party = partyOf()
  foreign.auto_login = null
  const first = await buildAuthorizationUrl(context, party, { state: 's' })
  const agent = new UserAgent()
  const yes = await agent.authorize(first.url, { username: 'bob', password: 'x' })
  const outcome = await exchangeCode(context, party, { params: yes.searchParams, ...first.remember })
  assert.equal(outcome.kind === 'tokens' && outcome.id_token_claims?.sub, 'bob')

  const second = await buildAuthorizationUrl(context, party, { state: 's' })
  const no = await agent.authorize(second.url, { username: 'bob', password: 'x' }, 'deny')
  const refused = await exchangeCode(context, party, { params: no.searchParams, ...second.remember })
  assert.deepEqual(refused, {
    kind: 'refused',
    error: 'access_denied',
    provider_error: 'access_denied',
    error_description: 'The user said no',
  })
})

test('a refresh rotates the refresh token, and the provider sees one call of that grant type', async () => {
  const party = partyOf()
  const first = await tokensOf(party)
  foreign.ledger.length = 0
  const second = await refreshToken(context, party, { refresh_token: first.refresh_token! })
  assert.equal(second.kind, 'tokens', JSON.stringify(second))
  assert.ok(second.kind === 'tokens' && second.refresh_token !== first.refresh_token)
  assert.deepEqual(
    foreign.ledger.map(({ grant_type, client_id, status }) => ({ grant_type, client_id, status })),
    [{ grant_type: 'refresh_token', client_id: client.client_id, status: 200 }],
  )
})

test('a code that was used, and a refresh token that was used, are definite refusals', async () => {
  const party = partyOf()
  const { remember, params } = await connect(party)
  const first = await exchangeCode(context, party, { params, ...remember })
  assert.equal(first.kind, 'tokens')
  const again = await exchangeCode(context, party, { params, ...remember })
  assert.equal(again.kind === 'refused' && again.error, 'invalid_grant')
  const tokens = await tokensOf(party)
  await refreshToken(context, party, { refresh_token: tokens.refresh_token! })
  const replay = await refreshToken(context, party, { refresh_token: tokens.refresh_token! })
  assert.equal(replay.kind === 'refused' && replay.error, 'invalid_grant')
})

test('10.2.1 T-08 a code does not work with the verifier of another flow', async () => {
  const party = partyOf()
  const mine = await connect(party)
  const other = await connect(party, 'mallory')
  const outcome = await exchangeCode(context, party, { params: other.params, ...mine.remember })
  assert.equal(outcome.kind === 'refused' && outcome.error, 'invalid_grant')
})

test('10.5.1 T-08 an ID token with the nonce of another flow is rejected', async () => {
  const party = partyOf()
  const mine = await connect(party)
  const { nonce } = (await connect(party)).remember
  const outcome = await exchangeCode(context, party, { ...mine, ...mine.remember, nonce })
  assert.equal(outcome.kind === 'rejected' && outcome.reason, 'id_token')
})

test('10.2.2 a response with another issuer, or without the promised one, is rejected and its code never sent', async () => {
  const party = partyOf()
  const { remember, params } = await connect(party)
  assert.equal(params.get('iss'), foreign.issuer, 'this provider promises iss')
  foreign.ledger.length = 0
  for (const iss of ['https://other.example', `${foreign.issuer}/`, foreign.issuer.toUpperCase(), null]) {
    const spoiled = new URLSearchParams(params)
    spoiled.delete('iss')
    if (iss !== null) spoiled.set('iss', iss)
    const outcome = await exchangeCode(context, party, { params: spoiled, ...remember })
    assert.equal(outcome.kind === 'rejected' && outcome.reason, 'iss', String(iss))
  }
  assert.deepEqual(foreign.ledger, [])
  assert.equal((await exchangeCode(context, party, { params, ...remember })).kind, 'tokens')
})

test('a wrong secret is the fault of the connector, not of the user', async () => {
  const tokens = await tokensOf()
  const party = partyOf({ client_secret: 'wrong secret' })
  const outcome = await refreshToken(context, party, { refresh_token: tokens.refresh_token! })
  assert.equal(outcome.kind, 'client_refused')
  assert.ok(outcome.kind === 'client_refused' && outcome.error === 'invalid_client')
  assert.equal((await refreshToken(context, partyOf(), { refresh_token: tokens.refresh_token! })).kind, 'tokens')
})

test('a revoked connection is refused at the next refresh, whoever revoked it', async () => {
  const party = partyOf()
  const byUs = await tokensOf(party)
  const { refresh_token, access_token } = byUs
  assert.deepEqual(await revokeToken(context, party, { refresh_token, access_token }), { kind: 'revoked' })
  const refused = await refreshToken(context, party, { refresh_token: refresh_token! })
  assert.equal(refused.kind === 'refused' && refused.error, 'invalid_grant')
  assert.deepEqual(await revokeToken(context, party, { refresh_token: null, access_token: null }), {
    kind: 'unsupported',
  })

  const byThem = await tokensOf(party)
  assert.ok((await foreign.revokeGrants('alice')) > 0)
  const gone = await refreshToken(context, party, { refresh_token: byThem.refresh_token! })
  assert.equal(gone.kind === 'refused' && gone.error, 'invalid_grant')
  const userinfo = await fetchUserinfo(context, party, { access_token: byThem.access_token })
  assert.equal(userinfo.kind, 'refused')

  const single = await tokensOf(party)
  assert.equal(await foreign.revokeRefreshToken(single.refresh_token!), true)
  assert.equal((await refreshToken(context, party, { refresh_token: single.refresh_token! })).kind, 'refused')
})

test('an answer that is cut, late or out of order is unknown; whether the provider acted shows in its ledger alone', async () => {
  const party = partyOf()
  const tokens = await tokensOf(party)
  const ask = (timeoutMs?: number) =>
    refreshToken(context, party, { refresh_token: tokens.refresh_token!, ...(timeoutMs ? { timeoutMs } : {}) })
  foreign.ledger.length = 0
  foreign.faults.push(
    { when: 'before', do: 'cut' },
    { when: 'before', do: 'status', status: 502 },
    { when: 'before', do: 'delay', ms: 200 },
    { when: 'after', do: 'cut' },
  )
  for (const [timeoutMs, cause] of [
    [undefined, /cut/],
    [undefined, /502|JSON/],
    [50, /timeout/],
    [undefined, /cut/],
  ] as const) {
    const outcome = await ask(timeoutMs)
    assert.equal(outcome.kind, 'unknown')
    assert.ok(outcome.kind === 'unknown' && outcome.sent)
    assert.match(outcome.kind === 'unknown' ? outcome.cause.message : '', cause)
  }
  assert.equal(foreign.ledger.length, 4)
})
