import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { type ConnectionOptions, createVault, VaultError, type VaultEvent, type VaultOptions } from './vault.ts'

const ISSUER = 'https://auth.example/hub'
const METADATA = 'https://auth.example/.well-known/oauth-authorization-server/hub'
const CREDENTIALS = { client_id: 'app', client_secret: 'secret-of-app' }
const USER = { connector: 'acme', access_token: 'token-of-user' } as const
const DIRECT = { ...USER, via: 'token', api_base_url: 'https://api.acme.example/v1' } as const

interface Call {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: unknown
  readonly form: URLSearchParams
}

/** A vault whose way out is a function; the metadata is answered, and waiting takes no time but is written down. */
function startVault(answer: (call: Call) => Response | Promise<Response>, options: Partial<VaultOptions> = {}) {
  const calls: Call[] = []
  const events: VaultEvent[] = []
  const waits: number[] = []
  const clock = { now: 1_700_000_000_000 }
  const vault = createVault({
    ...{ issuer: ISSUER, ...CREDENTIALS, clock: () => clock.now, onEvent: (event) => events.push(event) },
    wait: async (ms) => void waits.push(ms),
    fetch: async (url, { method = 'GET', headers, body }) => {
      if (url === METADATA) return Response.json({ issuer: ISSUER, token_endpoint: `${ISSUER}/token` })
      const form = new URLSearchParams(typeof body === 'string' ? body : '')
      const call = { url, method, headers: new Headers(headers), body, form }
      calls.push(call)
      return await answer(call)
    },
    ...options,
  })
  return { vault, calls, events, waits, clock }
}

const refused = (error: string, status = 403, more: object = {}, headers: Record<string, string> = {}) =>
  Response.json({ error, error_description: `about ${error}`, ...more }, { status, headers })
const ours = (error: string, status = 403, more: object = {}, headers: Record<string, string> = {}) =>
  refused(error, status, more, { 'x-sallyport-error': error, ...headers })
const isVaultError = (error: string) => (thrown: unknown) => thrown instanceof VaultError && thrown.error === error

/** A token endpoint that gives a provider's token, another one when the last is said to have failed. */
function exchange(lives = 3600) {
  let count = 0
  return ({ url, form }: Call) => {
    if (url !== `${ISSUER}/token`) return undefined
    if (form.get('failed_token') === `provided-${count}` || count === 0) count++
    return Response.json({ access_token: `provided-${count}`, token_type: 'Bearer', scope: 'a b', expires_in: lives })
  }
}

