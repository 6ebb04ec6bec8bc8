import { checkResource, checkRole, isBuiltIn } from '../inbound/administration/configure.ts'
import { checkSigningSecret } from '../inbound/clients/client_secrets.ts'
import { ADMINISTRATOR } from '../inbound/tenants.ts'
import { checkTrustedIssuer } from '../inbound/tokens/trusted_issuers.ts'
import { checkUser } from '../inbound/users/administer_users.ts'
import type { PasswordRules } from '../inbound/users/prepare_user.ts'
import { hasSecret } from '../oauth/clients/authentication_metadata.ts'
import { OAuthError } from '../oauth/errors.ts'
import { IDENTITY_SCOPES } from '../oauth/scope.ts'
import { readSettings } from '../store/settings.ts'
import { suggest } from './nearest.ts'
import type { Platform, PlatformClient, PlatformUser } from './platform.ts'
import { PlatformError } from './platform_error.ts'
import type { Present, PresentUser } from './present.ts'
import { checkUnknownClients } from './unknown_clients.ts'

// A secret of 112 bits or more (ASVS 6.5.2) has at least so many characters of base64.
const SHORT_SECRET = 19

/** Refuses, before anything is written, what could not be written; answers what is allowed and yet looks wrong. */
export async function checkPlatform(issuer: string, platform: Platform, present: Present): Promise<string[]> {
  const roles = [...present.roles.keys(), ...platform.roles.map(({ role }) => role), ADMINISTRATOR]
  const rules = { settings: readSettings({ ...present.settings, ...platform.settings }), name: present.name }
  const sentences = [
    ...(await refused(platform.resources, 'resources', 'resource', (entry) => checkResource(issuer, entry))),
    ...(await refused(platform.roles, 'roles', 'role', ({ role, scopes }) => checkRole(role, scopes))),
    ...(await refused(platform.clients, 'clients', 'client_id', (entry) => checkClient(entry, issuer, present))),
    ...(await refused(platform.users, 'users', 'username', (entry) =>
      checkPlatformUser(entry, present, { roles, rules }),
    )),
    ...(await refused(platform.connectors, 'connectors', 'connector', ({ connector }) => {
      const { outcome } = present.connectors.get(connector)!
      if (outcome instanceof OAuthError) throw outcome
    })),
    ...(await refused(platform.trusted_issuers, 'trusted_issuers', 'issuer', (entry) =>
      checkTrustedIssuer(issuer, entry.issuer),
    )),
    ...(await refused(platform.webhooks, 'webhooks', 'webhook', ({ webhook, secret }) => {
      const { shown, outcome } = present.webhooks.get(webhook)!
      if (outcome instanceof OAuthError) throw outcome
      // One that is made here could be told nobody.
      const missing = 'secret is missing: give { env } or { file } with whsec_ and 24 to 64 random bytes as base64'
      if (!shown && secret === undefined) throw new OAuthError('invalid_request', missing)
    })),
  ]
  if (sentences.length > 0) throw new PlatformError(sentences)
  return [
    ...unknownScopes(platform, present),
    ...unknownCallers(platform, present),
    ...missingAlgorithms(platform, present),
    ...checkUnknownClients(platform, present),
    ...shortSecrets(platform),
    ...rolesByName(platform, present),
    ...openToStrangers(issuer, platform, present),
    ...takenByName(platform, present),
  ]
}

async function refused<Entry, Id extends keyof Entry>(
  entries: readonly Entry[],
  list: string,
  id: Id,
  check: (entry: Entry) => void | Promise<void>,
): Promise<string[]> {
  const sentences: string[] = []
  for (const [i, entry] of entries.entries()) {
    try {
      await check(entry)
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      sentences.push(`${list}[${i}] (${String(entry[id])}): ${error.error_description}`)
    }
  }
  return sentences
}

function checkClient({ client_id, client_secret, metadata }: PlatformClient, issuer: string, present: Present): void {
  const refuse = (text: string) => new OAuthError('invalid_client_metadata', text)
  if (client_id === issuer) throw refuse('client_id is the issuer')
  if (present.taken.by_users.has(client_id)) throw refuse('client_id is the user_id of a user')
  const found = present.clients.get(client_id)
  const method = metadata.token_endpoint_auth_method
  if (hasSecret(method) && client_secret === undefined && !found?.has_secret) {
    throw refuse(
      'client_secret is missing: give { value }, { env } or { file }, or say token_endpoint_auth_method: none',
    )
  }
  if (!hasSecret(method) && client_secret !== undefined) {
    throw refuse(`client_secret does not go with token_endpoint_auth_method: ${method}`)
  }
  if (method !== 'client_secret_jwt') return
  if (client_secret !== undefined) checkSigningSecret(client_secret)
  else if (found?.metadata.token_endpoint_auth_method !== method) {
    throw refuse('client_secret is needed to change to client_secret_jwt')
  }
}

