import assert from 'node:assert/strict'
import { test } from 'node:test'
import { en } from './text/en.ts'
import { ago, countUpTo, link, moment, type View } from './view.ts'

const now = Date.UTC(2026, 10, 21, 14, 30)
const view: View = { lang: 'en', dir: 'ltr', text: en, now, base: '/hub', tenant: { name: 'N' }, csrf_token: 't' }

test('a link stands under the path of the issuer, with its query encoded', () => {
  assert.equal(
    link(view, '/admin/client', { client_id: 'https://a.example/c?d=1&e', cursor: undefined }),
    '/hub/admin/client?client_id=https%3A%2F%2Fa.example%2Fc%3Fd%3D1%26e',
  )
  assert.equal(link(view, '/account'), '/hub/account')
  assert.equal(link(view, '/x', { q: '\ud800' }), '/hub/x?q=%EF%BF%BD')
})

test('a moment is told as people do, with the exact time behind it', () => {
  const told = (at: number) => String(ago(view, at)).replace(/<[^>]*>/g, '')
  assert.equal(told(now), 'just now')
  assert.equal(told(now - 59_999), 'just now')
  assert.equal(told(now - 60_000), '1 minute ago')
  assert.equal(told(now - 3 * 3_600_000), '3 hours ago')
  assert.equal(told(now - 86_400_000), 'yesterday')
  assert.equal(told(now + 5 * 86_400_000), 'in 5 days')
  assert.equal(told(now - 400 * 86_400_000), 'last year')
  assert.match(String(ago(view, now)), /datetime="2026-11-21T14:30:00\.000Z" title="Nov 21, 2026, 2:30.PM UTC"/)
  assert.match(String(moment(view, now)), />Nov 21, 2026, 2:30.PM UTC</)
})

test('a number that was counted only so far is so many or more', () => {
  assert.equal(countUpTo(view, 9999, 10_000), '9,999')
  assert.equal(countUpTo(view, 10_000, 10_000), '10,000+')
})
