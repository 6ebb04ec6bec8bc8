import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pickFields, pickPage, readFields } from './hub_fields.ts'

const user = {
  id: '1',
  name: 'Ann',
  profile: { email: { email: 'a@b.c', verified: true }, avatar: { url: 'u' } },
  groups: [{ id: 'g', name: 'G' }],
}
const pick = (text: string | undefined) => pickFields(user, readFields(text))

test('H5 fields names members, with a slash or parentheses for what is inside, lists included', () => {
  assert.deepEqual(pick('id,name'), { id: '1', name: 'Ann' })
  assert.deepEqual(pick('profile/avatar/url'), { profile: { avatar: { url: 'u' } } })
  assert.deepEqual(pick('profile(email(verified),avatar)'), {
    profile: { email: { verified: true }, avatar: { url: 'u' } },
  })
  assert.deepEqual(pick('profile/avatar(url),profile/email/email'), {
    profile: { avatar: { url: 'u' }, email: { email: 'a@b.c' } },
  })
  assert.deepEqual(pick('groups/id'), { groups: [{ id: 'g' }] })
  assert.deepEqual(pick('groups(id),groups'), { groups: [{ id: 'g', name: 'G' }] }, 'the whole wins')
  assert.deepEqual(pick(undefined), user)
  assert.deepEqual(pick('id,,nothing,constructor,'), { id: '1' })
  assert.deepEqual(pick('id/deeper'), { id: '1' }, 'a plain value has no inside')
})

test('H5 fields that cannot be read are refused by position, and nest no deeper than eight', () => {
  for (const text of [
    'id)',
    'a(b',
    'a/',
    'a b',
    'a/(b)',
    '('.repeat(3),
    `a${'(a'.repeat(20)}`,
    `a${'/a'.repeat(600)}`,
    'x'.repeat(2001),
  ]) {
    assert.throws(() => readFields(text), /Parameter fields/, text.slice(0, 30))
  }
})

test('H5 a page keeps its counts, whether the fields speak of the items or of the page', () => {
  const page = { skip: 0, top: 1, total: 3 }
  assert.deepEqual(pickPage(page, 'users', [user], readFields('id')), { ...page, users: [{ id: '1' }] })
  assert.deepEqual(pickPage(page, 'users', [user], readFields('users(name),total')), {
    total: 3,
    users: [{ name: 'Ann' }],
  })
})

test('whatever fields say, an answer holds nothing that was not there', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'id', 'name', ',', '/', '(', ')') }), (text) => {
      let fields: ReturnType<typeof readFields>
      try {
        fields = readFields(text)
      } catch {
        return
      }
      const picked = pickFields(user, fields) as Record<string, unknown>
      for (const [name, value] of Object.entries(picked)) {
        if (typeof value !== 'object') assert.equal(value, (user as Record<string, unknown>)[name])
      }
    }),
  )
})
