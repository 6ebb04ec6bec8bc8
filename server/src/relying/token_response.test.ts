import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCatalogue } from '../providers/catalogue.ts'
import type { ProviderFields } from '../providers/provider.ts'
import { STANDARD_ERROR_RESPONSE, STANDARD_TOKEN_RESPONSE, type TokenResponse } from '../providers/quirks.ts'
import { resolveProvider } from '../providers/resolve.ts'
import type { TokenOutcome, Tokens } from './outcome.ts'
import { readTokenResponse } from './token_response.ts'

const now = Date.UTC(2030, 0, 1)
const oauth2 = createCatalogue().get('oauth2')!

function read(
  body: unknown,
  init: ResponseInit = {},
  fields: Partial<ProviderFields> = {},
  reading: { refresh?: boolean; secrets?: string[] } = {},
): Promise<TokenOutcome> {
  const provider = resolveProvider(oauth2, { client_id: 'c', fields })
  const response = new Response(typeof body === 'string' ? body : JSON.stringify(body), init)
  return readTokenResponse(provider, response, { now, secrets: [], refresh: false, ...reading })
}

async function readGood(body: unknown, shape: Partial<TokenResponse> = {}, more: Partial<ProviderFields> = {}) {
  const outcome = await read(body, {}, { token_response: { ...STANDARD_TOKEN_RESPONSE, ...shape }, ...more })
  assert.equal(outcome.kind, 'tokens', JSON.stringify(outcome) + String((outcome as { cause?: unknown }).cause))
  return outcome as Tokens
}

const plain = { access_token: 'at', token_type: 'Bearer' }

test('a plain answer is read to the letter of RFC 6749', async () => {
  const body = {
    ...plain,
    token_type: 'bearer',
    expires_in: 60,
    refresh_token: 'rt',
    scope: 'a b',
    id_token: 'x.y.z',
    team: 1,
  }
  assert.deepEqual(await readGood(body), {
    kind: 'tokens',
    access_token: 'at',
    token_type: 'Bearer',
    expires_in: 60,
    refresh_token: 'rt',
    refresh_token_expires_in: null,
    scope: 'a b',
    id_token: 'x.y.z',
    extra: { team: 1 },
    warnings: [],
  })
})

test('what an answer leaves out is null, and its lifetime the one that the record knows, if it knows one', async () => {
  const tokens = await readGood({ ...plain, refresh_token: null, scope: null, id_token: '' })
  assert.deepEqual(
    [tokens.expires_in, tokens.refresh_token, tokens.scope, tokens.id_token, tokens.warnings],
    ['unknown', null, null, null, []],
  )
  for (const access_token_seconds of [1_800, null]) {
    assert.equal((await readGood(plain, {}, { access_token_seconds })).expires_in, access_token_seconds)
  }
})

test('an ID token of a refresh that cannot be read costs nothing of the tokens beside it; at a consent it does', async () => {
  for (const id_token of [7, { a: 1 }, 'x'.repeat(17_000), 'new\nline']) {
    const body = { ...plain, refresh_token: 'next', id_token }
    const renewed = (await read(body, {}, {}, { refresh: true })) as Tokens
    assert.deepEqual([renewed.kind, renewed.refresh_token, renewed.id_token], ['tokens', 'next', null])
    assert.deepEqual(renewed.warnings, ['The id_token of the answer is not a token and is ignored'])
    assert.equal((await read(body)).kind, 'unknown')
  }
})

test('R-19 what is wrong with the access token of a refresh does not cost the refresh token beside it', async () => {
  const itself = { grant_type: 'renew', token_param: 'access_token', sends: 'access_token' } as const
  const wrong = [{ access_token: undefined }, { access_token: 7 }, { token_type: 'mac' }, { token_type: undefined }]
  for (const part of wrong) {
    const body = { ...plain, refresh_token: 'next', ...part }
    const successorOf = async (given: object, fields: Partial<ProviderFields> = {}, refresh = true) => {
      const outcome = await read({ ...body, ...given }, {}, fields, { refresh })
      assert.ok(outcome.kind === 'unknown' && outcome.sent, JSON.stringify(outcome))
      return outcome.successor
    }
    assert.equal(await successorOf({}), 'next')
    assert.equal(await successorOf({ refresh_token: undefined }), undefined)
    assert.equal(await successorOf({ refresh_token: 'new\nline' }), undefined)
    assert.equal(await successorOf({}, { refresh_grant: itself }), undefined, 'another token is the one that is sent')
    assert.equal(await successorOf({}, {}, false), undefined, 'a consent begins anew')
  }
})

