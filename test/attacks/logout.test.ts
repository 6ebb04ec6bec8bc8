import assert from 'node:assert/strict'
import { before } from 'node:test'
import { SignJWT } from 'jose'
import type { OwnSigningKey } from '../../server/src/crypto/signing_keys.ts'
import { ALICE, BOB, CLIENTS, onBothDatabases, type Platform, VERIFIER } from '../parts/platform.ts'
import { mutateRedirectUri } from '../parts/redirect_uri_mutations.ts'
import { csrfOf, isSignedIn, open, post, sessionOf, signIn } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()
const BYE = 'https://rp.example/bye?kept=1'
const CLIENT = { client_id: 'rp', client_secret: 'secret-of-the-rp', redirect_uri: 'https://rp.example/cb' }
const ready = new WeakMap<Platform, Promise<unknown>>()
before(() => Object.assign(CLIENTS, { rp: CLIENT }))

/** A browser that signed in to the client, with its ID token. */
async function signInToRp(
  p: Platform,
  user: { username: string; password: string } = ALICE,
  agent = new UserAgent(),
): Promise<{ agent: UserAgent; id_token: string }> {
  const registered = ready.get(p)
  if (!registered) {
    const made = p.server.addClient({
      ...{ client_id: 'rp', client_secret: CLIENT.client_secret, redirect_uris: [CLIENT.redirect_uri] },
      ...{ post_logout_redirect_uris: [BYE], scope: 'openid mcp:tools', trusted: true, client_name: 'The RP' },
    })
    ready.set(p, made)
    await made
  }
  const name = 'rp' as 'web'
  const back = await agent.authorize(p.authorizeUrl(name, { scope: 'openid mcp:tools' }), user)
  const { body } = await p.exchange(name, back.searchParams.get('code')!, { code_verifier: VERIFIER })
  return { agent, id_token: body.id_token }
}

const logoutUrl = (p: Platform, params: Record<string, string>) => `${p.issuer}/logout?${new URLSearchParams(params)}`

testOnBoth(
  '10.6.2 a hint that names this session ends it at once, and the browser goes on to the registered address',
  async (p) => {
    const { agent, id_token } = await signInToRp(p)
    p.pass(3600)
    const asked = { id_token_hint: id_token, post_logout_redirect_uri: BYE, state: 'a&b=c' }
    const answer = await agent.request(logoutUrl(p, asked))
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), `${BYE}&state=a%26b%3Dc`)
    assert.equal(await isSignedIn(p, agent), false)
    assert.equal(sessionOf(agent), undefined)
  },
)

testOnBoth(
  '10.6.2 without a hint, or with one of another session, another person, or a forged one, the person is asked',
  async (p) => {
    const { id_token: older } = await signInToRp(p)
    const { id_token: of_bob } = await signInToRp(p, BOB)
    const { agent, id_token } = await signInToRp(p)
    const configuration = await p.server.app.tenant.currentConfiguration()
    const signing_key = configuration.signing_key as OwnSigningKey
    const sid = JSON.parse(Buffer.from(id_token.split('.')[1]!, 'base64url').toString()).sid
    const forge = (claims: object, header: object) =>
      new SignJWT({ iss: p.issuer, aud: 'rp', sid, ...claims })
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: signing_key.kid, ...header })
        .sign(signing_key.privateKey)
    const hints = [
      '',
      older,
      of_bob,
      `${id_token.slice(0, -6)}AAAAAA`,
      `${id_token.split('.').slice(0, 2).join('.')}.`,
      await forge({ iss: 'https://evil.example' }, {}),
      await forge({}, { typ: 'at+jwt' }),
      await forge({}, { typ: 'logout+jwt' }),
      await forge({}, { kid: 'unknown' }),
      await forge({ sid: undefined }, {}),
      await forge({ sid: [sid] }, {}),
    ]
    for (const id_token_hint of hints) {
      const page = await open(agent, logoutUrl(p, { id_token_hint, client_id: 'rp', post_logout_redirect_uri: BYE }))
      assert.equal(page.status, 200)
      assert.match(page.html, /The RP/)
      assert.match(page.html, /value="sign_out"/)
      assert.equal(await isSignedIn(p, agent), true, id_token_hint)
    }
    const page = await open(agent, logoutUrl(p, {}))
    const stayed = await agent.submit(page, { decision: 'stay' }, 'sign_out')
    assert.match(stayed.url, /\/account$/)
    assert.equal(await isSignedIn(p, agent), true)
    const asked = await open(agent, logoutUrl(p, { client_id: 'rp', post_logout_redirect_uri: BYE, state: 's' }))
    const gone = await agent.submit(asked, { decision: 'sign_out' }, 'sign_out')
    assert.equal(gone.url, `${BYE}&state=s`)
    assert.equal(await isSignedIn(p, agent), false)
  },
)

