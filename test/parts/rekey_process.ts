import { once } from 'node:events'
import { rekeyStep } from '../../server/src/outbound/administration/rekey.ts'
import type { StoreLocation } from '../../server/src/store/store.ts'
import { openOutbound } from './many_connections.ts'

// Rekeys in a process that can be killed: says what each step has done and waits for a word before the next, so that
// whoever kills it knows how far it may be.
const [location, root_text, issuer] = process.argv.slice(2)
const context = await openOutbound(JSON.parse(location!) as StoreLocation, root_text!, issuer)
const say = async (what: object) => {
  const word = once(process, 'message')
  process.send!(what)
  await word
}
await say({ began: true })
for (let after: string | null = ''; after !== null; ) {
  const step = await rekeyStep(context, { data_keys: true, after, actor: 'test' })
  after = step.after
  await say(step)
}
await context.close()
process.disconnect()
