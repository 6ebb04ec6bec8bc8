import assert from 'node:assert/strict'
import { test } from 'node:test'
import { translate } from '../../../languages/translate.ts'
import { en } from './en.ts'
import { BUNDLED, createLanguages, readBundled } from './languages.ts'

for (const tag of BUNDLED) {
  test(`every message is in ${tag}.json, with the holes and plural forms that it needs, and none besides`, () => {
    const { faults, missing } = translate(en, en, readBundled(tag), tag)
    assert.deepEqual(faults, [])
    assert.ok(missing.length === 0, `${tag}.json does not say yet: ${missing.join(', ')}`)
  })
}

const words = (message: unknown): string[] =>
  typeof message === 'string' ? [message] : Object.values(message as object).flatMap(words)

test('a translation that was forgotten is not English under another name', () => {
  const [english, arabic] = [words(en), words(readBundled('ar'))]
  // Names of protocols and products stay as they are, and where nothing else stands the message is the same.
  const same = arabic.filter((text) => /[a-z]{3}/i.test(text) && !/\p{Script=Arabic}/u.test(text))
  assert.deepEqual(same, ['{page} · {tenant}', 'Sallyport'])
  assert.ok(english.length > 1000)
})

test('in Arabic a date to type stands between marks of left to right: without them its parts change places (UAX 9)', () => {
  const dates = words(readBundled('ar')).flatMap((text) => text.match(/.?\d{4}-\d\d-\d\d(?: \d\d:\d\d)?.?/g) ?? [])
  assert.ok(dates.length > 0)
  for (const date of dates) assert.match(date, /^\u200e.*\u200e$/)
})

test('a file of the operator changes the wording of a language, and adds others', () => {
  const faults: string[] = []
  const languages = createLanguages(
    {
      de: { login: { title: 'Einloggen' } },
      'de-AT': { login: { submit: 'Anmeldn' } },
      en: { login: { title: 'Log in' } },
      eo: { login: { title: 'Ensaluti', to_client: 'al {kliento}' } },
      'not a tag': {},
    },
    (fault) => faults.push(fault),
  )
  const login = (tag: string) => languages.find(tag)!.text.login
  assert.deepEqual([login('de').title, login('de').submit], ['Einloggen', 'Anmelden'])
  assert.deepEqual([login('de-AT').title, login('de-AT').submit], ['Einloggen', 'Anmeldn'])
  assert.deepEqual([login('en').title, login('en').submit], ['Log in', 'Sign in'])
  assert.deepEqual([login('eo').title, login('eo').to_client], ['Ensaluti', 'to continue to {client}'])
  assert.deepEqual(
    languages.all.map(({ tag }) => tag),
    ['en', 'de', 'ar', 'eo', 'de-AT'],
  )
  assert.deepEqual(faults.slice(0, 3), [
    'eo: login.to_client lacks {client}',
    'eo: login.to_client has {kliento}, which English has not',
    faults[2],
  ])
  assert.match(faults[2]!, /^eo: \d+ messages are not translated and stand in English, such as layout\.skip$/)
  assert.deepEqual(faults.slice(3), ['not a tag is no tag of a language (BCP 47)'])
  assert.equal(createLanguages().find('de')!.text.login.title, 'Anmelden', 'one server’s wording is not another’s')
})
