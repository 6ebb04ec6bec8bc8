import { IDENTITY_SCOPES } from '../oauth/scope.ts'
import { readSettings } from '../store/settings.ts'
import type { Platform } from './platform.ts'
import type { Present } from './present.ts'

/** What is allowed and yet looks wrong about clients that nobody of the tenant registers. */
export function checkUnknownClients(platform: Platform, present: Present): string[] {
  const settings = readSettings({ ...present.settings, ...platform.settings })
  const { registration, metadata_documents, metadata_document_hosts, dynamic_client_scopes } = settings
  if (registration === 'off' && metadata_documents === 'off') return []
  const described = new Map(platform.resources.map((entry) => [entry.resource, entry]))
  const resources = [...new Map([...present.resources, ...described]).values()]
  const known = new Set(resources.flatMap(({ scopes }) => [...scopes.keys()]))
  const missing = dynamic_client_scopes.filter((scope) => !IDENTITY_SCOPES.has(scope) && !known.has(scope))
  const useless =
    dynamic_client_scopes.length === 0 && resources.every(({ default_scopes }) => default_scopes.length === 0)
  return [
    ...missing.map((scope) => `settings.dynamic_client_scopes: no resource has the scope ${scope}`),
    ...(useless
      ? [
          'settings: clients that register themselves may have nothing; name dynamic_client_scopes, or default_scopes of a resource',
        ]
      : []),
    ...(metadata_documents === 'listed' && metadata_document_hosts.length === 0
      ? ['settings.metadata_document_hosts is empty, so no metadata document is taken']
      : []),
  ]
}
