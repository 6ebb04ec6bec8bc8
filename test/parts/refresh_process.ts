// A replica of its own: opens the database of a test and asks for fresh tokens of the connections it is told of.
import { createEgress } from '../../server/src/egress/egress.ts'
import { freshToken } from '../../server/src/outbound/connections/fresh_token.ts'
import { createOutboundContext } from '../../server/src/outbound/context.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import { openStore } from '../../server/src/store/store.ts'
import { openTestTenant } from './vault.ts'

/** What the process is asked: so many callers at once for one connection. */
export interface RefreshOrder {
  readonly connection_id: string
  readonly user_id: string
  readonly callers: number
}

const offset = Number(process.argv[3])
const now = () => Date.now() + offset
const store = await openStore({ postgres: process.argv[2]!, clock: now }, { migrate: false })
const tenant = await openTestTenant(store, 'http://localhost:9400', now)
const egress = createEgress({ allow: ['127.0.0.1'] })
const owner = `process ${process.pid}`
const context = createOutboundContext({ tenant, egress, clock: now, catalogue: createCatalogue(), owner })

process.on('message', async ({ connection_id, user_id, callers }: RefreshOrder) => {
  const asked = Array.from({ length: callers }, () => freshToken(context, { connection_id, user_id }))
  const given = new Set<string>()
  for (const token of await Promise.all(asked)) {
    given.add(token.kind === 'token' ? `${token.generation} ${token.access_token}` : JSON.stringify(token))
  }
  process.send!({ connection_id, given: [...given] })
})
process.on('disconnect', async () => {
  await egress.close()
  await store.close()
})
process.send!('ready')
