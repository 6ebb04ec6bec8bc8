import { isDeepStrictEqual } from 'node:util'
import { stringify } from 'yaml'
import { isThrowAwayIssuer, isThrowAwayUser } from '../inbound/administration/throw_away.ts'
import { readMetadata } from '../inbound/clients/client_record.ts'
import { isSelfRegistered } from '../inbound/clients/register_client.ts'
import { hasSecret } from '../oauth/clients/authentication_metadata.ts'
import type { TrustedIssuerRules } from '../oauth/trusted_issuer.ts'
import { listConnectors, type ShownConnector } from '../outbound/administration/connectors.ts'
import type { UserRecord } from '../store/records.ts'
import { DEFAULT_SETTINGS } from '../store/settings.ts'
import type { Resource, Tenant } from '../store/tenant.ts'
import { listWebhooks } from '../webhooks/webhooks.ts'
import type { PresentContext } from './present.ts'

/** What stands, as a platform file describes it, and the variables that its secrets are to be in. */
export interface ExportedPlatform {
  readonly platform: Readonly<Record<string, unknown>>
  readonly secrets: readonly string[]
}

type Entry = Readonly<Record<string, unknown>>
/** Refers to a secret; nothing can be exported of the secret itself. */
type Refer = (...words: string[]) => { readonly env: string }

const AT_ONCE = 500

/**
 * Describes a tenant as a platform file would, so that applying it changes nothing here and makes the same elsewhere.
 * Clients that registered themselves are their own to describe; users are left out unless they are wanted, and never
 * have a password.
 */
export async function exportPlatform(
  { tenant, outbound, webhooks }: PresentContext,
  options: { readonly users?: boolean } = {},
): Promise<ExportedPlatform> {
  const secrets = new Set<string>()
  const refer: Refer = (...words) => {
    const name = words.join('_').replace(/\W/g, '_').toUpperCase()
    let env = name
    for (let i = 2; secrets.has(env); i++) env = `${name}_${i}`
    secrets.add(env)
    return { env }
  }
  const { settings, resources, roles } = await tenant.currentConfiguration()
  const changed = Object.entries(settings).filter(([name, value]) => {
    return !isDeepStrictEqual(value, DEFAULT_SETTINGS[name as keyof typeof DEFAULT_SETTINGS])
  })
  const own = `${tenant.issuer}/api`
  const sections: Record<string, Entry | Entry[]> = {
    settings: Object.fromEntries(changed),
    resources: [...resources.values()].filter(({ resource }) => resource !== own).map(describeResource),
    clients: await describeClients(tenant, refer),
    roles: [...roles].map(([role, scopes]) => ({ role, scopes })),
    users: options.users ? await describeUsers(tenant) : [],
    connectors: (await listConnectors(outbound))
      .filter(({ settings }) => !settings.for_everyone)
      .map((connector) => describeConnector(connector, refer)),
    trusted_issuers: await describeTrustedIssuers(tenant),
    webhooks: (await listWebhooks(webhooks)).map(({ webhook, url, description, event_types, keys }) => ({
      ...{ webhook, url, ...(description !== '' && { description }), event_types },
      // The private half of a key pair is nowhere but here: another server makes one of its own.
      ...(keys[0]?.signature === 'v1' && { secret: refer('webhook', webhook, 'secret') }),
    })),
  }
  const filled = Object.entries(sections).filter(([, section]) => Object.keys(section).length > 0)
  return { platform: Object.fromEntries(filled), secrets: [...secrets] }
}

/** The file, with a line about each secret that it needs. */
export function writePlatformFile({ platform, secrets }: ExportedPlatform): string {
  const needed = secrets.length === 0 ? [] : ['', ' Secrets are no part of it. They are read from the environment:']
  const about = [
    ' A platform file of Sallyport: `sallyport plan -f` says what it would change, `sallyport apply -f` does it.',
    ...needed,
    ...secrets.map((name) => `   ${name}`),
    ...(needed.length > 0 ? [' Where a line with one is taken out, the secret stays as it is.'] : []),
  ]
  return `${about.map((line) => `#${line}\n`).join('')}\n${stringify(platform, { lineWidth: 0 })}`
}

