import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refusal } from '../../../oauth/clients/metadata_member.ts'
import { API_ROUTES } from '../../api/table.ts'
import type { Visit } from '../../page.ts'
import { commandOf, SCRIPTS, scriptOf, sentOr } from './same_by_script.ts'

const visit = { web: { tenant: { issuer: 'https://id.example/hub' } } } as unknown as Visit

test('each call that a form shows is a route of the table', () => {
  for (const [operation, call] of Object.entries(SCRIPTS)) {
    const route = API_ROUTES.find(({ name }) => name === operation)
    assert.ok(route, operation)
    assert.equal(`${route.method} ${route.path}`, call)
    assert.equal(
      commandOf(operation as keyof typeof SCRIPTS).every((word) => /^[a-z-]+$/.test(word)),
      true,
    )
  }
})

test('what stands in a call is escaped for a URL, and for a shell', () => {
  const { api, cli } = scriptOf(visit, 'updateRole', { role: "a/b'; rm -rf ~" }, { body: { scopes: ["o'r", 'b c'] } })
  assert.match(api, /^curl -X PUT 'https:\/\/id\.example\/hub\/api\/roles\/a%2Fb'\\''%3B%20rm%20-rf%20~' \\\n/)
  assert.match(api, /If-Match: \*[\s\S]*--json '\{"scopes":\["o'\\''r","b c"\]\}'$/)
  assert.equal(cli, `sallyport roles update 'a/b'\\''; rm -rf ~' --set 'scopes=o'\\''r,b c'`)
})

test('what cannot be read yet is told by what is like it', () => {
  const like = { name: 'x' }
  const unread = () => {
    throw refusal('name', 'is missing')
  }
  assert.deepEqual([sentOr(unread, like), sentOr(() => ({ name: 'typed' }), like)], [like, { name: 'typed' }])
})
