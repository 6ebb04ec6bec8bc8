import { renderClient } from '../../server/src/web/admin/clients/templates/client.ts'
import { renderClientRights } from '../../server/src/web/admin/clients/templates/client_rights.ts'
import { renderClients } from '../../server/src/web/admin/clients/templates/clients.ts'
import { renderCreatedClient } from '../../server/src/web/admin/clients/templates/created_client.ts'
import { renderEditClient } from '../../server/src/web/admin/clients/templates/edit_client.ts'
import { renderNewClient } from '../../server/src/web/admin/clients/templates/new_client.ts'
import { renderRegistrationTokens } from '../../server/src/web/admin/clients/templates/registration_tokens.ts'
import { renderNewUser } from '../../server/src/web/admin/inbound/templates/new_user.ts'
import {
  renderEditResource,
  renderResource,
  renderResources,
} from '../../server/src/web/admin/inbound/templates/resources.ts'
import {
  renderEditTrustedIssuer,
  renderTrustedIssuer,
  renderTrustedIssuers,
} from '../../server/src/web/admin/inbound/templates/trusted_issuers.ts'
import { renderUser } from '../../server/src/web/admin/inbound/templates/user.ts'
import { renderUsers } from '../../server/src/web/admin/inbound/templates/users.ts'
import { renderConnections } from '../../server/src/web/admin/outbound/templates/connections.ts'
import { renderConnector, renderConnectors } from '../../server/src/web/admin/outbound/templates/connectors.ts'
import { renderEvents } from '../../server/src/web/admin/server/templates/events.ts'
import { renderFirstRun } from '../../server/src/web/admin/server/templates/first_run.ts'
import { renderOverview } from '../../server/src/web/admin/server/templates/overview.ts'
import { FLOWS, findFlow } from '../../server/src/web/playground/flows/index.ts'
import { renderCallback, renderFlow, renderFlows } from '../../server/src/web/playground/templates/playground.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import { newConnectorPages } from './connector_samples.ts'
import { consoleMorePages, sampleActivity } from './console_more_samples.ts'
import { DAY, HOUR, MINUTE, NOW, type Pages, type Put, SAMPLE_LOGO } from './sample_view.ts'
import { shownTokens } from './token_samples.ts'

/** The pages of the console. */
export function consolePages(view: View, put: Put): Pages {
  return {
    ...{ ...clientPages(view, put), ...connectorPages(view, put), ...configurationPages(view, put) },
    ...consoleMorePages(view, put),
    playground: () => renderFlows(view, FLOWS, { some: true }),
    flow: () =>
      renderFlow(view, findFlow('connection')!, {
        known: { issuer: put('https://auth.northwind.example') },
        connectors: [{ connector: put('google'), provider_name: put('Google') }],
        whose: 'root',
      }),
    flow_with_checks: () => {
      const { steps, ...flow } = findFlow('openid_connect')!
      return renderFlow(view, { ...flow, steps: steps.slice(3, 4) }, { known: {}, connectors: [], whose: 'root' })
    },
    flow_by_hand: () => {
      const { steps, ...flow } = findFlow('mutual_tls')!
      const by_hand = steps.filter((step) => step.kind === 'show' || (step.kind === 'request' && step.certificate))
      return renderFlow(view, { ...flow, steps: by_hand.slice(0, 2) }, { known: {}, connectors: [], whose: 'root' })
    },
    playground_empty: () => renderFlow(view, findFlow('connection')!, { known: {}, connectors: [], whose: 'root' }),
    playground_closed: () =>
      renderFlow(view, findFlow('registration')!, { known: {}, connectors: [], whose: 'root', closed: true }),
    callback: () => renderCallback(view),
  }
}

