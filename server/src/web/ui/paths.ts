/**
 * The paths that pages link and post to, under the issuer. Records are named by wire names in the query or in hidden
 * fields, never in the path: a client_id may be a URL, and proxies rewrite %2F.
 */
export const paths = {
  theme: '/theme',
  logout: '/logout',
  logout_confirm: '/logout/confirm',
  device: '/device',
  device_switch: '/device/switch',
  login: '/login',
  login_passkey: '/login/passkey',
  login_with: '/login/with',
  login_answer: '/login/answer',
  account_identities: '/account/security/identities',
  account_link_identity: '/account/security/identities/link',
  second_factor: '/login/factor',
  enrol: '/login/enrol',
  reset: '/reset',
  reset_password: '/reset/password',
  account: '/account',
  account_security: '/account/security',
  account_password: '/account/security/password',
  account_totp: '/account/security/totp',
  account_remove_totp: '/account/security/totp/remove',
  account_passkeys: '/account/security/passkeys',
  account_remove_passkey: '/account/security/passkeys/remove',
  account_recovery_codes: '/account/security/recovery_codes',
  account_email: '/account/security/email',
  account_confirm_email: '/account/security/email/confirm',
  account_end_app: '/account/apps/revoke',
  account_narrow_app: '/account/apps/narrow',
  account_delete_token: '/account/tokens/delete',
  account_disconnect: '/account/connections/disconnect',
  account_end_session: '/account/sessions/end',
  account_end_other_sessions: '/account/sessions/end_others',
  admin: '/admin',
  admin_clients: '/admin/clients',
  admin_new_client: '/admin/clients/new',
  admin_registration_tokens: '/admin/clients/registration_tokens',
  admin_end_registration_token: '/admin/clients/registration_tokens/end',
  admin_client: '/admin/client',
  admin_rotate_secret: '/admin/client/rotate_secret',
  admin_disable_client: '/admin/client/disable',
  admin_enable_client: '/admin/client/enable',
  admin_delete_client: '/admin/client/delete',
  admin_switch_client: '/admin/client/switch',
  admin_client_rights: '/admin/client/rights',
  admin_users: '/admin/users',
  admin_connectors: '/admin/connectors',
  admin_connector: '/admin/connector',
  admin_connections: '/admin/connections',
  admin_events: '/admin/events',
} as const

/** Where a connection through a connector starts, or is repaired. */
export function connectPath(connector: string): string {
  return `/connect/${encodeURIComponent(connector.toWellFormed())}`
}
