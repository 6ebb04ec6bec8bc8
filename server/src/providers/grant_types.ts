/** The grants by which a connector can get tokens (RFC 6749 section 4, RFC 7523 section 2.1, RFC 8628 section 3.4). */
export const CONNECTOR_GRANT_TYPES = [
  'authorization_code',
  'client_credentials',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:device_code',
  'password',
] as const

/** One of CONNECTOR_GRANT_TYPES. */
export type ConnectorGrantType = (typeof CONNECTOR_GRANT_TYPES)[number]

/** Whether a grant needs nobody: its tokens are renewed by asking again, and only an administrator connects by it. */
export function isAskedAgain(grant_type: ConnectorGrantType): boolean {
  return grant_type === 'client_credentials' || grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer'
}