test('an expiry may be text, zero, a date or an epoch, each by its named form', async () => {
  const at = async (value: unknown, form: TokenResponse['expires']['form'], zero: 'never' | 'expired' = 'expired') =>
    (await readGood({ ...plain, when: value }, { expires: { path: 'when', form, zero } })).expires_in
  assert.equal(await at('3600', 'seconds'), 3_600)
  assert.equal(await at(3_599.9, 'seconds'), 3_599)
  assert.equal(await at(0, 'seconds'), 0)
  assert.equal(await at(0, 'seconds', 'never'), null)
  assert.equal(await at(now / 1000 + 100, 'epoch_seconds'), 100)
  assert.equal(await at(now / 1000 - 100, 'epoch_seconds'), 0)
  assert.equal(await at(now + 100_000, 'epoch_milliseconds'), 100)
  assert.equal(await at(0, 'epoch_seconds', 'never'), null)
  assert.equal(await at('2030-01-01T00:01:40Z', 'iso8601'), 100)
  assert.equal(await at('2029-01-01T00:01:40Z', 'iso8601'), 0)
})

test('an optional part that makes no sense is left out with a warning: tokens are not lost for it', async () => {
  for (const expires_in of ['soon', -1, 1e30, {}, [], true]) {
    const tokens = await readGood({ ...plain, refresh_token: 'rt', expires_in })
    assert.deepEqual([tokens.expires_in, tokens.refresh_token, tokens.warnings.length], ['unknown', 'rt', 1])
  }
  for (const scope of [1, {}, ['a', 1], 'a"b', 'a\\b', 'é']) {
    const tokens = await readGood({ ...plain, scope })
    assert.deepEqual([tokens.scope, tokens.warnings.length], [null, 1], JSON.stringify(scope))
  }
})

test('scope comes split by the named separator, or as a list', async () => {
  const scopeOf = async (scope: unknown, separator = ' ') =>
    (await readGood({ ...plain, scope }, { scope: { path: 'scope', separator } })).scope
  assert.equal(await scopeOf('a,b c', ','), 'a b c')
  assert.equal(await scopeOf(['a', 'b']), 'a b')
  assert.equal(await scopeOf('a  b a '), 'a b')
  assert.equal(await scopeOf(''), '')
})

test('tokens may be nested, and what is left beside them is kept', async () => {
  const body = {
    ok: true,
    authed_user: { id: 'U1', access_token: 'xoxp', token_type: 'user', expires_in: 43_200, refresh_token: 'xoxe' },
    team: { id: 'T1', name: 'Acme' },
  }
  const tokens = await readGood(body, {
    access_token: 'authed_user.access_token',
    token_type: 'authed_user.token_type',
    token_types: ['user'],
    expires: { path: 'authed_user.expires_in', form: 'seconds', zero: 'expired' },
    refresh_token: 'authed_user.refresh_token',
  })
  assert.deepEqual([tokens.access_token, tokens.refresh_token, tokens.expires_in], ['xoxp', 'xoxe', 43_200])
  assert.deepEqual(tokens.extra, { ok: true, authed_user: { id: 'U1' }, team: { id: 'T1', name: 'Acme' } })
})

test('a refresh may be answered in another shape than an exchange', async () => {
  const fields = {
    token_response: { ...STANDARD_TOKEN_RESPONSE, access_token: 'authed_user.access_token' },
    refresh_response: STANDARD_TOKEN_RESPONSE,
  }
  assert.equal((await read(plain, {}, fields, { refresh: true })).kind, 'tokens')
  assert.equal((await read(plain, {}, fields)).kind, 'unknown')
})

test('a form-encoded answer is read where the record says so, and only there', async () => {
  const body = 'access_token=at&token_type=bearer&scope=repo%2Cgist&expires_in=60'
  const shape = { format: 'form', scope: { path: 'scope', separator: ',' } } as const
  const tokens = await readGood(body, shape)
  assert.deepEqual([tokens.access_token, tokens.scope, tokens.expires_in], ['at', 'repo gist', 60])
  assert.equal((await read(body)).kind, 'unknown')
})

