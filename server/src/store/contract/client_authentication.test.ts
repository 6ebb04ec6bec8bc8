import assert from 'node:assert/strict'
import { bytes, contract, START, type Stage } from '../../../../test/parts/stores.ts'

const saved = {
  ...{ client_id: 'mac', client_name: 'Mac', metadata: '{}', source: 'apply', trusted: false },
  client_secret_hash: bytes('hash of one'),
  sealed_client_secret: bytes('seal of one'),
}
const make = ({ store, tenant_id, event }: Stage) =>
  store.createClient({ tenant_id, client: saved, event: event('client.created') })
const find = ({ store, tenant_id }: Stage) => store.findSealedSecrets({ tenant_id, client_id: 'mac' })

contract('the secret of a client that signs is kept sealed, and rotates with its hash', async (stage) => {
  const { store, tenant_id, event } = stage
  await make(stage)
  const first = {
    sealed_client_secret: bytes('seal of one'),
    client_secret_expires_at: null,
    former_sealed_client_secret: null,
    former_client_secret_expires_at: null,
  }
  assert.deepStrictEqual(await find(stage), first)
  const rotate = (seen: string) =>
    store.rotateClientSecret({
      ...{ tenant_id, client_id: 'mac', seen: bytes(seen), former_expires_at: START + 10 },
      client_secret_hash: bytes('hash of two'),
      sealed_client_secret: bytes('seal of two'),
      event: event(),
    })
  assert.equal(await rotate('hash of another'), false)
  assert.deepStrictEqual(await find(stage), first)
  assert.equal(await rotate('hash of one'), true)
  assert.deepStrictEqual(await find(stage), {
    ...first,
    sealed_client_secret: bytes('seal of two'),
    former_sealed_client_secret: bytes('seal of one'),
    former_client_secret_expires_at: START + 10,
  })
  assert.equal(await store.findSealedSecrets({ tenant_id, client_id: 'unknown' }), null)
  assert.equal(await store.findSealedSecrets({ tenant_id: 'nobody', client_id: 'mac' }), null)
})

contract('of two living secrets it is known when each was made, and the older one is ended alone', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  await make(stage)
  const list = () => store.listClientSecrets({ tenant_id, client_id: 'mac' })
  const end = (client_id = 'mac') => store.endFormerClientSecret({ tenant_id, client_id, event: event() })
  assert.deepEqual(await list(), [{ made_at: START, expires_at: null }])
  assert.equal(await end(), false, 'the only one stays')
  const rotate = (secret: string, at: number) =>
    store.rotateClientSecret({
      ...{
        tenant_id,
        client_id: 'mac',
        client_secret_hash: bytes(secret),
        sealed_client_secret: bytes(`seal ${secret}`),
      },
      ...{ former_expires_at: START + 10, event: { ...event(), at } },
    })
  await rotate('two', START + 1)
  assert.deepEqual(await list(), [
    { made_at: START + 1, expires_at: null },
    { made_at: START, expires_at: START + 10 },
  ])
  assert.equal(await end('unknown'), false)
  assert.equal(await end(), true)
  assert.deepEqual(await list(), [{ made_at: START + 1, expires_at: null }])
  assert.deepStrictEqual((await find(stage))!.former_sealed_client_secret, null)
  assert.equal(await end(), false)
  await rotate('three', START + 2)
  clock.now += 10
  assert.deepEqual(await list(), [{ made_at: START + 2, expires_at: null }], 'the former one is over')
  assert.equal(await end(), false)
  const given = { ...saved, client_secret_hash: bytes('four') }
  await store.updateClient({ tenant_id, client: given, event: { ...event(), at: START + 3 } })
  assert.deepEqual(await list(), [{ made_at: START + 3, expires_at: null }])
  const renamed = { ...given, client_secret_hash: null, metadata: '{"a":1}' }
  const update = (seen: string) => store.updateClient({ tenant_id, client: renamed, seen, event: event() })
  assert.equal(await update('{"other":1}'), false, 'somebody else changed it since')
  assert.equal(await update('{}'), true)
  assert.deepEqual(await list(), [{ made_at: START + 3, expires_at: null }])
})

