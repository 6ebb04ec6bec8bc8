import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { type AgreementKey, newAgreementSeed, type OkpJwk, readAgreementKey, readOkpJwk } from './agreement_keys.ts'
import { sha256 } from './hash.ts'
import { randomBytes } from './random.ts'
import { SealError } from './seal.ts'

const ENC = 'A256GCM'
const PART = /^[\w-]+$/

/**
 * Seals text to somebody's X25519 key as a compact JWE (RFC 7516) by ECDH-ES and A256GCM, with a key of ours that is
 * used once. Who sealed it is not said: whoever needs to know signs as well.
 */
export function sealTo(recipient: OkpJwk, typ: string, text: string): string {
  const to = readOkpJwk(recipient, 'X25519')
  if (!to) throw new SealError('what is sealed to is no X25519 key')
  const ephemeral = readAgreementKey(newAgreementSeed())
  const { kty, crv, x } = ephemeral.public_jwk
  const header = encode(JSON.stringify({ alg: 'ECDH-ES', enc: ENC, typ, kid: to.kid, epk: { kty, crv, x } }))
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', agree(ephemeral.privateKey, to.jwk), iv)
  cipher.setAAD(Buffer.from(header))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return [header, '', encode(iv), encode(sealed), encode(cipher.getAuthTag())].join('.')
}

/** Opens what was sealed to a key, under its own type; throws SealError for anything else. */
export function openSealed(key: AgreementKey, typ: string, jwe: string): string {
  const [header = '', wrapped, iv = '', sealed = '', tag = '', ...more] = jwe.split('.')
  if (more.length > 0 || wrapped !== '' || ![header, iv, sealed, tag].every((part) => PART.test(part)))
    throw new SealError()
  try {
    const said = JSON.parse(decode(header).toString()) as Record<string, unknown>
    const { alg, enc, kid, epk } = said
    // One way to seal: whatever else a header asks for (zip, crit, another alg) is refused (RFC 8725 section 3.1).
    const plain = Object.keys(said).every((name) => ['alg', 'enc', 'typ', 'kid', 'epk'].includes(name))
    if (!plain || alg !== 'ECDH-ES' || enc !== ENC || said['typ'] !== typ || kid !== key.kid) throw new SealError()
    const theirs = readOkpJwk(epk, 'X25519')
    if (!theirs || decode(tag).length !== 16) throw new SealError()
    const shared = agree(key.privateKey, theirs.jwk)
    const cipher = createDecipheriv('aes-256-gcm', shared, decode(iv), { authTagLength: 16 })
    cipher.setAAD(Buffer.from(header))
    cipher.setAuthTag(decode(tag))
    return Buffer.concat([cipher.update(decode(sealed)), cipher.final()]).toString()
  } catch {
    throw new SealError()
  }
}

/** The content key that two sides agree on: Concat KDF over one block, without names of the parties (RFC 7518 section 4.6.2). */
function agree(privateKey: KeyObject, theirs: OkpJwk): Buffer {
  const publicKey = createPublicKey({ key: theirs as JsonWebKey, format: 'jwk' })
  return deriveContentKey(diffieHellman({ privateKey, publicKey }))
}

function deriveContentKey(shared: Buffer): Buffer {
  return sha256(Buffer.concat([word(1), shared, word(ENC.length), Buffer.from(ENC), word(0), word(0), word(256)]))
}

function word(n: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(n)
  return bytes
}

function encode(data: string | Uint8Array): string {
  return Buffer.from(data as Uint8Array).toString('base64url')
}

function decode(part: string): Buffer {
  return Buffer.from(part, 'base64url')
}
