/** Which key is wrapped; a KMS binds it to the ciphertext where it can (it calls that an encryption context). */
export interface KeyPlace {
  readonly tenant_id: string
  readonly kid: number
}

/**
 * What wraps the keys of the vault: a root key of this process, or a KMS that gives its own key to nobody. It is asked
 * once for each key of a tenant and process, never for each connection.
 */
export interface KeyWrapper {
  /** Tells its key from others, in rows and sentences, so it holds no secret; another key has another name. */
  readonly name: string
  wrap(key: Uint8Array, place: KeyPlace): Promise<Uint8Array>
  unwrap(wrapped: Uint8Array, place: KeyPlace): Promise<Uint8Array>
}
