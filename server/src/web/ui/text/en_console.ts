import { enBrand, enTenant } from './en_brand.ts'
import { enClientForm } from './en_client_form.ts'
import { enConfiguration } from './en_configuration.ts'
import { enConsoleClients } from './en_console_clients.ts'
import { enConsoleConnections } from './en_console_connections.ts'
import { enConsoleConnectors } from './en_console_connectors.ts'
import { enConsoleEvents } from './en_console_events.ts'
import { enConsoleForms } from './en_console_forms.ts'
import { enConsoleGrants } from './en_console_grants.ts'
import { enConsoleServer } from './en_console_server.ts'
import { enConsoleWebhooks } from './en_console_webhooks.ts'
import { enFirstRun } from './en_first_run.ts'
import { enNewUser } from './en_new_user.ts'
import { enPlayground } from './en_playground.ts'
import { enRefusals } from './en_refusals.ts'
import { enUser } from './en_user.ts'

/** The sentences of the console, in English. */
export const enConsole = {
  ...enFirstRun,
  nav: {
    menu: 'Menu',
    way_up: 'What this page belongs to',
    overview: 'Overview',
    clients: 'Clients',
    resources: 'Resources',
    users: 'Users',
    trusted_issuers: 'Trusted issuers',
    connectors: 'Connectors',
    connections: 'Connections',
    events: 'Events',
    grants: 'Grants',
    roles: 'Roles',
    webhooks: 'Webhooks',
    keys: 'Keys',
    tenant: 'Tenant',
    settings: 'Settings',
    playground: 'Playground',
    groups: {
      inbound: 'Coming in',
      outbound: 'Going out',
      server: 'This server',
    },
  },
  /** What is told once, after it was done. */
  done: {
    client: 'The client is deleted. Its grants, tokens and secrets have ended.',
    user: 'The user is deleted. What is known of them is being erased.',
    sessions: 'The user is signed out everywhere.',
    token: 'The token is deleted, and stopped working at once.',
    connector: 'The connector is deleted, and its connections have ended.',
    connector_kept:
      'The connector is disabled and not deleted: some of its connections cannot be opened now, and so not be taken back at the provider. Try again later.',
    webhook: 'The webhook is deleted.',
  },
  search: {
    field: 'Find by name or ID',
    submit: 'Find',
    title: 'Search',
    title_of: 'Search: {text}',
    lead: 'Clients are found by any part of their name, users by their e-mail address or how their username begins, and whatever has an ID by the whole of it.',
    none: 'Nothing found',
    first: 'The first {n}. Write more of the name to see others.',
  },
  brand: enBrand,
  tenant: enTenant,
  playground: enPlayground,
  refusals: enRefusals,
  ...enConsoleClients,
  ...enConsoleConnections,
  ...enConsoleConnectors,
  ...enConsoleEvents,
  ...enConsoleForms,
  ...enConsoleGrants,
  ...enConsoleServer,
  ...enConsoleWebhooks,
  overview: {
    title: 'Overview',
    tokens: 'Tokens issued',
    tokens_lead: 'Per hour, over the last {n} hours. Highest: {highest}.',
    tokens_plot: 'Tokens issued per hour. The last hour: {last}. The highest: {highest}.',
    attention: 'Needs attention',
    attention_none: 'All is well',
    attention_none_body:
      'No connection needs its owner, no connector or webhook fails, and no client secret expires within a week.',
    connections_need: {
      one: '{n} connection needs its owner',
      other: '{n} connections need their owners',
    },
    connectors_fail: {
      one: '{n} connector is refused by its provider',
      other: '{n} connectors are refused by their providers',
    },
    webhooks_fail: {
      one: '{n} webhook does not arrive',
      other: '{n} webhooks do not arrive',
    },
    secrets_expire: {
      one: '{n} client secret expires within a week',
      other: '{n} client secrets expire within a week',
    },
    look: 'Show',
    server: 'This server',
    issuer: 'Issuer',
    discovery: 'Discovery',
    version: 'Version',
    database: 'Database',
    mode: 'Mode',
    development: 'Development (http issuer on this machine only)',
    production: 'Production',
    counts: {
      clients: 'Clients',
      users: 'Users',
      grants: 'Active grants',
      connections: 'Connections',
    },
  },
  client_form: enClientForm,
  ...enConfiguration,
  user: enUser,
  new_user: enNewUser,
  users: {
    title: 'Users',
    lead: 'People who can sign in.',
    empty: 'No user matches',
    empty_body: 'Write how a username begins, or a whole e-mail address.',
    search: 'Search',
    search_for: 'Beginning of a username, or an e-mail address',
    user: 'User',
    email: 'E-mail',
    roles: 'Roles',
    status: 'Status',
    enabled: 'Enabled',
    disabled: 'Disabled',
    unverified: 'unconfirmed',
  },
} as const
