import type { Flow } from '../flow.ts'
import { authorization_code } from './authorization_code.ts'
import { client_credentials } from './client_credentials.ts'
import { connection } from './connection.ts'
import { device_code } from './device_code.ts'
import { pushed_request } from './pushed_request.ts'

/** The flows of the playground, the most usual first. */
export const FLOWS: readonly Flow[] = [authorization_code, connection, client_credentials, device_code, pushed_request]

/** The flow of a name. */
export function findFlow(name: string | undefined): Flow | undefined {
  return FLOWS.find(({ flow }) => flow === name)
}