test('the end of a refresh token is read where the record says so', async () => {
  const refresh_token_expires = { path: 'x_refresh_token_expires_in', form: 'seconds', zero: 'never' } as const
  const tokens = await readGood({ ...plain, x_refresh_token_expires_in: 8_640_000 }, { refresh_token_expires })
  assert.equal(tokens.refresh_token_expires_in, 8_640_000)
  const never = await readGood({ ...plain, x_refresh_token_expires_in: 0 }, { refresh_token_expires })
  assert.equal(never.refresh_token_expires_in, 'never')
  assert.deepEqual(tokens.extra, {})
})

test('extra members are kept within limits', async () => {
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, i]))
  const tokens = await readGood({ ...plain, ...many })
  assert.equal(Object.keys(tokens.extra).length, 32)
  assert.deepEqual(tokens.warnings, ['The answer holds more than is kept'])
  const large = await readGood({ ...plain, small: 1, large: 'x'.repeat(20_000) })
  assert.deepEqual(large.extra, { small: 1 })
  const polluting = await readGood(
    `{"access_token":"at","token_type":"Bearer","__proto__":{"admin":true},"constructor":1}`,
  )
  assert.equal(Object.getPrototypeOf(polluting.extra), Object.prototype)
  assert.equal((polluting.extra as { admin?: unknown }).admin, undefined)
})

const NOT_TOKENS: Array<[what: string, body: unknown]> = [
  ['no access token', { token_type: 'Bearer' }],
  ['an empty access token', { ...plain, access_token: '' }],
  ['an access token that is a number', { ...plain, access_token: 1 }],
  ['an access token with a line break', { ...plain, access_token: 'a\r\nX-Evil: 1' }],
  ['an access token beyond ASCII', { ...plain, access_token: 'tökén' }],
  ['an access token beyond all measure', { ...plain, access_token: 'x'.repeat(20_000) }],
  ['a refresh token that is an object', { ...plain, refresh_token: {} }],
  ['a refresh token with a NUL', { ...plain, refresh_token: 'a\0b' }],
  ['no token type', { access_token: 'at' }],
  ['a token type that is not understood', { ...plain, token_type: 'mac' }],
  ['a token type that was not asked for', { ...plain, token_type: 'DPoP' }],
  ['a token type that is a list', { ...plain, token_type: ['Bearer'] }],
  ['an error where success should be', { error: 'invalid_grant' }],
  ['nothing', ''],
  ['null', 'null'],
  ['a list', '[]'],
  ['text', '"access_token"'],
  ['a half', '{"access_token":"at"'],
  ['a page', '<html><body>Please wait</body></html>'],
  ['depth', `{"a":${'['.repeat(100)}${']'.repeat(100)}}`],
  ['depth without end', '{"a":'.repeat(10_000)],
  ['size', `{"a":"${'x'.repeat(70_000)}"}`],
]

test('what is not a complete answer is unknown, never a refusal', async () => {
  for (const [what, body] of NOT_TOKENS) {
    for (const status of [200, 201]) {
      const outcome = await read(body, { status })
      assert.equal(outcome.kind, 'unknown', what)
      assert.ok(outcome.kind === 'unknown' && outcome.sent && outcome.status === status, what)
    }
  }
})

test('text inside of strings does not count as depth, and a missing token type is taken where the record says so', async () => {
  const tokens = await readGood({ ...plain, note: '{[{[{[{[{[{[{[{[{[{[', quote: '"\\"{{{{{{{{{{{{{{{{{{{{' })
  assert.equal(tokens.extra['note'], '{[{[{[{[{[{[{[{[{[{[')
  assert.equal((await readGood({ access_token: 'at' }, { token_type_optional: true })).token_type, 'Bearer')
})

test('an OAuth error is a definite refusal, and an error about the client is the connector’s', async () => {
  const said = { error: 'invalid_grant', error_description: 'Token is gone' }
  assert.deepEqual(await read(said, { status: 400 }), {
    kind: 'refused',
    error: 'invalid_grant',
    provider_error: 'invalid_grant',
    error_description: 'Token is gone',
  })
  assert.equal((await read({ error: 'own_code' }, { status: 403 })).kind, 'refused')
  for (const error of ['invalid_client', 'unauthorized_client']) {
    assert.equal((await read({ error }, { status: 401 })).kind, 'client_refused', error)
    assert.equal((await read({ error }, { status: 400 })).kind, 'client_refused', error)
  }
  const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
  assert.equal((await read('', challenge)).kind, 'client_refused')
  assert.equal((await read({}, challenge)).kind, 'client_refused')
})

