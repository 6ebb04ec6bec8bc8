import type { TestContext } from 'node:test'
import { createEgress } from '../../server/src/egress/egress.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import type { ProviderFields } from '../../server/src/providers/provider.ts'
import { resolveProvider } from '../../server/src/providers/resolve.ts'
import { createRelyingContext, type RelyingParty } from '../../server/src/relying/context.ts'
import { startHostileProvider } from './hostile_provider.ts'

/** The redirect URI of the party. */
export const redirect_uri = 'http://127.0.0.1:9/callback'

/** A hostile provider with us as its client, by plain http on loopback, on a clock that the test moves. */
export async function startRelyingParty(t: TestContext, fields: Partial<ProviderFields> = {}, name = 'oidc') {
  const hostile = await startHostileProvider()
  const egress = createEgress({ allow: [hostile.issuer.slice('http://'.length)] })
  t.after(async () => {
    await egress.close()
    await hostile.close()
  })
  let now = Date.now()
  const context = createRelyingContext({ egress, clock: () => now })
  const provider = resolveProvider(createCatalogue().get(name)!, {
    client_id: 'client',
    fields: { issuer: hostile.issuer, ...fields },
  })
  const party: RelyingParty = { provider, client_id: 'client', client_secret: 's3cret', redirect_uri, scope: 'openid' }
  const advance = (ms: number) => {
    now += ms
  }
  return { hostile, context, party, advance }
}
