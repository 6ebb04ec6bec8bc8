import { renderClient } from '../../server/src/web/admin/templates/client.ts'
import { renderClients } from '../../server/src/web/admin/templates/clients.ts'
import { renderConnections } from '../../server/src/web/admin/templates/connections.ts'
import { renderConnector, renderConnectors } from '../../server/src/web/admin/templates/connectors.ts'
import { renderCreatedClient } from '../../server/src/web/admin/templates/created_client.ts'
import { renderEvents } from '../../server/src/web/admin/templates/events.ts'
import { renderNewClient } from '../../server/src/web/admin/templates/new_client.ts'
import { renderOverview } from '../../server/src/web/admin/templates/overview.ts'
import { renderUsers } from '../../server/src/web/admin/templates/users.ts'
import { renderAccount } from '../../server/src/web/pages/templates/account.ts'
import { renderConnectConfirm, renderConnectResult } from '../../server/src/web/pages/templates/connect.ts'
import { renderConsent } from '../../server/src/web/pages/templates/consent.ts'
import { renderError } from '../../server/src/web/pages/templates/error.ts'
import { renderLogin } from '../../server/src/web/pages/templates/login.ts'
import { renderSetup } from '../../server/src/web/pages/templates/setup.ts'
import { renderSignedOut } from '../../server/src/web/pages/templates/signed_out.ts'
import type { SafeHtml } from '../../server/src/web/ui/html.ts'
import { en } from '../../server/src/web/ui/text/en.ts'
import type { View } from '../../server/src/web/ui/view.ts'

/** The moment at which the sample pages are shown. */
export const NOW = Date.UTC(2026, 10, 21, 14, 30)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A view with sensible values. */
export function sampleView(change: Partial<View> = {}): View {
  const tenant = { name: 'Northwind Cloud' }
  return { lang: 'en', dir: 'ltr', text: en, now: NOW, base: '', tenant, csrf_token: 'csrf-5b1f', ...change }
}

/**
 * Every page with realistic data. `put` sees each string of data before it reaches a template, so that a test can put
 * something hostile in the place of all of them.
 */
export function samplePages(
  view: View,
  put: (text: string) => string = (text) => text,
): Record<string, () => SafeHtml> {
  return {
    ...signInPages(view, put),
    ...consentPages(view, put),
    ...accountPages(view, put),
    ...consolePages(view, put),
  }
}

type Put = (text: string) => string
type Pages = Record<string, () => SafeHtml>

function signInPages(view: View, put: Put): Pages {
  const client = { client_id: put('notes-web'), client_name: put('Acme Notes') }
  const action = put('/login?interaction=8f2c')
  return {
    login: () => renderLogin(view, { action, client, cancel_href: put('/login/cancel?interaction=8f2c') }),
    login_wrong: () =>
      renderLogin(view, {
        action,
        client,
        username: put('alice'),
        refusal: { reason: 'wrong_credentials' },
        providers: [
          { label: put('Google'), href: put('/login/with/google') },
          { label: put('GitHub'), href: put('/login/with/github') },
        ],
      }),
    login_missing: () => renderLogin(view, { action, refusal: { reason: 'username_missing' } }),
    login_too_many: () =>
      renderLogin(view, { action, client, username: put('alice'), refusal: { reason: 'too_many_tries', minutes: 12 } }),
    login_again: () => renderLogin(view, { action, client, username: put('alice'), reauthenticate: true }),
    setup: () =>
      renderSetup(view, {
        action: put('/setup'),
        setup_token: put('one-time'),
        values: { username: put('root'), name: put(''), email: put('admin') },
        errors: { email: put('This is not an e-mail address.') },
        password_min_length: 12,
      }),
    signed_out: () => renderSignedOut(view),
    error_untrusted_redirect: () =>
      renderError(view, {
        kind: 'untrusted_redirect',
        request_id: put('01JD7Q8W4M3K'),
        error: put('invalid_request'),
        error_description: put('redirect_uri is not registered for this client'),
      }),
    error_expired: () =>
      renderError(view, {
        kind: 'expired',
        request_id: put('01JD7Q8W4M3K'),
        way_on: { to: 'client', href: put('/login/back?interaction=8f2c'), client_name: put('Acme Notes') },
      }),
    error_server: () => renderError(view, { kind: 'server_error', request_id: put('01JD7Q8W4M3K') }),
  }
}

