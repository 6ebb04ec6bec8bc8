import { renderCarry, renderTrouble } from '../../server/src/broker/pages.ts'
import { renderAccount } from '../../server/src/web/pages/templates/account.ts'
import {
  renderAllowConnection,
  renderAllowConnectionResult,
} from '../../server/src/web/pages/templates/allow_connection.ts'
import {
  renderConnectChoice,
  renderConnectConfirm,
  renderConnectKey,
  renderConnectResult,
} from '../../server/src/web/pages/templates/connect.ts'
import { renderConnectAsk, renderConnectDevice } from '../../server/src/web/pages/templates/connect_asked.ts'
import {
  renderConnectInvitation,
  renderConnectSession,
  renderConnectSessionEnd,
} from '../../server/src/web/pages/templates/connect_session.ts'
import { renderConsent } from '../../server/src/web/pages/templates/consent.ts'
import {
  renderDeviceDone,
  renderDeviceEntry,
  renderDeviceQuestion,
} from '../../server/src/web/pages/templates/device.ts'
import { renderError } from '../../server/src/web/pages/templates/error.ts'
import { renderLogin } from '../../server/src/web/pages/templates/login.ts'
import { renderSetup } from '../../server/src/web/pages/templates/setup.ts'
import { renderSignOut } from '../../server/src/web/pages/templates/sign_out.ts'
import { renderSignedOut } from '../../server/src/web/pages/templates/signed_out.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import { consolePages } from './console_samples.ts'
import { DAY, HOUR, MINUTE, NOW, type Pages, type Put, SAMPLE_LOGO } from './sample_view.ts'
import { securityPages } from './security_samples.ts'
import { shownTokens, tokenPages } from './token_samples.ts'

/**
 * Every page with realistic data. `put` sees each string of data before it reaches a template, so that a test can put
 * something hostile in the place of all of them.
 */
export function samplePages(view: View, put: Put = (text) => text): Pages {
  return {
    ...signInPages(view, put),
    ...consentPages(view, put),
    ...connectSessionPages(view, put),
    ...devicePages(view, put),
    ...accountPages(view, put),
    ...tokenPages(view, put),
    ...securityPages(view, put),
    ...consolePages(view, put),
  }
}

function signInPages(view: View, put: Put): Pages {
  const client = { client_id: put('notes-web'), client_name: put('Acme Notes') }
  const action = put('/login?interaction=8f2c')
  return {
    login: () =>
      renderLogin(view, {
        action,
        client: { ...client, logo_uri: put(SAMPLE_LOGO) },
        cancel_href: put('/login/cancel?interaction=8f2c'),
      }),
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
    signed_out_with_way_back: () => renderSignedOut(view, { action: put('/logout/confirm?request=8f2c'), client }),
    sign_out: () =>
      renderSignOut(view, { action: put('/logout/confirm?request=8f2c'), client: undefined, username: put('alice') }),
    sign_out_for_client: () =>
      renderSignOut(view, { action: put('/logout/confirm?request=8f2c'), client, username: put('alice') }),
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
        way_on: { to: 'start', href: put('/authorize?client_id=notes-web') },
      }),
    error_server: () => renderError(view, { kind: 'server_error', request_id: put('01JD7Q8W4M3K') }),
  }
}

