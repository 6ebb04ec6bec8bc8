import assert from 'node:assert/strict'
import { ALICE, BOB, CALLBACK, challengeOf, onBothDatabases, type Platform } from '../parts/platform.ts'
import { open, type Page, signIn } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

type Opened = Pick<Page, 'url' | 'html'>

const atLogin = ({ html }: Opened) => /name="password"/.test(html)
const atConsent = ({ html }: Opened) => /name="decision"/.test(html)
const hasCode = (url: string) => new URL(url).searchParams.has('code')

/** The form of a page that holds the decision. */
const consentFormOf = ({ html }: Opened) =>
  html.match(/<form[\s\S]*?<\/form>/g)!.find((form) => form.includes('decision'))!
const requestOf = ({ url }: Opened) => new URL(url).searchParams.get('request')!

/** The page after posting a form of another one; what it answers may be the client's address. */
async function press(agent: UserAgent, page: Opened, values: Record<string, string>): Promise<Opened> {
  const html = atConsent(page) ? consentFormOf(page) : page.html
  const { url, response } = await agent.submit({ url: page.url, html }, values)
  return { url, html: await response.text() }
}

testOnBoth(
  '2.3.1 CVE-2026-7507 each step of the flow with what each other step holds: none is skipped, none is taken for another',
  async (p) => {
    const asked = { prompt: 'login consent' }
    const steps: Record<string, () => Promise<{ agent: UserAgent; request: string }>> = {
      async started() {
        const agent = await signIn(p)
        return { agent, request: requestOf(await open(agent, p.authorizeUrl('web', asked))) }
      },
      async signed_in() {
        const agent = new UserAgent()
        const page = await press(agent, await open(agent, p.authorizeUrl('web', asked)), ALICE)
        return { agent, request: requestOf(page) }
      },
      async shown() {
        const agent = new UserAgent()
        const page = await press(agent, await open(agent, p.authorizeUrl('web', asked)), ALICE)
        assert.ok(atConsent(page))
        const action = /action="([^"]*\/consent[^"]*)"/.exec(consentFormOf(page))![1]!.replaceAll('&amp;', '&')
        return { agent, request: new URL(action, p.issuer).searchParams.get('request')! }
      },
      async answered() {
        const agent = new UserAgent()
        const page = await press(agent, await open(agent, p.authorizeUrl('web', asked)), ALICE)
        const done = await press(agent, page, { decision: 'allow' })
        assert.ok(hasCode(done.url))
        return { agent, request: requestOf(page) }
      },
    }
    // Of what each step holds, what comes of it at each other step, in its own browser and in another one.
    const expected = {
      started: { login: 'login', consent: 'login' },
      signed_in: { login: 'login', consent: 'consent' },
      shown: { login: 'login', consent: 'consent' },
      answered: { login: 'login', consent: 'consent' },
    }
    for (const [step, reach] of Object.entries(steps)) {
      const { agent, request } = await reach()
      for (const at of ['login', 'consent'] as const) {
        const page = await open(agent, `${p.issuer}/${at}?request=${encodeURIComponent(request)}`)
        const found = atLogin(page) ? 'login' : atConsent(page) ? 'consent' : page.url
        assert.equal(found, expected[step as keyof typeof expected][at], `${step} at ${at}`)
        for (const other of [new UserAgent(), await signIn(p, BOB)]) {
          const foreign = await other.request(`${p.issuer}/${at}?request=${encodeURIComponent(request)}`)
          assert.equal(foreign.status, 400, `${step} at ${at} in another browser`)
        }
      }
    }
  },
)

testOnBoth(
  '2.3.1 7.6.2 prompt=login is met by the sign-in for that request alone, and not by one before, after or beside',
  async (p) => {
    const agent = await signIn(p)
    await agent.authorize(p.authorizeUrl('web'), ALICE)
    p.pass(10)
    const first = await open(agent, p.authorizeUrl('web', { prompt: 'login' }))
    assert.ok(atLogin(first))
    // In another tab she signs in for something else.
    p.pass(10)
    await press(agent, await open(agent, p.authorizeUrl('web', { prompt: 'login', state: 'second' })), ALICE)
    const back = await open(agent, first.url.replace('/login?', '/consent?'))
    assert.ok(atLogin(back), 'the sign-in of the other tab is no answer to this one')
    const done = await press(agent, back, ALICE)
    assert.ok(hasCode(done.url))
    assert.equal(new URL(done.url).searchParams.get('state'), 'xyz')
  },
)