function consentPages(view: View, put: Put): Pages {
  const user = { username: put('alice'), name: put('Alice Example') }
  const base = { action: put('/consent?interaction=8f2c'), switch_action: put('/login/switch?interaction=8f2c'), user }
  const read = { scope: put('profile'), description: put('See your name and picture'), kind: 'read' as const }
  const email = { scope: put('email'), description: put('See your e-mail address'), kind: 'read' as const }
  const calendar = { scope: put('calendar'), description: put('See your calendar') }
  return {
    consent: () =>
      renderConsent(view, {
        ...base,
        client: {
          client_id: put('notes-web'),
          client_name: put('Acme Notes'),
          publisher: put('Acme Inc.'),
          logo_uri: put(LOGO),
          verified: true,
        },
        redirect_uri: put('https://notes.acme.example/callback'),
        scopes: [
          read,
          { ...email, is_new: true },
          { scope: put('notes.write'), description: put('Write and delete notes'), kind: 'change', is_new: true },
          { scope: put('tasks.write'), description: put('Add tasks to your lists'), kind: 'change', optional: true },
          { scope: put('offline_access'), description: put('Keep working when you are not signed in'), kind: 'away' },
        ],
        resources: [{ resource: put('https://api.northwind.example/'), name: put('Northwind API') }],
        connectors: [
          {
            connector: put('google'),
            provider_name: put('Google'),
            scopes: [calendar],
            choices: [
              { connection_id: put('c1'), account_label: put('alice@gmail.example'), ready: true, selected: true },
              { connection_id: put('c2'), account_label: put('alice@work.example'), ready: false, selected: false },
            ],
            connect_href: put('/connect/google?interaction=8f2c'),
          },
        ],
        offline: true,
        end_choices: [3600, 86_400, 30 * 86_400, 365 * 86_400],
      }),
    consent_loopback: () =>
      renderConsent(view, {
        ...base,
        client: {
          client_id: put('https://agent.example/client.json'),
          client_name: put('Desk Agent'),
          verified: false,
        },
        redirect_uri: 'http://localhost:33418/callback',
        scopes: [read],
        resources: [{ resource: put('https://mcp.northwind.example/mcp') }],
        connectors: [
          {
            connector: put('github'),
            provider_name: put('GitHub'),
            scopes: [{ scope: put('repo'), description: put('Read and change your repositories') }],
            choices: [],
            connect_href: put('/connect/github?interaction=8f2c'),
          },
        ],
        offline: false,
      }),
    consent_small: () =>
      renderConsent(view, {
        ...base,
        client: { client_id: put('s6BhdRkqt3'), verified: false },
        redirect_uri: put('com.example.app:/oauth'),
        scopes: [read, email],
        resources: [],
        connectors: [],
        offline: false,
      }),
  }
}

