import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminError, type AdminOptions, createAdmin, etagOf } from './admin.ts'

interface Sent {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  readonly body: unknown
}

/** An admin whose requests get the answers in their order, and what it has sent and how long it has waited. */
function answering(answers: readonly (Response | Error)[], more: object = {}) {
  const sent: Sent[] = []
  const waits: number[] = []
  const left = [...answers]
  const fetch = async (url: string, { method, headers, body }: RequestInit) => {
    const text = body as string | undefined
    sent.push({ method: method ?? 'GET', url, headers: new Headers(headers), body: text && JSON.parse(text) })
    const answer = left.shift()
    assert.ok(answer, `one request too many: ${url}`)
    if (answer instanceof Error) throw answer
    return answer
  }
  const wait = async (ms: number) => void waits.push(ms)
  const issuer = 'https://as.example/hub'
  const options = { issuer, access_token: 'one', fetch, wait, ...more } as AdminOptions
  return { admin: createAdmin(options), sent, waits }
}

const problem = (status: number, more: object = {}, headers: Record<string, string> = {}) => {
  const said = { type: 'about:blank', title: 'No', status, detail: 'It is not so', error: 'invalid_request' }
  const body = { ...said, error_description: 'It is not so', ...more }
  return Response.json(body, { status, headers: { 'content-type': 'application/problem+json', ...headers } })
}

test('a function sends its names in the path, its query, its body and the token', async () => {
  const { admin, sent } = answering([
    Response.json({ items: [] }),
    Response.json({}, { headers: { etag: '"v1"' } }),
    Response.json({}),
    new Response(null, { status: 204 }),
  ])
  await admin.listGrants({ client_id: 'a b', limit: 7 }).page()
  const resource = await admin.getResource('https://api.example/v1')
  await admin.updateResource('https://api.example/v1', { name: 'API', scopes: {} }, { if_match: etagOf(resource) })
  assert.equal(await admin.endSession('u1', 's/2'), undefined)
  assert.deepEqual(
    sent.map(({ method, url }) => `${method} ${url}`),
    [
      'GET https://as.example/hub/api/grants?client_id=a+b&limit=7',
      'GET https://as.example/hub/api/resources/https%3A%2F%2Fapi.example%2Fv1',
      'PUT https://as.example/hub/api/resources/https%3A%2F%2Fapi.example%2Fv1',
      'DELETE https://as.example/hub/api/users/u1/sessions/s%2F2',
    ],
  )
  assert.deepEqual(sent[2]!.body, { name: 'API', scopes: {} })
  assert.deepEqual(
    [sent[2]!.headers.get('if-match'), sent[2]!.headers.get('content-type')],
    ['"v1"', 'application/json'],
  )
  assert.ok(sent.every(({ headers }) => headers.get('authorization') === 'Bearer one'))
})

test('a name that would lead to another route is refused before anything is sent', async () => {
  const { admin, sent } = answering([])
  for (const name of ['', '.', '..', undefined as unknown as string]) {
    await assert.rejects(async () => admin.getClient(name), TypeError)
  }
  assert.equal(sent.length, 0)
})

test('a list is read page by page as it is asked for', async () => {
  const pages = [{ items: [{ role: 'a' }, { role: 'b' }], next_cursor: 'b' }, { items: [{ role: 'c' }] }]
  const { admin, sent } = answering(pages.map((page) => Response.json(page)))
  const seen: string[] = []
  for await (const { role } of admin.listRoles({ limit: 2 })) {
    assert.equal(sent.length, role === 'c' ? 2 : 1)
    seen.push(role)
  }
  assert.deepEqual(seen, ['a', 'b', 'c'])
  assert.equal(new URL(sent[1]!.url).search, '?limit=2&cursor=b')
})

test('2.3.3 every try of a POST has the same Idempotency-Key, and each call one of its own', async () => {
  const made = () => Response.json({ client_id: 'c' }, { status: 201 })
  const { admin, sent, waits } = answering([
    new TypeError('fetch failed'),
    problem(409, {}, { 'retry-after': '1' }),
    made(),
    made(),
    made(),
  ])
  await admin.createClient({ metadata: {} })
  await admin.createClient({ metadata: {} })
  await admin.createClient({ metadata: {} }, { idempotency_key: 'mine' })
  const keys = sent.map(({ headers }) => headers.get('idempotency-key'))
  assert.equal(new Set(keys.slice(0, 3)).size, 1)
  assert.equal(new Set(keys).size, 3)
  assert.equal(keys[4], 'mine')
  assert.deepEqual(waits, [500, 1000])
})

