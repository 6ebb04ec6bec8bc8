import type { AuthorizationOutcome } from '../../inbound/authorization/authorize.ts'
import { endSession } from '../../inbound/sessions/sessions.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { type Params, readParams } from '../../oauth/params.ts'
import type { Configuration } from '../../store/tenant.ts'
import { answerTokens } from '../endpoints/token.ts'
import { type MachineEndpoint, readForm } from '../machine.ts'
import type { Visit } from '../page.ts'
import type { Web } from '../web.ts'
import { HUB_SERVICE, hubResource, serviceResource } from './hub_rest.ts'

const MOST_UNTRUSTED = 20

/** POST <base>/api/rest/oauth2/token: Hub's scopes are ids of services, which are resources here. */
export const token: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: true,
  async answer(web, request) {
    const params = readForm(request)
    const { grant_type, scope } = params.values
    if (grant_type === 'password' && scope === undefined) {
      throw new OAuthError('invalid_request', 'Parameter scope is missing')
    }
    const configuration = await web.tenant.currentConfiguration()
    return answerTokens(web, request, translateScope(web.tenant.issuer, configuration, params))
  },
}

/** The resources of the services that a scope names, where the request names none itself. */
function translateScope(issuer: string, configuration: Configuration, params: Params): Params {
  const { values } = params
  const offline = values['grant_type'] === 'password' && values['access_type'] === 'offline'
  const scope = [...splitScope(values['scope']), ...(offline ? ['offline_access'] : [])].join(' ')
  // A refresh narrows the scopes of a grant, whose resources stay what they are.
  const given = params.resource.length > 0 || values['grant_type'] === 'refresh_token'
  const resource = given ? params.resource : resourcesOf(issuer, configuration, values['scope'])
  return { ...params, resource, values: { ...values, ...(scope !== '' && { scope }) } }
}

function resourcesOf(issuer: string, configuration: Configuration, scope: string | undefined): string[] {
  return splitScope(scope).flatMap((id) => {
    const resource = id === HUB_SERVICE ? hubResource(issuer) : serviceResource(issuer, id)
    return configuration.resources.has(resource) ? [resource] : []
  })
}

function splitScope(scope: string | undefined): string[] {
  return (scope ?? '').split(' ').filter((name) => name !== '')
}

const PROMPTS: Readonly<Record<string, string>> = { silent: 'none', required: 'login' }

/** Reads a Hub authorization request as one of ours: `access_type=offline` asks for a refresh token that stays. */
export function translateAuthorization(query: string, { web, configuration }: Visit): string {
  const { values, resource } = readParams(query)
  const params = new URLSearchParams(query)
  const scope = splitScope(values['scope'])
  if (values['access_type'] === 'offline' && scope.length > 0)
    params.set('scope', [...scope, 'offline_access'].join(' '))
  if (resource.length === 0) {
    for (const name of resourcesOf(web.tenant.issuer, configuration, values['scope'])) params.append('resource', name)
  }
  const prompt = PROMPTS[values['request_credentials'] ?? '']
  if (prompt !== undefined && values['prompt'] === undefined) params.set('prompt', prompt)
  return params.toString()
}

/**
 * What Hub does beside the answer: `required` signs out before it asks, and an address that a signed-in user's request
 * was refused for is kept, so that an administrator can add it.
 */
export async function actOnOutcome(query: string, visit: Visit, outcome: AuthorizationOutcome): Promise<void> {
  const { web, configuration, signed_in } = visit
  if (!signed_in) return
  const { client_id, redirect_uri, request_credentials } = readParams(query).values
  // Any site could send a browser here with a request that is right, so only Hub's own tenants sign anybody out.
  if (outcome.kind === 'login' && request_credentials === 'required' && configuration.settings.compat === 'hub') {
    await endSession(web.tenant, signed_in)
  }
  if (outcome.kind !== 'refused' || !outcome.error.error_description.includes('redirect_uri')) return
  if (client_id === undefined || redirect_uri === undefined || !isAddress(redirect_uri)) return
  const { tenant_id, store } = web.tenant
  await store.noteUntrustedRedirectUri({ tenant_id, client_id, redirect_uri, most: MOST_UNTRUSTED })
}

function isAddress(uri: string): boolean {
  return uri.length <= 500 && !/\p{Cc}/u.test(uri) && URL.canParse(uri)
}
