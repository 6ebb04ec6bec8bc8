import type { ConnectionChoice } from '../../inbound/authorization/connections.ts'
import { mayTakeBack } from '../../inbound/authorization/narrow_consent.ts'
import { readMetadata } from '../../inbound/clients/client_record.ts'
import { initiateLoginUrl } from '../../oauth/initiate_login.ts'
import { IDENTITY_SCOPES } from '../../oauth/scope.ts'
import type { ShownConnection } from '../../outbound/connections/connections.ts'
import type { Visit } from '../page.ts'
import type { AccountApp } from './templates/account.ts'

type Grant = Awaited<ReturnType<Visit['web']['tenant']['store']['listGrantsOfUser']>>[number]

/** What a user has allowed which app, and through which connections: two devices are two grants, but to a person one app. */
export function joinApps(
  { configuration, web, view }: Visit,
  grants: readonly Grant[],
  connections: readonly ShownConnection[],
  sentences: ReadonlyMap<string, string>,
  logos: ReadonlyMap<string, string> = new Map(),
): AccountApp[] {
  const { issuer } = web.tenant
  const clients = Map.groupBy(grants, ({ client_id }) => client_id)
  return [...clients.values()].map((group) => {
    const scopes = new Set(group.flatMap(({ scope }) => scope.split(' ')))
    const chosen = joinChoices(group, view.now)
    const used = group.map(({ last_used_at }) => last_used_at ?? 0)
    return {
      client_id: group[0]!.client_id,
      client_name: group[0]!.client_name,
      logo_uri: logos.get(group[0]!.client_id),
      scopes: [...scopes].map((scope) => ({
        ...{ scope, description: sentences.get(scope) ?? scope },
        may_take_back: mayTakeBack(scope),
      })),
      expires_at: Math.max(...group.map(({ expires_at }) => expires_at)),
      open_href: initiateLoginUrl(readMetadata(group[0]!.metadata), issuer),
      created_at: Math.min(...group.map(({ created_at }) => created_at)),
      last_used_at: Math.max(...used) || undefined,
      connections: chosen.flatMap(({ connection_id, resource, actions, expires_at, last_used_at }) => {
        const connection = connections.find((one) => one.connection_id === connection_id)
        if (!connection) return []
        const { provider_name, account_label, state, scope } = connection
        return {
          ...{ connection_id, provider_name, account_label, state, last_used_at },
          scopes: scope
            .split(' ')
            .filter((one) => one !== '' && !IDENTITY_SCOPES.has(one))
            .map((one) => ({ scope: one, description: one })),
          through: resource && (configuration.resources.get(resource)?.name ?? resource),
          only_reads: actions?.includes('write') === false,
          ends_at: expires_at,
        }
      }),
    }
  })
}

// What several grants may use in the same way is one line, as it was used last.
function joinChoices(grants: readonly Grant[], now: number): ConnectionChoice[] {
  const all = grants
    .flatMap(({ connections }) => JSON.parse(connections ?? '[]') as ConnectionChoice[])
    .filter(({ expires_at }) => expires_at === undefined || expires_at > now)
  const alike = Map.groupBy(all, ({ connection_id, resource, actions, expires_at }) =>
    JSON.stringify([connection_id, resource, actions, expires_at]),
  )
  return [...alike.values()].map((group) => {
    const last_used_at = Math.max(...group.map((choice) => choice.last_used_at ?? 0))
    return { ...group[0]!, ...(last_used_at > 0 && { last_used_at }) }
  })
}