contract('changing a client leaves its sealed secret, puts another in its place, or drops it', async (stage) => {
  const { store, tenant_id, event } = stage
  await make(stage)
  const { sealed_client_secret: _, ...client } = { ...saved, client_secret_hash: null }
  const update = async (more: object) => {
    await store.updateClient({ tenant_id, client: { ...client, ...more }, event: event() })
    const found = await find(stage)
    return [found!.sealed_client_secret, found!.former_sealed_client_secret]
  }
  assert.deepStrictEqual(await update({}), [bytes('seal of one'), null])
  const other = { client_secret_hash: bytes('hash of two'), sealed_client_secret: bytes('seal of two') }
  assert.deepStrictEqual(await update(other), [bytes('seal of two'), null])
  assert.deepStrictEqual(await update({ sealed_client_secret: null }), [null, null])
})

contract('an issuer is trusted by its tenant alone, and switched off from when that was first said', async (stage) => {
  const { store, tenant_id, event, clock } = stage
  const issuer = 'https://idp.example'
  const save = (rules: string, disabled: boolean) =>
    store.saveTrustedIssuer({ tenant_id, issuer, rules, disabled, event: event('trusted_issuer.saved') })
  assert.equal(await store.findTrustedIssuer({ tenant_id, issuer }), null)
  await save('{"a":1}', false)
  assert.deepStrictEqual(await store.findTrustedIssuer({ tenant_id, issuer }), {
    issuer,
    rules: '{"a":1}',
    disabled_at: null,
  })
  assert.equal(await store.findTrustedIssuer({ tenant_id: 'nobody', issuer }), null)
  assert.equal(await store.findTrustedIssuer({ tenant_id, issuer: `${issuer}/` }), null)
  const disabledAt = async () => (await store.findTrustedIssuer({ tenant_id, issuer }))!.disabled_at
  await save('{"a":2}', true)
  const since = await disabledAt()
  assert.ok(since !== null)
  clock.now += 1000
  await save('{"a":3}', true)
  assert.equal(await disabledAt(), since)
  await save('{"a":3}', false)
  assert.equal(await disabledAt(), null)
})

contract('a trusted issuer is forgotten once, by its tenant alone', async (stage) => {
  const { store, tenant_id, event } = stage
  const issuer = 'https://idp.example'
  const saved = { tenant_id, issuer, rules: '{}', disabled: false }
  const forget = (of: string) =>
    store.deleteTrustedIssuer({ tenant_id: of, issuer, event: event('trusted_issuer.deleted') })
  await store.saveTrustedIssuer({ ...saved, event: event() })
  assert.equal(await forget('nobody'), false)
  assert.ok(await store.findTrustedIssuer({ tenant_id, issuer }))
  assert.deepEqual([await forget(tenant_id), await forget(tenant_id)], [true, false])
  assert.equal(await store.findTrustedIssuer({ tenant_id, issuer }), null)
})

contract(
  'trusted issuers are listed by name, and one that somebody else has changed since is not changed',
  async (stage) => {
    const { store, tenant_id, event } = stage
    const save = (
      issuer: string,
      rules: string,
      seen?: { rules: string; disabled_at: number | null } | null,
      disabled = false,
    ) =>
      store.saveTrustedIssuer({
        tenant_id,
        issuer,
        rules,
        disabled,
        ...(seen !== undefined && { seen }),
        event: event(),
      })
    assert.equal(await save('https://b.example', '{}', null), true)
    assert.equal(await save('https://b.example', '{"new":1}', null), false, 'it is there already')
    assert.equal(await save('https://b.example', '{"b":1}', { rules: '{"other":1}', disabled_at: null }), false)
    assert.equal(await save('https://b.example', '{"b":1}', { rules: '{}', disabled_at: null }), true)
    assert.equal(await save('https://b.example', '{"b":2}', undefined, true), true)
    assert.equal(
      await save('https://b.example', '{"b":3}', { rules: '{"b":2}', disabled_at: null }),
      false,
      'switched off',
    )
    assert.equal(await save('https://a.example', '{}'), true)
    const page = async (after_issuer: string, most = 10, of = tenant_id) =>
      (await store.pageTrustedIssuers({ tenant_id: of, after_issuer, most })).map(({ issuer, rules }) => [
        issuer,
        rules,
      ])
    const [a, b] = [
      ['https://a.example', '{}'],
      ['https://b.example', '{"b":2}'],
    ]
    assert.deepEqual(await page(''), [a, b])
    assert.deepEqual(await page('', 1), [a])
    assert.deepEqual(await page('https://a.example'), [b])
    assert.deepEqual(await page('', 10, 'nobody'), [])
  },
)
