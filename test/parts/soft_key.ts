import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { der, sequence, utcTime } from './certificate.ts'

/** What a soft key may do otherwise than it should. */
export interface Oddity {
  readonly origin?: string
  readonly rp_id?: string
  readonly type?: string
  readonly challenge?: string
  readonly crossOrigin?: boolean
  readonly topOrigin?: string
  /** Flags of the authenticator data: present 1, verified 4, may be copied 8, is copied 16. */
  readonly flags?: number
  readonly counter?: number
  readonly userHandle?: string
  readonly signed_by?: KeyObject
  /** An attestation statement instead of none. */
  readonly attestation?: { readonly fmt: string; readonly attStmt: ReadonlyMap<Cbor, Cbor> }
}

/** What authenticators say things in. */
export type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<Cbor, Cbor>

/** Stands in a statement for a signature by the key itself. */
export const SELF = 'signed by itself'

interface Options {
  readonly challenge: string
  readonly rp?: { readonly id: string }
  readonly rpId?: string
  readonly user?: { readonly id: string }
}

const PRESENT = 1
const VERIFIED = 4
const ATTESTED = 64

/** An authenticator in a few lines, which answers as a browser would hand it on (WebAuthn sections 5.8.1 and 6). */
export class SoftKey {
  readonly id = randomBytes(32).toString('base64url')
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  readonly #origin: string
  readonly #flags: number
  #userHandle = ''

  constructor(origin: string, options: { synced?: boolean } = {}) {
    this.#origin = origin
    this.#flags = PRESENT | VERIFIED | (options.synced ? 8 | 16 : 0)
  }

  /** Answers creation options. */
  create(options: object, odd: Oddity = {}): string {
    const { challenge, rp, user } = options as Options
    this.#userHandle = user!.id
    const { x, y } = this.#keys.publicKey.export({ format: 'jwk' })
    const key = new Map<Cbor, Cbor>([
      ...([
        [1, 2],
        [3, -7],
        [-1, 1],
      ] as [Cbor, Cbor][]),
      [-2, Buffer.from(x!, 'base64url')],
      [-3, Buffer.from(y!, 'base64url')],
    ])
    const id = Buffer.from(this.id, 'base64url')
    const attested = Buffer.concat([Buffer.alloc(16), uint16(id.length), id, cbor(key)])
    const authData = Buffer.concat([this.#authData(rp!.id, odd, ATTESTED), attested])
    const { fmt, attStmt } = odd.attestation ?? { fmt: 'none', attStmt: new Map<Cbor, Cbor>() }
    const clientDataJSON = this.#clientData('webauthn.create', challenge, odd)
    const signed = Buffer.concat([authData, createHash('sha256').update(clientDataJSON).digest()])
    const own = (said: Cbor) => (said === SELF ? sign('sha256', signed, this.#keys.privateKey) : said)
    const statement = new Map([...attStmt].map(([name, said]): [Cbor, Cbor] => [name, own(said)]))
    const attestationObject = cbor(
      new Map<Cbor, Cbor>([
        ['fmt', fmt],
        ['attStmt', statement],
        ['authData', authData],
      ]),
    )
    return this.#json({
      ...{ clientDataJSON: clientDataJSON.toString('base64url'), transports: ['internal'] },
      attestationObject: attestationObject.toString('base64url'),
    })
  }

  /** Answers request options. */
  get(options: object, odd: Oddity = {}): string {
    const { challenge, rpId } = options as Options
    const authenticatorData = this.#authData(rpId!, odd, 0)
    const clientDataJSON = this.#clientData('webauthn.get', challenge, odd)
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientDataJSON).digest()])
    return this.#json({
      authenticatorData: authenticatorData.toString('base64url'),
      clientDataJSON: clientDataJSON.toString('base64url'),
      signature: sign('sha256', signed, odd.signed_by ?? this.#keys.privateKey).toString('base64url'),
      userHandle: odd.userHandle ?? this.#userHandle,
    })
  }

  /** A certificate of its key, as a maker of authenticators would give it (WebAuthn section 8.2.1). */
  certificate(): Buffer {
    const day = 86_400_000
    const ecdsa = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')))
    const part = (type: number, text: string) =>
      der(0x31, sequence(der(0x06, Buffer.from([0x55, 0x04, type])), der(0x0c, Buffer.from(text))))
    const subject = sequence(part(6, 'SE'), part(10, 'Maker'), part(11, 'Authenticator Attestation'), part(3, 'Key'))
    const no_authority = sequence(der(0x06, Buffer.from([0x55, 0x1d, 0x13])), der(0x04, sequence()))
    const body = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.from([1])),
      ecdsa,
      subject,
      sequence(utcTime(Date.now() - day), utcTime(Date.now() + day)),
      subject,
      this.#keys.publicKey.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(no_authority)),
    )
    return sequence(body, ecdsa, der(0x03, Buffer.from([0]), sign('sha256', body, this.#keys.privateKey)))
  }

  #authData(rp_id: string, odd: Oddity, more: number): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(odd.counter ?? 0)
    const hash = createHash('sha256')
      .update(odd.rp_id ?? rp_id)
      .digest()
    return Buffer.concat([hash, Buffer.from([(odd.flags ?? this.#flags) | more]), counter])
  }

  #clientData(type: string, challenge: string, odd: Oddity): Buffer {
    const { crossOrigin = false, topOrigin } = odd
    const said = { type: odd.type ?? type, challenge: odd.challenge ?? challenge, origin: odd.origin ?? this.#origin }
    return Buffer.from(JSON.stringify({ ...said, crossOrigin, ...(topOrigin && { topOrigin }) }))
  }

  #json(response: object): string {
    return JSON.stringify({ id: this.id, rawId: this.id, type: 'public-key', clientExtensionResults: {}, response })
  }
}

/** CBOR of what authenticators say (RFC 8949). */
function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].flat().map((part) => cbor(part as Cbor))])
  const list = value as readonly Cbor[]
  return Buffer.concat([head(4, list.length), ...list.map(cbor)])
}

function head(major: number, n: number): Buffer {
  if (n < 24) return Buffer.from([(major << 5) | n])
  return n < 256 ? Buffer.from([(major << 5) | 24, n]) : Buffer.concat([Buffer.from([(major << 5) | 25]), uint16(n)])
}

function uint16(n: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(n)
  return bytes
}
