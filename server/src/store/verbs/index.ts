// The registry of verbs: the store's port is this list.
export * from './clients.ts'
export * from './events.ts'
export * from './grants.ts'
export * from './leases.ts'
export * from './tenants.ts'
export * from './users.ts'
