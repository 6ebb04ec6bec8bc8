import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { der, sequence, utcTime } from './certificate.ts'

/** A certificate as a test needs it: its DER, and the key of whoever has it. */
export interface Made {
  readonly der: Buffer
  readonly pem: string
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  readonly subject: Buffer
}

/** What to put into a certificate; the rest is what a client's certificate has. */
export interface CertificateOptions {
  /** Names from the most general on, as DER has them; a name of several attributes is one list. */
  readonly subject?: readonly (readonly [type: string, value: string | Buffer, tag?: number])[][]
  readonly names?: readonly (readonly [kind: 'dns' | 'uri' | 'email' | 'ip', value: string | Buffer])[]
  /** Whoever issues it; without one it is self-signed. */
  readonly issuer?: Made
  readonly authority?: boolean
  readonly from?: number
  readonly to?: number
  /** Extended key usages, as dotted numbers. */
  readonly uses?: readonly string[]
  readonly type?: 'ec' | 'rsa'
}

const DAY = 86_400_000
const TAGS = { email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 }

/** Makes an X.509 certificate (RFC 5280). */
export function makeCertificate(options: CertificateOptions = {}): Made {
  const { publicKey, privateKey } =
    options.type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = options.issuer?.privateKey ?? privateKey
  const rsa = signer.asymmetricKeyType === 'rsa'
  const algorithm = rsa
    ? sequence(oid('1.2.840.113549.1.1.11'), Buffer.from([5, 0]))
    : sequence(oid('1.2.840.10045.4.3.2'))
  const subject = writeName(options.subject ?? [[['2.5.4.3', 'client']]])
  const { from = Date.now() - DAY, to = Date.now() + DAY } = options
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    options.issuer?.subject ?? subject,
    sequence(utcTime(from), utcTime(to)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...writeExtensions(options))),
  )
  const signature = sign('sha256', body, signer)
  const bytes = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature))
  const lines = bytes.toString('base64').match(/.{1,64}/g)!
  const pem = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  return { der: bytes, pem, publicKey, privateKey, subject }
}

function writeExtensions({ authority, names, uses }: CertificateOptions): Buffer[] {
  const extensions = [
    sequence(oid('2.5.29.19'), der(0x04, authority ? sequence(der(0x01, Buffer.from([0xff]))) : sequence())),
  ]
  if (uses) extensions.push(sequence(oid('2.5.29.37'), der(0x04, sequence(...uses.map(oid)))))
  if (names) {
    const written = names.map(([kind, value]) => der(TAGS[kind], Buffer.from(value as string)))
    extensions.push(sequence(oid('2.5.29.17'), der(0x04, sequence(...written))))
  }
  return extensions
}

function writeName(rdns: NonNullable<CertificateOptions['subject']>): Buffer {
  return sequence(
    ...rdns.map((rdn) =>
      der(0x31, ...rdn.map(([type, value, tag = 0x0c]) => sequence(oid(type), der(tag, Buffer.from(value as string))))),
    ),
  )
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest].flatMap((number) => {
    const groups = [number & 0x7f]
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80)
    return groups
  })
  return der(0x06, Buffer.from(bytes))
}
