import { newId } from '../crypto/random.ts'
import { makeHeldKey, type Signer } from '../crypto/signer.ts'
import { type Algorithm, newSigningKey } from '../crypto/signing_keys.ts'
import type { RootKey, TenantKeys } from '../crypto/tenant_keys.ts'
import type { ResourceRecord, SigningKeyRecord } from '../store/records.ts'
import type { Store } from '../store/store.ts'
import { openTenant, signingKeyPlace, type Tenant } from '../store/tenant.ts'

/** The role that is built in: whoever holds it administers the tenant. */
export const ADMINISTRATOR = 'administrator'

/** The scope of a client through which people sign up: it makes users, and gives them no role. */
export const CREATE_USERS = 'admin:create_users'

/** What each scope of the server's own API allows. */
export const API_SCOPES: Readonly<Record<string, string>> = {
  'admin:read': 'See the settings of this server, its clients, users and connections',
  'admin:write': 'Change the settings of this server, its clients, users and connections',
  [CREATE_USERS]: 'Make users who have no role yet, such as those who sign up',
  'connect:sessions': "Ask the users of one's own platform, or users here, to connect accounts",
  'connect:token': "Use the connections of one's own platform's users: through the proxy, or by their access tokens",
  'vault:token': "Take access tokens of users' connections out of the vault",
  'vault:proxy': "Call other people's APIs through the proxy, by users' connections",
}

/** Opens the tenant of an issuer, making it with its keys, its own API and the administrator role at first start. */
export async function openOrCreateTenant(args: {
  issuer: string
  store: Store
  root: RootKey
  clock: () => number
  signer?: Signer | undefined
}): Promise<Tenant> {
  const { issuer, store, root, clock, signer } = args
  const find = async () => (await store.listTenants({})).find((tenant) => tenant.issuer === issuer)
  let tenant = await find()
  if (!tenant) {
    const now = clock()
    const tenant_id = newId(now)
    const key = root.newTenantKey(tenant_id, 1)
    const keys = root.unwrap(tenant_id, [key])
    await store.createTenant({
      tenant_id,
      issuer,
      name: new URL(issuer).host,
      settings: '{}',
      key,
      signing_keys: [await makeSigningKey({ keys, signer }, 'current')],
      resources: [administrationResource(issuer)],
      roles: [
        { role: ADMINISTRATOR, scopes: JSON.stringify(['admin:read', 'admin:write', 'vault:token', 'vault:proxy']) },
      ],
      event: {
        tenant_id,
        event_id: newId(now),
        at: now,
        type: 'tenant.created',
        actor: 'system',
        detail: { issuer },
      },
    })
    // Another replica may have been first: whichever tenant stands now is the one.
    tenant = await find()
  }
  if (!tenant) throw new Error(`the tenant of ${issuer} could not be made`)
  const opened = await openTenant({ tenant_id: tenant.tenant_id, issuer, store, root, clock, signer })
  await renewAdministration(opened)
  return opened
}

// A tenant of an older version learns the scopes that its API has since.
async function renewAdministration({ tenant_id, issuer, store, clock }: Tenant): Promise<void> {
  const resource = administrationResource(issuer)
  const config = await store.loadTenantConfig({ tenant_id })
  const stands = config?.resources.find((row) => row.resource === resource.resource)
  if (stands?.scopes === resource.scopes) return
  const at = clock()
  const about = { tenant_id, event_id: newId(at), at, actor: 'system', detail: { resource: resource.resource } }
  await store.saveResource({ tenant_id, resource, event: { ...about, type: 'resource.saved' } })
}

/** A new signing key: its private half sealed for its row, or, where a signer holds that, the signer's name of it. */
export async function makeSigningKey(
  { keys, signer }: { readonly keys: TenantKeys; readonly signer?: Signer | undefined },
  state: SigningKeyRecord['state'],
  alg: Algorithm = 'ES256',
): Promise<SigningKeyRecord> {
  const { kid, public_jwk, ...made } = signer ? await makeHeldKey(signer, alg) : await newSigningKey(alg)
  return {
    kid,
    alg,
    public_jwk: JSON.stringify(public_jwk),
    sealed_private: keys.seal('pkcs8' in made ? made.pkcs8 : made.handle, signingKeyPlace(kid)),
    state,
  }
}

function administrationResource(issuer: string): ResourceRecord {
  return {
    resource: `${issuer}/api`,
    name: 'Administration',
    scopes: JSON.stringify(API_SCOPES),
    default_scopes: '[]',
    access_token_format: 'opaque',
    access_token_lifetime_seconds: 600,
  }
}
