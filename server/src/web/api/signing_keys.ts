import * as z from 'zod'
import { listSigningKeys, revokeSigningKey, rotateSigningKeysNow } from '../../inbound/keys/signing_keys.ts'
import type { ListedSigningKey } from '../../store/verbs/signing_keys.ts'
import { PAGING, pageOf, replyWhole } from './page_of.ts'
import { conflict } from './problem.ts'
import { type ApiRequest, route, type Subject } from './route.ts'

const KeySchema = z
  .strictObject({ kid: z.string(), alg: z.string(), state: z.string(), created_at: z.int(), state_at: z.int() })
  .meta({ id: 'SigningKey', description: 'next, current, retired or revoked, since state_at' })
const Keys = z.strictObject({ items: z.array(KeySchema) })

const key: Subject<ListedSigningKey> = {
  name: 'signing key',
  find: async ({ web, params }) => (await listSigningKeys(web.tenant)).find(({ kid }) => kid === params['kid']) ?? null,
  version: ({ kid, state }) => JSON.stringify([kid, state]),
}

/** The routes of signing keys. */
export const SIGNING_KEY_ROUTES = [
  route({
    ...{ method: 'GET', path: '/signing_keys', scope: 'admin:read', name: 'listSigningKeys' },
    summary: 'The signing keys, oldest first',
    query: PAGING,
    answer: pageOf(KeySchema),
    run: async ({ web, query }) =>
      replyWhole(query, await listSigningKeys(web.tenant), describe, ({ created_at, kid }) =>
        [String(created_at).padStart(15, '0'), kid].join('.'),
      ),
  }),
  route({
    ...{ method: 'POST', path: '/signing_keys/rotate', scope: 'admin:write', name: 'rotateSigningKeys' },
    summary: 'Rotates now what would be rotated later, of one algorithm or of all; `sealing` is the key at rest',
    body: z.strictObject({ alg: z.string().optional() }),
    answer: Keys,
    async run({ web, body, actor }) {
      await rotateSigningKeysNow(web.tenant, body.alg, actor)
      return list({ web })
    },
  }),
  route({
    ...{ method: 'POST', path: '/signing_keys/{kid}/revoke', scope: 'admin:write', name: 'revokeSigningKey' },
    summary: 'Revokes a key at once: whatever it signed is dead',
    answer: Keys,
    subject: key,
    async run({ web, found, actor }) {
      if (found.state === 'revoked') throw conflict('The key is revoked already')
      await revokeSigningKey(web.tenant, found.kid, actor)
      return list({ web })
    },
  }),
]

async function list({ web }: Pick<ApiRequest, 'web'>) {
  return { value: { items: (await listSigningKeys(web.tenant)).map(describe) } }
}

function describe({ kid, alg, state, created_at, state_at }: ListedSigningKey): z.input<typeof KeySchema> {
  return { kid, alg, state, created_at, state_at }
}
