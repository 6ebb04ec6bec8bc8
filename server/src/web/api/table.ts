import { CLIENT_ROUTES } from './clients.ts'
import { CONNECT_SESSION_ROUTES } from './connect_sessions.ts'
import { CONNECTION_ROUTES } from './connections.ts'
import { CONNECTOR_ROUTES } from './connectors.ts'
import { EVENT_ROUTES } from './events.ts'
import { GRANT_ROUTES } from './grants.ts'
import { documentRoute } from './openapi.ts'
import { PERSONAL_ACCESS_TOKEN_ROUTES } from './personal_access_tokens.ts'
import { REGISTRATION_TOKEN_ROUTES } from './registration_tokens.ts'
import { RESOURCE_ROUTES } from './resources.ts'
import { RIGHTS_ROUTES } from './rights.ts'
import { ROLE_ROUTES } from './roles.ts'
import type { ApiRoute } from './route.ts'
import { SETTINGS_ROUTES } from './settings.ts'
import { SIGNING_KEY_ROUTES } from './signing_keys.ts'
import { TRUSTED_ISSUER_ROUTES } from './trusted_issuers.ts'
import { USER_ROUTES } from './users.ts'
import { WEBHOOK_ROUTES } from './webhooks.ts'

/**
 * Every route of the administration API, by its subject. To add one:
 *
 * 1. Write it with `route({ method, path, scope, name, summary, query, body, answer, subject, run })` in the file of its
 *    subject beside this one, and list it in that file's `..._ROUTES`; a new file is named in the list below. `run` calls
 *    one use case and answers `{ value }` or `shown(subject, found, value)`, nothing (204), or throws an OAuthError; a
 *    Response only where the answer is no JSON. Schemas are strict objects; those with `.meta({ id })` are named in the
 *    document.
 * 2. A list takes `...PAGING`, answers `pageOf(Item)`, and is answered by `replyPage`.
 * 3. What PUT and PATCH change has a `subject`, whose `version` is the ETag of each answer that shows it (`versioned`):
 *    without If-Match they are refused, and `run` hands what it has seen (`found`) to the verb that writes, so that of two
 *    who change at once one is told (`stale()`).
 * 4. A POST takes an Idempotency-Key by itself, unless it is `repeatable`.
 * 5. Write the document anew (`npm run openapi`), and give the route its row in `test/flows/administration_api.test.ts`:
 *    scopes, bad bodies, unknown ids and stale ETags follow from the table.
 *
 * Nothing here is loaded before the first request under `/api`, nor by a command that calls no route: import these files from
 * here alone, and this one where it is asked for.
 */
export const API_ROUTES: readonly ApiRoute[] = [
  documentRoute(() => API_ROUTES),
  ...CLIENT_ROUTES,
  ...REGISTRATION_TOKEN_ROUTES,
  ...RESOURCE_ROUTES,
  ...ROLE_ROUTES,
  ...RIGHTS_ROUTES,
  ...USER_ROUTES,
  ...PERSONAL_ACCESS_TOKEN_ROUTES,
  ...GRANT_ROUTES,
  ...TRUSTED_ISSUER_ROUTES,
  ...CONNECTOR_ROUTES,
  ...CONNECT_SESSION_ROUTES,
  ...CONNECTION_ROUTES,
  ...SETTINGS_ROUTES,
  ...SIGNING_KEY_ROUTES,
  ...EVENT_ROUTES,
  ...WEBHOOK_ROUTES,
]