describe('where a request goes', () => {
  test('through the proxy, with the token of the user and nothing else', async () => {
    const { vault, calls } = startVault(() => new Response('ok'))
    const acme = vault.connection({ ...USER, api_base_url: 'https://api.acme.example/v1/' })
    for (const input of [
      '/a%20b?x=1#part',
      'https://api.acme.example/v1/a%20b?x=1',
      new URL('https://API.acme.example/v1/a%20b?x=1'),
      new Request('https://api.acme.example/v1/a%20b?x=1', { headers: { 'x-mine': '1' } }),
    ]) {
      const answer = await acme.fetch(input, { headers: { 'x-mine': '1', authorization: 'Bearer of-caller' } })
      assert.equal(await answer.text(), 'ok')
      const { url, headers } = calls.at(-1)!
      assert.equal(url, `${ISSUER}/proxy/acme/a%20b?x=1`)
      assert.deepEqual(
        [...headers],
        [
          ['authorization', 'Bearer token-of-user'],
          ['x-mine', '1'],
        ],
      ) // prettier-ignore
    }
  })

  test('through the proxy with what a token is exchanged for that a client sent to this app', async () => {
    const { vault, calls, clock } = startVault(({ form }) =>
      form.has('subject_token')
        ? Response.json({ access_token: `proxy-${calls.length}`, expires_in: 600 })
        : new Response('ok'),
    )
    const asked = { connector: 'acme', access_token: 'sent-to-me', exchange: true } as const
    const acme = vault.connection({ ...asked, actions: ['read' as const] })
    await Promise.all([acme.fetch('/events'), acme.fetch('/events')])
    const [exchange, ...used] = calls
    assert.equal(exchange!.headers.get('authorization'), `Basic ${btoa('app:secret-of-app')}`)
    assert.deepEqual(Object.fromEntries(exchange!.form), {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: 'sent-to-me',
      resource: `${ISSUER}/proxy/acme`,
      authorization_details: '[{"type":"connection","connector":"acme","actions":["read"]}]',
    })
    for (const { url, headers } of used) {
      assert.deepEqual([url, headers.get('authorization')], [`${ISSUER}/proxy/acme/events`, 'Bearer proxy-1'])
    }
    clock.now += 300_000
    await acme.fetch('/events')
    assert.equal(calls.length, 5, 'exchanged again at half its life')
    assert.throws(() => createVault({ issuer: ISSUER }).connection(asked), /client_id and client_secret are needed/)
  })

  test('through the proxy with a token of the platform, which names the connection', async () => {
    const { vault, calls } = startVault(({ url }) =>
      url.endsWith('/token') ? Response.json({ access_token: 'of-platform', expires_in: 600 }) : new Response('ok'),
    )
    const named = vault.connection({ connection_id: 'c/1' })
    for (let i = 0; i < 2; i++) assert.equal(await (await named.fetch('/me?x=1')).text(), 'ok')
    const [asked, ...sent] = calls
    assert.deepEqual([...asked!.form.values()], ['client_credentials', `${ISSUER}/api`, 'vault:proxy'])
    assert.deepEqual(
      sent.map(({ url, headers }) => [url, headers.get('authorization')]),
      Array.from({ length: 2 }, () => [`${ISSUER}/proxy/connections/c%2F1/me?x=1`, 'Bearer of-platform']),
    )
    await assert.rejects(named.fetch('/../d/me'), TypeError)
    await vault.connection({ connection_id: 'own', scope: 'connect:token' }).fetch('/me')
    assert.equal(calls.at(-2)!.form.get('scope'), 'connect:token')
  })

  test('nowhere outside of the connection, however a path or URL is spelled', async () => {
    const { vault, calls } = startVault(() => new Response())
    const own = 'https://api.acme.example'
    for (const options of [{ ...USER, api_base_url: DIRECT.api_base_url }, DIRECT] satisfies ConnectionOptions[]) {
      for (const input of [
        ...['me', '', '?x', '#', '..', '/..', '/../other/me', '/a/../../other', '/%2e%2e/other', '/.%2E/x'],
        ...['/a/..\\..\\x', '/\t../x', '\\..\\x', '//evil.example', 'https://evil.example/v1/me', `${own}.evil/v1/me`],
        ...[`${own}/v1`, `${own}/v2/me`, `${own}/v1/../v2/me`, `${own}:444/v1/me`, 'http://api.acme.example/v1/me'],
        ...['https://user@api.acme.example/v1/me', 'data:,x', 'javascript:1', `${ISSUER}/token`],
      ]) {
        await assert.rejects(vault.connection(options).fetch(input), TypeError, input)
      }
    }
    assert.deepEqual(calls, [])
  })

  test('options that cannot be right are refused at once', () => {
    const { vault } = startVault(() => new Response())
    const open = createVault({ issuer: ISSUER })
    for (const make of [
      () => createVault({ issuer: 'http://auth.example' }),
      () => createVault({ issuer: ISSUER, client_id: 'app' }),
      () => createVault({ issuer: ISSUER, retries: -1 }),
      () => createVault({ issuer: ISSUER, longest_wait_seconds: Number.NaN }),
      () => open.connection({ connection_id: 'c' }),
      () => open.connection(DIRECT),
      () => vault.connection({ ...USER, connector: '../api' }),
      () => vault.connection({ ...USER, connector: '' }),
      () => vault.connection({ ...USER, api_base_url: 'http://api.example' }),
      () => vault.connection({ ...USER, api_base_url: 'https://api.example?x' }),
      () => vault.connection({ ...USER, min_seconds: 3601 }),
      () => vault.connection({ ...USER, keep_seconds: -1 }),
    ]) {
      assert.throws(make, TypeError, String(make))
    }
    assert.ok(open.connection(USER))
  })

  test('a connection without the proxy says where its API is, or gives its token alone', async () => {
    const give = exchange()
    const { vault } = startVault((call) => give(call) ?? new Response())
    const { api_base_url: _, ...nowhere } = DIRECT
    await assert.rejects(vault.connection(nowhere).fetch('/me'), TypeError)
    assert.equal((await vault.connection(nowhere).token()).access_token, 'provided-1')
  })
})