async function checkPlatformUser(
  user: PlatformUser,
  present: Present,
  { roles, rules }: { readonly roles: readonly string[]; readonly rules: PasswordRules },
): Promise<void> {
  const refuse = (text: string) => new OAuthError('invalid_request', text)
  await checkUser(user, rules)
  for (const role of user.roles ?? []) {
    if (!roles.includes(role)) throw refuse(`there is no role ${role}; ${suggest(role, roles)}`)
  }
  const { user_id } = user
  const raised = findRaised(user, present)
  if (raised?.connector !== undefined) {
    const { record, connector } = raised
    throw refuse(`signs in by connector ${connector}: only with user_id: '${record.user_id}' are roles given to them`)
  }
  if (raised && present.settings.sign_up === 'open') {
    const text = `may be anybody's name (sign_up is open): only with user_id: '${raised.record.user_id}' are roles given`
    throw refuse(text)
  }
  if (user_id === undefined) return
  if (!/^[\x21-\x7e]{1,255}$/.test(user_id)) throw refuse('user_id must be 1 to 255 printable ASCII characters')
  const found = present.users.get(user.username)
  if (found && found.record.user_id !== user_id) throw refuse('user_id is another one already, and never changes')
  if (present.taken.by_clients.has(user_id)) throw refuse('user_id is the client_id of a client')
  if (!found && present.taken.by_users.has(user_id)) throw refuse('user_id is that of another user')
}

/** Whoever is called so already and would get further roles by that alone: it may be somebody else who took the name. */
function findRaised({ username, user_id, roles = [] }: PlatformUser, present: Present): PresentUser | undefined {
  const found = present.users.get(username)
  if (!found || user_id !== undefined) return undefined
  const held = JSON.parse(found.record.roles) as string[]
  return roles.every((role) => held.includes(role)) ? undefined : found
}

function rolesByName({ users }: Platform, present: Present): string[] {
  return users.flatMap((user) => {
    const raised = findRaised(user, present)
    const said = `is here already and gets roles by name alone; user_id: '${raised?.record.user_id}' says who is meant`
    return raised ? [`user ${user.username}: ${said}`] : []
  })
}

// Without roles every user may give away every scope of the resources: of users that nobody chose that is rarely meant.
function openToStrangers(issuer: string, { settings, roles, resources }: Platform, present: Present): string[] {
  const { sign_up } = readSettings({ ...present.settings, ...settings })
  const own = [...present.roles.keys(), ...roles.map(({ role }) => role)].filter((role) => role !== ADMINISTRATOR)
  const known = new Map([...present.resources, ...resources.map((one) => [one.resource, one] as const)])
  const guarded = [...known.values()].filter(({ every_user, resource }) => !every_user && !isBuiltIn(issuer, resource))
  if (sign_up === 'off' || own.length > 0 || guarded.length === 0) return []
  const names = guarded.map(({ resource }) => resource).join(', ')
  const said = `there are no roles, so whoever makes an account may give away every scope of ${names}`
  return [`settings.sign_up is ${sign_up}: ${said}`]
}

// A username is free once its user is deleted, and the issuer goes on saying it.
function takenByName({ settings, trusted_issuers }: Platform, present: Present): string[] {
  const { sign_up } = readSettings({ ...present.settings, ...settings })
  const by_name = trusted_issuers.filter(
    ({ disabled, rules: { subject_is, subjects = {} } }) =>
      !disabled && (subject_is === 'username' || Object.keys(subjects).length > 0),
  )
  if (sign_up === 'off') return []
  const said = `goes by username while sign_up is ${sign_up}: whoever takes the name of a deleted user is taken for them`
  return by_name.map(({ issuer }) => `trusted_issuer ${issuer}: ${said}`)
}

function unknownScopes(platform: Platform, present: Present): string[] {
  const resources = [...present.resources.values(), ...platform.resources]
  const known = new Set([...IDENTITY_SCOPES, ...resources.flatMap(({ scopes }) => [...scopes.keys()])])
  const unknown = (place: string, scopes: readonly string[]) => {
    const missing = scopes.filter((scope) => scope !== '' && !known.has(scope))
    return missing.map((scope) => `${place}: no resource has the scope ${scope}`)
  }
  return [
    ...platform.roles.flatMap(({ role, scopes }) => unknown(`role ${role}`, scopes)),
    ...platform.clients.flatMap(({ client_id, metadata }) => unknown(`client ${client_id}`, metadata.scope.split(' '))),
  ]
}

// Its first algorithm signs then, and whoever expects another one refuses what comes.
function missingAlgorithms({ settings, clients, resources }: Platform, present: Present): string[] {
  const { signing_algs } = readSettings({ ...present.settings, ...settings })
  const asked = [
    ...clients.map(
      ({ client_id, metadata }) => [`client ${client_id}`, metadata.id_token_signed_response_alg] as const,
    ),
    ...resources.map(({ resource, access_token_signing_alg }) => {
      return [`resource ${resource}`, access_token_signing_alg] as const
    }),
  ]
  return asked.flatMap(([place, alg]) =>
    alg === undefined || signing_algs.some((known) => known === alg)
      ? []
      : [`${place}: settings.signing_algs does not hold ${alg}, so ${signing_algs[0]} signs`],
  )
}

function unknownCallers({ resources, clients }: Platform, present: Present): string[] {
  const known = new Set([...present.clients.keys(), ...clients.map(({ client_id }) => client_id)])
  return resources.flatMap(({ resource, introspection_clients }) => {
    const missing = introspection_clients.filter((client_id) => !known.has(client_id))
    return missing.map(
      (client_id) => `resource ${resource}: introspection_clients names ${client_id}, which is no client`,
    )
  })
}

function shortSecrets({ clients }: Platform): string[] {
  const short = clients.filter(
    ({ client_secret }) => client_secret !== undefined && client_secret.length < SHORT_SECRET,
  )
  return short.map(({ client_id }) => `client ${client_id}: client_secret is short enough to be guessed`)
}