function accountPages(view: View, put: Put): Pages {
  const provider_name = put('Google')
  const calendar = [{ scope: put('calendar'), description: put('See your calendar') }]
  const result = {
    provider_name,
    request_id: put('01JD7Q8W4M3K'),
    retry_href: put('/connect/google'),
    continue_href: put('/account'),
  }
  return {
    account: () =>
      renderAccount(view, {
        user: { username: put('alice'), name: put('Alice Example'), email: put('alice@example.test') },
        may_administer: true,
        done: put('Access of Old Reader was removed.'),
        apps: [
          {
            client_id: put('notes-web'),
            client_name: put('Acme Notes'),
            logo_uri: put(LOGO),
            scopes: [
              { scope: put('profile'), description: put('See your name and picture') },
              { scope: put('notes.write'), description: put('Write and delete notes') },
            ],
            created_at: NOW - 200 * DAY,
            last_used_at: NOW - 3 * HOUR,
            expires_at: NOW + 165 * DAY,
            connections: [
              {
                connection_id: put('c1'),
                provider_name,
                account_label: put('alice@gmail.example'),
                state: 'ready',
                scopes: calendar,
                last_used_at: NOW - 5 * HOUR,
              },
              {
                connection_id: put('c3'),
                provider_name: put('GitHub'),
                account_label: put('alice-example'),
                state: 'needs_reconsent',
                scopes: [{ scope: put('repo'), description: put('Read your repositories') }],
              },
            ],
          },
          {
            client_id: put('cli'),
            client_name: put('Northwind CLI'),
            scopes: [{ scope: put('api:read'), description: put('Read your data') }],
            created_at: NOW - 10 * MINUTE,
            connections: [],
          },
        ],
        connections: [
          {
            connection_id: put('c1'),
            connector: put('google'),
            provider_name,
            account_label: put('alice@gmail.example'),
            state: 'ready',
            created_at: NOW - 200 * DAY,
            last_used_at: NOW - 5 * HOUR,
            used_by: [{ client_id: put('notes-web'), client_name: put('Acme Notes') }],
          },
          {
            connection_id: put('c3'),
            connector: put('github'),
            provider_name: put('GitHub'),
            account_label: put('alice-example'),
            state: 'needs_reconsent',
            reason: 'revoked',
            created_at: NOW - 90 * DAY,
            used_by: [],
          },
        ],
        connectors: [
          { connector: put('google'), provider_name },
          { connector: put('slack'), provider_name: put('Slack') },
        ],
        sessions: [
          {
            sid: put('s1'),
            current: true,
            device: put('Firefox on Linux'),
            ip: put('192.0.2.7'),
            created_at: NOW - 2 * HOUR,
            last_seen_at: NOW,
          },
          {
            sid: put('s2'),
            current: false,
            device: put('Safari on iPhone'),
            created_at: NOW - 12 * DAY,
            last_seen_at: NOW - DAY,
          },
        ],
      }),
    account_empty: () =>
      renderAccount(view, {
        user: { username: put('bob') },
        may_administer: false,
        apps: [],
        connections: [],
        connectors: [{ connector: put('google'), provider_name }],
        sessions: [
          { sid: put('s1'), current: true, device: put('Chrome on Windows'), created_at: NOW, last_seen_at: NOW },
        ],
      }),
    connect_connected: () =>
      renderConnectResult(view, { ...result, outcome: 'connected', account_label: put('alice@gmail.example') }),
    connect_refused: () => renderConnectResult(view, { ...result, outcome: 'refused' }),
    connect_failed: () => renderConnectResult(view, { ...result, outcome: 'failed' }),
    connect_confirm: () =>
      renderConnectConfirm(view, {
        action: put('/connect/google/confirm'),
        provider_name,
        account_label: put('alice@gmail.example'),
        scopes: calendar,
        user: { username: put('alice') },
      }),
  }
}

function consolePages(view: View, put: Put): Pages {
  return { ...clientPages(view, put), ...connectorPages(view, put) }
}

