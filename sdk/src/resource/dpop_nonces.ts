import { base64url } from 'jose'

const WINDOW_MS = 120_000
const SHORTEST_SECRET = 32

/**
 * Nonces that a resource hands out (RFC 9449 section 9). They follow from a secret and the time: replicas with the same
 * secret give and take the same ones, and none is stored.
 */
export class DpopNonces {
  readonly #key: Promise<CryptoKey>
  readonly #resource: string
  readonly #clock: () => number
  #current: { readonly window: number; readonly nonce: Promise<string> } | undefined

  constructor(secret: string, resource: string, clock: () => number) {
    if (secret.length < SHORTEST_SECRET) {
      throw new TypeError(`dpop.nonce_secret must have at least ${SHORTEST_SECRET} characters`)
    }
    const bytes = new TextEncoder().encode(secret)
    this.#key = crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
    this.#resource = resource
    this.#clock = clock
  }

  /** The nonce to use from now on. */
  async current(): Promise<string> {
    const window = this.#window()
    if (this.#current?.window !== window) this.#current = { window, nonce: this.#make(window) }
    return await this.#current.nonce
  }

  /** Whether a nonce was handed out within the last minutes; one window ahead is a replica whose clock is. */
  async isRecent(nonce: unknown): Promise<boolean> {
    const parts = typeof nonce === 'string' ? /^(\d{1,12})\.([A-Za-z0-9_-]{43})$/.exec(nonce) : null
    if (parts === null || Math.abs(Number(parts[1]) - this.#window()) > 1) return false
    const mac = base64url.decode(parts[2]!)
    return await crypto.subtle.verify('HMAC', await this.#key, mac as BufferSource, this.#input(Number(parts[1])))
  }

  #window(): number {
    return Math.floor(this.#clock() / WINDOW_MS)
  }

  async #make(window: number): Promise<string> {
    const mac = await crypto.subtle.sign('HMAC', await this.#key, this.#input(window))
    return `${window}.${base64url.encode(new Uint8Array(mac))}`
  }

  #input(window: number): BufferSource {
    return new TextEncoder().encode(JSON.stringify([this.#resource, window]))
  }
}
