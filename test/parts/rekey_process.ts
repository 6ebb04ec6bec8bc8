import { rekeyStep } from '../../server/src/outbound/rekey.ts'
import type { StoreLocation } from '../../server/src/store/store.ts'
import { openOutbound } from './many_connections.ts'

// Rekeys in a process that can be killed: says what each step has done, the last one with `after: null`.
const [location, root_text, issuer] = process.argv.slice(2)
const context = await openOutbound(JSON.parse(location!) as StoreLocation, root_text!, issuer)
process.send!({ began: true })
for (let after: string | null = ''; after !== null; ) {
  const step = await rekeyStep(context, { data_keys: true, after, actor: 'test' })
  after = step.after
  process.send!(step)
}
await context.close()
process.disconnect()
