import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readClientAssertion } from './client_assertion.ts'
import {
  type ClientCredentials,
  checkMethodAllowed,
  clientAuthenticationError,
  JWT_BEARER_ASSERTION,
  readClientCredentials,
} from './client_credentials.ts'
import { OAuthError, type OAuthErrorCode } from './errors.ts'
import { readParams } from './params.ts'

fc.configureGlobal({ numRuns: Number(process.env['PROPERTY_RUNS'] ?? 1000) })

const realm = 'https://id.example'
const basic = (text: string) => `Basic ${Buffer.from(text, 'utf8').toString('base64')}`
const form = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)
const read = (authorization: string | undefined, body = '') =>
  readClientCredentials({ authorization, params: readParams(body), realm })
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (header: object = {}, claims: object = { iss: 'web', sub: 'web' }) =>
  `${encode({ alg: 'ES256', ...header })}.${encode(claims)}.AA`
const refused = (code: OAuthErrorCode, pattern?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof OAuthError)
  assert.equal(error.error, code)
  if (pattern) assert.match(error.error_description, pattern)
  if (code === 'invalid_client') {
    assert.equal(error.status, 401)
    assert.equal(error.headers['WWW-Authenticate'], 'Basic realm="https://id.example", charset="UTF-8"')
  }
  return true
}

test('client_secret_basic is read from the Authorization header', () => {
  assert.deepEqual(read(basic('web:s3cret')), {
    method: 'client_secret_basic',
    client_id: 'web',
    client_secret: 's3cret',
  })
  assert.deepEqual(read(basic('web:s3:cret').replace('Basic', 'bASIC')), {
    method: 'client_secret_basic',
    client_id: 'web',
    client_secret: 's3:cret',
  })
})

test('V-07 client_secret_post is read from the body', () => {
  assert.deepEqual(read(undefined, 'client_id=web&client_secret=s3cret'), {
    method: 'client_secret_post',
    client_id: 'web',
    client_secret: 's3cret',
  })
})

test('a client_id alone is the method none', () => {
  assert.deepEqual(read(undefined, 'client_id=spa'), { method: 'none', client_id: 'spa' })
  assert.deepEqual(read(undefined, 'client_id=spa&client_secret='), { method: 'none', client_id: 'spa' })
  assert.deepEqual(read(basic('spa:')), { method: 'none', client_id: 'spa' })
})

test('Basic with empty parameters in the body is one method', () => {
  assert.equal(read(basic('mail:s3cret'), 'client_id=&client_secret=&token=x').method, 'client_secret_basic')
})

test('Basic with the same client_id in the body is allowed, with another one refused', () => {
  assert.equal(read(basic('web:s3cret'), 'client_id=web').client_id, 'web')
  assert.throws(() => read(basic('web:s3cret'), 'client_id=other'), refused('invalid_request', /client_id/))
})

test('V-07 two methods at once are refused', () => {
  const assertion = `client_assertion=a.b.c&client_assertion_type=${encodeURIComponent(JWT_BEARER_ASSERTION)}`
  assert.throws(
    () => read(basic('web:s3cret'), 'client_id=web&client_secret=s3cret'),
    refused('invalid_request', /more than one/),
  )
  assert.throws(() => read(basic('web:s3cret'), 'client_secret=s3cret'), refused('invalid_request', /more than one/))
  assert.throws(() => read(basic('web:s3cret'), assertion), refused('invalid_request', /more than one/))
  assert.throws(() => read(basic('spa:'), assertion), refused('invalid_request', /more than one/))
  assert.throws(
    () => read(undefined, `client_id=web&client_secret=x&${assertion}`),
    refused('invalid_request', /more than one/),
  )
})

test('10.4.10 a request without credentials is 401 invalid_client', () => {
  assert.throws(() => read(undefined), refused('invalid_client', /no client credentials/))
  assert.throws(() => read('', 'client_id='), refused('invalid_client'))
  assert.throws(
    () => readClientCredentials({ authorization: null, params: readParams(''), realm }),
    refused('invalid_client'),
  )
})

test('a secret without client_id is invalid_request', () => {
  assert.throws(() => read(undefined, 'client_secret=x'), refused('invalid_request', /client_id is missing/))
})

test('a broken Authorization header is 401 invalid_client with a challenge', () => {
  const bytes = (...values: number[]) => `Basic ${Buffer.from(values).toString('base64')}`
  for (const header of [
    'Basic',
    'Basic ',
    'Basic ====',
    'Basic d2V',
    'Basic d2ViOng=x',
    'Basic d2Vi:x',
    'Basic d2Vi_w==',
    `Basic ${Buffer.from('web:x').toString('base64')}, Bearer y`,
    'Bearer abc',
    'DPoP abc',
    'Negotiate abc',
    'web:s3cret',
    basic('nocolon'),
    basic(':s3cret'),
    basic('web:100%'),
    basic('web:%zz'),
    basic('web:%ff'),
    basic('w%eb:x'),
    basic('web:a\u0000b'),
    basic('web:a%00b'),
    basic('web:a\nb'),
    basic('we%0ab:x'),
    bytes(0x77, 0x3a, 0xff, 0xfe),
  ]) {
    assert.throws(() => read(header), refused('invalid_client'), header)
  }
})

