import { renderGrant } from '../../server/src/web/admin/inbound/templates/grant.ts'
import { renderGrants } from '../../server/src/web/admin/inbound/templates/grants.ts'
import { renderAskRights, renderEditRole, renderRoles } from '../../server/src/web/admin/inbound/templates/roles.ts'
import { renderConnectSessions } from '../../server/src/web/admin/outbound/templates/connect_sessions.ts'
import { renderConnection, renderReveal } from '../../server/src/web/admin/outbound/templates/connection.ts'
import type { ActivityData } from '../../server/src/web/admin/server/templates/activity.ts'
import { renderBrand } from '../../server/src/web/admin/server/templates/brand.ts'
import { renderEvent } from '../../server/src/web/admin/server/templates/event.ts'
import { renderSearch } from '../../server/src/web/admin/server/templates/search.ts'
import { renderEditSettings, renderSettings } from '../../server/src/web/admin/server/templates/settings.ts'
import { renderKeys } from '../../server/src/web/admin/server/templates/signing_keys.ts'
import { renderTenant } from '../../server/src/web/admin/server/templates/tenant.ts'
import { renderWebhook } from '../../server/src/web/admin/server/templates/webhook.ts'
import {
  renderEditWebhook,
  renderMadeSecret,
  renderWebhooks,
} from '../../server/src/web/admin/server/templates/webhooks.ts'
import { icon } from '../../server/src/web/ui/assets.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import { DAY, HOUR, MINUTE, NOW, type Pages, type Put } from './sample_view.ts'

/** The pages of the console about what happens: grants, connections, events, keys, webhooks, roles, settings. */
export function consoleMorePages(view: View, put: Put): Pages {
  return {
    ...grantPages(view, put),
    ...connectionPages(view, put),
    ...eventPages(view, put),
    ...serverPages(view, put),
    ...webhookPages(view, put),
    search: () =>
      renderSearch(view, {
        find: put('notes'),
        found: [
          {
            ...{ kind: 'clients', id: put('0192-notes'), name: put('Acme Notes') },
            ...{ path: '/admin/client', query: { client_id: put('0192-notes') } },
          },
          { kind: 'users', id: put('notes-tester'), path: '/admin/user', query: { user_id: put('0193') } },
          {
            ...{ kind: 'resources', id: put('https://notes.northwind.example/'), name: put('Notes') },
            ...{ path: '/admin/resource', query: { uri: put('https://notes.northwind.example/') } },
          },
        ],
      }),
    search_nothing: () => renderSearch(view, { find: put('nobody'), found: [] }),
    search_empty: () => renderSearch(view, { find: '', found: [] }),
  }
}

const script = (put: Put) => ({
  api: put('curl -X DELETE https://id.northwind.example/api/grants/0192 \\\n  -H "Authorization: Bearer $TOKEN"'),
  cli: put('sallyport grants end 0192'),
})

