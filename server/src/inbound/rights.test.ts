import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decideScope, IDENTITY_SCOPES, parseScope } from '../oauth/scope.ts'
import type { Resource } from '../store/tenant.ts'
import { judgeScope, presentScopes, type Rights, rightsOf, scopeRules } from './rights.ts'

const SCOPES = ['openid', 'read', 'write', 'print', 'use', 'admin:read']
const ROLES = ['clerk', 'boss', 'temp']
const resource = (name: string, scopes: string[], every_user = false): [string, Resource] => [
  name,
  {
    ...{
      resource: name,
      name,
      scopes: new Map(scopes.map((scope) => [scope, scope])),
      default_scopes: [],
      every_user,
      introspection_clients: [],
    },
    ...{ access_token_format: 'jwt' as const, access_token_lifetime_seconds: 600, introspection_clients: [] },
  },
]
const resources = new Map([resource('api', ['read', 'write', 'print', 'admin:read']), resource('hub', ['use'], true)])
const configuration = (roles: Record<string, string[]>): Rights['configuration'] => ({
  resources,
  roles: new Map(Object.entries(roles)),
})
const office = configuration({ clerk: ['read', 'print'], boss: ['read', 'write', 'admin:read'], temp: [] })
const user = (...roles: string[]) => ({ roles: JSON.stringify(roles) })
const all = { scope: SCOPES.join(' ') }

test('S3 S4 a role gives what it maps to, and the map of the client cuts it', () => {
  const left = (client: Rights['client'], roles: string[], role?: string) =>
    presentScopes(SCOPES, rightsOf(office, client, user(...roles), role ?? null))
  assert.deepEqual(left(all, ['clerk']), ['openid', 'read', 'print', 'use'])
  assert.deepEqual(left(all, ['clerk', 'boss']), ['openid', 'read', 'write', 'print', 'use', 'admin:read'])
  const mapped = { ...all, role_scopes: { clerk: ['read', 'write', 'use'] } }
  assert.deepEqual(left(mapped, ['clerk', 'boss']), ['openid', 'read', 'use'], 'no map widens a role')
  assert.deepEqual(left(mapped, ['boss']), ['openid'], 'a role that is not listed gives nothing')
  assert.deepEqual(left(all, ['clerk', 'boss'], 'clerk'), ['openid', 'read', 'print', 'use'], 'O2 the one picked')
  assert.deepEqual(left(all, ['boss'], 'clerk'), ['openid', 'use'], 'O2 a role that was lost')
  assert.deepEqual(left({ ...all, role_scopes: { __proto__: ['read'] } }, ['constructor', '__proto__']), ['openid'])
})

test('each ruling names its rule', () => {
  const rights = rightsOf(
    office,
    { scope: 'openid read write use', role_scopes: { boss: ['write'] } },
    user('clerk', 'boss'),
  )
  assert.deepEqual(judgeScope('print', rights), { granted: false, rule: 'client' })
  assert.deepEqual(judgeScope('openid', rights), { granted: true, rule: 'identity' })
  assert.deepEqual(judgeScope('read', rights), { granted: false, rule: 'role_scopes' })
  assert.deepEqual(judgeScope('write', rights), { granted: true, rule: 'role', role: 'boss' })
  assert.deepEqual(judgeScope('write', { ...rights, consented: ['read'] }), { granted: false, rule: 'consent' })
  const free = rightsOf(office, { scope: 'write use' }, user('clerk'))
  assert.deepEqual(judgeScope('write', free), { granted: false, rule: 'role' })
  assert.deepEqual(judgeScope('use', free), { granted: true, rule: 'every_user' })
  assert.deepEqual(judgeScope('write', { ...free, roles: null }), { granted: true, rule: 'client' })
  assert.deepEqual(judgeScope('use', rightsOf(office, { scope: '', every_service: true }, user())).granted, true)
  assert.deepEqual(
    judgeScope('read', rightsOf(office, { scope: '', every_service: true }, user('boss'))).granted,
    false,
  )
})

test('a tenant without roles guards its administration alone', () => {
  const open = rightsOf(configuration({ administrator: ['admin:read'] }), all, user())
  assert.deepEqual(presentScopes(SCOPES, open), ['openid', 'read', 'write', 'print', 'use'])
})

const some = (values: string[]) => fc.subarray(values)
const maps = fc.dictionary(fc.constantFrom(...ROLES), some(SCOPES), { noNullPrototype: true })

test("P-14 CVE-2024-52287 what is issued is asked, the client's, the roles', in the map, and consented", () => {
  const questions = fc.record({
    ...{ asked: some(SCOPES), of_client: some(SCOPES), held: some(ROLES), given: maps },
    ...{ map: fc.option(maps), picked: fc.option(fc.constantFrom(...ROLES)), consented: fc.option(some(SCOPES)) },
  })
  fc.assert(
    fc.property(questions, ({ asked, of_client, held, given, map, picked, consented }) => {
      const client = { scope: of_client.join(' '), ...(map && { role_scopes: map }) }
      // Three roles of its own: the tenant guards what no resource opens.
      const tenant = configuration({ clerk: [], boss: [], temp: [], ...given })
      const rights = { ...rightsOf(tenant, client, user(...held), picked), ...(consented && { consented }) }
      const issued = presentScopes(asked, rights)
      const at_work = held.filter((role) => picked === null || role === picked)
      for (const scope of issued) {
        assert.ok(asked.includes(scope) && of_client.includes(scope))
        assert.ok(!consented || consented.includes(scope))
        if (IDENTITY_SCOPES.has(scope)) continue
        const open = scope === 'use'
        assert.ok(
          (open && !map) ||
            at_work.some((role) => (open || given[role]?.includes(scope)) && (!map || map[role]?.includes(scope))),
        )
      }
      const decided = tryTo(() => decideScope({ requested: asked, resource_defaults: [], ...scopeRules(rights) }))
      for (const scope of decided) assert.ok(issued.includes(scope), 'a new request gets nothing that would not stand')
    }),
  )
})

function tryTo(decide: () => string[]): string[] {
  try {
    return decide()
  } catch {
    return parseScope('')
  }
}
