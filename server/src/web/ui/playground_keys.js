// Keys, proofs and tokens of the playground, by the browser's own cryptography: what a step does not send stays in this tab.
const ALGORITHMS = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  EdDSA: { name: 'Ed25519' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
}

const bytesOf = (text) => new TextEncoder().encode(text)
const base64url = (bytes) =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
const fromBase64url = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
const writePart = (value) => base64url(bytesOf(JSON.stringify(value)))
const readPart = (part) => JSON.parse(new TextDecoder().decode(fromBase64url(part)))
const digest = async (text) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(text)))

/** 256 bits that nobody can guess. */
export const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)))

/** The SHA-256 of a text. */
export const hash = async (text) => base64url(await digest(text))

/** The left half of its hash, by which an ID token of this algorithm names what came with it. */
export async function halfHash(alg, text) {
  const hashed = await crypto.subtle.digest(alg === 'EdDSA' ? 'SHA-512' : 'SHA-256', bytesOf(text))
  return base64url(new Uint8Array(hashed, 0, hashed.byteLength / 2))
}

/** A new key, as the text of its private JWK: this tab has to know it again after the browser was away. */
export async function makeKey() {
  const { privateKey } = await crypto.subtle.generateKey(ALGORITHMS.ES256, true, ['sign'])
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey('jwk', privateKey)
  return JSON.stringify({ kty, crv, x, y, d })
}

/** What everybody may know of a key. */
export function publicPart(key) {
  const { crv, kty, x, y } = JSON.parse(key)
  return { crv, kty, x, y }
}

/** The thumbprint of a key (RFC 7638): its members in the order of their names. */
export const thumbprint = (key) => hash(JSON.stringify(publicPart(key)))

/** A JWT that a key of ours signs; of its header and claims, those that are undefined or empty are left out. */
export async function signClaims(key, claims, header = {}) {
  const signer = await crypto.subtle.importKey('jwk', JSON.parse(key), ALGORITHMS.ES256, false, ['sign'])
  const said = JSON.parse(JSON.stringify(claims, (_, value) => (value === '' ? undefined : value)))
  const signed = `${writePart({ alg: 'ES256', ...header })}.${writePart(said)}`
  const signature = await crypto.subtle.sign(ALGORITHMS.ES256, signer, bytesOf(signed))
  return `${signed}.${base64url(new Uint8Array(signature))}`
}

/** A DPoP proof (RFC 9449 section 4.2). */
export async function makeProof(key, { access_token, ...claims }) {
  const said = { iat: Math.floor(Date.now() / 1000), ...claims }
  if (access_token) said.ath ??= await hash(access_token)
  return signClaims(key, said, { typ: 'dpop+jwt', jwk: publicPart(key) })
}

/** Whether a text is a signed JWT: what a provider calls a token may look like one. */
export function isJwt(text) {
  try {
    return /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+$/.test(text) && openJwt(text) !== undefined
  } catch {
    return false
  }
}

/** What a JWT says; nobody has said that it is true. */
export function openJwt(jwt) {
  const [header, claims] = jwt.split('.', 2).map(readPart)
  return { header, claims }
}

/** The same JWT, with another user in it: its signature is of what stood there before. */
export function forge(jwt) {
  const [header, claims, signature] = jwt.split('.')
  return [header, writePart({ ...readPart(claims), sub: 'somebody-else' }), signature].join('.')
}

/** Whether a key of a key set has signed a JWT. */
export async function isSignedBy(jwt, { keys }) {
  const { alg, kid } = openJwt(jwt).header
  const jwk = keys.find((one) => one.kid === kid)
  const algorithm = ALGORITHMS[alg]
  if (!jwk || !algorithm) return false
  const { alg: _alg, use: _use, key_ops: _ops, ...bare } = jwk
  const key = await crypto.subtle.importKey('jwk', bare, algorithm, false, ['verify'])
  const [header, claims, signature] = jwt.split('.')
  return crypto.subtle.verify(algorithm, key, fromBase64url(signature), bytesOf(`${header}.${claims}`))
}