function grantPages(view: View, put: Put): Pages {
  const notes = { client_id: put('notes-web'), client_name: put('Acme Notes') }
  const alice = { user_id: put('01930000-alice'), username: put('alice') }
  const grant = {
    ...{ grant_id: put('01932f5e-9a01-7c3e-b6a4-2f1f0c7d9e55'), ...notes, ...alice, state: 'living' as const },
    scopes: [
      { scope: put('notes:read'), description: put('See your notes') },
      { scope: put('notes:write'), description: put('Write and delete notes') },
      { scope: put('offline_access'), description: put('Stay connected while you are away') },
    ],
    ...{ resources: [put('https://api.northwind.example/')], role: put('clerk') },
    connections: [
      {
        ...{ connection_id: put('c1'), provider_name: put('Google'), account_label: put('alice@gmail.example') },
        ...{ state: 'ready' as const, through: put('Planner'), only_reads: true, last_used_at: NOW - HOUR },
      },
      { connection_id: put('c9'), only_reads: false },
    ],
    ...{ created_at: NOW - 40 * DAY, last_used_at: NOW - 2 * HOUR, expires_at: NOW + 50 * DAY, script: script(put) },
  }
  return {
    grants: () =>
      renderGrants(view, {
        filter: { user: put('alice') },
        grants: [
          {
            ...{ grant_id: put('g3'), ...notes, ...alice, scopes: [put('notes:read'), put('notes:write')] },
            ...{ connections: 1, state: 'living', created_at: NOW - 3 * DAY, last_used_at: NOW - 9 * MINUTE },
          },
          {
            ...{ grant_id: put('g2'), client_id: put('desk'), client_name: put('Desk Agent'), ...alice },
            scopes: ['openid', 'email', 'profile', 'calendar:read', 'offline_access'].map(put),
            ...{ connections: 0, state: 'dead', created_at: NOW - 9 * DAY },
          },
          {
            ...{ grant_id: put('g1'), ...notes, user_id: put('bob'), username: put('bob'), scopes: [] },
            ...{ connections: 0, state: 'revoked', created_at: NOW - 20 * DAY, last_used_at: NOW - 12 * DAY },
          },
        ],
        ...{ cursor: put('abc'), next_cursor: put('def') },
      }),
    grants_empty: () => renderGrants(view, { filter: {}, grants: [] }),
    grants_wrong: () => renderGrants(view, { filter: { user: put('nobody') }, wrong: 'user', grants: [] }),
    grant: () => renderGrant(view, grant),
    grant_dead: () => renderGrant(view, { ...grant, state: 'dead', died_of: 'role', connections: [] }),
    grant_ended: () =>
      renderGrant(view, {
        ...{ ...grant, state: 'revoked', revoked_at: NOW - DAY, reason: put('consent_withdrawn') },
        ...{ connections: [], scopes: [], resources: [] },
      }),
    grant_expired: () => renderGrant(view, { ...grant, state: 'expired', expires_at: NOW - DAY }),
  }
}

function connectionPages(view: View, put: Put): Pages {
  const named = {
    ...{ connection_id: put('01932f5e-9a01-7c3e-b6a4-2f1f0c7d9e55'), provider_name: put('Google') },
    account_label: put('alice@gmail.example'),
  }
  const connection = {
    ...{ ...named, connector: put('google'), state: 'ready' as const },
    owner: { user_id: put('01930000-alice'), username: put('alice') },
    scopes: [put('openid'), put('email'), put('https://www.googleapis.com/auth/calendar.readonly')],
    ...{ created_at: NOW - 90 * DAY, refreshed_at: NOW - 20 * MINUTE, expires_at: NOW + 40 * MINUTE },
    ...{ last_used_at: NOW - 4 * MINUTE, failures: 0, seen: '7', ends_all: true, may_reveal: 'yes' as const },
    reconnect_url: put(
      'https://id.northwind.example/connect/google?connection_id=01932f5e-9a01-7c3e-b6a4-2f1f0c7d9e55',
    ),
    used_by: [{ client_id: put('desk'), client_name: put('Desk Agent'), last_used_at: NOW - 4 * MINUTE }],
    scripts: { refresh: script(put), disconnect: script(put) },
  }
  const reveal = { ...named, script: script(put) }
  return {
    connection: () => renderConnection(view, { ...connection, outcome: 'refreshed' }),
    connection_broken: () =>
      renderConnection(view, {
        ...{
          ...connection,
          state: 'needs_reconsent',
          reason: 'revoked',
          last_error: put('invalid_grant'),
          failures: 3,
        },
        ...{ retry_at: NOW + 5 * MINUTE, outcome: 'needs_reconsent' },
        ...{ refresh_expires_at: NOW - HOUR, ends_at: NOW + 9 * DAY, used_by: [] },
      }),
    connection_faulty: () =>
      renderConnection(view, { ...connection, state: 'error', last_error: put('invalid_app'), may_reveal: 'no_right' }),
    connection_of_platform: () =>
      renderConnection(view, {
        ...{ ...connection, state: 'pending', owner: { client_id: put('platform'), end_user_id: put('u-17') } },
        ...{ reconnect_url: undefined, may_reveal: 'of_platform', used_by: [] },
      }),
    connection_ended: () => renderConnection(view, { ...connection, state: 'disconnected' }),
    connect_sessions: () =>
      renderConnectSessions(view, {
        sessions: (['created', 'opened', 'failed', 'unconfirmed', 'expired'] as const).map((status, i) => ({
          ...{ session_id: put(`s${i}`), client_id: put('platform'), client_name: put('Northwind Shop'), status },
          owner: i % 2 === 0 ? { username: put('alice') } : { end_user_id: put('u-17') },
          ...{ connectors: [put('google'), put('github')], invitation: i === 1 },
          ...{ reason: i === 2 ? put('access_denied') : undefined },
          ...{ created_at: NOW - (i + 1) * 7 * MINUTE, expires_at: NOW + (4 - i) * 9 * MINUTE - 1 },
        })),
        ...{ cursor: put('a'), next_cursor: put('b') },
      }),
    connect_sessions_empty: () => renderConnectSessions(view, { sessions: [] }),
    reveal_token: () => renderReveal(view, reveal),
    revealed_token: () =>
      renderReveal(view, {
        ...reveal,
        answer: {
          ...{
            access_token: put('ya29.a0AfH6SMBx7Q2vQk7bJ0mWc9sXyR4tZ8uL1nE5aH3dF6gK0pM2qV7wB'),
            token_type: put('Bearer'),
          },
          expires_at: NOW + 40 * MINUTE,
        },
      }),
    revealed_nothing: () => renderReveal(view, { ...reveal, answer: { why: 'bound' } }),
  }
}

