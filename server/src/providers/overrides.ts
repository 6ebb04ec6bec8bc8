import type { ClientAuthMethod, ProviderFields } from './provider.ts'
import { SettingError } from './setting_error.ts'

type Check = (value: unknown) => boolean

const text: Check = (value) => typeof value === 'string' && value.length <= 2_048 && !/[\0-\x1f\x7f]/.test(value)
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value)
const texts: Check = (value) => Array.isArray(value) && value.length <= 64 && value.every(text)
const params: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.entries(value).flat().every(text)
const headers: Check = (value) =>
  params(value) && Object.keys(value as object).every((name) => /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(name))
const seconds: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const assertion_grant: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(
    ([name, one]) => Object.hasOwn(ASSERTION, name) && ASSERTION[name as AssertionMember](one),
  )
const url = orNull((value) => text(value) && /^(https?:\/\/|\{)/.test(value as string))

/** How a connector may prove who it is. */
export const CLIENT_AUTH_METHODS: readonly ClientAuthMethod[] = [
  ...(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const),
  ...(['tls_client_auth', 'self_signed_tls_client_auth'] as const),
]
const ASSERTION = {
  audience: orNull(text),
  scope: oneOf('parameter', 'claim'),
  subject: oneOf('required', 'optional'),
  client: oneOf('authenticates', 'anonymous'),
} as const
type AssertionMember = keyof typeof ASSERTION

/** The fields that a connector may set or override, each with what it may hold. The rest needs a provider record. */
const OVERRIDES = {
  issuer: url,
  discovery: oneOf('oidc', 'oauth2', null),
  authorization_endpoint: url,
  token_endpoint: url,
  refresh_endpoint: url,
  revocation_endpoint: url,
  introspection_endpoint: url,
  userinfo_endpoint: url,
  device_authorization_endpoint: url,
  pushed_authorization_request_endpoint: url,
  jwks_uri: url,
  api_base_url: url,
  api_hosts: texts,
  token_endpoint_auth_method: oneOf(...CLIENT_AUTH_METHODS),
  revocation_endpoint_auth_method: oneOf(...CLIENT_AUTH_METHODS, null),
  tls_client_certificate_bound_access_tokens: oneOf(true, false),
  basic_credentials: oneOf('encoded', 'raw'),
  pkce: oneOf('required', 'supported', 'refused'),
  par: oneOf('required', 'supported', 'refused'),
  dpop: oneOf('required', 'supported', 'refused'),
  response_mode: oneOf('query', 'form_post', null),
  authorization_params: params,
  scope_parameter: orNull(text),
  scope_separator: oneOf(' ', ',', '+', ';', '|'),
  default_scope: text,
  offline_scope: orNull(text),
  offline_params: params,
  token_request: oneOf('form', 'json', 'query'),
  token_params: params,
  assertion_grant,
  refresh_params: params,
  refresh_sends: (value) => texts(value) && (value as string[]).every(oneOf('scope', 'redirect_uri')),
  access_token_seconds: orNull(seconds),
  refresh_token_seconds: orNull(seconds),
  refresh_token_max_seconds: orNull(seconds),
  refresh_token_life: oneOf('fixed', 'idle', 'unlimited', 'setting', 'unknown'),
  refresh_token_rotation: oneOf('never', 'always', 'sometimes', 'setting', 'no_refresh_token', 'unknown'),
  refresh_token_replay: oneOf('accepted', 'until_successor_used', 'within_grace', 'refused', 'ends_grant', 'unknown'),
  replay_grace_seconds: orNull(seconds),
  api_headers: headers,
  reads_by_method: oneOf(true, false),
  authorization_header: (value) => typeof value === 'string' && /^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(value),
  authorization_scheme: orNull((value) => typeof value === 'string' && /^[A-Za-z][A-Za-z0-9-]{0,31}$/.test(value)),
} as const satisfies { [K in keyof ProviderFields]?: Check }

/** A field that a connector may override. */
export type OverridableField = keyof typeof OVERRIDES

/** Reads overridden fields from configuration; what is unknown or of the wrong type is refused by name. */
export function readOverrides(input: Readonly<Record<string, unknown>>): Partial<ProviderFields> {
  for (const [name, value] of Object.entries(input)) {
    const check = Object.hasOwn(OVERRIDES, name) ? OVERRIDES[name as OverridableField] : undefined
    if (!check) throw new SettingError(name, `Field ${name} cannot be set for a connector`)
    if (!check(value)) throw new SettingError(name, `Field ${name} has a value that is not allowed`)
  }
  return input as Partial<ProviderFields>
}
