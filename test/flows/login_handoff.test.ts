import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify, SignJWT } from 'jose'
import { type Arrival, findArrival } from '../../server/src/inbound/users/federation.ts'
import type { Authenticate } from '../../server/src/web/web.ts'
import { JWKS, kidFor, PAIRS } from '../parts/assertions.ts'
import { startSallyport, type TestServer } from '../parts/sallyport.ts'
import { open, type Page } from '../parts/sign_in_steps.ts'
import { DIALECTS, makeDatabase, type TestDatabase } from '../parts/stores.ts'
import { UserAgent } from '../parts/user_agent.ts'

const PLATFORM = 'https://platform.example'
const CALLBACK = 'https://shop.example/cb'
const setting = { login_uri: `${PLATFORM}/sign-in?from=sallyport`, issuer: PLATFORM, jwks: JWKS }

for (const dialect of DIALECTS) {
  describe(`users of a platform's own, on ${dialect}`, () => {
    let database: TestDatabase
    let server: TestServer
    let asked: { anew: boolean; login_hint: string | undefined } | undefined
    let embedder: Authenticate | undefined
    before(async () => {
      database = await makeDatabase(dialect)
      const { location } = database
      server = await startSallyport({
        path: '/hub',
        location: dialect === 'sqlite' ? { sqlite: location } : { postgres: location },
        app: {
          authenticate(request, ask) {
            asked = ask
            return embedder?.(request, ask) ?? null
          },
        },
      })
      await server.addUser({ username: 'root', password: 'root of this platform' })
      await server.addClient({
        ...{ client_id: 'shop', client_secret: 'secret-of-shop', redirect_uris: [CALLBACK], trusted: true },
        scope: 'openid email',
      })
    })
    after(async () => {
      await server.stop()
      await database.drop()
    })
    beforeEach(async () => {
      embedder = undefined
      await server.saveSettings({ login_handoff: setting })
    })

    const authorizeUrl = (more: Record<string, string> = {}) => {
      const code_challenge = createHash('sha256').update('v'.repeat(43)).digest('base64url')
      const query = { response_type: 'code', client_id: 'shop', redirect_uri: CALLBACK, scope: 'openid email' }
      const all = { ...query, code_challenge, code_challenge_method: 'S256', login_hint: 'ann', ...more }
      return `${server.issuer}/authorize?${new URLSearchParams(all)}`
    }
    /** Goes to sign in; the challenge that the platform gets, verified as the platform would. */
    async function leave(agent: UserAgent, url = authorizeUrl()) {
      const left = new URL((await agent.follow(url)).url)
      assert.equal(left.origin, PLATFORM, left.href)
      assert.equal(left.searchParams.get('from'), 'sallyport')
      const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`))
      const rules = { issuer: server.issuer, audience: PLATFORM, typ: 'login-challenge+jwt' }
      return (await jwtVerify(left.searchParams.get('login_challenge')!, keys, rules)).payload
    }
    const now = () => Math.floor(Date.now() / 1000)
    async function sign(
      claims: Record<string, unknown>,
      header: Record<string, unknown> = {},
      key = PAIRS.ES256.privateKey,
    ) {
      const all = {
        iss: PLATFORM,
        aud: server.issuer,
        sub: 'u-1',
        iat: now(),
        exp: now() + 60,
        jti: randomUUID(),
        ...claims,
      }
      const head = { alg: 'ES256', kid: kidFor('ES256'), typ: 'login-answer+jwt', ...header }
      return new SignJWT(all).setProtectedHeader(head).sign(key)
    }
    const bring = (agent: UserAgent, login_answer: string): Promise<Page> =>
      open(agent, `${server.issuer}/login/answer?${new URLSearchParams({ login_answer })}`)
    const whoIs = async (agent: UserAgent) => {
      embedder = undefined
      const { url, response } = await agent.follow(`${server.issuer}/account`)
      return new URL(url).pathname === '/hub/account' ? response.text() : null
    }

    test('2.4.1 what other sites embed is sent to no platform, and uses up no turns of whoever looks at them', async () => {
      const headers = { 'sec-fetch-dest': 'image', 'sec-fetch-site': 'cross-site' }
      // More than the address has turns, which the stories after this one need.
      for (let i = 0; i < 31; i++) {
        assert.equal((await fetch(`${server.issuer}/login`, { headers, redirect: 'manual' })).status, 403)
      }
    })

    test('a challenge says who asks for what, the answer signs in, and the client gets its code', async () => {
      const agent = new UserAgent()
      const { jti, client_id, login_hint, prompt, answer_uri } = await leave(agent)
      assert.deepEqual(
        { client_id, login_hint, prompt, answer_uri },
        { client_id: 'shop', login_hint: 'ann', prompt: undefined, answer_uri: `${server.issuer}/login/answer` },
      )
      const claims = { challenge: jti, preferred_username: 'ann', name: 'Ann Example', email: 'ann@platform.example' }
      const { url } = await agent.follow(
        `${server.issuer}/login/answer?${new URLSearchParams({ login_answer: await sign(claims) })}`,
      )
      assert.ok(url.startsWith(CALLBACK), url)
      assert.ok(new URL(url).searchParams.get('code'))
      assert.match((await whoIs(agent)) ?? '', /Ann Example/)
      const again = new UserAgent()
      const other = await leave(again)
      await bring(again, await sign({ challenge: other.jti, preferred_username: 'renamed' }))
      assert.match((await whoIs(again)) ?? '', /Ann Example/, 'the same sub is the same user')
    })

    test('10.1.2 an answer counts once, in the browser that was given the challenge', async () => {
      const [mine, other] = [new UserAgent(), new UserAgent()]
      const { jti } = await leave(mine, `${server.issuer}/account`)
      const answer = await sign({ challenge: jti })
      assert.equal((await bring(other, answer)).status, 400)
      assert.equal(await whoIs(other), null)
      assert.equal(new URL((await bring(mine, answer)).url).pathname, '/hub/account')
      assert.equal((await bring(mine, answer)).status, 400)
    })

    test('9.1.2 9.2.2 an answer that is not the platform`s, or not for this, signs nobody in', async () => {
      const agent = new UserAgent()
      const { jti: challenge } = await leave(agent, `${server.issuer}/account`)
      const foreign = (await leave(new UserAgent(), `${server.issuer}/account`)).jti
      const wrong: [string, string][] = [
        ['another key', await sign({ challenge }, {}, PAIRS.other.privateKey)],
        ['another type', await sign({ challenge }, { typ: 'JWT' })],
        ['another issuer', await sign({ challenge, iss: 'https://evil.example' })],
        ['another audience', await sign({ challenge, aud: 'https://evil.example' })],
        ['a list as audience', await sign({ challenge, aud: [server.issuer] })],
        ['no challenge', await sign({})],
        ['another browser`s challenge', await sign({ challenge: foreign })],
        ['expired', await sign({ challenge, iat: now() - 100, exp: now() - 1 })],
        ['good for too long', await sign({ challenge, exp: now() + 600 })],
        ['no sub', await sign({ challenge, sub: '' })],
        ['methods that are none', await sign({ challenge, amr: 'mfa' })],
        ['a sign-in of tomorrow', await sign({ challenge, auth_time: now() + 86_400 })],
        ['nothing', ''],
        ['no JWT', 'x.y.z'],
      ]
      for (const [what, answer] of wrong) {
        assert.equal((await bring(agent, answer)).status, 400, what)
        assert.equal(await whoIs(agent), null, what)
      }
      assert.equal(new URL((await bring(agent, await sign({ challenge }))).url).pathname, '/hub/account', 'still good')
    })

    test('the challenge is no token of any kind', async () => {
      const agent = new UserAgent()
      const left = new URL((await agent.follow(authorizeUrl())).url)
      const challenge = left.searchParams.get('login_challenge')!
      const headers = { authorization: `Basic ${btoa('shop:secret-of-shop')}` }
      const body = new URLSearchParams({ token: challenge })
      const answer = await fetch(`${server.issuer}/introspect`, { method: 'POST', headers, body })
      assert.deepEqual(await answer.json(), { active: false })
      const asked = await fetch(`${server.issuer}/userinfo`, { headers: { authorization: `Bearer ${challenge}` } })
      assert.equal(asked.status, 401)
      assert.equal((await bring(agent, challenge)).status, 400)
    })

    test('10.5.2 a stranger is not called by an address that nobody has verified, and odd names are no error', async () => {
      const { tenant } = server.app
      const find = (username_key: string) =>
        tenant.store.findUserByUsername({ tenant_id: tenant.tenant_id, username_key })
      const come = (account: string, claims: Omit<Arrival['claims'], 'email_verified'>, email_verified = false) => {
        const identity = { authority: PLATFORM, account, connector: ':login_handoff', account_name: null }
        return findArrival(tenant, { identity, mode: 'create', claims: { ...claims, email_verified } })
      }
      await come('u-41', { username: 'eve@corp.example', name: 'Eve\u0000 E.' })
      assert.equal(await find('eve@corp.example'), null)
      assert.equal((await find('eve'))?.name, 'Eve E.')
      await come('u-42', { email: 'mia@corp.example' }, true)
      assert.ok(await find('mia@corp.example'))
    })

    test('who refuses there finds a way on here', async () => {
      const agent = new UserAgent()
      const { jti } = await leave(agent)
      const page = await bring(agent, await sign({ challenge: jti, error: 'access_denied' }))
      assert.match(page.html, /You were not signed in/)
      assert.match(page.html, /platform\.example/)
    })

    test('prompt=login asks the platform anew, and an old sign-in there is none', async () => {
      const agent = new UserAgent()
      await bring(agent, await sign({ challenge: (await leave(agent)).jti }))
      const anew = authorizeUrl({ prompt: 'login' })
      const { jti, prompt } = await leave(agent, anew)
      assert.equal(prompt, 'login')
      const old = await agent.follow(
        `${server.issuer}/login/answer?${new URLSearchParams({ login_answer: await sign({ challenge: jti, auth_time: now() - 3600 }) })}`,
      )
      assert.ok(old.url.startsWith(PLATFORM), 'it is asked again')
      const second = new URL(old.url).searchParams.get('login_challenge')!
      const { jti: next } = JSON.parse(Buffer.from(second.split('.')[1]!, 'base64url').toString())
      const { url } = await agent.follow(
        `${server.issuer}/login/answer?${new URLSearchParams({ login_answer: await sign({ challenge: next, auth_time: now() + 5 }) })}`,
      )
      assert.ok(url.startsWith(CALLBACK), url)
    })

    test('6.3.4 6.8.4 a second factor that the tenant asks for is asked here, unless the platform has asked for one', async () => {
      await server.saveSettings({ login_handoff: setting, mfa: 'required' })
      const [one, two] = [new UserAgent(), new UserAgent()]
      const first = await bring(one, await sign({ challenge: (await leave(one)).jti, amr: ['pwd'] }))
      assert.equal(new URL(first.url).pathname, '/hub/login/enrol')
      const { jti } = await leave(two, `${server.issuer}/account`)
      const second = await bring(two, await sign({ challenge: jti, amr: ['pwd', 'otp', 'mfa'] }))
      assert.equal(new URL(second.url).pathname, '/hub/account')
    })

    test('people with accounts here say so, and see our own page', async () => {
      const page = await open(new UserAgent(), `${server.issuer}/login?here=yes`)
      assert.match(page.html, /name="password"/)
    })

    test('without the setting nobody is sent away and no answer counts', async () => {
      const agent = new UserAgent()
      const { jti } = await leave(agent)
      await server.saveSettings({})
      assert.equal((await bring(agent, await sign({ challenge: jti }))).status, 404)
      assert.match((await open(new UserAgent(), `${server.issuer}/login`)).html, /name="password"/)
    })

    test('an embedder names its user in this process, who is signed in without a page', async () => {
      embedder = (request) =>
        request.headers.get('cookie')?.includes('platform=ben')
          ? { sub: 'ben', username: 'ben', name: 'Ben Example' }
          : null
      const agent = new UserAgent()
      agent.cookies.set('platform', 'ben')
      const { url } = await agent.follow(authorizeUrl())
      assert.ok(url.startsWith(CALLBACK), url)
      assert.deepEqual(asked, { anew: false, login_hint: 'ann' })
      assert.match((await whoIs(agent)) ?? '', /Ben Example/)
      embedder = () => null
      assert.ok((await new UserAgent().follow(authorizeUrl())).url.startsWith(PLATFORM))
    })

    test('a user of the embedder, one of the platform and one of ours are three, though their names are alike', async () => {
      const names: string[] = []
      const note = async (agent: UserAgent) =>
        names.push(/Signed in as|@|root[\w-]*/.exec((await whoIs(agent)) ?? '')?.[0] ?? '')
      const [a, b] = [new UserAgent(), new UserAgent()]
      await bring(a, await sign({ challenge: (await leave(a)).jti, sub: 'root', preferred_username: 'root' }))
      embedder = () => ({ sub: 'root', username: 'root' })
      await b.follow(authorizeUrl())
      await note(a)
      await note(b)
      assert.equal(new Set([...names, 'root']).size, 3, JSON.stringify(names))
    })
  })
}
