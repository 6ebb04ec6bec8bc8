import type { Web } from './web.ts'

/** Says in the log that a grant was used that RFC 9700 warns of; the audit log has the grant itself. */
export function noteLegacyGrant(web: Web, request_id: string, client_id: string | undefined): void {
  web.log.warn({ request_id, ...(client_id !== undefined && { client_id }) }, 'a legacy grant was used')
}