function configurationPages(view: View, put: Put): Pages {
  const api = put('https://api.northwind.example/')
  const resource = {
    ...{ name: put('Orders'), scopes: put('orders:read: See your orders\norders:write: Change your orders') },
    ...{
      default_scopes: put('orders:read'),
      'access_token.format': 'jwt',
      'access_token.lifetime_seconds': put('600'),
    },
    ...{ every_user: 'true', introspection_clients: put('orders-api') },
  }
  const issuer = put('https://idp.partner.example')
  const trusted = {
    ...{
      jwks_uri: put('https://idp.partner.example/jwks'),
      subject_is: 'username',
      subjects: put('{ "idp|7": "alice" }'),
    },
    ...{ clients: put('batch\nnight-run'), scope: put('orders:read'), disabled: 'true' },
  }
  return {
    resources: () =>
      renderResources(view, {
        resources: [
          {
            ...{ resource: put('https://id.northwind.example/api'), name: put('Administration'), format: 'jwt' },
            ...{ scopes: [put('admin:read'), put('admin:write')], built_in: true },
          },
          {
            ...{ resource: api, name: put('Orders'), scopes: [put('orders:read'), put('orders:write')] },
            ...{ format: 'opaque', built_in: false },
          },
        ],
      }),
    resource: () =>
      renderResource(view, {
        ...{ resource: api, name: put('Orders'), built_in: false, saved: true, values: resource },
        preview: [
          { scope: put('orders:read'), description: put('See your orders'), kind: 'read' },
          { scope: put('orders:write'), description: put('Change your orders'), kind: 'change' },
        ],
      }),
    edit_resource: () =>
      renderEditResource(view, {
        ...{ resource: { resource: api, name: put('Orders') }, values: resource, seen: put('7') },
        wrong: { member: 'default_scopes', sentence: put('default_scopes: orders:all is not among the scopes') },
        script: {
          api: put('curl -X PUT https://id.northwind.example/api/resources/x'),
          cli: put('sallyport resources'),
        },
      }),
    edit_resource_renewed: () => renderEditResource(view, { values: resource, seen: put('7'), wrong: 'renewed' }),
    trusted_issuers: () =>
      renderTrustedIssuers(view, {
        issuers: [
          { issuer, clients: [put('batch'), put('night-run')], scope: put('orders:read'), disabled: false },
          { issuer: put('https://old.example'), clients: [], scope: '', disabled: true },
        ],
        ...{ cursor: put('a'), next_cursor: put('b') },
      }),
    trusted_issuer: () => renderTrustedIssuer(view, { issuer, disabled: true, saved: true, values: trusted }),
    new_trusted_issuer: () =>
      renderEditTrustedIssuer(view, {
        ...{ values: trusted, seen: put('') },
        wrong: { member: 'issuer', sentence: put('issuer must be an https URL') },
      }),
    new_trusted_issuer_known: () => renderEditTrustedIssuer(view, { issuer, values: trusted, seen: put('7') }),
  }
}