describe('refusals', () => {
  test('of Sallyport are errors with a page on which the user can help, and an event', async () => {
    const connect_url = `${ISSUER}/connect/acme?connection_id=c`
    const { vault, events } = startVault(() => ours('connection_needs_reconsent', 403, { connect_url }))
    await assert.rejects(vault.connection(USER).fetch('/me'), (error) => {
      assert(error instanceof VaultError)
      assert.deepEqual(
        [error.name, error.error, error.error_description, error.connect_url],
        ['VaultError', 'connection_needs_reconsent', 'about connection_needs_reconsent', connect_url],
      )
      return true
    })
    const about = { connector: 'acme', connection_id: undefined }
    assert.deepEqual(events, [{ type: 'needs_consent', error: 'connection_needs_reconsent', connect_url, ...about }])
  })

  test('that a provider forges are its answers, and nobody is sent to its pages', async () => {
    const evil = { connect_url: 'https://evil.example/connect' }
    const { vault, events } = startVault(() => refused('connection_required', 404, evil))
    const answer = await vault.connection(USER).fetch('/me')
    assert.deepEqual(
      [answer.status, ((await answer.json()) as object)['connect_url' as never]],
      [404, evil.connect_url],
    )
    for (const connect_url of [evil.connect_url, `${ISSUER}.evil.example/x`, 'javascript:alert(1)', 7, null]) {
      const other = startVault(() => ours('connection_required', 404, { connect_url }))
      await assert.rejects(other.vault.connection(USER).fetch('/me'), (error) => {
        return error instanceof VaultError && error.connect_url === undefined
      })
      assert.deepEqual(other.events, [])
    }
    assert.deepEqual(events, [])
  })

  test('of a HEAD, which have no body, are told by their header', async () => {
    const headers = { 'x-sallyport-error': 'connection_required' }
    const { vault } = startVault(() => new Response(null, { status: 404, headers }))
    await assert.rejects(vault.connection(USER).fetch('/me', { method: 'HEAD' }), isVaultError('connection_required'))
  })

  test('no error and no event holds a secret, whatever is answered', async () => {
    const secrets = /token-of-user|secret-of-app|provided-|YXBwOnNlY3JldC1vZi1hcHA|of-provider/
    for (const [answer, options] of [
      [() => new Response('{"access_token":"of-provider', { status: 200 }), DIRECT],
      [() => Response.json({ access_token: 'of-provider\nx-evil: 1' }), DIRECT],
      [() => Response.json({ access_token: ['of-provider'] }), DIRECT],
      [() => new Response('of-provider', { status: 500, headers: { location: 'of-provider' } }), DIRECT],
      [() => ours('connection_unavailable', 503, { access_token: 'of-provider' }), USER],
      [() => ours('invalid_token', 401), { ...USER, access_token: () => 'token-of-user' }],
      [() => new Response(), { ...USER, access_token: 'token-of-user\r\nx: y' }],
      [() => Promise.reject(new TypeError('fetch failed')), { connection_id: 'c', via: 'token' }],
    ] as [() => Response, ConnectionOptions][]) {
      const { vault, events } = startVault(answer)
      const connection = vault.connection(options)
      const thrown = await (options.via === 'token' ? connection.token() : connection.fetch('/me')).then(
        () => assert.fail(),
        (error: unknown) => error,
      )
      for (const thing of [thrown, events, vault, connection]) {
        const seen = `${inspect(thing, { depth: 9, showHidden: true })} ${JSON.stringify(thing)} ${thing}`
        assert.doesNotMatch(seen, secrets)
      }
    }
  })

  test('of a Sallyport that is away are temporarily_unavailable', async () => {
    const away = () => Promise.reject(new TypeError('fetch failed'))
    for (const answer of [
      away,
      () => new Response('<html>', { status: 502 }),
      () => new Response('x'.repeat(300_000)),
    ]) {
      const { vault } = startVault(answer)
      await assert.rejects(
        vault.connection(DIRECT).token(),
        (error) => error instanceof VaultError && /unavailable|server_error/.test(error.error),
      )
    }
    const { vault } = startVault(away)
    await assert.rejects(vault.connection(USER).fetch('/me'), { name: 'TypeError', message: 'fetch failed' })
  })
})

