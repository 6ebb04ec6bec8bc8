import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { basic, CALLBACK, type Platform, startPlatform, VERIFIER } from '../parts/platform.ts'
import { assertRefusal, type Sent, sendRaw } from '../parts/raw_request.ts'
import { snapshotRows } from '../parts/snapshot.ts'
import { UserAgent } from '../parts/user_agent.ts'

let p: Platform
let code: string
let refresh_token: string
let access_token: string
const authorization = basic('web', 'secret-of-web')
const FORM = 'application/x-www-form-urlencoded'

before(async () => {
  p = await startPlatform()
  const agent = new UserAgent()
  const tokens = await p.exchange('web', await p.getCode('web', {}, agent))
  ;({ refresh_token, access_token } = tokens.body)
  code = await p.getCode('web', {}, agent)
})
after(() => p.stop())

/** One request to a path under the issuer, or to one of the host's own. */
const send = (path: string, sent: Sent = {}) =>
  sendRaw(/^\/(\.|healthz|readyz)/.test(path) ? new URL(p.issuer).origin + path : p.issuer + path, sent)

const post = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  send(path, { body, headers: { authorization, 'content-type': FORM, ...headers } })

/** The requests of machines, each good as it stands. */
const requests = (): [path: string, form: Record<string, string>, required: string[]][] => [
  [
    '/token',
    { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER },
    ['grant_type', 'code'],
  ],
  ['/token', { grant_type: 'refresh_token', refresh_token, scope: 'openid' }, ['grant_type', 'refresh_token']],
  [
    '/token',
    { grant_type: 'client_credentials', scope: 'api:read', resource: 'http://127.0.0.1:5000/mcp' },
    ['grant_type'],
  ],
  ['/introspect', { token: access_token, token_type_hint: 'access_token' }, ['token']],
  ['/revoke', { token: access_token, token_type_hint: 'access_token' }, ['token']],
]

