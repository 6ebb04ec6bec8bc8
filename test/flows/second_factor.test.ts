import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSetupLink } from '../../server/src/inbound/users/setup_link.ts'
import { qrCode } from '../../server/src/web/ui/qr_code.ts'
import {
  atSecondFactor,
  newPerson,
  newPersonWithApp,
  readApp,
  readCodes,
  signInWithApp,
  typeCode,
} from '../parts/factors.ts'
import { claimsOf, onBothDatabases, type Platform, startPlatform } from '../parts/platform.ts'
import { csrfOf, isSignedIn, open, post, sessionOf, signIn, tryLogin } from '../parts/sign_in_steps.ts'
import { UserAgent } from '../parts/user_agent.ts'

const testOnBoth = onBothDatabases()

/** The ID token of a sign-in whose authorization request somebody takes to its end. */
async function idToken(p: Platform, agent: UserAgent, params: Record<string, string> = {}) {
  const { url, response } = await agent.follow(p.authorizeUrl('trusted', params))
  const back = new URL(url)
  const code = back.searchParams.get('code')
  if (code === null)
    return { back, html: back.origin === new URL(p.issuer).origin ? await response.text() : '', claims: null }
  const { body } = await p.exchange('trusted', code)
  return { back, html: '', claims: claimsOf(body.id_token) }
}

testOnBoth('6.3.3 7.4.3 an authenticator app is set up, asked for at every sign-in, and turned off', async (p) => {
  const person = await newPersonWithApp(p)
  const page = await open(person.agent, `${p.issuer}/account/security`)
  assert.match(page.html, /10 codes left/)
  const agent = await signInWithApp(p, person)
  const { claims } = await idToken(p, agent)
  assert.deepEqual([claims?.['acr'], claims?.['amr']], ['mfa', ['pwd', 'otp', 'mfa']])
  const security = await open(agent, `${p.issuer}/account/security`)
  await agent.submit(security, {}, 'Turn off')
  assert.equal(await isSignedIn(p, person.agent), true)
  await agent.submit(await open(agent, `${p.issuer}/account/security`), {}, 'Sign out everywhere else')
  assert.equal(await isSignedIn(p, person.agent), false, '7.4.3 others may be sent away with it')
  assert.match((await open(agent, `${p.issuer}/account/security`)).html, /Set up/)
  const alone = await signIn(p, person.user)
  const { claims: again } = await idToken(p, alone)
  assert.deepEqual([again?.['acr'], again?.['amr']], ['pwd', ['pwd']])
})

testOnBoth('6.5.1 6.4.4 a recovery code stands for the app, once, and new ones replace the old', async (p) => {
  const person = await newPersonWithApp(p)
  const [first, second] = person.recovery_codes as [string, string]
  const spelled = ` ${first.toLowerCase().replaceAll('-', ' ')}`
  assert.equal((await typeCode(await atSecondFactor(p, person.user), spelled)).status, 303)
  const again = await typeCode(await atSecondFactor(p, person.user), first)
  assert.equal(again.status, 401)
  assert.match(await again.text(), /used before/)
  const agent = await signInWithApp(p, person)
  const security = await open(agent, `${p.issuer}/account/security`)
  assert.match(security.html, /9 codes left/)
  const { response } = await agent.submit(security, {}, 'Make new codes')
  const codes = readCodes(await response.text())
  assert.equal(new Set([...codes, ...person.recovery_codes]).size, 20)
  assert.equal((await typeCode(await atSecondFactor(p, person.user), second)).status, 401)
  assert.equal((await typeCode(await atSecondFactor(p, person.user), codes[0]!)).status, 303)
})

testOnBoth('whoever must have a second factor sets it up before the session begins', async (p) => {
  await p.server.saveSettings({ mfa: 'required_for_administrators' })
  const { user } = await newPerson(p, { roles: ['administrator'] })
  const agent = new UserAgent()
  const page = await open(agent, `${p.issuer}/login?return_to=/hub/admin`)
  const { url, response } = await agent.submit(page, user)
  assert.match(url, /\/login\/enrol\?return_to=/)
  const enrol = { url, html: await response.text() }
  assert.equal(sessionOf(agent), undefined)
  const app = readApp(p, enrol.html)
  const wrong = await agent.submit(enrol, { code: '000000' }, 'enrolment')
  assert.equal(wrong.response.status, 401)
  const shown = await wrong.response.text()
  assert.equal(readApp(p, shown).secret, app.secret, 'the key is the one that was typed')
  const uri = /href="(otpauth:[^"]*)"/.exec(shown)![1]!.replaceAll('&amp;', '&')
  assert.ok(shown.includes(String(qrCode(uri, 'QR code of the setup key'))), 'the picture is that of the link')
  const done = await agent.submit({ url: wrong.url, html: shown }, { code: app.code() }, 'enrolment')
  const html = await done.response.text()
  assert.equal(readCodes(html).length, 10)
  const next = new URL(/href="([^"]+)"[^>]*>I have kept them/.exec(html)![1]!, p.issuer).href
  assert.match((await open(agent, next)).html, /<h1>Overview|Console/)
  assert.match((await open(await signIn(p), `${p.issuer}/account`)).html, /Your account/, 'others need none')
  await p.server.saveSettings({})
})

