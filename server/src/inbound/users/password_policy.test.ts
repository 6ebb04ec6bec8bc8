import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dictionary } from '@zxcvbn-ts/language-common'
import { isCommonPassword } from './frequent_passwords.ts'
import { checkNewPassword, shortestPassword } from './password_policy.ts'

const OWNER = {
  shortest: 8,
  username: 'alice.example',
  email: 'a.liddell@example.test',
  tenant_name: 'Northwind Cloud',
}
const check = (password: string, shortest = 8) => checkNewPassword(password, { ...OWNER, shortest })
const refused = (password: string, shortest?: number) =>
  assert.throws(() => check(password, shortest), { error: 'invalid_request' })

test('6.2.1 6.2.9 a password has eight characters or as many as the tenant asks, and may have very many', () => {
  refused('kq8v2n5')
  check('kq8v2n5x')
  refused('kq8v2n5x', 12)
  for (const length of [64, 128, 256, 1024]) check('kq8v2n5x'.padEnd(length, 'the cat sat on '))
  refused('kq8v2n5x'.padEnd(1025, 'the cat sat on '))
  check('пароль мой 9')
  check('🦊🐻🦁🐼🐨🐸🦉🐢')
  refused('🦊🐻🦁🐼🐨🐸🦉')
})

test('6.2.5 no kind of character is asked for, and none is refused', () => {
  for (const password of ['correct horse battery', 'vuqcmzhe', 'VUQCMZHE', '71930582', '  spaces at both ends  '])
    check(password)
})

test('5.2 administrators have a limit of their own, which is never the lower one', () => {
  const settings = { password_min_length: 8, password_min_length_administrators: 12 }
  assert.equal(shortestPassword(settings, []), 8)
  assert.equal(shortestPassword(settings, ['member', 'administrator']), 12)
  assert.equal(shortestPassword({ ...settings, password_min_length: 15 }, ['administrator']), 15)
})

// Somebody else's count of leaked passwords, the most frequent first, and words to make passphrases of.
const LEAKED = dictionary['passwords-common']
const DICE = dictionary['diceware-common']

test('6.2.4 6.2.12 of the 3,000 most frequent leaked passwords of eight characters, and of the first 10,000 of any length, each is refused', () => {
  const longEnough = LEAKED.filter(({ length }) => length >= 8)
  const frequent = new Set([...longEnough.slice(0, 3000), ...LEAKED.slice(0, 10_000).filter((p) => p.length >= 8)])
  assert.ok(frequent.size >= 3000)
  assert.deepEqual(
    [...frequent].filter((password) => !isCommonPassword(password)),
    [],
  )
})

test('6.2.4 what people put around a frequent word, or do to it, makes no other password of it', () => {
  for (const word of LEAKED.slice(0, 3000).filter((p) => /^[a-z]{8,}$/.test(p))) {
    const changed = [`${word}123`, `${word}2024!`, `123${word}`, word + word, word.toUpperCase(), `${word}!1`]
    for (const password of [...changed, [...word].reverse().join('')]) assert.ok(isCommonPassword(password), password)
  }
  for (const leet of ['p@ssw0rd', 'b@seb@ll', 'F00tb@ll1', 'sup3rm@n', '$unsh1ne', 'wh4t3v3r!'])
    assert.ok(isCommonPassword(leet), leet)
  for (const russian of ['пароль12', 'gfhjkm12', 'ghbdtn2024', 'йцукенгш', 'фывафыва'])
    assert.ok(isCommonPassword(russian))
})

test('a passphrase of three words or more is never taken for a frequent password', () => {
  const word = (i: number) => DICE[(i * 7919) % DICE.length]!
  for (let i = 0; i < 1000; i++) {
    const words = [word(4 * i), word(4 * i + 1), word(4 * i + 2), word(4 * i + 3)].filter(({ length }) => length > 3)
    if (words.length < 3) continue
    for (const between of [' ', '-', '']) assert.ok(!isCommonPassword(words.join(between)), words.join(between))
  }
})

test('6.2.4 what is typed along the keys, over and over, or as a day, is refused', () => {
  const typed = [
    ...['12345678', '123456789', '1234567890', '87654321', '98765432', '11111111', '00000000', '12341234', '11223344'],
    ...[
      'qwertyui',
      'qwertyuiop',
      'asdfghjkl',
      'zxcvbnm,',
      'qazwsxedc',
      '1qaz2wsx',
      '1q2w3e4r',
      '1q2w3e4r5t',
      'zaq12wsx',
    ],
    ...['qwer1234', '1234qwer', 'asdf1234', 'abcd1234', 'abc12345', 'a1b2c3d4', 'qwertz123', 'azerty123', '1qaz!QAZ'],
    ...['asdfasdf', 'xxxxxxxx', 'abababab', 'abcabcabc', '51505150', '!!!!!!!!', 'aaaaaaaab', '!@#$%^&*', '147258369'],
    ...['24121985', '19851224', '24.12.1985', '1985-12-24', '12/24/1985'],
  ]
  assert.deepEqual(
    typed.filter((password) => !isCommonPassword(password)),
    [],
  )
})

test('6.2.11 the names of user and tenant are no passwords', () => {
  for (const password of [
    'alice.example',
    'Alice.Example1',
    'aliceexample!',
    'a.liddell@example.test',
    'Liddell1865',
    'northwindcloud',
    'Northwind2024',
  ]) {
    refused(password)
  }
  check('alice went down the hole')
})

test('what only begins like a common password is not one', () => {
  const fine = [
    'password of alice',
    'a long password',
    'my cat eats 4 fish',
    'Tr0ub4dor&3x',
    'purple monkey dishwasher',
    'dragon-kq8v2n',
    '19851224 and more',
  ]
  for (const password of fine) check(password)
})
