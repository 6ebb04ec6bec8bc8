import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createEgress, type Egress, type EgressOptions } from '../../server/src/egress/egress.ts'
import { EgressError } from '../../server/src/egress/egress_error.ts'

/** An egress guard that lets loopback through and ends with the test. */
export function startEgress(t: TestContext, options: EgressOptions = {}): Egress {
  const egress = createEgress({ allow: ['127.0.0.1'], ...options })
  t.after(() => egress.close())
  return egress
}

/** The error that a guarded call must end in. */
export async function failureOf(promise: Promise<unknown>): Promise<EgressError> {
  const error = await promise.then(
    () => assert.fail('the call should have failed'),
    (error) => error,
  )
  assert.ok(error instanceof EgressError, String(error))
  return error
}
