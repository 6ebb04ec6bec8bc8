import assert from 'node:assert/strict'
import { ask, issueRegistrationToken, register, SELF_CALLBACK, withSettings } from '../parts/ask_registration.ts'
import { JWT_API, onBothDatabases } from '../parts/platform.ts'
import { dumpRows, printRow } from '../parts/snapshot.ts'

const test = onBothDatabases()
const OPEN = { registration: 'open', dynamic_client_scopes: ['offline_access', 'mcp:tools'] }

test('RFC 7591 3 without an initial access token nothing is registered where one is needed', async (p) => {
  await withSettings(p, { registration: 'token' }, async () => {
    const json = { redirect_uris: [SELF_CALLBACK] }
    const token = await issueRegistrationToken(p)
    for (const headers of [
      ...[{}, { authorization: 'Bearer ' }, { authorization: 'Bearer nothing' }, { authorization: `Basic ${token}` }],
      ...[
        { authorization: token },
        { authorization: `Bearer ${token}x` },
        { authorization: `Bearer ${token}, Bearer ${token}` },
      ],
    ] as Record<string, string>[]) {
      const refused = await register(p, json, { headers })
      assert.deepEqual([refused.status, refused.body.error], [401, 'invalid_token'], JSON.stringify(headers))
      assert.match(refused.headers.get('www-authenticate')!, /^Bearer /)
    }
    const { status, body } = await register(p, json, { token })
    assert.equal(status, 201)
    // It registers, and manages nothing.
    assert.equal((await ask(p, 'GET', `/register/${body.client_id}`, { token })).status, 401)
    const other = await register(p, json, { token: body.registration_access_token })
    assert.equal(other.status, 401)
  })
})

test('an initial access token has its uses and its end, and a refused registration takes no use', async (p) => {
  await withSettings(p, { registration: 'token' }, async () => {
    const token = await issueRegistrationToken(p, { uses: 2, days: 1 })
    assert.equal((await register(p, { redirect_uris: ['x'] }, { token })).status, 400)
    const racers = await Promise.all(
      Array.from({ length: 16 }, () => register(p, { redirect_uris: [SELF_CALLBACK] }, { token })),
    )
    assert.deepEqual([...new Set(racers.map(({ status }) => status))].sort(), [201, 401])
    assert.equal(racers.filter(({ status }) => status === 201).length, 2)
    const ended = await issueRegistrationToken(p, { days: 1 })
    p.pass(86_401)
    assert.equal((await register(p, { redirect_uris: [SELF_CALLBACK] }, { token: ended })).status, 401)
  })
})

test('an initial access token is no turn of its address, and one that is wrong is refused where none is needed', async (p) => {
  await withSettings(p, OPEN, async () => {
    const address = '203.0.113.9'
    const token = await issueRegistrationToken(p)
    for (let i = 0; i < 9; i++) {
      assert.equal((await register(p, { redirect_uris: [SELF_CALLBACK] }, { address, token })).status, 201)
    }
    assert.equal((await register(p, { redirect_uris: [SELF_CALLBACK] }, { address, token: 'wrong' })).status, 401)
  })
})

test('10.4.11 an initial access token says what its clients may have, and an update keeps to it', async (p) => {
  await withSettings(p, { ...OPEN, registration: 'token' }, async () => {
    const token = await issueRegistrationToken(p, { scope: 'api:read', grant_types: 'client_credentials' })
    const wanted = { grant_types: ['client_credentials'], scope: 'api:read mcp:tools vault:open' }
    const { status, body } = await register(p, wanted, { token })
    assert.equal(status, 201, JSON.stringify(body))
    assert.deepEqual([body.grant_types, body.scope], [['client_credentials'], 'api:read'])
    const { client_id, client_secret, registration_access_token } = body
    const credentials = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`
    const grant = async (scope: string) => {
      const form = new URLSearchParams({ grant_type: 'client_credentials', scope, resource: JWT_API })
      const init = { method: 'POST', headers: { authorization: credentials }, body: form }
      return (await fetch(`${p.issuer}/token`, init)).json()
    }
    assert.equal((await grant('api:read')).scope, 'api:read')
    assert.equal((await grant('mcp:tools')).error, 'invalid_scope')
    const update = {
      client_id,
      ...wanted,
      grant_types: ['client_credentials', 'authorization_code'],
      redirect_uris: [SELF_CALLBACK],
    }
    const updated = await ask(p, 'PUT', `/register/${client_id}`, { token: registration_access_token, json: update })
    assert.deepEqual([updated.status, updated.body.scope], [200, 'api:read'])
    assert.equal((await grant('mcp:tools')).error, 'invalid_scope')
    // Without such a token nobody acts on their own behalf.
    await p.server.saveSettings(OPEN)
    assert.equal((await register(p, { grant_types: ['client_credentials'] })).status, 400)
  })
})

test('T-01 T-11 no row holds an initial access token, a registration access token or a secret of such a client', async (p) => {
  await withSettings(p, OPEN, async () => {
    const token = await issueRegistrationToken(p)
    const { registration_access_token, client_secret, client_id } = (
      await register(p, { redirect_uris: [SELF_CALLBACK] }, { token })
    ).body
    await ask(p, 'GET', `/register/${client_id}`, { token: registration_access_token })
    for (const [table, rows] of await dumpRows(p.server.store)) {
      for (const row of rows) {
        const text = printRow(row)
        for (const secret of [token, registration_access_token, client_secret]) {
          assert.ok(!text.includes(secret) && !text.includes(secret.replace(/^sp_[a-z]+_/, '')), table)
        }
      }
    }
    for (const line of p.server.log) {
      for (const secret of [token, registration_access_token, client_secret])
        assert.ok(!JSON.stringify(line).includes(secret))
    }
  })
})
