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

/** The flows of the playground, the most usual first; those that go out to providers come last. */
export const FLOWS: readonly Flow[] = [
  ...[authorization_code, public_client, openid_connect, step_up, refresh_token, client_credentials, device_code],
  ...[pushed_request, private_key_jwt, dpop, mutual_tls, discovery, registration, document_client],
  ...[token_exchange, jwt_bearer],
  ...[connection, provider_token, authorization_details, connect_session],
]

/** The flow of a name. */
export function findFlow(name: string | undefined): Flow | undefined {
  return FLOWS.find(({ flow }) => flow === name)
}