function eventPages(view: View, put: Put): Pages {
  const event = {
    ...{ event_id: put('01932f5e-9a01-7c3e-b6a4-2f1f0c7d9e55'), at: NOW - 2 * HOUR, event: put('settings.saved') },
    ...{
      actor: put('root'),
      request_id: put('4f1c9d02'),
      sequence: 81_204,
      chain: put('q83vEjRWeJq83vEjRWeJq83vEjRWeA'),
    },
    changes: [
      { member: put('refresh_idle_seconds'), before: put('2592000'), after: put('604800') },
      { member: put('signing_algs'), before: put('["ES256"]'), after: put('["ES256","EdDSA"]') },
      { member: put('sign_up'), after: put('verified') },
    ],
    detail: put('{\n  "changed": ["refresh_idle_seconds", "signing_algs", "sign_up"]\n}'),
  }
  return {
    event: () => renderEvent(view, event),
    event_bare: () =>
      renderEvent(view, {
        ...{ event_id: put('e1'), at: NOW, event: put('grant.revoked'), changes: [], client_id: put('notes-web') },
        ...{ user: { user_id: put('u1'), username: put('alice') }, grant_id: put('g1'), connection_id: put('c1') },
      }),
  }
}

function serverPages(view: View, put: Put): Pages {
  const key = (kid: string, published_days: number, signs_days: number, retires_days: number) => ({
    ...{ kid: put(kid), published_at: NOW + published_days * DAY, signs_at: NOW + signs_days * DAY },
    ...{ retires_at: NOW + retires_days * DAY, gone_at: NOW + (retires_days + 1) * DAY },
  })
  const keys = {
    algs: [
      {
        ...{ alg: put('ES256'), rotates: true },
        keys: [
          { ...key('x1Tq9hR2mLk0', -100, -99, -9), state: 'retired' as const, since: NOW - 9 * DAY },
          { ...key('u7Wd3fNb5cYe', -10, -9, 81), state: 'current' as const, since: NOW - 9 * DAY },
          { ...key('p4Zs8vGj6aXo', -1, 81, 171), state: 'next' as const, since: NOW - DAY },
        ],
      },
      {
        ...{ alg: put('RS256'), rotates: false },
        keys: [{ ...key('k2Bn5mQw1rTy', -60, -59, -1), state: 'revoked' as const, since: NOW - DAY }],
      },
    ],
    scripts: { rotate: script(put), revoke: script(put) },
  }
  const settings = [
    { setting: 'code_lifetime_seconds', value: 60, is_default: true },
    { setting: 'session_idle_seconds', value: 3600, is_default: false },
    { setting: 'signing_algs', value: [put('ES256'), put('EdDSA')], is_default: false },
    { setting: 'require_pushed_authorization_requests', value: false, is_default: true },
    { setting: 'login_handoff', value: null, is_default: true },
    { setting: 'brokers', value: [{}], is_default: false },
    { setting: 'registration', value: put('token'), is_default: false },
    { setting: 'compat', value: put('none'), is_default: true },
  ] as const
  const values = {
    ...{ code_lifetime_seconds: put('60'), refresh_idle_seconds: put('none'), 'signing_algs.0': 'ES256' },
    ...{
      mfa: 'optional',
      metadata_document_hosts: put('agents.example'),
      require_pushed_authorization_requests: 'true',
    },
  }
  const seen = put('7')
  const brand = {
    ...{ brand_name: put('Northwind Cloud'), brand_accent: '', brand_logo: '', seen, script: script(put) },
  }
  const logo = { brand_logo: put('data:image/png;base64,iVBO'), logo: view.base + icon.path }
  return {
    keys: () => renderKeys(view, keys),
    keys_wrong: () => renderKeys(view, { ...keys, wrong: put('The key is revoked already') }),
    brand: () => renderBrand(view, brand),
    brand_chosen: () =>
      renderBrand(view, { ...brand, ...logo, brand_accent: '#f5d04a', kept_logo: put('data:image/png;base64,iVBO') }),
    brand_wrong: () =>
      renderBrand(view, {
        ...{ ...brand, ...logo, brand_accent: put('greenish') },
        wrong: { brand_name: true, brand_accent: true, brand_logo: 'drawn' },
      }),
    brand_stale: () => renderBrand(view, { ...brand, again: 'stale' }),
    tenant: () =>
      renderTenant(view, {
        ...{ name: put('Northwind Cloud'), issuer: put('https://id.northwind.example'), tenant_id: put('01930000-t') },
        ...{ created_at: NOW - 400 * DAY, most: 10_000 },
        counts: { users: 4821, clients: 37, grants: 10_000, connections: 912, resources: 6, roles: 4 },
        commands: {
          disable: put('sallyport tenants disable https://id.northwind.example'),
          enable: put('sallyport tenants enable https://id.northwind.example'),
        },
      }),
    settings: () => renderSettings(view, { settings, saved: true }),
    edit_settings: () => renderEditSettings(view, { values, seen, script: script(put) }),
    edit_settings_wrong: () =>
      renderEditSettings(view, {
        ...{ values, seen, script: script(put) },
        wrong: { member: 'mfa', sentence: put('mfa must be optional or required') },
      }),
    edit_settings_stale: () => renderEditSettings(view, { values, seen, script: script(put), wrong: 'stale' }),
    roles: () =>
      renderRoles(view, {
        roles: [
          { role: put('administrator'), scopes: [put('admin:read'), put('admin:write')], built_in: true },
          { role: put('clerk'), scopes: [put('orders:read'), put('orders:write')], built_in: false },
        ],
      }),
    roles_first: () =>
      renderRoles(view, { roles: [{ role: put('administrator'), scopes: [put('admin:read')], built_in: true }] }),
    new_role: () =>
      renderEditRole(view, {
        ...{ values: { role: put('clerk one'), scopes: put('orders:read') }, seen, script: script(put) },
        wrong: { member: 'role', sentence: put('role must have 1 to 64 letters') },
      }),
    new_role_known: () =>
      renderEditRole(view, { role: put('clerk'), values: { scopes: put('orders:read') }, seen, script: script(put) }),
    ask_rights: () => renderAskRights(view, { script: script(put) }),
    ask_rights_wrong: () =>
      renderAskRights(view, { client_id: put('nobody'), username: put('alice'), wrong: 'client', script: script(put) }),
  }
}

