import assert from 'node:assert/strict'
import { createHmac, createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import { base64url, exportJWK, exportSPKI, importJWK } from 'jose'
import {
  createKey,
  goodClaims,
  NOW,
  RESOURCE,
  requestWith,
  signByHand,
  signerOf,
  startIssuer,
  type TestIssuer,
  type TestKey,
} from '../../test/issuer.ts'
import { refusalOf } from '../../test/refusal.ts'
import { createResource, type Resource, type ResourceSettings } from './resource.ts'

let as: TestIssuer
let resource: Resource
const fetched: string[] = []

/** The cache is off here: each test shows what the verification itself says. */
function createUncached(settings: Partial<ResourceSettings> = {}): Resource {
  return createResource({
    resource: RESOURCE,
    issuer: as.issuer,
    jwt_cache_entries: 0,
    clock: () => NOW,
    fetch: record,
    ...settings,
  })
}

function record(url: string, init: RequestInit): Promise<Response> {
  fetched.push(url)
  return fetch(url, init)
}

before(async () => {
  as = await startIssuer()
  as.keys.push(await createKey('EdDSA', 'ed'), await createKey('PS256', 'ps'), await createKey('RS256', 'rs'))
  resource = createUncached()
})
after(() => as.close())

test('a token of each accepted algorithm passes, and its claims arrive', async () => {
  for (const key of as.keys) {
    const access = await resource.verify(requestWith(await as.sign({ acr: 'gold', roles: ['member'] }, {}, key)))
    assert.equal(access.sub, 'alice')
    assert.equal(access.client_id, 'web')
    assert.deepEqual([...access.scope], ['mcp:tools', 'api:read'])
    assert.deepEqual(access.aud, [RESOURCE])
    assert.deepEqual(access.roles, ['member'])
    assert.equal(access.acr, 'gold')
    assert.equal(access.exp, NOW / 1000 + 600)
    assert.equal(access.token_type, 'Bearer')
    assert.equal(access.claims['jti'], 'token-1')
  }
})

test('9.1.2 the algorithm matrix: no token passes with an algorithm that its key does not have', async () => {
  const [es, ed, ps, rs] = as.keys as [TestKey, TestKey, TestKey, TestKey]
  const rsPublic = await importJWK(rs.jwk, 'RS256')
  const pem = await exportSPKI(rsPublic as CryptoKey)
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  const jwk = JSON.stringify(await exportJWK(rsPublic))
  const hmac = (hash: string, key: string | Buffer) => (input: Buffer) => createHmac(hash, key).update(input).digest()
  const nothing = () => new Uint8Array()
  const zeros = (length: number) => () => new Uint8Array(length)
  const cases: [object, (input: Buffer) => Uint8Array][] = [
    [{ alg: 'none' }, nothing],
    [{ alg: 'none' }, signerOf(es)],
    [{ alg: 'None' }, nothing],
    [{ alg: 'nOnE' }, nothing],
    [{ alg: '' }, signerOf(es)],
    [{}, signerOf(es)],
    [{ alg: ['ES256'] }, signerOf(es)],
    [{ alg: 'es256' }, signerOf(es)],
    [{ alg: 'HS256', kid: 'rs' }, hmac('sha256', pem)],
    [{ alg: 'HS256', kid: 'rs' }, hmac('sha256', pem.trim())],
    [{ alg: 'HS256', kid: 'rs' }, hmac('sha256', der)],
    [{ alg: 'HS256', kid: 'rs' }, hmac('sha256', jwk)],
    [{ alg: 'HS384', kid: 'rs' }, hmac('sha384', pem)],
    [{ alg: 'HS512', kid: 'rs' }, hmac('sha512', pem)],
    [{ alg: 'PS256', kid: 'rs' }, signerOf(rs, { pss: true })],
    [{ alg: 'RS256', kid: 'ps' }, signerOf(ps)],
    [{ alg: 'RS512', kid: 'rs' }, signerOf(rs, { hash: 'sha512' })],
    [{ alg: 'RS256', kid: 'rs' }, signerOf(rs, { hash: 'sha1' })],
    [{ alg: 'ES256', kid: 'rs' }, signerOf(rs)],
    [{ alg: 'EdDSA', kid: 'first' }, signerOf(es)],
    [{ alg: 'ES256', kid: 'ed' }, signerOf(ed)],
    [{ alg: 'ES384' }, signerOf(es, { hash: 'sha384' })],
    [{ alg: 'ES256' }, signerOf(es, { hash: 'sha384' })],
    [{ alg: 'ES256' }, nothing],
    [{ alg: 'ES256' }, zeros(64)],
    [{ alg: 'ES256', b64: false }, signerOf(es)],
    [{ alg: 'ES256', b64: false, crit: ['b64'] }, signerOf(es)],
    [{ alg: 'ES256', b64: true, crit: ['b64'] }, signerOf(es)],
    [{ alg: 'ES256', crit: ['exp'], exp: 1 }, signerOf(es)],
    [{ alg: 'ES256', crit: [] }, signerOf(es)],
  ]
  for (const [header, sign] of cases) {
    const token = signByHand({ typ: 'at+jwt', kid: 'first', ...header }, goodClaims(as.issuer), sign)
    const { error, status } = await refusalOf(resource, token)
    assert.deepEqual([error, status], ['invalid_token', 401], JSON.stringify(header))
  }
  // What is built this way passes when all is right: the cases above fail for the reason they name.
  for (const [key, options] of [[es], [ed], [ps, { pss: true }], [rs]] as const) {
    const header = { typ: 'at+jwt', alg: key.alg, kid: key.jwk.kid }
    await resource.verify(requestWith(signByHand(header, goodClaims(as.issuer), signerOf(key, options))))
  }
})

test('an algorithm that the options leave out is refused', async () => {
  const only = createUncached({ algorithms: ['EdDSA'] })
  assert.equal(
    (await refusalOf(only, await as.sign())).error_description,
    'The algorithm of the access token is not accepted',
  )
  await only.verify(requestWith(await as.sign({}, {}, as.keys[1])))
})

test('9.1.1 of 10,000 tokens with one character changed none is accepted', { timeout: 120_000 }, async () => {
  const token = await as.sign()
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  let accepted = 0
  let made = 0
  while (made < 10_000) {
    const mutants: string[] = []
    for (let i = 0; i < 500; i++, made++) {
      // Every position in turn, so that the unused bits of each part's last character are hit as well.
      const at = made % token.length
      const wanted = alphabet[(made * 7 + Math.floor(made / token.length)) % 64]!
      const other = wanted === token[at] ? '.' : wanted
      mutants.push(token.slice(0, at) + other + token.slice(at + 1))
    }
    const settled = await Promise.allSettled(mutants.map((mutant) => resource.verify(requestWith(mutant))))
    accepted += settled.filter(({ status }) => status === 'fulfilled').length
  }
  assert.equal(accepted, 0)
})

test('9.1.1 a second spelling of the same signature is refused', async () => {
  const token = await as.sign()
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet.indexOf(token.at(-1)!)
  for (let bits = 1; bits < 16; bits++) {
    const twin = token.slice(0, -1) + alphabet[last ^ bits]
    assert.deepEqual(base64url.decode(twin.split('.')[2]!), base64url.decode(token.split('.')[2]!))
    assert.equal((await refusalOf(resource, twin)).error, 'invalid_token')
  }
  assert.equal((await refusalOf(resource, `${token}==`)).error, 'invalid_token')
})

test('9.2.2 a JWT of another type is no access token, an ID token included', async () => {
  const id_token = { aud: 'web', nonce: 'n', scope: undefined }
  assert.equal(
    (await refusalOf(resource, await as.sign(id_token, { typ: 'JWT' }))).error_description,
    'The JWT is not of the type at+jwt',
  )
  const types = [undefined, 'JWT', 'jwt', 'id+jwt', 'logout+jwt', 'dpop+jwt', 'oauth-authz-req+jwt', 'secevent+jwt']
  for (const typ of [...types, 'client-authentication+jwt', 'at+jwtx', ' at+jwt', 'at', '', 1, null, ['at+jwt']]) {
    assert.equal((await refusalOf(resource, await as.sign({}, { typ }))).error, 'invalid_token', String(typ))
  }
  for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+JWT']) {
    await resource.verify(requestWith(await as.sign({}, { typ })))
  }
})