function devicePages(view: View, put: Put): Pages {
  const action = put('/device')
  const [client_id, client_name] = [put('big-tv'), put('Big Television')]
  return {
    enter_code: () => renderDeviceEntry(view, { action }),
    device_unknown: () =>
      renderDeviceEntry(view, { action, user_code: put('WDJB-MJHT'), refusal: { reason: 'unknown' } }),
    device_question: () =>
      renderDeviceQuestion(view, {
        ...{ action, hidden: { user_code: put('WDJBMJHT'), shown: put('x') }, user_code: put('WDJB-MJHT') },
        ...{
          client: { client_id, client_name, logo_uri: put(SAMPLE_LOGO), verified: true },
          switch_action: put('/device/switch'),
        },
        user: { username: put('alice'), name: put('Alice Example') },
        scopes: [
          { scope: put('films:watch'), description: put('Watch your films'), kind: 'read' },
          { scope: put('films:buy'), description: put('Buy films'), kind: 'change', optional: true },
          { scope: put('offline_access'), description: put('Keep working when you are not signed in'), kind: 'away' },
        ],
        roles: [
          { role: put('grown-up'), gives: [put('Watch your films'), put('Buy films')] },
          { role: put('child'), gives: [put('Watch your films')] },
        ],
        resources: [{ resource: put('https://api.northwind.example/films'), name: put('Films') }],
        ...{ offline: true, end_choices: [3600, 86_400, 30 * 86_400] },
        ...{ address: put('203.0.113.7'), device: put('Big Television 3'), created_at: NOW - MINUTE },
      }),
    device_done: () => renderDeviceDone(view, { decision: 'allow', client_name }),
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
          logo_uri: put(SAMPLE_LOGO),
          publisher: put('Acme Inc.'),
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
              {
                connection_id: put('c2'),
                account_label: put('alice@work.example'),
                ready: false,
                selected: false,
                repair_href: put('/connect/google?connection_id=c2'),
              },
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
    consent_role: () =>
      renderConsent(view, {
        ...base,
        client: { client_id: put('dms'), client_name: put('Acme Documents'), verified: true },
        redirect_uri: put('https://documents.acme.example/callback'),
        scopes: [
          { scope: put('orders:read'), description: put('Read orders'), kind: 'read' },
          { scope: put('orders:write'), description: put('Write orders'), kind: 'change' },
        ],
        resources: [],
        connectors: [],
        roles: [
          { role: put('dispatcher'), gives: [put('Read orders')] },
          { role: put('clerk'), gives: [put('Read orders'), put('Write orders')] },
          { role: put('visitor'), gives: [] },
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
  // It keeps no choice of a language.
  const of_broker = { ...view, languages: undefined }
  const brokered = { primary: put('Plant 4 Vault'), provider: put('Google') }
  return {
    account: () =>
      renderAccount(view, {
        user: { username: put('alice'), name: put('Alice Example'), email: put('alice@example.test') },
        may_administer: true,
        apps: [
          {
            client_id: put('notes-web'),
            client_name: put('Acme Notes'),
            logo_uri: put(SAMPLE_LOGO),
            scopes: [
              { scope: put('profile'), description: put('See your name and picture'), may_take_back: true },
              { scope: put('notes.write'), description: put('Write and delete notes'), may_take_back: true },
            ],
            open_href: put('/account/open?client_id=notes-web'),
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
                through: put('Planner'),
                only_reads: true,
                ends_at: NOW + 30 * DAY,
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
            lapses_at: NOW + 6 * DAY,
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
            ends_all: true,
            used_by: [],
          },
        ],
        connectors: [
          { connector: put('google'), provider_name },
          { connector: put('slack'), provider_name: put('Slack') },
        ],
        tokens: shownTokens(put),
        may_make_tokens: true,
        sessions: [
          {
            sid: put('s1'),
            current: true,
            device: put('Firefox on Linux'),
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
        done: 'app',
        may_administer: false,
        apps: [],
        connections: [],
        connectors: [{ connector: put('google'), provider_name }],
        tokens: [],
        may_make_tokens: true,
        sessions: [
          { sid: put('s1'), current: true, device: put('Chrome on Windows'), created_at: NOW, last_seen_at: NOW },
        ],
      }),
    allow_connection: () =>
      renderAllowConnection(view, {
        action: put('/connect/google/allow?request=8f2c'),
        client: {
          client_id: put('https://desk.example/agent.json'),
          client_name: put('Desk Agent'),
          verified: false,
          published_at: put('desk.example'),
        },
        user: { username: put('alice'), name: put('Alice Example') },
        server: { resource: put('https://planner.example/mcp'), name: put('Planner') },
        connector: {
          connector: put('google'),
          provider_name,
          choices: [
            { connection_id: put('c1'), account_label: put('alice@gmail.example'), ready: true, selected: true },
            {
              connection_id: put('c2'),
              account_label: put('old@gmail.example'),
              ready: false,
              selected: false,
              repair_href: put('/connect/google?connection_id=c2'),
            },
          ],
          connect_href: put('/connect/google?return_to=8f2c'),
        },
        writes: true,
        may_only_read: true,
        end_choices: [3600, 86_400, 2_592_000],
        missing: true,
      }),
    allow_connection_none: () =>
      renderAllowConnection(view, {
        action: put('/connect/google/allow?request=8f2c'),
        client: { client_id: put('notes-web'), client_name: put('Acme Notes'), verified: true },
        user: { username: put('alice') },
        connector: {
          connector: put('google'),
          provider_name,
          choices: [],
          connect_href: put('/connect/google?return_to=8f2c'),
        },
        writes: false,
        may_only_read: true,
        end_choices: [],
        missing: false,
      }),
    ...Object.fromEntries(
      (['allowed', 'refused', 'over', 'other_user'] as const).map((outcome) => [
        `allow_connection_${outcome}`,
        () =>
          renderAllowConnectionResult(view, {
            ...{ outcome, provider_name, client_name: put('Desk Agent'), username: put('alice') },
            account_label: put('alice@gmail.example'),
          }),
      ]),
    ),
    connect_connected: () =>
      renderConnectResult(view, { ...result, outcome: 'connected', account_label: put('alice@gmail.example') }),
    connect_refused: () => renderConnectResult(view, { ...result, outcome: 'refused' }),
    connect_failed: () =>
      renderConnectResult(view, { ...result, outcome: 'failed', said: put('server_error: The database is down') }),
    broker_down: () => renderTrouble(of_broker, 'down', { ...brokered, retry_href: put('/finish?state=x') }),
    broker_down_start: () => renderTrouble(of_broker, 'down_start', { ...brokered, retry_href: put('/start?flow=x') }),
    broker_over: () => renderTrouble(of_broker, 'over', brokered),
    broker_not_found: () => renderTrouble(of_broker, 'not_found', { primary: undefined, provider: undefined }),
    broker_carry: () =>
      renderCarry(of_broker, {
        ...brokered,
        action: put('/connect/mailbox/finish'),
        hidden: { message: put('eyJ'), receipt: put('r') },
      }),
    connect_choice: () =>
      renderConnectChoice(view, {
        action: put('/account/connections/choose'),
        connector: put('atlassian'),
        provider_name: put('Atlassian'),
        account_label: put('alice@acme.example'),
        choice: put('sp_ch_1'),
        options: [
          { id: put('1324a887'), name: put('Acme') },
          { id: put('9f2c11d4'), name: put('Acme Research') },
          { id: put('5b10a284'), name: put('Bakery on the corner') },
        ],
      }),
    connect_key: () =>
      renderConnectKey(view, {
        ...{ action: put('/connect/desk/key?state=x'), provider_name: put('Freshdesk'), credential: 'api_key' },
        ...{ notes: put('The API takes the API key of a person, and no token.'), wrong: false },
      }),
    connect_key_wrong: () =>
      renderConnectKey(view, {
        ...{ action: put('/connect/charts/key?state=x'), provider_name: put('Amplitude'), credential: 'basic_pair' },
        ...{ notes: null, wrong: true, username: put('a:b') },
      }),
    connect_ask_client: () =>
      renderConnectAsk(view, {
        ...{
          action: put('/connect/mail/ask?state=x'),
          provider_name: put('Microsoft Entra'),
          kind: 'client',
          wrong: false,
        },
        client_id: put('4f8b1c2e-alarms'),
      }),
    connect_ask_assertion: () =>
      renderConnectAsk(view, {
        ...{ action: put('/connect/drive/ask?state=x'), provider_name: put('Google'), kind: 'assertion', wrong: true },
        ...{ client_id: put('robot@acme.iam.example'), subject: put('alice@acme.example') },
      }),
    connect_ask_password: () =>
      renderConnectAsk(view, {
        ...{
          action: put('/connect/old/ask?state=x'),
          provider_name: put('Old server'),
          kind: 'password',
          wrong: false,
        },
        client_id: put('us'),
      }),
    connect_device: () =>
      renderConnectDevice(view, {
        ...{
          provider_name: put('GitHub'),
          user_code: put('WDJB-MJHT'),
          check_href: put('/connect/code/device?state=x'),
        },
        verification_uri: 'https://github.example/login/device',
        verification_uri_complete: 'https://github.example/login/device?user_code=WDJB-MJHT',
        go_href: put('/connect/code/device?state=x&go=1'),
        expires_at: view.now + 840_000,
      }),
    connect_device_asked: () =>
      renderConnectDevice(view, {
        ...{
          provider_name: put('GitHub'),
          user_code: put('WDJB-MJHT'),
          check_href: put('/connect/code/device?state=x'),
        },
        ...{ verification_uri: 'https://github.example/login/device', verification_uri_complete: null },
        ...{ go_href: put('/connect/code/device?state=x&go=1'), expires_at: view.now + 840_000 },
        asker: sampleAsker(put),
      }),
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

function sampleAsker(put: Put) {
  return {
    ...{ client_name: put('Plant Control'), client_id: put('plant-control'), end_user_id: put('alarm-mailbox') },
    ...{ expected_account: put('alarms@plant.example'), kept_at: put('id.northwind.example') },
  }
}

function connectSessionPages(view: View, put: Put): Pages {
  const client_name = put('Plant Control')
  const asker = sampleAsker(put)
  const provider_name = put('Google')
  const href = put('/connect/session/start?session_id=8f2c&connector=google')
  const end = {
    client_name,
    provider_name,
    account_label: put('alarms@plant.example'),
    request_id: put('kYjmVQrAaLPW'),
  }
  return {
    connect_session: () => renderConnectSession(view, { asker, connectors: [{ provider_name, href }] }),
    connect_session_several: () =>
      renderConnectSession(view, {
        asker: { ...asker, end_user_id: null, expected_account: null },
        connectors: [provider_name, put('Microsoft Entra')].map((name) => ({ provider_name: name, href })),
      }),
    connect_invitation: () =>
      renderConnectInvitation(view, {
        ...{ action: put('/connect/invitation'), token: put('sp_cs_x'), asker, provider_names: [provider_name] },
        expires_at: NOW + 3 * DAY,
      }),
    ...Object.fromEntries(
      (['done', 'seen', 'over', 'other_user', 'unexpected', 'refused'] as const).map((outcome) => [
        `connect_session_${outcome}`,
        () =>
          renderConnectSessionEnd(view, {
            ...{ outcome, ...end, user: put('bob'), retry_href: href, back_href: put('/back') },
          }),
      ]),
    ),
  }
}