test('what could be done twice is not sent again, and what is refused for good is not either', async () => {
  const { admin, sent, waits } = answering([new TypeError('fetch failed'), problem(503), problem(409), problem(404)])
  const change = admin.updateUser('u', { name: 'N' }, { if_match: '*' })
  await assert.rejects(change, { error: 'temporarily_unavailable', status: 0 })
  await assert.rejects(admin.refreshConnection('c'), { status: 503 })
  await assert.rejects(admin.createRole({ role: 'r', scopes: [] }), { status: 409 })
  await assert.rejects(admin.getRole('r'), { status: 404 })
  assert.deepEqual([sent.length, waits], [4, []])
})

test('tries end, and a long Retry-After is passed on at once', async () => {
  const limited = () => problem(429, {}, { 'retry-after': '3' })
  const { admin, waits } = answering([limited(), limited(), limited(), problem(429, {}, { 'retry-after': '60' })])
  await assert.rejects(admin.getSettings(), { status: 429, retry_after_seconds: 3 })
  await assert.rejects(admin.getSettings(), { status: 429, retry_after_seconds: 60 })
  assert.deepEqual(waits, [3000, 3000])
})

test('a refusal is an AdminError with the problem; what is no problem says only its status', async () => {
  const errors = [{ pointer: '/metadata/scope', detail: 'must be a string' }]
  const { admin } = answering([
    problem(400, { errors }),
    new Response('<html>secret', { status: 500 }),
    new Response('{'),
  ])
  const refused = await admin.createClient({ metadata: {} }).catch((error: unknown) => error)
  assert.ok(refused instanceof AdminError)
  assert.deepEqual([refused.error, refused.message, refused.status], ['invalid_request', 'It is not so', 400])
  assert.deepEqual(refused.problem?.errors, errors)
  await assert.rejects(admin.getSettings(), { message: 'Sallyport answered 500', problem: undefined })
  await assert.rejects(admin.getSettings(), { message: 'Sallyport answered without JSON' })
})

test('a token that is refused is replaced once', async () => {
  const given: (string | undefined)[] = []
  const access_token = async (failed?: string) => {
    given.push(failed)
    return failed === undefined ? 'old' : 'new'
  }
  const unauthorized = () => problem(401, { error: 'invalid_token' })
  const { admin, sent } = answering([unauthorized(), Response.json({}), unauthorized(), unauthorized()], {
    access_token,
  })
  await admin.getSettings()
  await assert.rejects(admin.getSettings(), { status: 401, error: 'invalid_token' })
  assert.deepEqual(
    sent.slice(0, 2).map(({ headers }) => headers.get('authorization')),
    ['Bearer old', 'Bearer new'],
  )
  assert.deepEqual(given.slice(0, 2), [undefined, 'old'])
})

test('a client gets its own token for the API, and says why there is none', async () => {
  const metadata = { issuer: 'https://as.example/hub', token_endpoint: 'https://as.example/hub/token' }
  const fetch = async (url: string) => {
    if (url.includes('.well-known')) return Response.json(metadata)
    return Response.json({ error: 'invalid_client', error_description: 'Unknown client' }, { status: 401 })
  }
  const admin = createAdmin({ issuer: 'https://as.example/hub', client_id: 'c', client_secret: 's', fetch })
  await assert.rejects(admin.getSettings(), { error: 'invalid_client', message: 'No access token: Unknown client' })
  // @ts-expect-error a client or a token is needed
  assert.throws(() => createAdmin({ issuer: 'https://as.example' }), TypeError)
})

test('a call that is given up rejects with the reason, and an export streams past the time limit', async () => {
  const gone = AbortSignal.abort(new Error('enough'))
  const { admin, sent } = answering([new Response('{"a":1}\n')])
  await assert.rejects(admin.getSettings({ signal: gone }), { message: 'enough' })
  const response = await admin.exportEvents({ after_sequence: 5 })
  assert.equal(await response.text(), '{"a":1}\n')
  assert.equal(sent[0]!.url, 'https://as.example/hub/api/events/export?after_sequence=5')
})

test('without a version there is nothing to match', () => {
  assert.throws(() => etagOf({}), TypeError)
})
