import type { App } from '../app.ts'
import type { Outcome } from '../apply/apply.ts'
import type { Platform } from '../apply/platform.ts'
import { createSetupLink, needsSetup, type SetupLink } from '../inbound/setup_link.ts'
import { listPendingMigrations } from '../store/pending_migrations.ts'

/** What the operator may do on the machine itself: at a running server, or at a database that no server has open. */
export interface Administration {
  plan(platform: unknown): Promise<Outcome>
  apply(platform: unknown): Promise<Outcome>
  createSetupLink(): Promise<SetupLink>
  examine(): Promise<Facts>
}

/** What can be said about a server only from inside it. */
export interface Facts {
  readonly version: string
  readonly pid: number
  readonly issuer: string
  readonly database: 'sqlite' | 'postgres'
  /** The clocks of the database and of the process that asked it. */
  readonly database_now: number
  readonly process_now: number
  readonly pending_migrations: readonly string[]
  readonly signing_key: { readonly kid: string; readonly alg: string }
  readonly needs_setup: boolean
  readonly other_issuers: readonly string[]
}

/** Administers an app in this process. `actor` is who the audit log says it was. */
export function createAdministration(app: App, actor = 'cli'): Administration {
  const { tenant, web } = app
  const read = async (platform: unknown): Promise<Platform> => {
    // Most starts have no platform to read: what checks one is loaded when it is needed.
    const { readPlatform } = await import('../apply/platform.ts')
    return readPlatform(platform, { grant_types: web.grant_types.map(({ grant_type }) => grant_type) })
  }
  return {
    async plan(platform) {
      const { planPlatform } = await import('../apply/apply.ts')
      return planPlatform(web, await read(platform))
    },
    async apply(platform) {
      const { applyPlatform } = await import('../apply/apply.ts')
      return applyPlatform(web, await read(platform), actor)
    },
    createSetupLink: () => createSetupLink(tenant, actor),
    async examine() {
      const { store, issuer } = tenant
      const tenants = await store.listTenants({})
      const { signing_key } = await tenant.currentConfiguration()
      return {
        version: web.version,
        pid: process.pid,
        issuer,
        database: store.driver.dialect,
        database_now: await store.ping({}),
        process_now: tenant.clock(),
        pending_migrations: await listPendingMigrations(store.driver),
        signing_key: { kid: signing_key.kid, alg: signing_key.alg },
        needs_setup: await needsSetup(tenant),
        other_issuers: tenants.map((other) => other.issuer).filter((other) => other !== issuer),
      }
    },
  }
}