test('9.1.3 keys and places that the token itself names are ignored, and nobody is asked', async (t) => {
  const attacker = await startIssuer()
  t.after(() => attacker.close())
  attacker.routes.set('/keys', () => ({ body: { keys: [attacker.keys[0]!.jwk] } }))
  const url = `${attacker.origin}/keys`
  const own = attacker.keys[0]!
  const headers = [
    { jwk: own.jwk },
    { jwk: own.jwk, kid: undefined },
    { jku: url },
    { x5u: url },
    { x5c: ['MIIB'] },
    { kid: url },
    { kid: '../../../../dev/null' },
    { kid: "first' OR '1'='1" },
    { kid: '__proto__' },
    { kid: 'constructor' },
    { kid: 'k'.repeat(9000) },
    { kid: 7 },
    { kid: ['first'] },
    { kid: null },
  ]
  await resource.verify(requestWith(await as.sign()))
  fetched.length = 0
  for (const header of headers) {
    const token = await as.sign({}, header, { ...own, jwk: { ...own.jwk, kid: 'first' } })
    assert.equal((await refusalOf(resource, token)).error, 'invalid_token', JSON.stringify(header).slice(0, 80))
  }
  assert.deepEqual(attacker.asked, [])
  assert.deepEqual(fetched, [])
})

