import { OAuthError } from '../oauth_error.ts'
import type { Claims } from './claims.ts'
import { readThumbprint } from './client_certificate.ts'
import { DpopNonces } from './dpop_nonces.ts'
import { DPOP_ALGORITHMS, type DpopAlgorithm, LONGEST_LIFE_MS, ProofVerifier, readProof } from './dpop_proof.ts'
import { type DpopOptions, type ResourceSettings, readCount } from './options.ts'
import type { PresentedToken, RequestLike } from './presented_token.ts'
import { ReplayMemory, type ReplayStore } from './replays.ts'
import { readSecureUrl } from './secure_url.ts'
import { targetOf } from './target_url.ts'
import { hashToken } from './token_hash.ts'

/** A sender who has shown what the token is bound to, as far as one request can say. */
export interface ShownSender {
  /** Spends what may count once: for when everything else about the request has been accepted. */
  spend(): Promise<void>
  /** The nonce for the next proof (RFC 9449 section 8.2), where the one of this proof is about to end. */
  readonly dpop_nonce: string | undefined
}

const BEARER: ShownSender = { spend: async () => {}, dpop_nonce: undefined }

/** Holds the senders of requests against what their tokens are bound to. */
export class SenderConstraint {
  /** The algorithms of proofs that are accepted. */
  readonly algorithms: readonly DpopAlgorithm[]
  /** Whether a token that is bound to nothing is refused. */
  readonly required: boolean
  readonly #base_url: string
  readonly #certificate: ResourceSettings['certificate']
  readonly #clock: () => number
  readonly #nonces: DpopNonces | undefined
  readonly #replays: ReplayStore
  readonly #proofs = new ProofVerifier()

  constructor(settings: ResourceSettings, clock: () => number) {
    const { required = false, base_url, nonce_secret, replays, replay_entries }: DpopOptions = settings.dpop ?? {}
    this.algorithms = readAlgorithms(settings.dpop ?? {})
    this.required = required
    this.#certificate = settings.certificate
    this.#base_url = base_url === undefined ? new URL(settings.resource).origin : readBaseUrl(base_url)
    this.#clock = clock
    this.#nonces = nonce_secret === undefined ? undefined : new DpopNonces(nonce_secret, settings.resource, clock)
    const entries = readCount(replay_entries, 'dpop.replay_entries', 100_000)
    this.#replays = replays ?? new ReplayMemory(entries, LONGEST_LIFE_MS, clock)
  }

  /**
   * Refuses whoever does not show what the token is bound to (`cnf`, RFC 7800 section 3.1). A binding of which any part
   * is not understood is no permission, and a token that is bound to a key is no bearer token (RFC 9449 section 7.2).
   */
  async check({ cnf }: Claims, { scheme, token }: PresentedToken, request: RequestLike): Promise<ShownSender> {
    if (cnf === undefined) {
      if (this.required) throw invalid('The access token is not bound to a key, and this resource takes no others')
      if (scheme === 'DPoP') throw invalid('The access token is not bound to a DPoP key: its scheme is Bearer')
      return BEARER
    }
    const { jkt, 'x5t#S256': x5t, ...unknown } = cnf
    const known = [jkt, x5t].filter((member) => member !== undefined)
    if (known.length === 0 || !known.every(isText) || Object.keys(unknown).length > 0) {
      throw invalid('The access token is bound in a way that this resource does not know')
    }
    if (x5t !== undefined && (await readThumbprint(request, this.#certificate)) !== x5t) {
      throw invalid('The access token is bound to a TLS certificate that was not shown')
    }
    if (!isText(jkt)) {
      if (this.required) throw invalid('The access token is not bound to a DPoP key, and this resource takes no others')
      if (scheme === 'DPoP') throw invalid('The access token is not bound to a DPoP key: its scheme is Bearer')
      return BEARER
    }
    if (scheme !== 'DPoP') throw invalid('The access token is bound to a key, and no proof came with it')
    return await this.#checkDpop(jkt, token, request)
  }

  async #checkDpop(jkt: string, token: string, request: RequestLike): Promise<ShownSender> {
    const now = this.#clock()
    const url = targetOf(this.#base_url, request.url)
    const ath = await hashToken(token)
    const { method, headers } = request
    const proof = readProof(headers.get('dpop'), { method, url, ath, now, algorithms: this.algorithms })
    const dpop_nonce = await this.#checkNonce(proof.nonce)
    const shown = await this.#proofs.verify(proof)
    if (shown !== jkt) throw invalid('The access token is bound to another key than that of the DPoP proof')
    const spend = async () => {
      const id = await hashToken(`${jkt}.${proof.jti}`)
      if (await this.#replays.remember(id, now + LONGEST_LIFE_MS)) return
      throw new OAuthError('invalid_dpop_proof', 'The DPoP proof was used before: its jti must be new')
    }
    return { spend, dpop_nonce }
  }

  /** The nonce that is to follow; undefined when the one of the proof is the newest, or none are handed out here. */
  async #checkNonce(nonce: unknown): Promise<string | undefined> {
    if (this.#nonces === undefined) return undefined
    const current = await this.#nonces.current()
    if (await this.#nonces.isRecent(nonce)) return nonce === current ? undefined : current
    throw new OAuthError('use_dpop_nonce', 'The DPoP proof must have the nonce of the DPoP-Nonce header', {
      headers: { 'dpop-nonce': current },
    })
  }
}

function isText(member: unknown): member is string {
  return typeof member === 'string'
}

function readAlgorithms({ algorithms = DPOP_ALGORITHMS }: DpopOptions): readonly DpopAlgorithm[] {
  if (algorithms.length > 0 && algorithms.every((algorithm) => DPOP_ALGORITHMS.includes(algorithm))) return algorithms
  throw new TypeError(`dpop.algorithms must be some of ${DPOP_ALGORITHMS.join(', ')}`)
}

function readBaseUrl(base_url: string): string {
  const { search, href } = readSecureUrl(base_url, 'dpop.base_url')
  if (search !== '') throw new TypeError('dpop.base_url must not have a query')
  return href.replace(/\/$/, '')
}

function invalid(error_description: string): OAuthError {
  return new OAuthError('invalid_token', error_description)
}
