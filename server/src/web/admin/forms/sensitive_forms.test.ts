import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageRoutes } from '../../routes.ts'
import { isSecretField } from './kept_text.ts'
import { CONSOLE_FORMS, formAt, leadsToSensitive } from './sensitive_forms.ts'

test('7.5.3 every form of the console is said to be sensitive or not, and why; one that is not said to be is sensitive', () => {
  const posted = pageRoutes([]).routes.flatMap(({ method, path }) =>
    method === 'POST' && /^\/(admin|playground)\//.test(path) ? [path] : [],
  )
  assert.deepEqual(Object.keys(CONSOLE_FORMS).sort(), [...new Set(posted)].sort())
  for (const [path, form] of Object.entries(CONSOLE_FORMS)) {
    assert.ok(form.why.length > 10, path)
    assert.match(form.back({}), /^\/(admin|playground)/, path)
  }
  assert.deepEqual([formAt('/admin/nobody/described').sensitive, leadsToSensitive('/admin')], [true, false])
})

test('7.5.3 one comes back to the record that the form was about', () => {
  const back = (path: string, values: Record<string, string>) => formAt(path).back(values)
  assert.equal(back('/admin/role/edit', { role: 'a&b', scopes: 'x' }), '/admin/role/edit?role=a%26b')
  assert.equal(back('/admin/roles/new', { role: 'a' }), '/admin/roles/new')
  assert.equal(back('/admin/user/delete', { user_id: 'u1' }), '/admin/user?user_id=u1')
})

test('14.2.1 what is secret in a form is not kept over a sign-in', () => {
  const secret = ['password', 'client_secret', 'secret', 'webhook.secret', 'private_key', 'key', 'token', 'csrf_token']
  assert.deepEqual(secret.filter(isSecretField), secret)
  const plain = ['token_endpoint_auth_method', 'dynamic_client_secret_days', 'jwks', 'scopes', 'code_lifetime_seconds']
  assert.deepEqual(plain.filter(isSecretField), [])
})