function clientPages(view: View, put: Put): Pages {
  const issuer = put('https://id.northwind.example')
  const discovery = put('https://id.northwind.example/.well-known/openid-configuration')
  return {
    overview: () =>
      renderOverview(view, {
        counts: { clients: 42, users: 128_431, grants: 310_207, connections: 9312 },
        activity: sampleActivity(put),
        attention: { connections_need: 3, connectors_fail: 1, webhooks_fail: 1, secrets_expire: 0 },
        server: { issuer, discovery, version: put('0.1.0'), database: put('SQLite 3.53.0'), production: true },
      }),
    overview_new: () =>
      renderOverview(view, {
        counts: { clients: 0, users: 1, grants: 0, connections: 0 },
        activity: { hours: [], tokens: [], refusals: [], refreshes: [], connections: [], most: 10_000 },
        attention: { connections_need: 0, connectors_fail: 0, webhooks_fail: 0, secrets_expire: 0 },
        server: { issuer, discovery, version: put('0.1.0'), database: put('SQLite 3.53.0'), production: false },
      }),
    registration_tokens: () =>
      renderRegistrationTokens(view, {
        registration: 'token',
        tokens: [
          {
            ...{ token_id: put('0192'), name: put('Build pipeline'), scope: put('orders:read orders:write') },
            ...{ grant_types: put('client_credentials'), uses_left: 12, expires_at: NOW + 20 * DAY },
          },
          {
            ...{ token_id: put('0191'), name: put('Desk agents'), scope: null, grant_types: null, uses_left: null },
            expires_at: NOW + 3 * DAY,
          },
        ],
      }),
    made_registration_token: () =>
      renderRegistrationTokens(view, {
        registration: 'off',
        tokens: [],
        made: {
          token: put('sp_iat_3kq0lJ9v5bnBqP0mX7w1Zs2RtYcU4dEfGhIjKlMnOpQ'),
          endpoint: put('https://id.northwind.example/register'),
        },
      }),
    refused_registration_token: () =>
      renderRegistrationTokens(view, {
        registration: 'open',
        tokens: [],
        values: { name: put('Agents'), uses: put('none') },
        wrong: put('uses must be a whole number from 1 to 100000'),
      }),
    clients: () =>
      renderClients(view, {
        clients: [
          {
            client_id: put('notes-web'),
            client_name: put('Acme Notes'),
            logo_uri: put(SAMPLE_LOGO),
            type: 'server',
            trusted: false,
            disabled: false,
            secret_ends_at: NOW + 3 * DAY,
            created_at: NOW - 200 * DAY,
          },
          {
            client_id: put('8f14e45f-ceea-467f-a0e6-d3f1b2c4a5e6'),
            client_name: put('Northwind CLI'),
            type: 'native',
            trusted: true,
            disabled: false,
            created_at: NOW - 40 * DAY,
          },
          {
            client_id: put('https://agent.example/client.json'),
            client_name: put('Desk Agent'),
            type: 'agent',
            trusted: false,
            disabled: true,
            created_at: NOW - 3 * HOUR,
          },
        ],
        cursor: put('abc'),
        next_cursor: put('def'),
      }),
    clients_empty: () => renderClients(view, { clients: [], done: 'client' }),
    clients_expiring_empty: () => renderClients(view, { clients: [], expiring: true }),
    new_client: () =>
      renderNewClient(view, {
        values: {
          client_name: put('Acme Notes'),
          type: 'server',
          redirect_uris: put('https://notes.acme.example/callback#x'),
          scope: put('openid profile'),
          trusted: false,
        },
        errors: { redirect_uris: put('A redirect URI must not have a fragment') },
        redirects: [
          {
            uri: put('https://notes.acme.example/callback#x'),
            refused: put('A redirect URI must not have a fragment'),
            warnings: [],
          },
          {
            uri: put('http://notes.acme.example/*'),
            refused: put('A redirect URI must not have a wildcard'),
            warnings: [],
          },
        ],
        script: {
          api: put(
            'curl -X POST https://id.northwind.example/api/clients -H "Authorization: Bearer $TOKEN" -d @client.json',
          ),
          cli: put('sallyport apply -f platform.yaml'),
        },
      }),
    first_run: () =>
      renderFirstRun(view, {
        ...{ issuer, discovery: put(`${issuer}/.well-known/openid-configuration`), production: true },
        seen_host: put('10.0.0.7:9400'),
      }),
    created_client: () =>
      renderCreatedClient(view, {
        client_id: put('notes-web'),
        client_name: put('Acme Notes'),
        client_secret: put('sp_2vQk7bJ0mWc9sXyR4tZ8uL1nE5aH3dF6gK0pM2qV7wB'),
        issuer,
        discovery,
        snippets: [
          {
            framework: put('curl'),
            code: put(
              'curl -u notes-web:$CLIENT_SECRET \\\n  -d grant_type=client_credentials \\\n  https://id.northwind.example/token',
            ),
          },
          { framework: put('openid-client'), code: put("import * as client from 'openid-client'") },
        ],
      }),
    created_client_key: () =>
      renderCreatedClient(view, {
        ...{
          client_id: put('notes-web'),
          client_name: put('Acme Notes'),
          issuer,
          discovery,
          snippets: [{ framework: put('Express'), code: put('x') }],
        },
        private_key: put(
          '{"crv":"P-256","kty":"EC","x":"2vQk7bJ0mWc9sXyR4tZ8uL1nE5aH3dF6gK0pM2qV7wB","y":"J0mWc9sXyR4tZ8uL1nE5aH3dF6gK0pM2qV7wB2vQk7b","kid":"H3dF6gK0pM2qV7wB2vQk7bJ0mWc9sXyR4tZ8uL1nE5a","alg":"ES256","use":"sig","d":"sXyR4tZ8uL1nE5aH3dF6gK0pM2qV7wB2vQk7bJ0mWc9"}',
        ),
      }),
    created_client_rotated: () =>
      renderCreatedClient(view, {
        ...{ client_id: put('notes-web'), client_secret: put('sp_cs_2vQk7bJ0mWc9'), secret: 'rotated' },
        ...{ issuer, discovery, snippets: [{ framework: put('Express'), code: put('x') }] },
      }),
    client: () =>
      renderClient(view, {
        client_id: put('notes-web'),
        client_name: put('Acme Notes'),
        type: 'server',
        logo: {
          ...{ logo_uri: put(SAMPLE_LOGO), fetched_at: NOW - 3 * DAY, failure: 'status 503', failed_at: NOW - HOUR },
          next_at: NOW + HOUR,
          script: { api: put('curl -X POST https://id.northwind.example/api/clients/notes-web/logo') },
        },
        members: [
          { name: 'client_name', lines: [put('Acme Notes')] },
          {
            name: 'redirect_uris',
            lines: [put('https://notes.acme.example/callback'), put('https://acme.example/cb')],
          },
          { name: 'grant_types', lines: [put('authorization_code'), put('refresh_token')] },
          { name: 'scope', lines: [put('openid email profile offline_access notes.write')] },
          { name: 'token_endpoint_auth_method', lines: [put('client_secret_basic')] },
          { name: 'jwks', block: put('{ "keys": [] }') },
          { name: 'require_pkce', on: true },
        ],
        described_by: 'administrators',
        redirects: [
          { uri: put('https://acme.example/'), warnings: ['start_page'] },
          { uri: put('http://localhost:3000/cb'), warnings: ['localhost', 'this_machine'] },
        ],
        scripts: {
          switches: [{ api: put('curl -X POST https://id.northwind.example/api/clients/notes-web/switch') }],
          secrets: [{ api: put('curl -X POST https://id.northwind.example/api/clients/notes-web/secrets') }],
          endings: [{ api: put('curl -X DELETE https://id.northwind.example/api/clients/notes-web') }],
        },
        trusted: true,
        disabled: false,
        created_at: NOW - 200 * DAY,
        last_used_at: NOW - 4 * MINUTE,
        grants: 412,
        users: 380,
        most: 10_000,
        secrets: [
          { made_at: NOW - 2 * DAY, expires_at: null },
          { made_at: NOW - 90 * DAY, expires_at: NOW + 28 * DAY },
        ],
        seen: put('c2Vlbg'),
        switches: [
          { name: 'trusted', on: true },
          { name: 'password', on: false },
          { name: 'implicit', on: true },
        ],
        saved: true,
      }),
    edit_client: () =>
      renderEditClient(view, {
        ...{ client_id: put('notes-web'), client_name: put('Acme Notes'), seen: put('c2Vlbg') },
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        values: {
          client_name: put('Acme Notes'),
          application_type: 'web',
          redirect_uris: put('https://notes.acme.example/callback\nhttps://acme.example/cb'),
          'grant_types.0': 'authorization_code',
          scope: put('openid email profile'),
          role_scopes: put('clerk: notes:read notes:write'),
          'token_exchange.resources': put('https://api.northwind.example/'),
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: put('{ "keys": [] }'),
          require_pkce: 'true',
        },
        wrong: { member: 'jwks', sentence: put('Member jwks must have 1 to 20 keys') },
      }),
    rights_of_client: () =>
      renderClientRights(view, {
        ...{ client_id: put('notes-web'), client_name: put('Acme Notes'), username: put('alice'), scope: put('') },
        roles: [put('clerk'), put('reader')],
        scopes: [
          { scope: put('openid'), granted: true, rule: 'identity' },
          { scope: put('notes:read'), granted: true, rule: 'role', role: put('reader') },
          { scope: put('notes:write'), granted: false, rule: 'role_scopes' },
          { scope: put('notes:erase'), granted: false, rule: 'role' },
          { scope: put('admin:read'), granted: false, rule: 'client' },
        ],
      }),
    rights_of_client_wrong: () =>
      renderClientRights(view, {
        ...{ client_id: put('notes-web'), username: put('nobody'), roles: null, scopes: [], wrong: 'username' },
      }),
    client_disabled: () =>
      renderClient(view, {
        client_id: put('cli'),
        type: 'native',
        logo: 'unverified',
        members: [{ name: 'redirect_uris', lines: [put('http://127.0.0.1/callback')] }],
        described_by: 'file',
        trusted: false,
        disabled: true,
        created_at: NOW - 200 * DAY,
        grants: 1,
        users: 1,
        most: 10_000,
        switches: [],
        secrets: [],
        seen: '',
      }),
    users: () =>
      renderUsers(view, {
        q: put('example'),
        users: [
          {
            user_id: put('01930000-alice'),
            username: put('alice'),
            name: put('Alice Example'),
            email: put('alice@example.test'),
            email_verified: true,
            roles: [put('member'), put('administrator')],
            disabled: false,
          },
          {
            ...{ user_id: put('01930000-bob'), username: put('bob'), email: put('bob@example.test') },
            ...{ email_verified: false, roles: [], disabled: true },
          },
        ],
        next_cursor: put('def'),
      }),
    user: () =>
      renderUser(view, {
        ...{ user_id: put('01930000-alice'), username: put('alice'), name: put('Alice Example') },
        ...{ email: put('alice@example.test'), email_verified: false, roles: [put('member'), put('reader')] },
        ...{ disabled: false, sessions: 3, own: false, no_password: true, may_invite: true, invited: false },
        apps: [
          {
            ...{ client_id: put('desk'), client_name: put('Desk Agent'), scopes: [], created_at: NOW - DAY },
            ...{ last_used_at: NOW - HOUR, expires_at: NOW + 30 * DAY },
            connections: [
              {
                ...{
                  connection_id: put('c1'),
                  provider_name: put('Google'),
                  account_label: put('alice@gmail.example'),
                },
                ...{ state: 'ready', scopes: [], through: put('Planner'), only_reads: true, last_used_at: NOW - HOUR },
              },
            ],
          },
        ],
        connections: [
          {
            ...{ connection_id: put('c1'), provider_name: put('Google'), account_label: put('alice@gmail.example') },
            ...{ state: 'ready', last_used_at: NOW - HOUR },
          },
          {
            ...{ connection_id: put('c2'), provider_name: put('GitHub'), account_label: put('alice-example') },
            state: 'needs_reconsent',
          },
        ],
        tokens: shownTokens(put).slice(0, 2),
      }),
    disabled_user: () =>
      renderUser(view, {
        ...{ user_id: put('01930000-bob'), username: put('bob'), email_verified: false, roles: [] },
        ...{ disabled: true, sessions: 0, own: false, no_password: false, may_invite: false, invited: true },
        ...{ apps: [], connections: [], tokens: [] },
      }),
    new_user: () =>
      renderNewUser(view, {
        user_id: '01930000-0000-7000-8000-000000000001',
        values: {},
        roles: [put('member')],
        script: { api: put('curl -X POST x'), cli: put('sallyport users create') },
      }),
    new_user_wrong: () =>
      renderNewUser(view, {
        user_id: '01930000-0000-7000-8000-000000000001',
        values: { username: put('alice'), email: put('nowhere') },
        wrong: { member: 'email', sentence: put('is not an address') },
        ...{ roles: [put('member')], script: { api: put('curl -X POST x'), cli: put('sallyport users create') } },
      }),
  }
}

