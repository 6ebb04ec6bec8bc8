import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base32, hotp, matchTotp, newTotpSeed, totpStep } from './totp.ts'

// The seed of both RFCs' test vectors.
const SEED = Buffer.from('12345678901234567890')

test('RFC 4226 appendix D the ten values of the test vector', () => {
  const expected = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ')
  assert.deepEqual(
    expected.map((_, counter) => hotp(SEED, counter)),
    expected,
  )
})

test('RFC 6238 appendix B the SHA-1 values of the test vector', () => {
  for (const [seconds, code] of [
    ...([
      [59, '94287082'],
      [1111111109, '07081804'],
      [1111111111, '14050471'],
    ] as const),
    ...([
      [1234567890, '89005924'],
      [2000000000, '69279037'],
      [20000000000, '65353130'],
    ] as const),
  ]) {
    assert.equal(hotp(SEED, totpStep(seconds * 1000), 8), code)
  }
})

test('6.5.5 a code is good in its step, the one before and the one after, and in no other', () => {
  const now = 1_700_000_010_000
  const step = totpStep(now)
  for (const shift of [-3, -2, -1, 0, 1, 2, 3]) {
    const expected = Math.abs(shift) <= 1 ? step + shift : null
    assert.equal(matchTotp(SEED, hotp(SEED, step + shift), now, 0), expected, `${shift}`)
  }
})

test('6.5.1 RFC 6238 5.2 a step that was accepted is spent, and so are those before it', () => {
  const now = 1_700_000_010_000
  const step = totpStep(now)
  const code = (shift: number) => hotp(SEED, step + shift)
  assert.equal(matchTotp(SEED, code(0), now, step), null)
  assert.equal(matchTotp(SEED, code(-1), now, step), null)
  assert.equal(matchTotp(SEED, code(1), now, step), step + 1)
  assert.equal(matchTotp(SEED, code(1), now, step + 1), null)
})

test('a code is its six digits and nothing else', () => {
  const now = 1_700_000_010_000
  const code = hotp(SEED, totpStep(now))
  for (const wrong of [
    '',
    code.slice(1),
    `${code} `,
    ` ${code}`,
    `0${code}`,
    '１２３４５６',
    'abcdef',
    `+${code.slice(1)}`,
  ]) {
    assert.equal(matchTotp(SEED, wrong, now, 0), null, wrong)
  }
})

test('RFC 4648 10 the base32 test vectors, without their padding', () => {
  const vectors = {
    '': '',
    f: 'MY',
    fo: 'MZXQ',
    foo: 'MZXW6',
    foob: 'MZXW6YQ',
    fooba: 'MZXW6YTB',
    foobar: 'MZXW6YTBOI',
  }
  for (const [text, expected] of Object.entries(vectors)) assert.equal(base32(Buffer.from(text)), expected)
})

test('6.5.4 a seed has 160 bits, and no two are alike', () => {
  const seeds = Array.from({ length: 100 }, () => newTotpSeed())
  assert.ok(seeds.every(({ length }) => length === 20))
  assert.equal(new Set(seeds.map((seed) => seed.toString('hex'))).size, 100)
  assert.equal(base32(seeds[0]!).length, 32)
})