describe('what is refused is repaired once', () => {
  test('the token of a user that is over, by another one from the app, asked for once by all', async () => {
    const asked: (string | undefined)[] = []
    const access_token = async (failed?: string) => {
      asked.push(failed)
      return asked.includes('old') ? 'new' : 'old'
    }
    const { vault, calls } = startVault(({ headers }) =>
      headers.get('authorization') === 'Bearer new' ? new Response('ok') : ours('invalid_token', 401),
    )
    const acme = vault.connection({ ...USER, access_token })
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => acme.fetch('/me', { method: 'POST', body: 'x' })),
    )
    assert.ok(answers.every(({ status }) => status === 200))
    assert.deepEqual(asked.filter((failed) => failed === 'old').length, 1)
    assert.equal(calls.length, 128)
  })

  test('a user whose token cannot be renewed, or whose request cannot be repeated, is told', async () => {
    for (const access_token of ['old', () => 'old', (failed?: string) => (failed === undefined ? 'old' : 'new')]) {
      const { vault, calls } = startVault(() => ours('invalid_token', 401))
      const body = new Blob(['x']).stream()
      const sent = vault.connection({ ...USER, access_token }).fetch('/me', { method: 'POST', body })
      await assert.rejects(sent, isVaultError('invalid_token'))
      assert.equal(calls.length, 1)
    }
    const { vault, calls } = startVault(() => ours('invalid_token', 401))
    let count = 0
    await assert.rejects(vault.connection({ ...USER, access_token: () => `t${count++}` }).fetch('/me'), VaultError)
    assert.equal(calls.length, 2, 'once, not for ever')
  })

  test('the token of a provider that its API refuses, by one refresh for all', async () => {
    const give = exchange()
    const { vault, calls, events } = startVault((call) => {
      const { headers, body } = call
      return (
        give(call) ??
        new Response(body as string, { status: headers.get('authorization') === 'Bearer provided-2' ? 200 : 401 })
      )
    })
    const acme = vault.connection(DIRECT)
    const answers = await Promise.all(
      Array.from({ length: 64 }, () => acme.fetch('/me', { method: 'POST', body: 'x' })),
    )
    for (const answer of answers) assert.deepEqual([answer.status, await answer.text()], [200, 'x'])
    const exchanges = calls.filter(({ url }) => url.endsWith('/token'))
    assert.deepEqual(
      exchanges.map(({ form }) => [form.get('audience'), form.get('failed_token')]),
      [
        ['connector:acme', null],
        ['connector:acme', 'provided-1'],
      ], // prettier-ignore
    )
    assert.deepEqual(events, [{ type: 'refreshed', connector: 'acme', connection_id: undefined }])
    assert.equal((await acme.token()).access_token, 'provided-2')
  })

  test('a request whose body has streamed away is not repeated, but the next one has the new token', async () => {
    const give = exchange()
    const { vault, calls } = startVault(
      (call) =>
        give(call) ??
        new Response('', { status: call.headers.get('authorization') === 'Bearer provided-2' ? 200 : 401 }),
    )
    const acme = vault.connection(DIRECT)
    const once = () => new Blob(['x']).stream()
    assert.equal((await acme.fetch('/me', { method: 'POST', body: once() })).status, 401)
    assert.equal(calls.filter(({ method, url }) => method === 'POST' && url.endsWith('/me')).length, 1)
    assert.equal((await acme.fetch('/me', { method: 'POST', body: once() })).status, 200)
  })

  test('an API that refuses every token is not asked for ever', async () => {
    const give = exchange()
    const { vault, calls } = startVault((call) => give(call) ?? new Response('no', { status: 401 }))
    const answer = await vault.connection(DIRECT).fetch('/me')
    assert.deepEqual([answer.status, await answer.text()], [401, 'no'])
    assert.equal(calls.filter(({ url }) => url.endsWith('/me')).length, 2)
    const same = startVault((call) =>
      call.url.endsWith('/token') ? Response.json({ access_token: 'x' }) : new Response('no', { status: 401 }),
    )
    assert.equal(await (await same.vault.connection(DIRECT).fetch('/me')).text(), 'no')
    assert.equal(same.calls.length, 3, 'the same token is not tried twice')
  })

  test('the client token of a platform, and a forced refresh by its API', async () => {
    let issued = 0
    const { vault, calls } = startVault(({ url, headers }) => {
      if (url.endsWith('/token') && url.startsWith(`${ISSUER}/token`))
        return Response.json({ access_token: `mine-${++issued}`, expires_in: 600 })
      if (headers.get('authorization') !== 'Bearer mine-2' && url.startsWith(`${ISSUER}/api`))
        return refused('invalid_token', 401)
      if (url.endsWith('/token?min_seconds=90')) return Response.json({ access_token: 'one', instance: 'eu' })
      if (url.endsWith('/refresh')) return Response.json({ access_token: 'two', instance: 'eu' })
      return new Response('', { status: headers.get('authorization') === 'Bearer two' ? 200 : 401 })
    })
    const connection = vault.connection({
      connection_id: 'c/1',
      via: 'token',
      api_base_url: 'https://api.acme.example',
      min_seconds: 90,
    })
    assert.equal((await connection.fetch('/me')).status, 200)
    assert.deepEqual(
      calls.map(({ method, url }) => `${method} ${url.replace(ISSUER, '')}`),
      [
        ...['POST /token', 'GET /api/connections/c%2F1/token?min_seconds=90', 'POST /token'],
        ...['GET /api/connections/c%2F1/token?min_seconds=90', 'GET https://api.acme.example/me'],
        ...['POST /api/connections/c%2F1/refresh', 'GET https://api.acme.example/me'],
      ],
    )
    assert.deepEqual(
      [...calls[0]!.form],
      [
        ['grant_type', 'client_credentials'],
        ['resource', `${ISSUER}/api`],
        ['scope', 'vault:token'],
      ],
    ) // prettier-ignore
    const token = await connection.token()
    assert.deepEqual(
      { ...token },
      { access_token: 'two', token_type: 'Bearer', scope: '', expires_at: undefined, instance: 'eu' },
    )
    assert.ok(Object.isFrozen(token))
  })
})