function connectorPages(view: View, put: Put): Pages {
  const google = {
    connector: put('google'),
    provider_name: put('Google'),
    verified: true,
    scope: put('openid email https://www.googleapis.com/auth/calendar.readonly'),
    connections: 9120,
    refused: false,
  }
  const acme = {
    connector: put('acme'),
    provider_name: put('Acme ID'),
    verified: false,
    scope: put('openid'),
    connections: 0,
    refused: true,
  }
  return {
    connectors: () => renderConnectors(view, { connectors: [google, acme] }),
    connectors_empty: () => renderConnectors(view, { connectors: [], done: 'connector' }),
    ...newConnectorPages(view, put),
    connector: () =>
      renderConnector(view, {
        disabled: false,
        ...acme,
        redirect_uri: put('https://id.northwind.example/connect/acme/callback'),
        client_id: put('northwind'),
        has_secret: true,
        issuer: put('https://id.acme.example'),
        authorization_endpoint: put('https://id.acme.example/authorize'),
        token_endpoint: put('https://id.acme.example/token'),
        notes: put('A refresh token lives seven days while the application is in testing.'),
        checks: [
          { check: 'metadata', outcome: 'ok', reason: 'metadata_read', detail: 'The endpoints are known' },
          {
            check: 'client',
            outcome: 'failed',
            reason: 'client_refused',
            detail: put('invalid_client: The secret has expired'),
          },
        ],
        script: {
          api: put('curl -X POST https://id.example/api/connectors/acme/test'),
          cli: put('sallyport connectors test acme'),
        },
        last_error: {
          at: NOW - 2 * HOUR,
          error: put('invalid_client'),
          error_description: put('The client secret has expired'),
        },
      }),
    connections_empty: () => renderConnections(view, { connections: [] }),
    connections_none: () => renderConnections(view, { connections: [], filter: { state: 'error' } }),
    connections: () =>
      renderConnections(view, {
        connectors: [put('github'), put('google')],
        connections: [
          {
            connection_id: put('c1'),
            connector: put('google'),
            provider_name: put('Google'),
            account_label: put('alice@gmail.example'),
            user_id: put('01930000-alice'),
            username: put('alice'),
            state: 'ready',
            expires_at: NOW + 40 * MINUTE,
            refreshed_at: NOW - 20 * MINUTE,
          },
          {
            connection_id: put('c3'),
            connector: put('github'),
            provider_name: put('GitHub'),
            account_label: put('alice-example'),
            username: put('alice'),
            state: 'needs_reconsent',
            reason: 'revoked',
            refreshed_at: NOW - 3 * DAY,
            last_error: put('invalid_grant: Token has been revoked'),
          },
        ],
        filter: { connector: put('google') },
        next_cursor: put('def'),
      }),
    events: () =>
      renderEvents(view, {
        after: 4711,
        filter: { event: put('grant.'), actor: put('alice') },
        events: [
          {
            event_id: put('e3'),
            at: NOW - 3 * MINUTE,
            event: put('grant.revoked'),
            actor: put('alice'),
            target: put('Acme Notes'),
          },
          {
            ...{ event_id: put('e2'), at: NOW - 9 * MINUTE, event: put('connection.needs_reconsent') },
            target: put('alice-example at GitHub'),
          },
          {
            event_id: put('e1'),
            at: NOW - 2 * HOUR,
            event: put('client.secret_rotated'),
            actor: put('root'),
            target: put('notes-web'),
          },
        ],
        cursor: put('abc'),
      }),
    events_empty: () => renderEvents(view, { events: [], after: 7 }),
    events_wrong: () =>
      renderEvents(view, {
        ...{ events: [], wrong: 'until', script: { api: put('curl https://id.northwind.example/api/events') } },
        filter: { user: put('alice'), until: put('yesterday'), connection: put('c1') },
      }),
  }
}
