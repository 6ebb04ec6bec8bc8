import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import * as z from 'zod'
import { commandOf, scriptOf } from '../web/admin/forms/same_by_script.ts'
import { API_ROUTES } from '../web/api/table.ts'
import type { Visit } from '../web/page.ts'
import { readRouteInput } from './route_input.ts'

const visit = { web: { tenant: { issuer: 'https://id.example/hub' } } } as unknown as Visit

/** The words that a POSIX shell makes of lines. */
function wordsOf(lines: string): string[] {
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${lines}`], { env: { TOKEN: 'token' }, encoding: 'utf8' })
  return printed.split('\0').slice(0, -1)
}

test('the call and the command that a form of the console shows send the same, once a shell has read them', async () => {
  const strange = `o'r "$HOME" \`id\` \\ \n, = [x] {}`
  const metadata = {
    ...{ client_name: strange, redirect_uris: ['https://a.example/cb?x=1,2', 'https://a.example/cb'], trusted: true },
    ...{ role_scopes: { 'clerk.a': ['orders:read'] }, access_token_lifetime_seconds: 60, contacts: [] },
    ...{ jwks: { keys: [{ kty: 'OKP' }] }, token_exchange: { resources: ['https://x.example'], impersonation: true } },
  }
  const access_token = { format: 'jwt', lifetime_seconds: 60 }
  const sent = [
    ['createClient', {}, { metadata }],
    ['updateClient', { client_id: strange }, { metadata: { client_name: 'Notes', scope: 'openid email' } }],
    ['switchClient', { client_id: 'x' }, { name: 'trusted', on: false }],
    [
      'createResource',
      {},
      { resource: 'https://a.example', scopes: { 'a.b:c': strange }, access_token, every_user: true },
    ],
    ['createTrustedIssuer', {}, { issuer: 'https://b.example', jwks: { keys: [] }, clients: ['a', 'b'], scope: '' }],
    ['createUser', {}, { username: strange, roles: ['a', 'b'] }],
    [
      'updateSettings',
      {},
      { session_idle_seconds: 60, brokers: [], login_handoff: null, signing_algs: ['ES256'], brand_name: '123' },
    ],
    [
      'createWebhook',
      {},
      { webhook: 'crm', url: 'https://a.example/?a=1', event_types: ['grant.ended'], description: '' },
    ],
  ] as const
  for (const [operation, values, body] of sent) {
    const { api, cli } = scriptOf(visit, operation, values, { body })
    const route = API_ROUTES.find(({ name }) => name === operation)!
    const curl = wordsOf(api)
    assert.deepEqual([curl[0], curl[2], curl[5]], ['curl', route.method, 'Authorization: Bearer token'])
    assert.deepEqual(JSON.parse(curl.at(-1)!), body)
    route.body!.parse(JSON.parse(curl.at(-1)!))
    const words = wordsOf(cli)
    const set = words.flatMap((word, i) => (words[i - 1] === '--set' ? [word] : []))
    assert.deepEqual(words.slice(0, 3), ['sallyport', ...commandOf(operation)])
    assert.deepEqual(words.slice(3, 3 + Object.keys(values).length), Object.values(values))
    const schema = z.toJSONSchema(route.body!, { io: 'input', target: 'draft-2020-12' })
    assert.deepEqual(await readRouteInput(schema, {}, { set }), body, cli)
  }
})