test('trouble at the provider is unknown, whatever its body says', async () => {
  const said = { error: 'invalid_grant' }
  for (const status of [500, 502, 503, 504, 302, 307]) assert.equal((await read(said, { status })).kind, 'unknown')
  for (const error of ['server_error', 'temporarily_unavailable']) {
    assert.equal((await read({ error }, { status: 400 })).kind, 'unknown', error)
  }
  const pages = ['<html>Forbidden</html>', '', '{}', '{"error":1}', '{"error":""}', '{"message":"no"}']
  for (const body of pages) {
    for (const status of [400, 401, 403, 404]) assert.equal((await read(body, { status })).kind, 'unknown', body)
  }
})

test('a request for a pause says for how long, within reason', async () => {
  const pause = async (value: string | null) => {
    const outcome = await read('slow down', {
      status: 429,
      ...(value === null ? {} : { headers: { 'retry-after': value } }),
    })
    assert.equal(outcome.kind, 'throttled')
    return outcome.kind === 'throttled' ? outcome.retry_after_seconds : Number.NaN
  }
  assert.equal(await pause('30'), 30)
  assert.equal(await pause(null), null)
  assert.equal(await pause('soon'), null)
  assert.equal(await pause('999999999'), 86_400)
  assert.equal(await pause('Tue, 01 Jan 2030 00:01:00 GMT'), 60)
  assert.equal(await pause('Tue, 01 Jan 2020 00:01:00 GMT'), 0)
  assert.equal((await read({ error: 'slow_down' }, { status: 400 })).kind, 'throttled')
  const busy = await read('busy', { status: 503, headers: { 'retry-after': '7' } })
  assert.equal(busy.kind === 'unknown' && busy.retry_after_seconds, 7)
})

test('an error inside of a 200 is one where the record says so', async () => {
  const member = { error_response: { ...STANDARD_ERROR_RESPONSE, within_200: 'error_member' } } as const
  const named = {
    error_response: {
      ...STANDARD_ERROR_RESPONSE,
      within_200: { path: 'ok', equals: false },
      meanings: {
        invalid_refresh_token: 'invalid_grant',
        bad_client_secret: 'invalid_client',
        ratelimited: 'throttled',
      },
    },
  } as const
  const expired = await read({ error: 'bad_token' }, {}, member)
  assert.equal(expired.kind === 'refused' && expired.error, 'bad_token')
  const revoked = await read({ ok: false, error: 'invalid_refresh_token' }, {}, named)
  assert.deepEqual(revoked.kind === 'refused' && [revoked.error, revoked.provider_error], [
    'invalid_grant',
    'invalid_refresh_token',
  ])
  assert.equal((await read({ ok: false, error: 'bad_client_secret' }, {}, named)).kind, 'client_refused')
  assert.equal((await read({ ok: false, error: 'ratelimited' }, {}, named)).kind, 'throttled')
  assert.equal((await read({ ok: false }, {}, named)).kind, 'unknown')
  assert.equal((await read({ ok: true, ...plain }, {}, named)).kind, 'tokens')
})

test('an error text is cleaned of controls, of tricks with direction, of secrets and of length', async () => {
  const error_description = `\u001b[31mToken s3cret-token\u0000\r\n \u202eevil\u2066 \u200b${'x'.repeat(5_000)}`
  const outcome = await read(
    { error: 'invalid\u0007_grant\u202e', error_description },
    { status: 400 },
    {},
    { secrets: ['s3cret-token', ''] },
  )
  assert.ok(outcome.kind === 'refused')
  assert.equal(outcome.provider_error, 'invalid _grant')
  assert.match(outcome.error_description, /^\[31mToken \[removed\] evil x+\.\.\.$/)
  assert.ok(outcome.error_description.length < 510)
  for (const strange of [1, {}, ['x'], null]) {
    const other = await read({ error: 'e', error_description: strange }, { status: 400 })
    assert.equal(other.kind === 'refused' && other.error_description, '')
  }
})

test('no error about an unreadable answer quotes it', async () => {
  const outcome = await read('{"access_token":"s3cret', { status: 200 })
  assert.ok(outcome.kind === 'unknown')
  assert.doesNotMatch(`${outcome.cause.message} ${outcome.cause.stack}`, /s3cret/)
})