describe('what is put off by Retry-After', () => {
  const answers = (list: Response[]) => () => list.shift() ?? new Response('done')
  const busy = (status: number, after: string | null = '3') =>
    new Response('busy', { status, headers: after === null ? {} : { 'retry-after': after } })

  test('is waited for as well where the proxy repeats it in the place of the provider, and then is the answer', async () => {
    const put_off = () => ours('rate_limited', 429, {}, { 'retry-after': '3' })
    const { vault, waits } = startVault(answers([put_off()]))
    assert.equal(await (await vault.connection(USER).fetch('/me', { method: 'POST', body: 'x' })).text(), 'done')
    assert.deepEqual(waits, [3000])
    const late = startVault(() => ours('rate_limited', 429, {}, { 'retry-after': '300' }))
    assert.equal((await late.vault.connection(USER).fetch('/me')).status, 429)
  })

  test('is waited for, within bounds, and told', async () => {
    const { vault, waits, events } = startVault(
      answers([busy(429), ours('connection_unavailable', 503, {}, { 'retry-after': '1' })]),
    )
    const answer = await vault.connection(USER).fetch('/me', { method: 'POST', body: 'x' })
    assert.equal(await answer.text(), 'done')
    assert.deepEqual(waits, [3000, 1000])
    assert.deepEqual(
      events.map((event) => event.type === 'retrying' && [event.after_seconds, event.because]),
      [
        [3, 429],
        [1, 'connection_unavailable'],
      ], // prettier-ignore
    )
  })

  test('is repeated with each kind of body that is still there', async () => {
    const form = new FormData()
    form.set('a', 'b')
    const bytes = new Uint8Array([1, 2])
    for (const body of ['x', new URLSearchParams('a=b'), form, new Blob(['x']), bytes, bytes.buffer, null]) {
      const { vault, calls } = startVault(answers([busy(429)]))
      assert.equal((await vault.connection(USER).fetch('/me', { method: 'POST', body })).status, 200)
      assert.deepEqual([calls.length, calls[1]?.body], [2, body])
    }
    const { vault, calls } = startVault(answers([busy(429)]))
    const request = new Request('https://api.acme.example/v1/me', { method: 'POST', body: 'x' })
    assert.equal((await vault.connection({ ...USER, api_base_url: DIRECT.api_base_url }).fetch(request)).status, 429)
    assert.equal(calls.length, 1)
  })

  test('a date counts from now', async () => {
    const clock = { now: 0 }
    const { vault, waits } = startVault(answers([busy(503, new Date(1_700_000_007_000).toUTCString())]), {
      clock: () => 1_700_000_000_000 + clock.now,
    })
    assert.equal((await vault.connection(USER).fetch('/me')).status, 200)
    assert.deepEqual(waits, [7000])
  })

  test('is passed on where it takes too long, says nothing, comes too often, or cannot be repeated', async () => {
    const stream = () => new Blob(['x']).stream()
    for (const [list, init, waited] of [
      [[busy(429, '11')], {}, 0],
      [[busy(429, null)], {}, 0],
      [[busy(429, 'soon')], {}, 0],
      [[busy(429, '-1')], {}, 0],
      [[busy(429, '1e9')], {}, 0],
      [[busy(503)], { method: 'POST', body: 'x' }, 0],
      [[busy(503)], { method: 'PATCH', body: 'x' }, 0],
      [[busy(429)], { method: 'POST', body: stream() }, 0],
      [[busy(429), busy(429), busy(429)], {}, 2],
      [[busy(500)], {}, 0],
    ] as [Response[], RequestInit, number][]) {
      const { vault, waits } = startVault(answers(list))
      const answer = await vault.connection(USER).fetch('/me', init)
      assert.notEqual(answer.status, 200)
      assert.equal(
        await answer.text(),
        answer.status === 500 || answer.status === 429 || answer.status === 503 ? 'busy' : '',
      )
      assert.equal(waits.length, waited)
    }
    const { vault, waits } = startVault(() => ours('connection_unavailable', 503, {}, { 'retry-after': '60' }))
    await assert.rejects(vault.connection(USER).fetch('/me'), {
      error: 'connection_unavailable',
      retry_after_seconds: 60,
    })
    assert.deepEqual(waits, [])
  })

  test('ends when the caller leaves', async () => {
    const abort = new AbortController()
    const vault = createVault({
      issuer: ISSUER,
      fetch: async () => {
        setImmediate(() => abort.abort(new Error('left')))
        return busy(429)
      },
    })
    await assert.rejects(vault.connection(USER).fetch('/me', { signal: abort.signal }), /left/)
  })
})

