import { paths } from '../../ui/paths.ts'

type Values = Readonly<Record<string, string>>

/** What a form of the console does to whoever is in it with somebody else's session, and so what it asks for first. */
export interface ConsoleForm {
  /** Whoever posts it has signed in just now (ASVS 7.5.1, 7.5.3). */
  readonly sensitive: boolean
  readonly why: string
  /** Where whoever had to sign in anew goes on: a page with the form on it, or with its button. */
  back(values: Values): string
}

const sure = (why: string, path: string, ...names: readonly string[]): ConsoleForm => ({
  ...{ sensitive: true, why },
  back: (values) => pathWith(path, names, values),
})

const open = (why: string): ConsoleForm => ({ sensitive: false, why, back: () => paths.admin })

const TAKES = 'takes away what can be given again, and must not wait when something is wrong'
const GIVES = 'gives back what somebody has taken away'
const DIRECTS = 'says where secrets, and the tokens of people, are sent'

/**
 * Every form of the console, by the path that it posts to: what gives rights, shows a secret, decides who signs in, sends
 * what happens here elsewhere, or cannot be undone, asks for a sign-in of just now.
 */
export const CONSOLE_FORMS: Readonly<Record<string, ConsoleForm>> = {
  [paths.admin_new_client]: sure('gives rights to a program and shows its secret', paths.admin_new_client),
  [paths.admin_edit_client]: sure('decides where codes go, and what is allowed', paths.admin_edit_client, 'client_id'),
  [paths.admin_rotate_secret]: sure('shows a secret', paths.admin_client, 'client_id'),
  [paths.admin_end_secret]: open(TAKES),
  [paths.admin_disable_client]: open(TAKES),
  [paths.admin_enable_client]: sure(GIVES, paths.admin_client, 'client_id'),
  [paths.admin_delete_client]: sure('cannot be undone', paths.admin_client, 'client_id'),
  [paths.admin_switch_client]: sure('gives a client Trust, or a grant of old', paths.admin_client, 'client_id'),
  [paths.admin_client_logo]: open('fetches what would be fetched anyhow'),
  [paths.admin_registration_tokens]: sure('shows a token that registers clients', paths.admin_registration_tokens),
  [paths.admin_end_registration_token]: open(TAKES),
  [paths.admin_new_resource]: sure('says which scopes there are, and who has them', paths.admin_new_resource),
  [paths.admin_edit_resource]: sure('says which scopes there are, and who has them', paths.admin_edit_resource, 'uri'),
  [paths.admin_new_trusted_issuer]: sure('decides whose word signs people in', paths.admin_new_trusted_issuer),
  [paths.admin_edit_trusted_issuer]: sure('decides whose word counts', paths.admin_edit_trusted_issuer, 'issuer'),
  [paths.admin_new_user]: sure('gives somebody an account, and roles', paths.admin_new_user),
  [paths.admin_invite_user]: sure('sends a link that sets a password', paths.admin_user, 'user_id'),
  [paths.admin_disable_user]: sure('locks a person out, other administrators too', paths.admin_user, 'user_id'),
  [paths.admin_enable_user]: sure(GIVES, paths.admin_user, 'user_id'),
  [paths.admin_delete_user]: sure('cannot be undone', paths.admin_user, 'user_id'),
  [paths.admin_end_sessions]: open(TAKES),
  [paths.admin_delete_token]: open(TAKES),
  [paths.admin_new_connector]: sure(DIRECTS, paths.admin_new_connector, 'provider', 'connector', 'grant_type'),
  [paths.admin_edit_connector]: sure(DIRECTS, paths.admin_edit_connector, 'connector'),
  [paths.admin_test_connector]: open('asks a provider what it would be asked anyhow, and changes nothing'),
  [paths.admin_disable_connector]: open(TAKES),
  [paths.admin_enable_connector]: sure(GIVES, paths.admin_connector, 'connector'),
  [paths.admin_delete_connector]: sure('ends every connection of it, for good', paths.admin_connector, 'connector'),
  [paths.admin_rotate_connector_key]: sure('changes what a provider knows us by', paths.admin_connector, 'connector'),
  [paths.admin_new_role]: sure('says what people may give away', paths.admin_new_role),
  [paths.admin_edit_role]: sure('says what people may give away', paths.admin_edit_role, 'role'),
  [paths.admin_new_webhook]: sure('sends what happens here elsewhere, and shows a secret', paths.admin_new_webhook),
  [paths.admin_edit_webhook]: sure('sends what happens here elsewhere', paths.admin_edit_webhook, 'webhook'),
  [paths.admin_rotate_webhook]: sure('shows a secret', paths.admin_webhook, 'webhook'),
  [paths.admin_replay_delivery]: open('sends again what was sent, to where it was sent'),
  [paths.admin_replay_webhook]: open('sends again what was sent, to where it was sent'),
  [paths.admin_disable_webhook]: open(TAKES),
  [paths.admin_enable_webhook]: sure(GIVES, paths.admin_webhook, 'webhook'),
  [paths.admin_delete_webhook]: sure('cannot be undone', paths.admin_webhook, 'webhook'),
  [paths.admin_rotate_keys]: sure('decides what tokens are signed with', paths.admin_keys),
  [paths.admin_revoke_key]: sure('ends every token that a key has signed', paths.admin_keys),
  [paths.admin_edit_settings]: sure('decides how people sign in', paths.admin_edit_settings),
  [paths.admin_brand]: sure('decides what people take this server for', paths.admin_brand),
  [paths.admin_end_grant]: open(TAKES),
  [paths.admin_end_connect_session]: open(TAKES),
  [paths.admin_refresh_connection]: open('asks for what would be asked for anyhow'),
  [paths.admin_reveal_token]: sure('shows a token', paths.admin_reveal_token, 'connection_id'),
  [paths.admin_disconnect]: open(TAKES),
  [paths.playground_client]: sure('makes a client and shows its secret', paths.playground_flow, 'flow'),
}

/** A form that nobody has described is one that asks. */
const UNKNOWN = sure('is not described', paths.admin)

/** What a form asks for, by its path under the issuer. */
export function formAt(path: string): ConsoleForm {
  return Object.hasOwn(CONSOLE_FORMS, path) ? CONSOLE_FORMS[path]! : UNKNOWN
}

/** Whether a page is the way to a form that asks: one should not type first and be asked then. */
export function leadsToSensitive(path: string): boolean {
  return Object.hasOwn(CONSOLE_FORMS, path) && formAt(path).sensitive
}

function pathWith(path: string, names: readonly string[], values: Values): string {
  const query = names.flatMap((name): [string, string][] => {
    const value = values[name]
    return value === undefined ? [] : [[name, value]]
  })
  return query.length === 0 ? path : `${path}?${new URLSearchParams(query)}`
}
