import { createPublicKey } from 'node:crypto'
import { type DpopKey, hashOfToken, makeDpopKey, makeProof, type ProofContent } from './dpop.ts'

/** The request that a proof is presented with. */
export interface ProofTarget {
  readonly method: string
  readonly url: string
  /** In milliseconds. */
  readonly now: number
  /** Where a token comes with it. */
  readonly access_token?: string
}

/** The claims of a proof that holds. */
export function goodClaims({ method, url, now, access_token }: ProofTarget): Record<string, unknown> {
  const ath = access_token === undefined ? {} : { ath: hashOfToken(access_token) }
  return { htm: method, htu: url, iat: Math.floor(now / 1000), ...ath }
}

const rsa1024 = makeDpopKey('PS256', { modulusLength: 1024 })
const rsa = makeDpopKey('PS256')
const p384 = makeDpopKey('ES384')
const stranger = makeDpopKey()

/** Everything that is no proof for a request, by what is wrong with it (RFC 9449 section 4.3). */
export function badProofs(key: DpopKey, target: ProofTarget): [what: string, dpop: string][] {
  const good = goodClaims(target)
  const { url, method, now } = target
  const iat = Math.floor(now / 1000)
  const proof = (claims: Record<string, unknown>, more: Omit<ProofContent, 'claims'> = {}) =>
    makeProof(key, { claims: { ...good, ...claims }, ...more })
  const whole = proof({})
  const [head, payload, signature] = whole.split('.') as [string, string, string]
  const raw = (header: object, claims: object, end = signature) =>
    `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.${end}`
  const jwk_d = { ...key.jwk, d: key.privateKey.export({ format: 'jwk' }).d }
  const pem = createPublicKey(key.privateKey).export({ format: 'pem', type: 'spki' })
  const ath: [string, string][] =
    target.access_token === undefined
      ? []
      : [
          ['no ath', proof({ ath: undefined })],
          ['the ath of another token', proof({ ath: hashOfToken('another') })],
          ['the token itself as ath', proof({ ath: target.access_token })],
          ['ath as a list', proof({ ath: [good['ath']] })],
        ]
  return [
    ['no JWT', 'proof'],
    ['two parts', `${head}.${payload}`],
    ['four parts', `${whole}.`],
    ['an empty signature', `${head}.${payload}.`],
    ['two proofs in one header', `${whole}, ${proof({})}`],
    ['a second spelling of the signature', `${whole}=`],
    ['a header that is no JSON', `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`],
    ['a payload that is a list', raw(JSON.parse(Buffer.from(head, 'base64url').toString()), [])],
    ['longer than 16 kB', proof({ padding: 'x'.repeat(17_000) })],
    ['no typ', proof({}, { header: { typ: undefined } })],
    ['typ JWT', proof({}, { header: { typ: 'JWT' } })],
    ['the typ of an access token', proof({}, { header: { typ: 'at+jwt' } })],
    ['no alg', proof({}, { header: { alg: undefined } })],
    ['alg none', raw({ typ: 'dpop+jwt', alg: 'none', jwk: key.jwk }, { ...good, jti: 'x' }, '')],
    ['alg None with a signature', proof({}, { header: { alg: 'None' } })],
    ['alg HS256', proof({}, { header: { alg: 'HS256' } })],
    ['alg HS256 with the public key as secret', proof({}, { header: { alg: 'HS256', jwk: { kty: 'oct', k: pem } } })],
    ['alg RS256', makeProof({ ...rsa, alg: 'RS256' }, { claims: good })],
    ['alg ES384', makeProof(p384, { claims: good })],
    ['alg PS256 over a key on P-256', proof({}, { header: { alg: 'PS256' } })],
    ['no jwk', proof({}, { header: { jwk: undefined } })],
    ['a kid instead of a jwk', proof({}, { header: { jwk: undefined, kid: 'key-1' } })],
    ['a jwk that is a private key', proof({}, { header: { jwk: jwk_d } })],
    ['a symmetric jwk', proof({}, { header: { jwk: { kty: 'oct', k: 'AAAA' } } })],
    ['a jwk without y', proof({}, { header: { jwk: { ...key.jwk, y: undefined } } })],
    ['a jwk that is no point of the curve', proof({}, { header: { jwk: { ...key.jwk, y: key.jwk['x'] } } })],
    ['an RSA key of 1024 bits', makeProof(rsa1024, { claims: good })],
    ['a critical extension', proof({}, { header: { crit: ['b64'], b64: false } })],
    ['the signature of another key', proof({}, { signer: stranger })],
    ['the jwk of another key', proof({}, { header: { jwk: stranger.jwk } })],
    ['a changed payload', `${head}.${proof({}).split('.')[1]}.${signature}`],
    ['no htm', proof({ htm: undefined })],
    ['the htm of another method', proof({ htm: method === 'GET' ? 'POST' : 'GET' })],
    ['htm in lower case', proof({ htm: method.toLowerCase() })],
    ['no htu', proof({ htu: undefined })],
    ['the htu of another path', proof({ htu: `${url}/x` })],
    ['the htu of another host', proof({ htu: url.replace(/\/\/[^/]+/, '//evil.example') })],
    ['the htu of another scheme', proof({ htu: url.replace(/^https?/, (s) => (s === 'http' ? 'https' : 'http')) })],
    ['the htu of another port', proof({ htu: url.replace(/\/\/([^/:]+)(:\d+)?/, '//$1:1') })],
    ['htu with a user name', proof({ htu: url.replace('//', '//user@') })],
    ['a relative htu', proof({ htu: new URL(url).pathname })],
    ['htu with a backslash', proof({ htu: url.replace(/\/([^/]*)$/, '\\$1') })],
    ['htu as a list', proof({ htu: [url] })],
    ['no iat', proof({ iat: undefined })],
    ['iat as a text', proof({ iat: String(iat) })],
    ['P-13 an iat 11 s ahead', proof({ iat: iat + 11 })],
    ['P-13 an iat 61 s ahead', proof({ iat: iat + 61 })],
    ['an iat 61 s ago', proof({ iat: iat - 61 })],
    ['an nbf 61 s ahead', proof({ nbf: iat + 61 })],
    ['no jti', proof({ jti: undefined })],
    ['an empty jti', proof({ jti: '' })],
    ['a jti that is a number', proof({ jti: 7 })],
    ['a jti of 257 characters', proof({ jti: 'j'.repeat(257) })],
    ...ath,
  ]
}