function clientPages(view: View, put: Put): Pages {
  const issuer = put('https://id.northwind.example')
  const discovery = put('https://id.northwind.example/.well-known/openid-configuration')
  return {
    overview: () =>
      renderOverview(view, {
        counts: { clients: 42, users: 128_431, grants: 310_207, connections: 9312 },
        tokens_per_hour: [
          31, 22, 18, 9, 12, 30, 88, 240, 410, 530, 610, 590, 480, 520, 640, 700, 580, 420, 330, 260, 190, 120, 80, 44,
        ],
        attention: { connections_need: 3, connectors_fail: 1, secrets_expire: 0 },
        server: { issuer, discovery, version: put('0.1.0'), database: put('SQLite 3.53.0'), production: true },
      }),
    clients: () =>
      renderClients(view, {
        clients: [
          {
            client_id: put('notes-web'),
            client_name: put('Acme Notes'),
            type: 'server',
            trusted: false,
            disabled: false,
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
    clients_empty: () => renderClients(view, { clients: [] }),
    new_client: () =>
      renderNewClient(view, {
        values: {
          client_name: put('Acme Notes'),
          type: 'server',
          redirect_uris: put('https://notes.acme.example/callback#x'),
          scope: put('openid profile'),
          trusted: false,
        },
        errors: { redirect_uris: put('Line 1 has a fragment; a redirect URI has none.') },
        script: {
          api: put(
            'curl -X POST https://id.northwind.example/api/clients -H "Authorization: Bearer $TOKEN" -d @client.json',
          ),
          cli: put('sallyport apply -f platform.yaml'),
        },
      }),
    created_client: () =>
      renderCreatedClient(view, {
        client_id: put('notes-web'),
        client_name: put('Acme Notes'),
        client_secret: put('sp_2vQk7bJ0mWc9sXyR4tZ8uL1nE5aH3dF6gK0pM2qV7wB'),
        issuer,
        discovery,
        snippet: put(
          'curl -u notes-web:$CLIENT_SECRET \\\n  -d grant_type=client_credentials \\\n  https://id.northwind.example/token',
        ),
      }),
    client: () =>
      renderClient(view, {
        client_id: put('notes-web'),
        client_name: put('Acme Notes'),
        type: 'server',
        token_endpoint_auth_method: put('client_secret_basic'),
        grant_types: [put('authorization_code'), put('refresh_token')],
        redirect_uris: [put('https://notes.acme.example/callback')],
        scope: put('openid email profile offline_access notes.write'),
        default_resource: put('https://api.northwind.example/'),
        trusted: true,
        disabled: false,
        created_at: NOW - 200 * DAY,
        last_used_at: NOW - 4 * MINUTE,
        grants: 412,
        users: 380,
        secrets: [{ created_at: NOW - 2 * DAY }, { created_at: NOW - 200 * DAY, expires_at: NOW + 5 * DAY }],
        done: put('The client is enabled.'),
      }),
    client_disabled: () =>
      renderClient(view, {
        client_id: put('cli'),
        type: 'native',
        token_endpoint_auth_method: put('none'),
        grant_types: [put('authorization_code')],
        redirect_uris: [put('http://127.0.0.1/callback')],
        scope: put('openid'),
        trusted: false,
        disabled: true,
        created_at: NOW - 200 * DAY,
        grants: 1,
        users: 1,
        secrets: [],
      }),
    users: () =>
      renderUsers(view, {
        q: put('example'),
        users: [
          {
            username: put('alice'),
            name: put('Alice Example'),
            email: put('alice@example.test'),
            email_verified: true,
            roles: [put('member'), put('administrator')],
            disabled: false,
            last_login_at: NOW - 2 * HOUR,
          },
          { username: put('bob'), email_verified: false, email: put('bob@example.test'), roles: [], disabled: true },
        ],
        next_cursor: put('def'),
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
    connectors_empty: () => renderConnectors(view, { connectors: [] }),
    connector: () =>
      renderConnector(view, {
        ...acme,
        redirect_uri: put('https://id.northwind.example/connect/acme/callback'),
        client_id: put('northwind'),
        has_secret: true,
        issuer: put('https://id.acme.example'),
        authorization_endpoint: put('https://id.acme.example/authorize'),
        token_endpoint: put('https://id.acme.example/token'),
        last_error: {
          at: NOW - 2 * HOUR,
          error: put('invalid_client'),
          error_description: put('The client secret has expired'),
        },
      }),
    connections: () =>
      renderConnections(view, {
        connections: [
          {
            connection_id: put('c1'),
            connector: put('google'),
            provider_name: put('Google'),
            account_label: put('alice@gmail.example'),
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
        filter: { event: put('grant.'), actor: put('alice') },
        events: [
          {
            at: NOW - 3 * MINUTE,
            event: put('grant.revoked'),
            actor: put('alice'),
            target: put('Acme Notes'),
            ip: put('192.0.2.7'),
          },
          { at: NOW - 9 * MINUTE, event: put('connection.needs_reconsent'), target: put('alice-example at GitHub') },
          {
            at: NOW - 2 * HOUR,
            event: put('client.secret_rotated'),
            actor: put('root'),
            target: put('notes-web'),
            ip: put('2001:db8::7'),
          },
        ],
        cursor: put('abc'),
      }),
    events_empty: () => renderEvents(view, { events: [] }),
  }
}

/** A picture of 80 by 80 points. */
const LOGO =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAFAAAABQCAIAAAABc2X6AAAA5ElEQVR42u3a2w3DMAxDUQ/VVbp592FXKFI9aPAS/k3ig/zYks7n/YpaBzBgwIABAwYMGDBgwIABAwbctfRbrgfrae4DqyJ3gFUda7B6YgpWZ+zA6o8RWFOxAGs2y2BtZA2svdwH/v/xaXDtLsfMQ+DFd9aA+3bWbW4Hu738eN5vvcAzJ4SmrwAu2srYER0wYMD1+5isovCHAQMGzEkrHRx3W+I+HFDxiKtpJVYt4+rSiZ2HuN5SYvcwsT+cOAGQOOOROMWTOKeVOIkXOmsZOk3LgDhgwIABAwYMGDBgwIABA/ZcX2ENpfeSPV7DAAAAAElFTkSuQmCC'
