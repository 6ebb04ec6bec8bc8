/** Where a client runs: the console's question, from which the safe defaults follow. */
export const CLIENT_TYPES = ['server', 'browser', 'native', 'device', 'script', 'machine', 'agent'] as const

/** The grant type of a client that runs where no browser is. */
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

/** One of the places where a client runs. */
export type ClientType = (typeof CLIENT_TYPES)[number]

/** How a client that runs where it can keep something proves who it is; the first is what the form proposes. */
export const PROOFS = ['private_key_jwt', 'client_secret_basic'] as const

/** One of those. */
export type Proof = (typeof PROOFS)[number]
