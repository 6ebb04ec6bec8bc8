import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPlatform } from './platform.ts'
import { PlatformError } from './platform_error.ts'

const read = (value: unknown) => readPlatform(value, { grant_types: ['authorization_code', 'refresh_token'] })
const web = { client_id: 'web', redirect_uris: ['http://127.0.0.1:3000/callback'], scope: 'openid' }

function refuses(value: unknown, ...sentences: string[]): void {
  assert.throws(
    () => read(value),
    (error) => {
      assert.ok(error instanceof PlatformError)
      assert.deepEqual(error.sentences, sentences)
      return true
    },
  )
}

test('what a file leaves out has defaults', () => {
  const platform = read({
    resources: [{ resource: 'https://api.example.com' }],
    clients: [web],
    roles: [{ role: 'a' }],
  })
  assert.deepEqual(platform.resources[0], {
    resource: 'https://api.example.com',
    name: 'https://api.example.com',
    scopes: new Map(),
    default_scopes: [],
    access_token_format: 'jwt',
    access_token_lifetime_seconds: 600,
    every_user: false,
    introspection_clients: [],
  })
  assert.equal(platform.clients[0]!.client_secret, undefined)
  assert.deepEqual(platform.clients[0]!.metadata.grant_types, ['authorization_code'])
  assert.deepEqual(platform.roles, [{ role: 'a', scopes: [] }])
  assert.deepEqual([platform.settings, platform.users, platform.connectors], [{}, [], []])
})

test('an unknown name is refused wherever it stands, with the nearest known one', () => {
  refuses({ cleints: [] }, 'the file: cleints is not known; did you mean clients?')
  refuses(
    { settings: { service_registratoin: 'open' } },
    'settings: service_registratoin is not known; did you mean service_registration?',
  )
  refuses(
    { clients: [{ ...web, redirect_uri: 'x' }] },
    'clients[0]: redirect_uri is not known; did you mean redirect_uris?',
  )
  refuses(
    { resources: [{ resource: 'https://a.example', access_token: { lifetime: 60 } }] },
    'resources[0].access_token: lifetime is not known; known are format, lifetime_seconds, signing_alg',
  )
  refuses(
    { users: [{ username: 'a', pasword: 'hunter2', mail: 'x' }] },
    'users[0]: pasword is not known; did you mean password?. mail is not known; did you mean email?',
  )
})

test('a value of the wrong kind is refused by its place and never repeated', () => {
  refuses(
    { roles: [{ role: 'a', scopes: 'read' }, { scopes: [] }], users: [{ username: 7, email_verified: 'yes' }] },
    'roles[0].scopes: must be a list',
    'roles[1].role: must be text',
    'users[0].username: must be text',
    'users[0].email_verified: must be true or false',
  )
  refuses({ clients: 'hunter2' }, 'clients: must be a list')
  refuses('hunter2', 'the file: must be a map of names to values')
})

test('client metadata are refused by the reader of RFC 7591, with the place of the client', () => {
  refuses(
    { clients: [web, { client_id: 'cli', grant_types: ['magic'] }, { client_id: 'a b', redirect_uris: [] }] },
    'clients[1] (cli): grant_types may hold only authorization_code, refresh_token',
    'clients[2] (a b): client_id must be 1 to 255 printable ASCII characters without space',
  )
})

test('10.4.3 settings are held to their limits, the life of a code to 600 seconds', () => {
  refuses(
    { settings: { code_lifetime_seconds: 601 } },
    'settings.code_lifetime_seconds must be a whole number from 10 to 600',
  )
  refuses({ settings: { service_registration: 'all' } }, 'settings.service_registration must be administrators or open')
})

test('nothing is described twice', () => {
  refuses(
    {
      clients: [web, web],
      users: [{ username: 'Alice' }, { username: 'alice' }],
      roles: [{ role: 'a' }, { role: 'a' }],
    },
    'roles: a is described twice',
    'clients: web is described twice',
    'users: alice is described twice',
  )
  const users = [
    { username: 'a', user_id: '1' },
    { username: 'b', user_id: '1' },
    { username: 'c', user_id: 'web' },
  ]
  refuses(
    { clients: [web], users },
    'users[1] (b): user_id 1 is described as that of another',
    'users[2] (c): user_id web is described as that of another',
  )
})