testOnBoth(
  'CVE-2026-7571 what was asked for is changed by nothing between the pages: no parameter, no field, no new start',
  async (p) => {
    const changed = {
      ...{ response_type: 'token', response_mode: 'fragment', client_id: 'trusted', scope: 'openid email phone' },
      ...{ redirect_uri: 'https://evil.example/', state: 'other', code_challenge: challengeOf('evil'), prompt: 'none' },
    }
    const beside = (url: string) => `${url}&${new URLSearchParams(changed)}`
    const agent = new UserAgent()
    const asked = p.authorizeUrl('web', { scope: 'openid email', prompt: 'login consent' })
    const first = await open(agent, asked)
    const sealed = requestOf(first)
    for (const broken of [`${sealed}A`, sealed.slice(0, -2), sealed.replace(/.(?=.{20}$)/, '*'), btoa('{}')]) {
      for (const at of ['login', 'consent']) {
        const answer = await agent.request(`${p.issuer}/${at}?request=${encodeURIComponent(broken)}`)
        assert.equal(answer.status, 400, `${at} ${broken.slice(-30)}`)
      }
    }
    p.pass(3601)
    const late = await agent.request(beside(first.url))
    assert.equal(late.status, 400)
    const start = /href="([^"]*\/authorize\?[^"]*)"/.exec(await late.text())![1]!.replaceAll('&amp;', '&')
    assert.equal(new URL(start, p.issuer).href, asked)
    const login = await open(agent, beside((await open(agent, asked)).url))
    assert.ok(atLogin(login))
    const consent = await press(agent, login, { ...changed, ...ALICE })
    assert.ok(atConsent(consent))
    const done = await press(agent, await open(agent, beside(consent.url)), { ...changed, decision: 'allow' })
    const { origin, pathname, searchParams, hash } = new URL(done.url)
    assert.equal(origin + pathname, CALLBACK)
    assert.equal(searchParams.get('state'), 'xyz')
    assert.doesNotMatch(hash, /token/)
    const { status, body } = await p.exchange('web', searchParams.get('code')!)
    assert.deepEqual([status, body.scope], [200, 'openid email'])
  },
)

testOnBoth('Z-11 a sign-in answers one request in one browser: the next person there is asked anew', async (p) => {
  const agent = new UserAgent()
  const consent = await press(agent, await open(agent, p.authorizeUrl('other', { prompt: 'login' })), ALICE)
  assert.ok(atConsent(consent))
  // Bob signs in at the same browser, and goes back to what Alice was asked.
  await press(agent, await open(agent, p.authorizeUrl('trusted', { prompt: 'login' })), BOB)
  const again = await open(agent, consent.url)
  assert.ok(atLogin(again), 'the request of Alice is not answered by the session of Bob')
  const posted = await press(agent, consent, { decision: 'allow' })
  assert.ok(!hasCode(posted.url), 'nor by the button on her page')
})

testOnBoth(
  'the back button after an answer leads to a page, and never to a second answer without a press',
  async (p) => {
    const agent = new UserAgent()
    const url = p.authorizeUrl('web', { prompt: 'consent', state: 'back' })
    const consent = await press(agent, await open(agent, url), ALICE)
    assert.ok(hasCode((await press(agent, consent, { decision: 'allow' })).url))
    const again = await open(agent, consent.url)
    assert.ok(atConsent(again))
  },
)

testOnBoth('a request that another site posts begins here, so that no earlier sign-in counts for it', async (p) => {
  const agent = await signIn(p)
  const before = new Map(agent.cookies)
  const body = new URL(p.authorizeUrl('web', { prompt: 'login' })).search.slice(1)
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://app.example' }
  // A browser sends no cookies of ours with it.
  const posted = await fetch(`${p.issuer}/authorize`, { method: 'POST', headers, body, redirect: 'manual' })
  assert.equal(posted.status, 303)
  assert.deepEqual(posted.headers.getSetCookie(), [], 'and keeps the ones that it has')
  p.pass(5)
  const page = await open(agent, new URL(posted.headers.get('location')!, p.issuer).href)
  assert.ok(atLogin(page))
  assert.deepEqual([...agent.cookies], [...before])
  assert.equal((await new UserAgent().request(page.url)).status, 400, 'from here on it is of this browser')
})

testOnBoth('max_age=0 asks for a sign-in each time, and the one that was asked for is enough', async (p: Platform) => {
  const agent = await signIn(p)
  await agent.authorize(p.authorizeUrl('web'), ALICE)
  for (const state of ['one', 'two']) {
    p.pass(1)
    const page = await open(agent, p.authorizeUrl('web', { max_age: '0', state }))
    assert.ok(atLogin(page))
    p.pass(30)
    const done = await press(agent, page, ALICE)
    assert.ok(hasCode(done.url), state)
  }
})

testOnBoth('the longest request that is taken gets through every page, whatever its hint is made of', async (p) => {
  for (const unit of ['a', '\u0001', '"', '\u00e9', '\u6f22']) {
    const hint = { login_hint: unit.repeat(255), scope: 'openid', resource: undefined, prompt: 'login consent' }
    const short = new URL(p.authorizeUrl('web', { ...hint, state: '' })).search.length - 1
    const url = p.authorizeUrl('web', { ...hint, state: 's'.repeat(Math.min(4096, 5398 - short)) })
    const agent = new UserAgent()
    const login = await open(agent, url)
    assert.equal(login.status, 200, login.html.slice(0, 300))
    const consent = await press(agent, login, ALICE)
    assert.ok(atConsent(consent), unit)
    assert.ok(hasCode((await press(agent, consent, { decision: 'allow' })).url), unit)
  }
})