function webhookPages(view: View, put: Put): Pages {
  const crm = {
    ...{ webhook: put('crm'), url: put('https://crm.northwind.example/hooks/sallyport'), failures: 0, disabled: false },
    description: put('Tells sales when somebody disconnects'),
    event_types: [put('connection.needs_reconsent'), put('grant.ended')],
  }
  const scripts = { replay: script(put), rotate: script(put), disable: script(put), delete: script(put) }
  const webhook = {
    ...{ ...crm, created_at: NOW - 60 * DAY, seen: put('c2Vlbg'), scripts },
    keys: [
      { signature: put('v1'), made_at: NOW - 2 * HOUR },
      {
        signature: put('v1a'),
        public_key: put('whpk_8PYrEnYZs1eT'),
        made_at: NOW - 60 * DAY,
        ends_at: NOW + 22 * HOUR,
      },
    ],
    deliveries: [
      {
        ...{ event_id: put('e3'), type: put('connection.needs_reconsent'), state: 'pending' as const },
        ...{ created_at: NOW - 4 * MINUTE, next_at: NOW + 6 * MINUTE },
        tries: [{ at: NOW - 4 * MINUTE, ms: 10_004, error: put('timeout') }],
      },
      {
        ...{ event_id: put('e2'), type: put('grant.ended'), state: 'delivered' as const, created_at: NOW - HOUR },
        tries: [
          { at: NOW - 50 * MINUTE, ms: 412, status: 503 },
          { at: NOW - 45 * MINUTE, ms: 38, status: 204 },
        ],
      },
      { event_id: put('e1'), type: put('grant.ended'), state: 'failed' as const, created_at: NOW - 4 * DAY, tries: [] },
    ],
  }
  const types = ['connection.ready', 'connection.needs_reconsent', 'grant.created', 'grant.ended']
  const form = { event_types: types, seen: put('7'), script: script(put) }
  return {
    webhooks: () =>
      renderWebhooks(view, {
        webhooks: [
          crm,
          { ...crm, webhook: put('billing'), description: '', event_types: [], failures: 4 },
          { ...crm, webhook: put('old'), disabled: true },
        ],
      }),
    webhooks_empty: () => renderWebhooks(view, { webhooks: [] }),
    webhook: () => renderWebhook(view, { ...webhook, replayed: 3, cursor: put('a'), next_cursor: put('b') }),
    webhook_failing: () =>
      renderWebhook(view, {
        ...{ ...webhook, failures: 7, failing_since: NOW - 5 * HOUR, deliveries: [], replayed: 0, state: 'failed' },
        replay: { from: put('yesterday'), to: put('2026-11-21 14:30'), wrong: 'from' },
      }),
    webhook_disabled: () =>
      renderWebhook(view, { ...webhook, twice: true, disabled: true, disabled_reason: 'failing' }),
    new_webhook: () =>
      renderEditWebhook(view, {
        ...{ ...form, values: { webhook: put('crm'), url: put('http://crm.example'), 'event_types.0': types[0]! } },
        wrong: { member: 'url', sentence: put('The webhook’s url must be https') },
      }),
    new_webhook_known: () =>
      renderEditWebhook(view, { ...form, webhook: put('crm'), values: { url: crm.url, description: crm.description } }),
    made_webhook: () =>
      renderMadeSecret(view, { webhook: put('crm'), secret: put('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') }),
    made_webhook_rotated: () =>
      renderMadeSecret(view, {
        webhook: put('crm'),
        secret: put('whsec_MfKQ9r8GKYqrTwjUPD8'),
        former_ends_at: NOW + DAY,
      }),
  }
}