test('RFC 6749 2.3.1 Basic is form-decoded, and the verbatim secret is kept where that made a difference', () => {
  assert.deepEqual(read(basic('my%3Aclient:a%2Bb%25+c')), {
    method: 'client_secret_basic',
    client_id: 'my:client',
    client_secret: 'a+b% c',
    verbatim_client_secret: 'a%2Bb%25+c',
  })
  assert.deepEqual(read(basic('web:base64+secret/==')), {
    method: 'client_secret_basic',
    client_id: 'web',
    client_secret: 'base64 secret/==',
    verbatim_client_secret: 'base64+secret/==',
  })
})

test('what a client form-encodes into Basic comes out as it was', () => {
  const text = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .filter((s) => !/[\p{Cc}\ufffd]/u.test(s) && s.isWellFormed())
  fc.assert(
    fc.property(text, text, (client_id, client_secret) => {
      const credentials = read(basic(`${form(client_id)}:${form(client_secret)}`))
      assert.equal(credentials.method, 'client_secret_basic')
      assert.equal(credentials.client_id, client_id)
      assert.equal('client_secret' in credentials && credentials.client_secret, client_secret)
    }),
  )
})

test('any header gives credentials or a refusal, never another error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map(basic),
        fc.base64String().map((s) => `Basic ${s}`),
      ),
      (header) => {
        try {
          assert.ok(read(header, 'client_id=x').client_id !== '')
        } catch (error) {
          assert.ok(error instanceof OAuthError)
        }
      },
    ),
  )
})

test('an assertion is recognised by its type', () => {
  const type = encodeURIComponent(JWT_BEARER_ASSERTION)
  for (const client_id of ['', '&client_id=web', '&client_id=']) {
    const credentials = read(undefined, `client_assertion=${jwt()}&client_assertion_type=${type}${client_id}`)
    assert.deepEqual([credentials.method, credentials.client_id], ['client_assertion', 'web'])
  }
  assert.throws(
    () => read(undefined, `client_id=other&client_assertion=${jwt()}&client_assertion_type=${type}`),
    refused('invalid_client', /client_id differs/),
  )
  for (const wrong of ['a.b.c', jwt({ alg: 'none' }), jwt({ typ: 'dpop+jwt' }), jwt({}, { iss: 'web' })]) {
    assert.throws(
      () => read(undefined, `client_assertion=${wrong}&client_assertion_type=${type}`),
      refused('invalid_client', /Parameter client_assertion /),
    )
  }
  assert.throws(() => read(undefined, 'client_assertion=a.b.c'), refused('invalid_request', /client_assertion_type/))
  assert.throws(
    () =>
      read(
        undefined,
        'client_assertion=a&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Asaml2-bearer',
      ),
    refused('invalid_request', /client_assertion_type/),
  )
  assert.throws(
    () => read(undefined, `client_assertion_type=${type}`),
    refused('invalid_request', /client_assertion is missing/),
  )
})

test('10.4.10 credentials of another method than the registered one are 401 invalid_client', () => {
  const credentials: ClientCredentials[] = [
    { method: 'none', client_id: 'c' },
    { method: 'client_secret_basic', client_id: 'c', client_secret: 's' },
    { method: 'client_secret_post', client_id: 'c', client_secret: 's' },
    { method: 'client_assertion', ...readClientAssertion(jwt({ alg: 'ES256' })) },
    { method: 'client_assertion', ...readClientAssertion(jwt({ alg: 'HS256' })) },
  ]
  const registered = [
    'none',
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    'client_secret_jwt',
    'tls_client_auth',
  ]
  for (const token_endpoint_auth_method of registered) {
    for (const one of credentials) {
      const fits =
        one.method === token_endpoint_auth_method ||
        (one.method === 'client_assertion' &&
          token_endpoint_auth_method === (one.assertion.alg === 'HS256' ? 'client_secret_jwt' : 'private_key_jwt'))
      const check = () => checkMethodAllowed({ token_endpoint_auth_method }, one, realm)
      if (fits) check()
      else assert.throws(check, refused('invalid_client'))
    }
  }
})

test('a failed authentication says nothing about why, unless told to', () => {
  const error = clientAuthenticationError(realm)
  assert.ok(refused('invalid_client', /^The client is unknown or its credentials are wrong$/)(error))
  assert.equal(clientAuthenticationError(realm, 'x', 'because').cause, 'because')
})

test('no refusal repeats a secret', () => {
  for (const run of [
    () => read(basic('web:hunter2%')),
    () => read(basic('hunter2')),
    () => read(basic('web:hunter2'), 'client_id=other'),
    () => read(basic('web:hunter2'), 'client_secret=hunter2'),
    () => read(undefined, 'client_secret=hunter2'),
    () => read(undefined, 'client_assertion=hunter2'),
    () => read(undefined, `client_assertion=hunter2&client_assertion_type=${JWT_BEARER_ASSERTION}`),
  ]) {
    assert.throws(
      run,
      (error) => error instanceof OAuthError && !JSON.stringify([error.message, error.headers]).includes('hunter2'),
    )
  }
})
