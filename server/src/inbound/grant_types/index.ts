import type { GrantType } from '../authorization/grant_type.ts'
import { authorization_code } from './authorization_code.ts'
import { client_credentials } from './client_credentials.ts'
import { device_code } from './device_code.ts'
import { jwt_bearer } from './jwt_bearer.ts'
import { LEGACY_GRANTS } from './legacy/index.ts'
import { refresh_token } from './refresh_token.ts'

/** The built-in grant types: dispatch, discovery, registration and the console read this list. */
export const GRANT_TYPES: readonly GrantType[] = [
  authorization_code,
  refresh_token,
  client_credentials,
  device_code,
  jwt_bearer,
  ...LEGACY_GRANTS,
] as GrantType[]
