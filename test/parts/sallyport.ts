import { createServer } from 'node:net'
import { type App, createApp } from '../../server/src/app.ts'
import { newId, randomBytes } from '../../server/src/crypto/random.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { readAdministratedClient, registerClient } from '../../server/src/inbound/clients/register_client.ts'
import { event } from '../../server/src/inbound/event.ts'
import { prepareUser, type UserDescription } from '../../server/src/inbound/users/prepare_user.ts'
import { type Listening, listen } from '../../server/src/node_server.ts'
import type { ResourceRecord } from '../../server/src/store/records.ts'
import { openStore, type Store, type StoreLocation } from '../../server/src/store/store.ts'

/** A Sallyport of this process, listening on loopback, with ways to fill it. */
export interface TestServer {
  readonly app: App
  readonly store: Store
  readonly issuer: string
  readonly log: readonly unknown[]
  addClient(metadata: Record<string, unknown>): Promise<{ client_id: string; client_secret: string }>
  addUser(user: UserDescription): Promise<string>
  addResource(resource: Partial<ResourceRecord> & { resource: string }): Promise<void>
  addRole(role: string, scopes: readonly string[]): Promise<void>
  saveSettings(settings: Record<string, unknown>): Promise<void>
  stop(): Promise<void>
}

/** Starts a server with an empty database of its own (SQLite in memory unless told otherwise). */
export async function startSallyport(
  options: {
    path?: string
    /** A free one unless told otherwise. */
    port?: number
    /** Of loopback; passkeys need one that is a name. */
    host?: 'localhost'
    location?: StoreLocation
    clock?: () => number
    root?: RootKey
    app?: Partial<Parameters<typeof createApp>[0]>
    trusted_proxies?: readonly string[]
  } = {},
): Promise<TestServer> {
  const port = options.port ?? (await freePort())
  const issuer = `http://${options.host ?? '127.0.0.1'}:${port}${options.path ?? ''}`
  const clock = options.clock ?? Date.now
  const store = await openStore(options.location ?? { sqlite: ':memory:', clock })
  const log: unknown[] = []
  const write = (level: string) => (fields: object, message: string) => void log.push({ level, ...fields, message })
  const app = await createApp({
    issuer,
    store,
    root: options.root ?? new RootKey(randomBytes(32)),
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    clock,
    ...options.app,
  })
  const listening: Listening = await listen(app, {
    host: '127.0.0.1',
    port,
    trusted_proxies: options.trusted_proxies ?? [],
  })
  const { tenant } = app
  const { tenant_id } = tenant
  return {
    app,
    store,
    issuer,
    log,
    async addClient({ client_id, client_secret, ...json }) {
      const grant_types = app.web.grant_types.map(({ grant_type }) => grant_type)
      const registered = await registerClient(tenant, {
        metadata: readAdministratedClient(json, grant_types),
        source: 'apply',
        actor: 'cli',
        client_id: client_id as string | undefined,
        client_secret: client_secret as string | undefined,
      })
      return { client_id: registered.client_id, client_secret: registered.client_secret ?? '' }
    },
    async addUser(user) {
      const saved = await prepareUser(newId(clock()), user)
      const made = await store.createUser({ tenant_id, user: saved, event: event(tenant, 'user.created', 'cli') })
      if (!made) throw new Error(`username ${user.username} is taken`)
      return saved.user_id
    },
    async addResource(resource) {
      const whole: ResourceRecord = {
        name: resource.resource,
        scopes: '{}',
        default_scopes: '[]',
        access_token_format: 'jwt',
        access_token_lifetime_seconds: 600,
        ...resource,
      }
      await store.saveResource({ tenant_id, resource: whole, event: event(tenant, 'resource.saved', 'cli') })
    },
    async addRole(role, scopes) {
      const record = { role, scopes: JSON.stringify(scopes) }
      await store.saveRole({ tenant_id, role: record, event: event(tenant, 'role.saved', 'cli') })
    },
    async saveSettings(settings) {
      const text = JSON.stringify(settings)
      await store.saveSettings({ tenant_id, settings: text, event: event(tenant, 'settings.saved', 'cli') })
    },
    async stop() {
      await listening.stop(1000)
      await app.close()
      await store.close()
    },
  }
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return address.port
}