/** A day of a server, hour by hour. */
export function sampleActivity(put: Put): ActivityData {
  const day = [
    31, 22, 18, 9, 12, 30, 88, 240, 410, 530, 610, 590, 480, 520, 640, 700, 580, 420, 330, 260, 190, 120, 80, 44,
  ]
  const part = (share: number) => day.map((n, i) => Math.round(n * share * (1 + (i % 3) / 6)))
  const start = NOW - (NOW % HOUR)
  return {
    hours: day.map((_, i) => start - (23 - i) * HOUR),
    tokens: [
      { label: put('refresh_token'), counts: day },
      { label: put('client_credentials'), counts: part(0.4) },
      { label: put('authorization_code'), counts: part(0.2) },
      { label: put('urn:ietf:params:oauth:grant-type:token-exchange'), counts: part(0.05) },
    ],
    refusals: [
      { label: put('invalid_grant'), counts: part(0.02) },
      { label: put('invalid_client'), counts: part(0.01) },
      { label: null, counts: part(0.008) },
    ],
    refreshes: [
      { label: 'tokens', counts: part(0.3) },
      { label: 'refused', counts: part(0.01) },
      { label: 'unknown', counts: part(0.006) },
    ],
    connections: [
      { state: 'ready', count: 9120 },
      { state: 'needs_reconsent', count: 84 },
      { state: 'error', count: 12 },
      { state: 'pending', count: 3 },
      { state: 'disconnected', count: 10_000 },
    ],
    most: 10_000,
  }
}