testOnBoth(
  '10.6.2 3.5.1 the confirmation is a form of this browser: posted from elsewhere it does nothing',
  async (p) => {
    const { agent } = await signInToRp(p)
    const page = await open(agent, logoutUrl(p, {}))
    const action = new URL(
      /action="([^"]*\/logout\/confirm[^"]*)"/.exec(page.html)![1]!.replaceAll('&amp;', '&'),
      p.issuer,
    ).href
    const csrf_token = csrfOf(page)
    const forged: [Record<string, string>, Record<string, string>][] = [
      [{ decision: 'sign_out' }, { 'sec-fetch-site': 'same-origin' }],
      [{ decision: 'sign_out', csrf_token }, { 'sec-fetch-site': 'cross-site' }],
      [{ decision: 'sign_out', csrf_token }, {}],
      [{ decision: 'sign_out', csrf_token: 'A'.repeat(csrf_token.length) }, { 'sec-fetch-site': 'same-origin' }],
    ]
    for (const [form, headers] of forged) assert.equal((await post(agent, action, form, headers)).status, 403)
    const other = await signIn(p, BOB)
    assert.equal((await post(other, action, { decision: 'sign_out', csrf_token })).status, 403)
    assert.equal(await isSignedIn(p, agent), true)
    assert.equal(await isSignedIn(p, other), true)
    for (const request of ['', 'x', 'A'.repeat(200)]) {
      const answer = await post(agent, `${p.issuer}/logout/confirm?request=${request}`, {
        decision: 'sign_out',
        csrf_token,
      })
      assert.equal(answer.status, 400, request)
    }
    assert.equal(await isSignedIn(p, agent), true)
  },
)

testOnBoth(
  'GHSA-36f2-fcrx-fp4j CVE-2022-23527 10.6.2 of the look-alikes of a registered address none is followed, and nobody is signed out',
  async (p) => {
    const { agent, id_token } = await signInToRp(p)
    const wrong = [
      ...mutateRedirectUri(BYE),
      CLIENT.redirect_uri,
      '/\\evil.example',
      '\\\\evil.example',
      'https:evil.example',
    ]
    assert.ok(wrong.length > 90)
    for (const post_logout_redirect_uri of wrong.filter((uri) => uri !== '')) {
      const answer = await agent.request(logoutUrl(p, { id_token_hint: id_token, post_logout_redirect_uri }))
      assert.equal(answer.status, 400, post_logout_redirect_uri)
      assert.equal(answer.headers.get('location'), null)
    }
    const nobody: Record<string, string>[] = [
      { post_logout_redirect_uri: BYE },
      { post_logout_redirect_uri: BYE, client_id: 'web' },
      { post_logout_redirect_uri: BYE, client_id: 'unknown' },
      { post_logout_redirect_uri: BYE, client_id: 'web', id_token_hint: id_token },
      { post_logout_redirect_uri: BYE, client_id: 'a\0b' },
    ]
    for (const params of nobody) assert.equal((await agent.request(logoutUrl(p, params))).status, 400)
    assert.equal(await isSignedIn(p, agent), true)
  },
)

testOnBoth('RP-Initiated Logout 2 a request may be posted from another site, and finds who is signed in', async (p) => {
  const { agent, id_token } = await signInToRp(p)
  const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://rp.example' }
  const elsewhere = new UserAgent()
  const answer = await post(
    elsewhere,
    `${p.issuer}/logout`,
    { id_token_hint: id_token, post_logout_redirect_uri: BYE },
    cross,
  )
  assert.equal(answer.status, 303)
  const location = answer.headers.get('location')!
  assert.doesNotMatch(location, new RegExp(id_token.slice(-20)))
  assert.equal(elsewhere.cookies.size, 0, 'the browser keeps the cookies that it has')
  const gone = await agent.follow(new URL(location, p.issuer).href)
  assert.equal(gone.url, BYE)
  assert.equal(await isSignedIn(p, agent), false)
})

testOnBoth(
  '3.7.2 3.7.3 who is signed in nowhere is sent on only by a hint of ours; else the person decides',
  async (p) => {
    const { id_token } = await signInToRp(p)
    const nobody = new UserAgent()
    const asked = { client_id: 'rp', post_logout_redirect_uri: BYE }
    const page = await open(nobody, logoutUrl(p, asked))
    assert.equal(page.status, 200)
    const back = await nobody.submit(page, { decision: 'sign_out' }, 'sign_out')
    assert.equal(back.url, BYE)
    const sent = await nobody.request(logoutUrl(p, { ...asked, id_token_hint: id_token }))
    assert.equal(sent.headers.get('location'), BYE)
  },
)

testOnBoth(
  'CVE-2025-12390 7.4.1 two people in one browser, one after the other, have nothing of each other',
  async (p) => {
    const { agent, id_token } = await signInToRp(p)
    const stolen = sessionOf(agent)!
    await agent.request(logoutUrl(p, { id_token_hint: id_token }))
    await signInToRp(p, BOB, agent)
    assert.notEqual(sessionOf(agent)![1], stolen[1])
    // The hint of the first person ends nothing of the second one.
    const page = await open(agent, logoutUrl(p, { id_token_hint: id_token }))
    assert.match(page.html, /bob/)
    assert.equal(await isSignedIn(p, agent), true)
    const thief = new UserAgent()
    thief.cookies.set(...stolen)
    assert.equal(await isSignedIn(p, thief), false)
  },
)

testOnBoth('RFC 6749 3.1 bad parameters of a logout are refused by name, and change nothing', async (p) => {
  const { agent } = await signInToRp(p)
  for (const query of ['state=a&state=b', 'id_token_hint=%ff', `state=${'x'.repeat(8000)}`]) {
    const answer = await agent.request(`${p.issuer}/logout?${query}`)
    assert.equal(answer.status, 400, query.slice(0, 40))
  }
  const json = await agent.request(`${p.issuer}/logout`, {
    ...{ method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } },
  })
  assert.equal(json.status, 415)
  assert.equal(await isSignedIn(p, agent), true)
})
