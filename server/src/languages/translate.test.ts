import assert from 'node:assert/strict'
import { test } from 'node:test'
import { translate } from './translate.ts'

const english = {
  login: {
    title: 'Sign in',
    to: 'to {client}',
    wait: { one: 'Wait {n} minute, {user}.', other: 'Wait {n} minutes, {user}.' },
  },
  codes: 'Wrong codes. Try again in {n} min.',
  nothing: '',
  groups: { tokens: 'Tokens', other: 'Further' },
} as const
const of = (given: unknown, lang = 'de') => translate(english, english, given, lang)

test('a translation stands in the place of English, message by message', () => {
  const german = {
    login: {
      title: 'Anmelden',
      to: 'bei {client}',
      wait: { one: '{user}: eine Minute.', other: '{user}: {n} Minuten.' },
    },
    codes: { one: 'In einer Minute.', other: 'In {n} Minuten.' },
    nothing: '',
    groups: { tokens: 'Tokens', other: 'Weitere' },
  }
  assert.deepEqual(of(german), { text: german, faults: [], missing: [] })
})

test('what is left out stays as it was, and is named', () => {
  const { text, faults, missing } = of({ login: { title: 'Anmelden' } })
  assert.deepEqual(text, { ...english, login: { ...english.login, title: 'Anmelden' } })
  assert.deepEqual(
    [faults, missing],
    [[], ['login.to', 'login.wait', 'codes', 'nothing', 'groups.tokens', 'groups.other']],
  )
})

test('each fault of a translation is told by the name of its message, and costs that message alone', () => {
  const wait = (forms: unknown, lang = 'de') => of({ login: { wait: forms } }, lang).faults
  const cases: (readonly [readonly string[], readonly string[]])[] = [
    [of({ login: { tilte: 'x' } }).faults, ['login.tilte is no message of English']],
    [
      of({ login: { to: 'bei {klient}' } }).faults,
      ['login.to lacks {client}', 'login.to has {klient}, which English has not'],
    ],
    [of({ login: { title: ' ' } }).faults, ['login.title is empty']],
    [of({ login: { title: 'a\u202eb' } }).faults, ['login.title has a control character']],
    [of({ login: { title: 7 } }).faults, ['login.title must be a text']],
    [
      of({ login: { title: { other: 'x' } } }).faults,
      ['login.title must be one text: there is no {n} in it to pick a form by'],
    ],
    [of({ login: 'x' }).faults, ['login must be an object of messages']],
    [of([]).faults, ['the file must be an object of messages']],
    [of({ nothing: '{n}' }).faults, ['nothing has {n}, which English has not']],
    [wait('{n} {user}'), ['login.wait needs the plural forms one, other']],
    [wait({ other: '{n} {user}' }), ['login.wait has no plural form one']],
    [wait({ one: '{user}', other: '{user}' }), ['login.wait lacks {n} in its form other']],
    [
      wait({ one: '{user}', few: '{n} {user}', other: '{n} {user}' }),
      ['login.wait has a plural form few, which de has not'],
    ],
    [wait({ one: 1, other: '{n} {user}' }), ['login.wait must have a text as its form one']],
    [
      wait({ one: '{user}', other: '{n} {user}' }, 'ar'),
      ['zero', 'two', 'few', 'many'].map((form) => `login.wait has no plural form ${form}`),
    ],
    [wait('{n}分 {user}', 'ja'), []],
    [of({ __proto__: null, constructor: 'x' }).faults, ['constructor is no message of English']],
    [of(JSON.parse('{"__proto__": {"title": "x"}}')).faults, ['__proto__ is no message of English']],
  ]
  for (const [faults, expected] of cases) assert.deepEqual(faults, expected)
  assert.deepEqual(of({ login: { title: ' ', to: 'bei {client}' } }).text, {
    ...english,
    login: { ...english.login, to: 'bei {client}' },
  })
})