test('a token of another issuer is refused, even when the key is right', async () => {
  for (const iss of [undefined, 'https://other.example', `${as.issuer}/`, as.issuer.toUpperCase(), [as.issuer], null]) {
    assert.match(
      (await refusalOf(resource, await as.sign({ iss }))).error_description,
      /issuer of the access token is not trusted/,
    )
  }
})

test('a huge, broken or unusual token is refused without an exception of another kind', async () => {
  const header = Buffer.from('{"alg":"ES256","typ":"at+jwt","kid":"first"}').toString('base64url')
  const tokens = [
    `${header}..`,
    `${header}.${Buffer.from('[]').toString('base64url')}.AAAA`,
    `${header}.${Buffer.from('"x"').toString('base64url')}.AAAA`,
    `${header}.${Buffer.from([0xff, 0xfe]).toString('base64url')}.AAAA`,
    `${header}.${Buffer.from('['.repeat(6000)).toString('base64url')}.AAAA`,
    '.'.repeat(16_000),
    '..',
    `${header}.e30.AAAA.AAAA.AAAA`,
    'e30.e30.e30',
    await as.sign({ scope: 'x'.repeat(16_000) }),
  ]
  for (const token of tokens)
    assert.equal((await refusalOf(resource, token)).error, 'invalid_token', token.slice(0, 100))
})

test('a payload that is not UTF-8 is refused, even when it is well signed', async () => {
  const encode = (bytes: Buffer) => bytes.toString('base64url')
  const text = JSON.stringify({ ...goodClaims(as.issuer), note: 'X' })
  const payload = Buffer.from(text)
  payload[text.indexOf('X')] = 0xff
  const input = `${encode(Buffer.from('{"alg":"ES256","typ":"at+jwt","kid":"first"}'))}.${encode(payload)}`
  const token = `${input}.${encode(signerOf(as.keys[0]!)(Buffer.from(input)))}`
  assert.match((await refusalOf(resource, token)).error_description, /not a JSON object/)
})

test('a time that no number can hold is refused', async () => {
  const encode = (text: string) => Buffer.from(text).toString('base64url')
  const claims = JSON.stringify({ ...goodClaims(as.issuer), exp: 0 }).replace('"exp":0', '"exp":1e999')
  const input = `${encode('{"alg":"ES256","typ":"at+jwt","kid":"first"}')}.${encode(claims)}`
  const token = `${input}.${signerOf(as.keys[0]!)(Buffer.from(input)).toString('base64url')}`
  assert.match((await refusalOf(resource, token)).error_description, /exp of the access token is not a time/)
})

test('a token is taken to the issuer that it names, when several are trusted', async (t) => {
  const other = await startIssuer('/hub')
  t.after(() => other.close())
  const both = createUncached({
    issuer: undefined,
    authorization_servers: [as.issuer, { issuer: other.issuer }],
  } as never)
  assert.equal((await both.verify(requestWith(await as.sign()))).iss, as.issuer)
  assert.equal((await both.verify(requestWith(await other.sign()))).iss, other.issuer)
  // The other server signs, and names this one.
  assert.match((await refusalOf(both, await other.sign({ iss: as.issuer }))).error_description, /signature/)
})
