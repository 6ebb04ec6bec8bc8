import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOME, HUB_ID, JOHN, startHub } from '../parts/hub.ts'
import { UserAgent } from '../parts/user_agent.ts'

for (const path of ['', '/hub', '/teams/hub']) {
  test(`H1 Hub's two URLs stand under the base, and every URL that is printed follows it: '${path || '/'}'`, async (t) => {
    const hub = await startHub({}, { path })
    t.after(() => hub.stop())
    const service = await hub.register({ name: 'App', trusted: true })
    const agent = new UserAgent()
    const asked = { response_type: 'code', client_id: service.id, redirect_uri: `${HOME}/auth`, scope: service.id }
    const at = await agent.follow(hub.authUrl(asked))
    assert.ok(at.url.startsWith(`${hub.base}/login?`), at.url)
    const html = await at.response.text()
    for (const [, url] of html.matchAll(/(?:href|src|action)="(\/[^"]*)"/g)) {
      assert.ok(url!.startsWith(`${new URL(hub.base).pathname.replace(/\/$/, '')}/`), url)
    }
    const back = await agent.submit({ url: at.url, html }, JOHN, 'name="password"')
    const answer = new URL(back.url)
    assert.equal(answer.searchParams.get('iss'), hub.base)
    const form = {
      grant_type: 'authorization_code',
      code: answer.searchParams.get('code')!,
      redirect_uri: `${HOME}/auth`,
    }
    assert.equal((await hub.token(form, service)).status, 200)
    const discovery = await (await fetch(`${hub.base}/.well-known/openid-configuration`)).json()
    for (const [name, value] of Object.entries(discovery)) {
      if (/_endpoint$|_uri$/.test(name)) assert.ok(String(value).startsWith(`${hub.base}/`), `${name}: ${value}`)
    }
    assert.equal((await hub.rest('GET', `services/${service.id}?fields=id`)).body.id, service.id)
    assert.equal(
      (await fetch(`${new URL(hub.base).origin}/elsewhere/api/rest/oauth2/token`, { method: 'POST' })).status,
      404,
    )
    assert.ok(HUB_ID)
  })
}