function describeResource(resource: Resource): Entry {
  const { access_token_format: format, access_token_lifetime_seconds: lifetime_seconds, every_user } = resource
  const { access_token_signing_alg: signing_alg, introspection_clients, default_scopes } = resource
  return {
    ...{ resource: resource.resource, name: resource.name, scopes: Object.fromEntries(resource.scopes) },
    ...(default_scopes.length > 0 && { default_scopes }),
    access_token: { format, lifetime_seconds, ...(signing_alg !== undefined && { signing_alg }) },
    ...(every_user && { every_user }),
    ...(introspection_clients.length > 0 && { introspection_clients }),
  }
}

async function describeClients({ tenant_id, store }: Tenant, refer: Refer): Promise<Entry[]> {
  const described: Entry[] = []
  for (let after_client_id = ''; ; ) {
    const page = await store.pageClients({ tenant_id, after_client_id, most: AT_ONCE })
    for (const { client_id, metadata, trusted, source } of page) {
      if (isSelfRegistered(source) || source === 'playground') continue
      // What is kept beside the metadata was never said by whoever described the client.
      const { unverified: _, scope_by_policy: _by, software_statement: _statement, ...members } = readMetadata(metadata)
      const secret = hasSecret(members.token_endpoint_auth_method) && {
        client_secret: refer('client', client_id, 'secret'),
      }
      described.push({ client_id, ...secret, ...members, trusted: trusted === 1 })
    }
    if (page.length < AT_ONCE) return described
    after_client_id = page.at(-1)!.client_id
  }
}

async function describeUsers({ tenant_id, store }: Tenant): Promise<Entry[]> {
  const described: Entry[] = []
  for (let after_user_id = ''; ; ) {
    const page = await store.pageUsers({ tenant_id, after_user_id, most: AT_ONCE })
    described.push(...page.filter(({ user_id }) => !isThrowAwayUser(user_id)).map(describeUser))
    if (page.length < AT_ONCE) return described
    after_user_id = page.at(-1)!.user_id
  }
}

function describeUser({ user_id, username, name, email, email_verified, roles, claims }: UserRecord): Entry {
  const own = JSON.parse(claims) as Entry
  return {
    ...{ user_id, username, ...(name !== null && { name }) },
    ...(email !== null && { email, email_verified: email_verified === 1 }),
    roles: JSON.parse(roles) as unknown,
    ...(Object.keys(own).length > 0 && { claims: own }),
  }
}

function describeConnector(shown: ShownConnector, refer: Refer): Entry {
  const { connector, provider, client_id, scope, settings, has_client_secret, jwks_uri } = shown
  const { placeholders, fields, grant_type, return_uris, redirect_uris, hand_out_tokens, certificate } = settings
  const { key, team_id, connection_lifetime_seconds, sign_in } = settings
  // A key that the provider reads here was made here, and is made anew elsewhere.
  const given = key !== undefined && jwks_uri === null
  return withoutEmpty({
    ...{ connector, provider, client_id, scope, grant_type, placeholders, fields, return_uris, redirect_uris },
    ...(given && { private_key: refer('connector', connector, 'private_key'), key_id: key.kid }),
    ...(has_client_secret && !given && { client_secret: refer('connector', connector, 'secret') }),
    ...{ certificate, team_id, hand_out_tokens, connection_lifetime_seconds, sign_in },
  })
}

async function describeTrustedIssuers(tenant: Tenant): Promise<Entry[]> {
  const { tenant_id, store } = tenant
  const described: Entry[] = []
  for (let after_issuer = ''; ; ) {
    const page = await store.pageTrustedIssuers({ tenant_id, after_issuer, most: AT_ONCE })
    for (const { issuer, rules, disabled_at } of page) {
      if (isThrowAwayIssuer(tenant, issuer)) continue
      described.push({ issuer, ...(JSON.parse(rules) as TrustedIssuerRules), disabled: disabled_at !== null })
    }
    if (page.length < AT_ONCE) return described
    after_issuer = page.at(-1)!.issuer
  }
}

function withoutEmpty(entry: Entry): Entry {
  const said = Object.entries(entry).filter(([, value]) => {
    return value !== undefined && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0)
  })
  return Object.fromEntries(said)
}
