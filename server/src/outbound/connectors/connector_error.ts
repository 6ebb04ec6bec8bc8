import type { ClientRefused } from '../../relying/outcome.ts'
import type { ConnectorRecord } from '../../store/verbs/connectors.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'

/** Notes that a provider refuses our registration there: for the administrator, never the fault of a user. */
export async function noteConnectorRefused(
  context: OutboundContext,
  { connector, version }: ConnectorRecord,
  { error, provider_error, error_description }: ClientRefused,
): Promise<void> {
  const { tenant_id, store } = context.tenant
  const detail = { connector, error, provider_error, error_description }
  const event = outboundEvent(context, 'connector.failed', 'system', { detail })
  await store.noteConnectorError({ tenant_id, connector, version, error, error_description, event })
}

/** Notes that a provider did its work for us, which ends what it held against us. */
export async function noteConnectorWorks(
  context: OutboundContext,
  { connector, version, error }: ConnectorRecord,
): Promise<void> {
  context.circuits.succeed(connector)
  if (error === null) return
  const { tenant_id, store } = context.tenant
  const event = outboundEvent(context, 'connector.recovered', 'system', { detail: { connector } })
  await store.noteConnectorError({ tenant_id, connector, version, error: null, error_description: null, event })
}
