import { OAuthError } from '../../oauth/errors.ts'
import type { RelyingParty } from '../../relying/context.ts'
import { type DeviceAuthorization, requestDeviceAuthorization } from '../../relying/device_authorization.ts'
import type { Connector } from '../connectors/connector.ts'
import { noteConnectorRefused } from '../connectors/connector_error.ts'
import type { OutboundContext } from '../context.ts'

/** Gets a code for a flow that is about to start. */
export async function startDevice(
  context: OutboundContext,
  { record }: Connector,
  party: RelyingParty,
): Promise<DeviceAuthorization> {
  const outcome = await requestDeviceAuthorization(context.relying, party)
  if (outcome.kind === 'authorization') return outcome.authorization
  if (outcome.kind === 'client_refused') await noteConnectorRefused(context, record, outcome)
  const cause = outcome.kind === 'unknown' ? outcome.cause : undefined
  if (outcome.kind === 'client_refused' || outcome.kind === 'refused') {
    throw new OAuthError('server_error', `The provider gives no code (${outcome.error})`, { cause })
  }
  throw new OAuthError('temporarily_unavailable', 'The provider cannot be reached', { cause })
}