describe('tokens are kept', () => {
  test('those of the app until they are nearly over, by one request for all who ask at once', async () => {
    let count = 0
    const { vault, calls, clock } = startVault(() => Response.json({ access_token: `t${++count}`, expires_in: 100 }))
    const notes = { resource: 'https://notes.example', scope: 'read' }
    const many = await Promise.all(Array.from({ length: 64 }, () => vault.clientToken(notes)))
    assert.deepEqual([...new Set(many)], ['t1'])
    assert.equal(calls[0]!.headers.get('authorization'), `Basic ${btoa('app:secret-of-app')}`)
    clock.now += 69_999
    assert.equal(await vault.clientToken(notes), 't1')
    clock.now += 1
    assert.equal(await vault.clientToken(notes), 't2')
    assert.equal(await vault.clientToken(), 't3', 'for something else another one')
    assert.equal(await vault.clientToken(notes, 't2'), 't4', 'one that has failed is not given again')
    assert.equal(await vault.clientToken(notes), 't4')
  })

  test('those of a provider while they have min_seconds left, and never longer than keep_seconds', async () => {
    for (const [lives, options, kept_ms] of [
      [3600, {}, 60_000],
      [80, {}, 50_000],
      [80, { min_seconds: 60 }, 20_000],
      [3600, { keep_seconds: 7 }, 7000],
      [undefined, {}, 60_000],
    ] as const) {
      const { vault, calls, clock } = startVault(() => Response.json({ access_token: 'x', expires_in: lives }))
      const acme = vault.connection({ ...DIRECT, ...options })
      await Promise.all(Array.from({ length: 64 }, () => acme.token()))
      clock.now += kept_ms - 1
      await acme.token()
      assert.equal(calls.length, 1)
      clock.now += 1
      await acme.token()
      assert.equal(calls.length, 2)
    }
    const { vault, calls } = startVault(() => Response.json({ access_token: 'x', expires_in: 5 }))
    const acme = vault.connection(DIRECT)
    const many = await Promise.all(Array.from({ length: 64 }, () => acme.token()))
    assert.deepEqual([many.length, calls.length], [64, 1], 'one that is nearly over serves those who asked for it')
    await acme.token()
    assert.equal(calls.length, 2)
  })

  test('a question that failed is not remembered', async () => {
    let away = true
    const { vault } = startVault(() => (away ? refused('server_error', 500) : Response.json({ access_token: 'x' })))
    await Promise.all(
      Array.from({ length: 3 }, () => assert.rejects(vault.clientToken(), isVaultError('server_error'))),
    )
    away = false
    assert.equal(await vault.clientToken(), 'x')
  })
})
