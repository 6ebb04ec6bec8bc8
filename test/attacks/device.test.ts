import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { goodClaims } from '../parts/bad_dpop_proofs.ts'
import { DEVICE, type DevicePlatform, startDevicePlatform } from '../parts/device.ts'
import { makeDpopKey, makeProof } from '../parts/dpop.ts'
import { claimsOf } from '../parts/platform.ts'
import { DIALECTS, makeDatabase, type TestDatabase } from '../parts/stores.ts'

for (const dialect of DIALECTS) {
  describe(`devices, on ${dialect}`, () => {
    let p: DevicePlatform
    let started: Awaited<ReturnType<DevicePlatform['start']>>
    let database: TestDatabase
    before(async () => {
      database = await makeDatabase(dialect)
      const { location } = database
      p = await startDevicePlatform({
        location: (clock) => (dialect === 'sqlite' ? { sqlite: location, clock } : { postgres: location, clock }),
      })
    })
    after(async () => {
      await p.server.stop()
      await database.drop()
    })
    beforeEach(async () => {
      p.clock.now += 7_200_000
      started = await p.start()
    })
    const waitFor = (seconds: number) => {
      p.clock.now += seconds * 1000
    }

    test('D-02 authgate-203 of 64 polls at once after the approval one gets tokens, and they stay', async () => {
      const { device_code, user_code } = await p.start({ scope: 'films:watch offline_access' })
      await p.allow(await p.signIn('alice'), user_code)
      const answers = await Promise.all(Array.from({ length: 64 }, () => p.poll(device_code)))
      const won = answers.filter(({ status }) => status === 200)
      assert.equal(won.length, 1, JSON.stringify(answers.map(({ body }) => body.error)))
      for (const { status, body } of answers) {
        if (status !== 200) assert.match(String(body.error), /^(slow_down|invalid_grant)$/)
      }
      const refresh_token = String(won[0]!.body.refresh_token)
      assert.equal((await p.ask('/token', { grant_type: 'refresh_token', refresh_token })).status, 200)
      waitFor(500)
      assert.equal((await p.poll(device_code)).body.error, 'invalid_grant', 'a device code counts once')
    })

    test('RFC 10017 6.3 tokens that a page of a browser polls for end sooner', async () => {
      const { device_code, user_code } = await p.start({ scope: 'films:watch offline_access' })
      await p.allow(await p.signIn('alice'), user_code)
      const form = { grant_type: DEVICE, client_id: 'tv', device_code: String(device_code) }
      const headers = { origin: 'https://page.example' }
      const body = new URLSearchParams(form)
      const response = await fetch(`${p.server.issuer}/token`, { method: 'POST', headers, body })
      const { refresh_token } = (await response.json()) as { refresh_token: string }
      assert.equal(response.status, 200)
      waitFor(86_401)
      const late = await p.ask('/token', { grant_type: 'refresh_token', refresh_token })
      assert.equal(late.body.error, 'invalid_grant')
    })

    test('D-04 CVE-2026-45337 the first who opens a code has it to answer; for others there is none', async () => {
      const [alice, bob] = [await p.signIn('alice'), await p.signIn('bob')]
      const question = await p.enter(alice, started.user_code)
      assert.match((await p.enter(bob, started.user_code)).html, /No device waits/)
      const stolen = /name="shown" value="([^"]+)"/.exec(question.html)![1]!
      const user_code = /name="user_code" value="([^"]+)"/.exec(question.html)![1]!
      const entry = await p.enter(bob, 'BBBBBBBB')
      const forged = await bob.submit(entry, { user_code, shown: stolen, decision: 'allow' }, 'name="user_code"')
      assert.match(await forged.response.text(), /No device waits/)
      assert.equal((await p.poll(started.device_code)).body.error, 'authorization_pending')
      await p.answer(alice, question, 'allow')
      waitFor(5)
      assert.equal((await p.poll(started.device_code)).status, 200)
    })

    test('D-08 a code that three people enter is void, and so are tokens it has brought', async () => {
      const { device_code, user_code } = await p.start({ scope: 'films:watch offline_access' })
      await p.allow(await p.signIn('alice'), user_code)
      const { body } = await p.poll(device_code)
      await p.enter(await p.signIn('bob'), user_code)
      const refresh = () => p.ask('/token', { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) })
      assert.equal((await refresh()).status, 200, 'one other may have mistyped')
      await p.enter(await p.signIn('carol'), user_code)
      assert.equal((await refresh()).body.error, 'invalid_grant')
      const waiting = await p.start()
      for (const person of ['alice', 'bob', 'carol'] as const) await p.enter(await p.signIn(person), waiting.user_code)
      assert.equal((await p.poll(waiting.device_code)).body.error, 'access_denied')
    })

    test('D-05 CVE-2023-2585 the code of one client brings nothing to another, and is not spoiled', async () => {
      await p.allow(await p.signIn('alice'), started.user_code)
      for (const client of ['other-tv', 'box']) {
        const { body } = await p.poll(started.device_code, {}, client)
        assert.equal(body.error, 'invalid_grant')
      }
      assert.equal((await p.poll(started.device_code)).status, 200)
    })

    test('D-05 CVE-2024-52287 CVE-2024-38371 what the page showed is issued, never more', async () => {
      const wide = await p.start({ scope: 'films:watch films:buy' })
      const alice = await p.signIn('alice')
      const question = await p.enter(alice, wide.user_code)
      assert.doesNotMatch(question.html, /Buy films/)
      await p.server.addRole('viewer', ['films:watch', 'films:buy'])
      const again = await p.answer(alice, question, 'allow')
      assert.match(again.html, /Buy films/, 'it is shown again, with what came since')
      await p.answer(alice, again, 'allow')
      await p.server.addRole('viewer', ['films:watch'])
      waitFor(5)
      assert.equal((await p.poll(wide.device_code)).body.scope, 'films:watch')
      // Whom no role lets in is not let in by a device either: neither asked, nor given what was allowed before.
      const [late, barred] = [await p.start({ scope: 'films:watch' }), await p.start({ scope: 'films:watch' })]
      await p.allow(alice, late.user_code)
      await p.server.addRole('viewer', [])
      const page = await p.enter(alice, barred.user_code)
      assert.doesNotMatch(page.html, /value="allow"/)
      waitFor(5)
      assert.equal((await p.poll(late.device_code)).body.error, 'invalid_scope')
      assert.equal((await p.poll(barred.device_code)).body.access_token, undefined)
      await p.server.addRole('viewer', ['films:watch'])
    })

    test('D-11 tokens of a device are short-lived, for what was allowed alone, and bound to its key where it has one', async () => {
      const key = makeDpopKey()
      const pollFor = async (form: Record<string, string>, signer = key) => {
        const aim = { method: 'POST', url: `${p.server.issuer}/token`, now: p.clock.now }
        const headers = { dpop: makeProof(signer, { claims: goodClaims(aim) }) }
        const body = new URLSearchParams({ client_id: 'tv', ...form })
        const response = await fetch(`${p.server.issuer}/token`, { method: 'POST', headers, body })
        return { status: response.status, body: (await response.json()) as Record<string, string> }
      }
      const { device_code, user_code } = await p.start({ scope: 'films:watch offline_access' })
      await p.allow(await p.signIn('alice'), user_code)
      const { body } = await pollFor({ grant_type: DEVICE, device_code: String(device_code) })
      assert.deepEqual([body['token_type'], body['scope']], ['DPoP', 'films:watch offline_access'])
      assert.ok(Number(body['expires_in']) <= 600, String(body['expires_in']))
      const claims = claimsOf(body['access_token']!)
      assert.deepEqual([claims['cnf'], claims['aud']], [{ jkt: key.jkt }, 'https://api.example/films'])
      const form = { grant_type: 'refresh_token', refresh_token: body['refresh_token']! }
      assert.equal((await p.ask('/token', form)).status, 400, 'without the key of the device')
      assert.equal((await pollFor(form, makeDpopKey())).status, 400, 'with another key')
      assert.equal((await pollFor({ ...form, scope: 'films:watch films:buy' })).body['error'], 'invalid_scope')
      assert.equal((await pollFor(form)).status, 200)
    })

    test('D-01 after five wrong codes no more are looked at, for the session and for the address', async () => {
      const alice = await p.signIn('alice')
      for (let i = 0; i < 5; i++) assert.match((await p.enter(alice, 'BBBBBBBB')).html, /No device waits/)
      const page = await p.enter(alice, started.user_code)
      assert.equal(page.status, 429)
      assert.doesNotMatch(page.html, /name="decision"/)
      assert.equal((await p.enter(await p.signIn('bob'), started.user_code)).status, 429, 'the same address')
      waitFor(601)
      const late = await p.start()
      assert.match((await p.enter(alice, late.user_code)).html, /name="decision"/)
    })

    test('FAPI 2.0 5.3.2.1 a client whose profile does not let it in gets no code to show either', async () => {
      const of_devices = { grant_types: [DEVICE], response_types: [], token_endpoint_auth_method: 'none' }
      await p.server.addClient({ ...of_devices, client_id: 'nowhere', scope: 'films:watch' })
      await p.server.saveSettings({ profile: 'fapi2' })
      for (const client of ['tv', 'box']) {
        const { status, body } = await p.ask('/device_authorization', {}, client)
        assert.deepEqual([status, body.error], [400, 'unauthorized_client'], client)
      }
      await p.server.saveSettings({ profile: 'mcp' })
      const scope = 'films:watch'
      assert.equal((await p.ask('/device_authorization', { scope }, 'nowhere')).body.error, 'invalid_target')
      const resource = 'https://api.example/films'
      assert.equal((await p.ask('/device_authorization', { scope, resource }, 'nowhere')).status, 200)
      await p.server.saveSettings({})
      assert.equal((await p.ask('/device_authorization', {})).status, 200)
    })

    test('10.4.4 D-10 only a client with the grant type may ask', async () => {
      await p.server.addClient({
        client_id: `web${dialect}${started.user_code}`,
        client_secret: 's',
        redirect_uris: ['https://a.example/cb'],
      })
      const headers = { authorization: `Basic ${btoa(`web${dialect}${started.user_code}:s`)}` }
      const response = await fetch(`${p.server.issuer}/device_authorization`, {
        method: 'POST',
        headers,
        body: new URLSearchParams(),
      })
      assert.deepEqual(
        [response.status, ((await response.json()) as { error: string }).error],
        [400, 'unauthorized_client'],
      )
    })

    test('10.4.10 a confidential client authenticates, and who fails changes nothing', async () => {
      const wrong: [string, Record<string, string>][] = [
        ['/device_authorization', { client_id: 'box' }],
        ['/device_authorization', { client_id: 'box', client_secret: 'wrong' }],
        ['/device_authorization', {}],
      ]
      for (const [path, form] of wrong) {
        const response = await fetch(p.server.issuer + path, { method: 'POST', body: new URLSearchParams(form) })
        assert.equal(response.status, 401, JSON.stringify(form))
      }
      const box = await p.start({}, 'box')
      await p.allow(await p.signIn('alice'), box.user_code)
      const stolen = await p.ask('/token', {
        ...{ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: String(box.device_code) },
        ...{ client_id: 'box', client_secret: 'wrong' },
      })
      assert.equal(stolen.body.error, 'invalid_client')
      assert.equal((await p.poll(box.device_code, {}, 'box')).status, 200)
    })

    test('bad input at the device authorization endpoint is refused by name, and brings no code', async () => {
      const challenge = { code_challenge: 'x', code_challenge_method: 'S256' }
      const cases: [Record<string, string>, string, RegExp][] = [
        [{ scope: 'films:steal' }, 'invalid_scope', /films:steal/],
        [{ resource: 'https://api.example/FILMS' }, 'invalid_target', /FILMS/],
        [{ resource: '', scope: 'openid\u0001' }, 'invalid_scope', /scope/],
        [{ ...challenge }, 'invalid_request', /code_challenge/],
        [{ ...challenge, code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' }, 'invalid_request', /S256/],
      ]
      for (const [form, error, sentence] of cases) {
        const { status, body } = await p.ask('/device_authorization', form)
        assert.deepEqual([status, body.error], [400, error], JSON.stringify(form))
        assert.match(String(body.error_description), sentence)
      }
      assert.equal(
        (await p.ask('/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code' })).body.error,
        'invalid_request',
      )
      assert.equal((await p.poll('sp_dc_unknown')).body.error, 'invalid_grant')
    })

    test('8.3.2 disabled while it waits: the client, the user, the tenant', async () => {
      const { tenant } = p.server.app
      const { tenant_id, store } = tenant
      const alice = await p.signIn('alice')
      await p.allow(alice, started.user_code)
      const user = (await store.findUserByUsername({ tenant_id, username_key: 'alice' }))!
      const change = { tenant_id, event: { tenant_id, event_id: crypto.randomUUID(), at: 0, type: 't', actor: 'cli' } }
      await store.setUserDisabled({ ...change, user_id: user.user_id, disabled: true })
      waitFor(5)
      assert.equal((await p.poll(started.device_code)).body.error, 'invalid_grant')
      await store.setUserDisabled({
        ...change,
        event: { ...change.event, event_id: crypto.randomUUID() },
        user_id: user.user_id,
        disabled: false,
      })
      waitFor(5)
      assert.equal((await p.poll(started.device_code)).body.error, 'invalid_grant', 'for good')
    })
  })
}
