import assert from 'node:assert/strict'
import { test } from 'node:test'
import { oauth2 } from '../../providers/records/oauth2.ts'
import { resolveProvider } from '../../providers/resolve.ts'
import { requestHeaders, responseHeaders } from './proxy_headers.ts'

const provider = resolveProvider(oauth2, { client_id: 'c' })

test('our own credentials, cookies and what a connection or a proxy adds never reach the provider', () => {
  const given = new Headers({
    ...{ Authorization: 'Bearer ours', Cookie: '__Host-session=1', DPoP: 'proof', 'Proxy-Authorization': 'Basic x' },
    ...{ Host: 'id.example', Connection: 'close, X-Hop', 'X-Hop': '1', 'Keep-Alive': '1', TE: 'trailers' },
    ...{ Upgrade: 'h2c', 'Transfer-Encoding': 'chunked', 'Content-Length': '1', Expect: '100-continue' },
    ...{ Forwarded: 'for=1', 'X-Forwarded-For': '1', 'X-Forwarded-Host': 'a', 'X-Real-IP': '1', Via: '1.1 a' },
    ...{ Origin: 'https://app', Referer: 'https://app/?code=1', 'Sec-Fetch-Mode': 'cors', 'X-Original-URL': '/admin' },
    ...{ Accept: 'application/json', 'Content-Type': 'text/plain', 'X-GitHub-Api-Version': '2026-01-01', Prefer: 'a' },
  })
  const sent = requestHeaders(given, provider, { access_token: 'theirs' })
  assert.deepEqual([...sent.keys()], ['accept', 'authorization', 'content-type', 'prefer', 'x-github-api-version'])
  assert.equal(sent.get('authorization'), 'Bearer theirs')
})

test('each header alone that speaks for others, of hops, or of another method goes no further', () => {
  for (const name of [
    ...['authorization', 'proxy-authorization', 'proxy-authenticate', 'cookie', 'cookie2', 'dpop', 'client-cert'],
    ...['client-cert-chain', 'connection', 'proxy-connection', 'keep-alive', 'te', 'trailer', 'trailers', 'upgrade'],
    ...['transfer-encoding', 'content-length', 'http2-settings', 'expect', 'host', 'accept-encoding', 'via'],
    ...['forwarded', 'x-forwarded-for', 'x-forwarded-anything', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip'],
    ...['true-client-ip', 'cf-connecting-ip', 'origin', 'referer', 'sec-fetch-site', 'traceparent', 'tracestate'],
    ...['baggage', 'x-http-method-override', 'x-http-method', 'x-method-override', 'x-original-url'],
    ...['x-rewrite-url', 'x-sallyport-error', 'X_Forwarded_For', 'X_HTTP_Method_Override'],
  ]) {
    const sent = requestHeaders(new Headers({ [name]: 'theirs to say' }), provider, { access_token: 'theirs' })
    assert.deepEqual(Object.fromEntries(sent), { authorization: 'Bearer theirs' }, name)
  }
})

test('each header alone that would act on our origin, or on a client’s library, does not come back', () => {
  const usual = Object.fromEntries(responseHeaders(new Headers()))
  for (const name of [
    ...['set-cookie', 'set-cookie2', 'www-authenticate', 'proxy-authenticate', 'authentication-info', 'alt-svc'],
    ...['strict-transport-security', 'public-key-pins', 'public-key-pins-report-only', 'expect-ct', 'clear-site-data'],
    ...['nel', 'report-to', 'reporting-endpoints', 'service-worker-allowed', 'content-security-policy', 'refresh'],
    ...['content-security-policy-report-only', 'x-frame-options', 'dpop-nonce', 'sourcemap', 'x-sourcemap'],
    ...['speculation-rules', 'expires', 'age', 'pragma', 'warning', 'connection', 'keep-alive', 'transfer-encoding'],
    ...['trailer', 'upgrade', 'access-control-allow-origin', 'cross-origin-opener-policy', 'origin-agent-cluster'],
    ...['permissions-policy', 'x-sallyport-error'],
  ]) {
    assert.deepEqual(Object.fromEntries(responseHeaders(new Headers({ [name]: 'x' }))), usual, name)
  }
})

test('a provider has its own header for the token, and headers that every call needs', () => {
  const api_headers = { 'X-Version': '1', 'X-Org': '{org}', 'X-Other': '{other}' }
  const own = { ...provider, authorization_header: 'X-Token', authorization_scheme: null, api_headers }
  const token = { access_token: 'theirs', extra: { org: 'north', other: 'a\nb' } }
  const mine = new Headers({ 'X-Version': '2', 'X-Org': 'south', 'X-Token': 'ours', Authorization: 'Bearer ours' })
  const sent = requestHeaders(mine, own, token)
  assert.deepEqual(Object.fromEntries(sent), { 'x-org': 'north', 'x-token': 'theirs', 'x-version': '2' })
  assert.equal(requestHeaders(new Headers(), own, token).get('x-version'), '1')
})

test("the provider's cookies, challenges and policies never reach the caller", () => {
  const given = new Headers({
    ...{ 'Content-Type': 'text/html', 'Retry-After': '7', ETag: '"1"', Location: 'https://api.example/x' },
    ...{ 'WWW-Authenticate': 'Bearer resource_metadata="https://evil.example/"', 'Alt-Svc': 'h3=":1"' },
    ...{ 'Strict-Transport-Security': 'max-age=1', 'Access-Control-Allow-Origin': '*', 'Clear-Site-Data': '"*"' },
    ...{ 'Content-Security-Policy': "script-src 'unsafe-inline'", Connection: 'X-Hop', 'X-Hop': '1' },
  })
  given.append('Set-Cookie', '__Host-session=evil')
  given.append('Set-Cookie', 'b=2')
  const returned = responseHeaders(given)
  assert.deepEqual(
    [...returned.keys()],
    [
      'cache-control',
      'content-security-policy',
      'content-type',
      'etag',
      'location',
      'retry-after',
      'x-content-type-options',
    ],
  )
  assert.equal(returned.get('content-security-policy'), "sandbox; default-src 'none'")
  assert.equal(returned.get('retry-after'), '7')
})
