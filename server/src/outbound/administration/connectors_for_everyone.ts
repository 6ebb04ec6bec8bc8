import { OAuthError } from '../../oauth/errors.ts'
import type { OutboundContext } from '../context.ts'
import type { ConnectorInput } from './connector_input.ts'
import { deleteConnector, listConnectors, saveConnector } from './connectors.ts'

/**
 * Gives a tenant the connectors that its server has for everyone, and deletes those that the server has no more. Each
 * tenant has them as its own: sealed under its keys, with its callback URL and its connections. Says what could not be done.
 */
export async function giveConnectors(context: OutboundContext, inputs: readonly ConnectorInput[]): Promise<string[]> {
  const reasons: string[] = []
  for (const input of inputs) {
    try {
      await saveConnector(context, 'system', input, { for_everyone: true })
    } catch (error) {
      // What is wrong with one for one tenant keeps no other from it.
      if (!(error instanceof OAuthError)) throw error
      reasons.push(`connector ${input.connector} is not given as described: ${error.error_description}`)
    }
  }
  const named = new Set(inputs.map(({ connector }) => connector))
  for (const { connector, settings } of await listConnectors(context)) {
    if (!settings.for_everyone || named.has(connector)) continue
    if ((await deleteConnector(context, 'system', connector, { for_everyone: true })) === 'has_connections') {
      reasons.push(`connector ${connector} is described no more, and goes when its connections have ended`)
    }
  }
  return reasons
}
