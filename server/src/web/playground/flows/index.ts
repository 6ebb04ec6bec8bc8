import type { Flow } from '../flow.ts'
import { authorization_code } from './authorization_code.ts'
import { authorization_details } from './authorization_details.ts'
import { client_credentials } from './client_credentials.ts'
import { connect_session } from './connect_session.ts'
import { connection } from './connection.ts'
import { device_code } from './device_code.ts'
import { discovery } from './discovery.ts'
import { document_client } from './document_client.ts'
import { dpop } from './dpop.ts'
import { jwt_bearer } from './jwt_bearer.ts'
import { mutual_tls } from './mutual_tls.ts'
import { openid_connect } from './openid_connect.ts'
import { private_key_jwt } from './private_key_jwt.ts'
import { provider_token } from './provider_token.ts'
import { public_client } from './public_client.ts'
import { pushed_request } from './pushed_request.ts'
import { refresh_token } from './refresh_token.ts'
import { registration } from './registration.ts'
import { step_up } from './step_up.ts'
import { token_exchange } from './token_exchange.ts'

/** The flows of the playground by what they are for, the most usual first; those that go out to providers come last. */
export const FLOW_GROUPS = {
  people: [authorization_code, public_client, openid_connect, step_up, refresh_token, device_code, pushed_request],
  programs: [client_credentials, private_key_jwt, token_exchange, jwt_bearer],
  bound: [dpop, mutual_tls],
  unknown: [discovery, registration, document_client],
  outbound: [connection, provider_token, authorization_details, connect_session],
} as const satisfies Readonly<Record<string, readonly Flow[]>>

/** All of them. */
export const FLOWS: readonly Flow[] = Object.values(FLOW_GROUPS).flat()

/** The flow of a name. */
export function findFlow(name: string | undefined): Flow | undefined {
  return FLOWS.find(({ flow }) => flow === name)
}