test('2.2.1 15.3.7 2.2.2 each parameter of each endpoint: missing, empty, repeated, oversized, not UTF-8, NUL', async () => {
  const before = await snapshotRows(p.server.store)
  for (const [path, form, required] of requests()) {
    const whole = new URLSearchParams(form).toString()
    for (const name of Object.keys(form)) {
      const others = new URLSearchParams(Object.entries(form).filter(([key]) => key !== name)).toString()
      const cases: [string, string][] = [
        ['oversized', `${others}&${name}=${'x'.repeat(17_000)}`],
        ['not UTF-8', `${others}&${name}=%ff%fe`],
        ['overlong UTF-8', `${others}&${name}=%c0%af`],
        ['a lone surrogate', `${others}&${name}=%ed%a0%80`],
        ['half an escape', `${others}&${name}=%f`],
        ['NUL', `${others}&${name}=a%00b`],
      ]
      if (required.includes(name))
        cases.push(['missing', others], ['empty', `${others}&${name}=`], ['no value', `${others}&${name}`])
      if (name !== 'resource') {
        cases.push(
          ['repeated', `${whole}&${name}=x`],
          ['repeated alike', `${whole}&${name}=${encodeURIComponent(form[name]!)}`],
        )
        cases.push(['repeated encoded', `${whole}&%${name.charCodeAt(0).toString(16)}${name.slice(1)}=x`])
      }
      for (const [kind, body] of cases) {
        const what = `${path} ${form['grant_type'] ?? ''} ${name} ${kind}`
        const description = assertRefusal(await post(path, body), 400, 'invalid_request', what)
        assert.match(description, new RegExp(`\\b${name}\\b`), what)
      }
    }
    for (const body of [Buffer.from([...Buffer.from(`${whole}&x=`), 0xff]), Buffer.from([0xff, 0xfe, 0x00])]) {
      assertRefusal(await post(path, body), 400, 'invalid_request', `${path} raw bytes`)
    }
    assertRefusal(await post(path, `${whole}&${'n'.repeat(65)}=x`), 400, 'invalid_request', `${path} a long name`)
    assertRefusal(await post(path, `${whole}&%ff=x`), 400, 'invalid_request', `${path} a broken name`)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

test('4.1.1 a body that is not a form is refused, whatever is in it', async () => {
  const before = await snapshotRows(p.server.store)
  for (const [path, form] of requests()) {
    const bodies: [string, string][] = [
      ['application/json', JSON.stringify(form)],
      ['application/json', '{"grant_type":{"$ne":null},"__proto__":{"code":"x"}}'],
      ['text/plain', new URLSearchParams(form).toString()],
      ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="token"\r\n\r\nx\r\n--x--\r\n'],
      ['application/x-www-form-urlencodedx', new URLSearchParams(form).toString()],
      ['application/xml', '<x/>'],
      ['*/*', 'x'],
    ]
    for (const [type, body] of bodies) {
      const description = assertRefusal(
        await post(path, body, { 'content-type': type }),
        400,
        'invalid_request',
        `${path} ${type}`,
      )
      assert.match(description, /Content-Type/)
    }
    const untyped = await send(path, { headers: { authorization }, body: new URLSearchParams(form).toString() })
    assertRefusal(untyped, 400, 'invalid_request', `${path} without a type`)
    assertRefusal(await send(path, { headers: { authorization } }), 400, 'invalid_request', `${path} without a body`)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

test('14.2.1 B-05 V-04 secrets and tokens in the URL are refused, not read', async () => {
  const before = await snapshotRows(p.server.store)
  for (const [path, form] of requests()) {
    const query = new URLSearchParams({ ...form, client_id: 'web', client_secret: 'secret-of-web' })
    assertRefusal(
      await send(`${path}?${query}`, { headers: { 'content-type': FORM }, body: '' }),
      400,
      'invalid_request',
      path,
    )
    const secret = await send(`${path}?client_id=web&client_secret=secret-of-web`, {
      headers: { 'content-type': FORM },
      body: new URLSearchParams(form).toString(),
    })
    assert.match(assertRefusal(secret, 400, 'invalid_request', path), /client_secret/)
    for (const name of Object.keys(form).filter((name) => /code|token$|verifier/.test(name))) {
      const left = new URLSearchParams(Object.entries(form).filter(([key]) => key !== name)).toString()
      const split = await post(`${path}?${name}=${encodeURIComponent(form[name]!)}`, left)
      assert.match(assertRefusal(split, 400, 'invalid_request', `${path} ${name}`), new RegExp(name))
    }
  }
  for (const query of [`?access_token=${access_token}`, '?access_token=x&x']) {
    const answer = await send(`/userinfo${query}`, { method: 'GET' })
    assertRefusal(answer, 401, 'invalid_token', 'B-05 V-04')
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
})

test('RFC 6750 3.1 the Authorization header of a resource is Bearer and one token, else it says what is wrong', async () => {
  const none = await send('/userinfo', { method: 'GET' })
  assertRefusal(none, 401, 'invalid_token', 'no header')
  assert.equal(
    none.headers['www-authenticate'],
    `Bearer realm="${p.issuer}", DPoP realm="${p.issuer}", algs="ES256 EdDSA Ed25519 PS256"`,
    'a request without a token learns no error',
  )
  for (const header of [
    'Bearer',
    'Bearer  ',
    'Bearer a b',
    `Bearer ${access_token}, x`,
    'Bearer "x"',
    'Token x',
    authorization,
    `${'x'.repeat(9000)}`,
  ]) {
    const answer = await send('/userinfo', { method: 'GET', headers: { authorization: header } })
    assertRefusal(answer, 400, 'invalid_request', header.slice(0, 30))
    assert.match(String(answer.headers['www-authenticate']), /^Bearer realm=".*", error="invalid_request"/)
  }
  for (const token of [
    'x',
    'x'.repeat(5000),
    'a.b.c',
    '....',
    `${access_token}x`,
    access_token.slice(1),
    'sp_at_AAAA',
    'null',
  ]) {
    const answer = await send('/userinfo', { method: 'GET', headers: { authorization: `Bearer ${token}` } })
    assertRefusal(answer, 401, 'invalid_token', token.slice(0, 30))
    assert.match(String(answer.headers['www-authenticate']), /error="invalid_token"/)
  }
  const body = await send('/userinfo', { headers: { 'content-type': FORM }, body: `access_token=${access_token}` })
  assertRefusal(body, 401, 'invalid_token', 'B-05 a token in the body')
})

test('Z-03 random requests get 4xx and never a failure of ours', async () => {
  const before = await snapshotRows(p.server.store)
  let seed = 20261121
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return (seed >>> 8) % below
  }
  const pieces = [
    'grant_type',
    'code',
    'refresh_token',
    'client_credentials',
    'token',
    '=',
    '&',
    '%00',
    '%ff',
    '%',
    '+',
    '\r\n',
    '\0',
    '[]',
    '{}',
    '"',
    "'",
    '__proto__',
    'constructor',
    'é',
    '%C3%A9',
    'sp_rt_',
    'sp_at_',
    '..',
    '://',
    'web',
    access_token.slice(0, 40),
    '\u{1f510}',
    'a'.repeat(300),
  ]
  const paths = [
    '/token',
    '/introspect',
    '/revoke',
    '/userinfo',
    '/authorize',
    '/login',
    '/consent',
    '/logout',
    '/login/switch',
    '/api/rest/services',
    '/api/rest/oauth2/auth',
    '/api/rest/oauth2/token',
  ]
  for (let i = 0; i < 600; i++) {
    const text = Array.from({ length: 1 + random(12) }, () => pieces[random(pieces.length)]).join('')
    const path = paths[random(paths.length)]!
    const inUrl = random(3) === 0
    const query = inUrl ? `?${encodeURI(text.toWellFormed()).replaceAll('#', '')}` : ''
    const headers: Record<string, string> = {
      'content-type': random(4) === 0 ? 'application/json' : FORM,
      'sec-fetch-site': 'same-origin',
    }
    if (random(2) === 0)
      headers['authorization'] = random(2) === 0 ? authorization : `Basic ${Buffer.from(text).toString('base64')}`
    const answer = await send(path + query, {
      method: random(4) === 0 ? 'GET' : 'POST',
      headers,
      body: inUrl ? '' : text,
    })
    assert.ok(
      answer.status >= 200 && answer.status < 500,
      `${path} ${JSON.stringify(text)}: ${answer.status} ${answer.text}`,
    )
    assert.doesNotMatch(answer.text, /\.ts:\d|node:internal/)
  }
  assert.deepEqual(await snapshotRows(p.server.store), before)
  assert.deepEqual(
    p.server.log.filter((line) => (line as { level: string }).level === 'error'),
    [],
  )
})

test('2.3.3 after all of that the code and the refresh token are as good as they were', async () => {
  assert.equal((await p.exchange('web', code)).status, 200)
  assert.equal((await p.refresh('web', refresh_token)).status, 200)
  assert.equal((await p.introspect(access_token)).active, true)
})
