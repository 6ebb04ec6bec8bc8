import { createPrivateKey, X509Certificate } from 'node:crypto'
import { sha256 } from './hash.ts'
import { type Jwk, readPublicJwk, thumbprint } from './public_key.ts'

/** One relative distinguished name: attributes by the dotted number of their type. */
export type Rdn = readonly (readonly [type: string, value: string])[]

/** A client's certificate, past the proxy that ended TLS: what it says, and what a token is bound to (RFC 8705 section 3.1). */
export interface ClientCertificate {
  /** `x5t#S256`: the SHA-256 of its DER. */
  readonly thumbprint: string
  /** The RFC 7638 thumbprint of its public key; null for a key of a kind that we do not use. */
  readonly key_thumbprint: string | null
  /** In the order of RFC 4514: the most special name first. */
  readonly subject: readonly Rdn[]
  readonly alternative_names: Readonly<Record<AlternativeName, readonly string[]>>
  readonly x509: X509Certificate
}

/** The kinds of alternative names that a client may be known by (RFC 8705 section 2.1.2). */
export type AlternativeName = 'dns' | 'uri' | 'ip' | 'email'

/** Reads a certificate from DER; null when it is none. */
export function readCertificate(der: Buffer): ClientCertificate | null {
  try {
    const x509 = new X509Certificate(der)
    // What follows the certificate would change its thumbprint and nothing else.
    if (!x509.raw.equals(der)) return null
    const fields = children(children(der)[0]!.children()[0]!.value)
    const names = fields[0]!.tag === 0xa0 ? 1 : 0
    const jwk = readPublicJwk(x509.publicKey.export({ format: 'jwk' })) as Jwk | null
    return {
      thumbprint: sha256(der).toString('base64url'),
      key_thumbprint: jwk && thumbprint(jwk),
      subject: readName(fields[names + 4]!).reverse(),
      alternative_names: readAlternativeNames(fields.find(({ tag }) => tag === 0xa3)),
      x509,
    }
  } catch {
    return null
  }
}

/** Reads the certificates of a PEM text: those of the authorities that clients' certificates come from. */
export function readAuthorities(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return found.map((one) => new X509Certificate(one))
}

/** A certificate of our own: from when to when it is good, and how a JWK carries it with those that signed it. */
export interface OwnCertificate {
  readonly from: number
  readonly until: number
  readonly x5c: readonly string[]
}

/** Reads a PEM text of a certificate and those that signed it; null where it is none, or of another private key. */
export function readOwnCertificate(pem: string, private_key: string): OwnCertificate | null {
  try {
    const [own, ...signers] = readAuthorities(pem)
    if (!own?.checkPrivateKey(createPrivateKey(private_key))) return null
    const x5c = [own, ...signers].map(({ raw }) => raw.toString('base64'))
    return { from: own.validFromDate.getTime(), until: own.validToDate.getTime(), x5c }
  } catch {
    return null
  }
}

const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2'
const ANY_USE = '2.5.29.37.0'

/** Whether one of the authorities has issued a certificate that is good now, for clients (RFC 5280 sections 4.2.1.12 and 6.1). */
export function isIssuedBy({ x509 }: ClientCertificate, authorities: readonly X509Certificate[], now: number): boolean {
  const uses = x509.keyUsage as readonly string[] | undefined
  if (uses && !uses.includes(CLIENT_AUTHENTICATION) && !uses.includes(ANY_USE)) return false
  if (!isTimely(x509, now)) return false
  return authorities.some(
    (authority) =>
      authority.ca && isTimely(authority, now) && x509.checkIssued(authority) && x509.verify(authority.publicKey),
  )
}

function isTimely({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  return validFromDate.getTime() <= now && now < validToDate.getTime()
}

// A reader of DER (X.690) for the two parts of a certificate that must be compared exactly: the texts that node makes
// of them are meant for people.
interface Element {
  readonly tag: number
  readonly value: Buffer
  children(): Element[]
}

function children(der: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < der.length; ) {
    const tag = der[at]!
    let length = der[at + 1]!
    at += 2
    if (length > 0x84) throw new Error('a length that no certificate has')
    if (length >= 0x80) {
      const size = length - 0x80
      length = der.readUIntBE(at, size)
      at += size
    }
    if (at + length > der.length) throw new Error('an element that does not end')
    const value = der.subarray(at, at + length)
    found.push({ tag, value, children: () => children(value) })
    at += length
  }
  return found
}

function readName(name: Element): Rdn[] {
  return name.children().map((rdn) =>
    rdn.children().map((attribute) => {
      const [type, value] = attribute.children()
      return [readOid(type!.value), readText(value!)] as const
    }),
  )
}

const TEXT: Readonly<Record<number, (value: Buffer) => string>> = {
  12: (value) => value.toString('utf8'),
  19: (value) => value.toString('latin1'),
  20: (value) => value.toString('latin1'),
  22: (value) => value.toString('latin1'),
  30: (value) => Buffer.from(value).swap16().toString('utf16le'),
}

// RFC 4514 section 2.4: what is no text is written in hexadecimal.
function readText({ tag, value }: Element): string {
  return TEXT[tag]?.(value) ?? `#${value.toString('hex')}`
}

function readOid(value: Buffer): string {
  const numbers: number[] = []
  let number = 0
  for (const byte of value) {
    number = number * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      numbers.push(number)
      number = 0
    }
  }
  const [first = 0, ...rest] = numbers
  const root = Math.min(2, Math.floor(first / 40))
  return [root, first - root * 40, ...rest].join('.')
}

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17'

function readAlternativeNames(extensions: Element | undefined): ClientCertificate['alternative_names'] {
  const names: Record<AlternativeName, string[]> = { dns: [], uri: [], ip: [], email: [] }
  for (const extension of extensions?.children()[0]?.children() ?? []) {
    const parts = extension.children()
    if (readOid(parts[0]!.value) !== SUBJECT_ALTERNATIVE_NAME) continue
    for (const { tag, value } of children(parts.at(-1)!.value)[0]!.children()) {
      if (tag === 0x81) names.email.push(value.toString('latin1'))
      else if (tag === 0x82) names.dns.push(value.toString('latin1').toLowerCase())
      else if (tag === 0x86) names.uri.push(value.toString('latin1'))
      else if (tag === 0x87) names.ip.push(readAddress(value))
    }
  }
  return names
}

// An IPv6 address as the URL parser writes it (RFC 5952).
function readAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16))
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}
