import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodClaims } from '../parts/bad_dpop_proofs.ts'
import { ALICE, type Bridge, CALLBACK, startBridge } from '../parts/bridge.ts'
import { makeDpopKey, makeProof } from '../parts/dpop.ts'
import { DIALECTS } from '../parts/stores.ts'

const key = makeDpopKey()

for (const dialect of DIALECTS) {
  describe(`a bound token at the proxy, on ${dialect}`, () => {
    let bridge: Bridge
    let access_token: string
    before(async () => {
      bridge = await startBridge({ dialect, path: '/hub' })
      const alice = await bridge.signIn()
      await bridge.connect(alice)
      const back = await alice.authorize(bridge.authorizeUrl(), ALICE)
      const form = { grant_type: 'authorization_code', redirect_uri: CALLBACK, code_verifier: 'v'.repeat(43) }
      const body = new URLSearchParams({ ...form, code: back.searchParams.get('code')! })
      const headers = { authorization: `Basic ${btoa('web:secret-of-web')}`, dpop: proof('POST', '/token') }
      const response = await fetch(`${bridge.issuer}/token`, { method: 'POST', headers, body })
      assert.equal(response.status, 200)
      access_token = ((await response.json()) as { access_token: string }).access_token
    })
    after(() => bridge.stop())

    function proof(method: string, path: string, claims: Record<string, unknown> = {}): string {
      const now = Date.now() + bridge.clock.offset
      const aim = { method, url: bridge.issuer + path, now, ...(access_token !== undefined && { access_token }) }
      return makeProof(key, { claims: { ...goodClaims(aim), ...claims } })
    }

    const call = (dpop: string, init: RequestInit = {}) => {
      const headers = { authorization: `DPoP ${access_token}`, dpop }
      return bridge.get('/proxy/acme/me?fields=all', undefined, { ...init, headers })
    }

    test('it opens the connection with a proof for the very request, and neither reaches the provider', async () => {
      const before = bridge.api.received.length
      const { status, body } = await call(proof('POST', '/proxy/acme/me'), { method: 'POST', body: 'x' })
      assert.deepEqual([status, body], [200, { ok: true }])
      const [arrived, ...more] = bridge.api.received.slice(before)
      assert.equal(arrived!.headers['dpop'], undefined)
      assert.match(String(arrived!.headers.authorization), /^Bearer /)
      assert.doesNotMatch(String(arrived!.headers.authorization), new RegExp(access_token.slice(0, 40)))
      assert.deepEqual(more, [])
    })

    test('10.3.5 without the proof nothing reaches the provider', async () => {
      const before = bridge.api.received.length
      const used = proof('GET', '/proxy/acme/me')
      assert.equal((await call(used)).status, 200)
      for (const [what, dpop] of [
        ['a used proof', used],
        ['another method', proof('POST', '/proxy/acme/me')],
        ['another path', proof('GET', '/proxy/acme/you')],
        ['another connector', proof('GET', '/proxy/other/me')],
      ] as const) {
        const { status, body, headers } = await call(dpop)
        assert.deepEqual([status, body.error], [401, 'invalid_dpop_proof'], what)
        assert.match(headers.get('www-authenticate')!, /^DPoP /)
      }
      assert.equal((await bridge.get('/proxy/acme/me', access_token)).status, 401, 'as a bearer token')
      assert.equal(bridge.api.received.length, before + 1)
    })

    test('RFC 9449 8.2 the answer to an old nonce brings the next one, whatever the provider says of nonces', async () => {
      bridge.api.answers.set('/v1/me', (_request, response) => {
        response.writeHead(200, { 'dpop-nonce': 'of-the-provider' }).end('{}')
      })
      // At the beginning of a window, so that none ends while the test runs.
      bridge.clock.offset += 120_000 - ((Date.now() + bridge.clock.offset) % 120_000)
      const refused = await call(proof('GET', '/proxy/acme/me', { nonce: 'x' }))
      const nonce = refused.headers.get('dpop-nonce')!
      assert.deepEqual([refused.status, refused.body.error], [401, 'use_dpop_nonce'])
      assert.equal((await call(proof('GET', '/proxy/acme/me', { nonce }))).headers.get('dpop-nonce'), null)
      bridge.clock.offset += 120_000
      const renewed = await call(proof('GET', '/proxy/acme/me', { nonce }))
      assert.equal(renewed.status, 200)
      assert.match(renewed.headers.get('dpop-nonce')!, /^[A-Za-z0-9_-]{32}$/)
    })
  })
}
