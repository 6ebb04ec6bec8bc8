import { type ConnectorSettings, openClientSecret, sealClientSecret } from '../connectors/connector.ts'
import { AHEAD_MS, settleKeys } from '../connectors/connector_key_rotation.ts'
import { makeConnectorKey, readConnectorKey } from '../connectors/connector_keys.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'

const MOST_TRIES = 5

/**
 * Gives a connector whose key was made here another one: published from now on beside the present one, it signs after a
 * day, and the present one stays published for another.
 */
export async function rotateConnectorKey(
  context: OutboundContext,
  actor: string,
  connector: string,
): Promise<'rotating' | 'under_way' | 'not_ours' | 'unknown'> {
  const { tenant_id, store } = context.tenant
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const found = await store.findConnector({ tenant_id, connector })
    if (!found) return 'unknown'
    const whole = JSON.parse(found.settings) as ConnectorSettings
    const { key, next_key, former_keys: _, ...settings } = whole
    const stored = openClientSecret(context, found)
    if (settings.for_everyone || !key?.made || settings.team_id !== undefined || stored === null) return 'not_ours'
    const now = context.clock()
    if (next_key && next_key.signs_at > now) return 'under_way'
    const settled = settleKeys(whole, stored, now)
    const { key: present, ...former } = settled.keys
    const { pem, ...made } = readConnectorKey(await makeConnectorKey())
    const next: NonNullable<ConnectorSettings['next_key']> = { ...made, made: true, signs_at: now + AHEAD_MS }
    const version = Math.max(now, found.version + 1)
    const saved = await store.updateConnector({
      ...{ tenant_id, from_version: found.version, unconnected: false },
      connector: {
        ...{ connector, provider: found.provider, client_id: found.client_id, scope: found.scope, version },
        settings: JSON.stringify({ ...settings, key: present, next_key: next, ...former }),
        sealed_client_secret: sealClientSecret(context, connector, version, settled.pem + pem),
      },
      event: outboundEvent(context, 'connector.key_rotated', actor, {
        detail: { connector, kid: next.kid, signs_at: next.signs_at },
      }),
    })
    if (saved === 'updated') return 'rotating'
  }
  return 'under_way'
}
