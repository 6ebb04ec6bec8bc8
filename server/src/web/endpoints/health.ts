import type { MachineEndpoint } from '../machine.ts'
import { jsonAnswer } from '../machine.ts'
import type { Web } from '../web.ts'

/** GET /healthz: the process answers. */
export const healthz: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: false,
  answer: () => jsonAnswer({ status: 'ok' }),
}

/** GET /readyz: the database answers too. */
export const readyz: MachineEndpoint<Web> = {
  methods: ['GET'],
  cors: false,
  async answer(web) {
    await web.tenant.store.ping({})
    return jsonAnswer({ status: 'ready' })
  },
}
