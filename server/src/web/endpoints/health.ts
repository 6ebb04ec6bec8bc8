import type { MachineEndpoint } from '../machine.ts'
import { jsonAnswer } from '../machine.ts'
import type { Web } from '../web.ts'

/** GET /healthz: the process answers. */
export const healthz: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: false,
  answer: () => jsonAnswer({ status: 'ok' }),
}

/**
 * GET /readyz: the database answers too, and the vault is open. While it is closed the inbound half serves on: a
 * balancer that shall keep sending asks /readyz?half=inbound.
 */
export const readyz: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: false,
  async answer({ tenant, outbound }, { query }) {
    await tenant.store.ping({})
    const closed = query === 'half=inbound' ? null : await outbound.vault_keys.whyClosed()
    if (closed === null) return jsonAnswer({ status: 'ready' })
    return jsonAnswer({ status: 'not ready', reason: `The vault is closed: ${closed}` }, 503)
  },
}
