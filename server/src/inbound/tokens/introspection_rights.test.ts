import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Configuration, Resource } from '../../store/tenant.ts'
import { viewToken } from './introspection_rights.ts'

const ISSUER = 'https://id.example'
const resource = (name: string, scopes: string[], introspection_clients: string[]): [string, Resource] => [
  name,
  {
    ...{ resource: name, name, default_scopes: [], every_user: false, access_token_format: 'jwt' as const },
    ...{ access_token_lifetime_seconds: 600, introspection_clients },
    scopes: new Map(scopes.map((scope) => [scope, scope])),
  },
]
const configuration = {
  resources: new Map([
    resource('https://orders.example', ['orders:read', 'read'], ['orders', 'gateway']),
    resource('https://mail.example', ['mail:read', 'read'], ['mail', 'gateway', 'gateway']),
    resource('https://lonely.example', ['lonely'], []),
  ]),
} as unknown as Configuration
const see = (caller: string, aud: string | string[], scope: string) =>
  viewToken(
    { claims: { client_id: 'web' }, resource: [aud].flat(), scope: scope.split(' ') },
    { client_id: caller },
    ISSUER,
    configuration,
  )

const ORDERS = 'https://orders.example'
const MAIL = 'https://mail.example'

test('RFC 7662 4 a client sees all of its own tokens', () => {
  assert.deepEqual(see('web', [ORDERS, MAIL], 'openid orders:read mail:read'), {
    resources: [ORDERS, MAIL],
    scope: ['openid', 'orders:read', 'mail:read'],
  })
  assert.deepEqual(see('web', ISSUER, 'openid'), { resources: [ISSUER], scope: ['openid'] })
})

test('RFC 7662 4 a resource sees what is said to it, and nothing of others', () => {
  const both = 'openid orders:read mail:read read'
  assert.deepEqual(see('orders', [ORDERS, MAIL], both), {
    resources: [ORDERS],
    scope: ['openid', 'orders:read', 'read'],
  })
  assert.deepEqual(see('gateway', [ORDERS, MAIL], both), { resources: [ORDERS, MAIL], scope: both.split(' ') })
  assert.deepEqual(see('mail', ORDERS, 'orders:read read'), null, 'a scope of the same name at another resource')
  assert.deepEqual(see('orders', 'https://lonely.example', 'lonely'), null)
  assert.deepEqual(see('stranger', ORDERS, 'orders:read'), null)
  assert.deepEqual(see('orders', `${ISSUER}/api`, 'admin:read'), null)
  assert.deepEqual(see('orders', `${ISSUER}/proxy/acme`, 'openid'), null)
})

test('a token for the issuer is seen by the resources whose scopes it carries, those scopes alone', () => {
  assert.deepEqual(see('orders', ISSUER, 'openid orders:read mail:read'), {
    resources: [ISSUER],
    scope: ['openid', 'orders:read'],
  })
  assert.equal(see('orders', ISSUER, 'openid email'), null)
  assert.equal(see('orders', ISSUER, 'mail:read'), null)
  assert.deepEqual(see('mail', [ORDERS, ISSUER], 'orders:read mail:read'), {
    resources: [ISSUER],
    scope: ['mail:read'],
  })
})