testOnBoth('RFC 9470 OpenID Connect Core 3.1.2.1 a client that asks for two factors gets them', async (p) => {
  const person = await newPersonWithApp(p)
  // The session in which the app was set up knows the password alone.
  const agent = person.agent
  const { html, back } = await idToken(p, agent, { acr_values: 'mfa', prompt: 'none' })
  assert.equal(html, '')
  assert.equal(back.searchParams.get('error'), 'login_required')
  const asked = await idToken(p, agent, { acr_values: 'mfa' })
  const factor = await agent.submit({ url: asked.back.href, html: asked.html }, person.user)
  const at = { agent, page: { url: factor.url, html: await factor.response.text() } }
  const answered = await typeCode(at, person.code())
  const end = await agent.follow(new URL(answered.headers.get('location')!, p.issuer).href)
  const { body } = await p.exchange('trusted', new URL(end.url).searchParams.get('code')!)
  const claims = claimsOf(body.id_token)
  assert.deepEqual([claims['acr'], claims['amr']], ['mfa', ['pwd', 'otp', 'mfa']])
  const silent = await idToken(p, agent, { acr_values: 'mfa', prompt: 'none' })
  assert.equal(silent.claims?.['acr'], 'mfa', 'the session has it now')
  assert.equal((await idToken(p, agent, { acr_values: 'pwd', prompt: 'none' })).claims?.['acr'], 'pwd', 'as asked')
})

testOnBoth(
  'unmet_authentication_requirements an essential acr that nobody can reach goes back to the client',
  async (p) => {
    const { user } = await newPerson(p)
    const agent = await signIn(p, user)
    const claims = (acr: object) => JSON.stringify({ id_token: { acr } })
    for (const value of ['mfa', 'phr', 'urn:of:another']) {
      const { back } = await idToken(p, agent, { claims: claims({ essential: true, value }) })
      assert.equal(back.searchParams.get('error'), 'unmet_authentication_requirements', value)
      const wished = await idToken(p, agent, { claims: claims({ value }), prompt: 'none' })
      assert.equal(wished.claims?.['acr'], 'pwd', 'what is only wished for does not hold anybody up')
    }
    const { claims: met } = await idToken(p, agent, { claims: claims({ essential: true, values: ['urn:x', 'pwd'] }) })
    assert.equal(met?.['acr'], 'pwd')
  },
)

testOnBoth('discovery lists each acr that there is', async (p) => {
  const response = await fetch(`${p.issuer}/.well-known/openid-configuration`)
  const { acr_values_supported, claims_supported } = (await response.json()) as Record<string, string[]>
  assert.deepEqual(acr_values_supported, ['pwd', 'mfa', 'phr'])
  assert.ok(claims_supported!.includes('acr'))
})

testOnBoth(
  '7.5.1 7.5.3 CVE-2026-105207 what decides who signs in next time is changed only after a fresh sign-in',
  async (p) => {
    const person = await newPersonWithApp(p)
    const agent = await signInWithApp(p, person)
    const page = await open(agent, `${p.issuer}/account/security`)
    p.pass(601)
    const csrf_token = csrfOf(page)
    const again = /\/login\?return_to=[^&]+&again=yes$/
    for (const path of ['', '/totp', '/password']) {
      assert.match((await open(agent, `${p.issuer}/account/security${path}`)).url, again, path)
    }
    const forms: [string, Record<string, string>][] = [
      ['/totp', { enrolment: 'x', code: '123456' }],
      ['/totp/remove', {}],
      ['/passkeys', { challenge: 'x', credential: '{}' }],
      ['/passkeys/remove', { credential_id: 'x' }],
      ['/recovery_codes', {}],
      ['/email', { email: 'new@example.test' }],
      ['/password', { present_password: person.user.password, password: 'a fresh one of mine' }],
      ['/identities', { authority: 'https://elsewhere.example', account: 'x' }],
      ['/identities/link', { connector: 'acme' }],
    ]
    for (const [path, form] of forms) {
      const response = await post(agent, `${p.issuer}/account/security${path}`, { csrf_token, ...form })
      assert.match(new URL(response.headers.get('location') ?? '', p.issuer).href, again, path)
    }
    assert.equal(
      (await tryLogin(p, person.user.username, person.user.password)).status,
      303,
      'the password is the same',
    )
    const confirm = await open(agent, `${p.issuer}/login?return_to=/hub/account/security&again=yes`)
    assert.match(confirm.html, /Confirm that it is you/)
    const factor = await agent.submit(confirm, { password: person.user.password })
    const done = await typeCode({ agent, page: { url: factor.url, html: await factor.response.text() } }, person.code())
    assert.equal(done.headers.get('location'), '/hub/account/security')
    assert.match((await open(agent, `${p.issuer}/account/security`)).html, /9 codes left|10 codes left/)
    assert.equal(await isSignedIn(p, agent), true)
  },
)

test('6.3.4 the first administrator sets up a second factor, where administrators must have one', async () => {
  const p = await startPlatform()
  try {
    await p.server.saveSettings({ mfa: 'required_for_administrators' })
    const { url } = await createSetupLink(p.server.app.tenant, 'test')
    const agent = new UserAgent()
    const root = { username: 'root', password: 'root of the tree of keys' }
    const short = await agent.submit(await open(agent, url), { ...root, password: 'eleven char' }, 'setup_token')
    assert.equal(short.response.status, 400)
    const made = await agent.submit({ url, html: await short.response.text() }, root, 'setup_token')
    assert.match(made.url, /\/login\/enrol\?return_to=%2Fhub%2Fadmin%2Ffirst_run$/)
    assert.equal(sessionOf(agent), undefined)
    const page = { url: made.url, html: await made.response.text() }
    const done = await agent.submit(page, { code: readApp(p, page.html).code() }, 'enrolment')
    assert.equal(readCodes(await done.response.text()).length, 10)
    assert.equal((await open(agent, `${p.issuer}/admin`)).status, 200)
  } finally {
    await p.stop()
  }
})
