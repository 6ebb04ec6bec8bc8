import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newAgreementSeed, readAgreementKey, readSeededSigningKey } from '../crypto/agreement_keys.ts'
import { readBrokerRequest, readBrokers, whyNoAnswer, whyNoBrokers } from './broker.ts'

const keys = () => [
  readSeededSigningKey(newAgreementSeed()).public_jwk,
  readAgreementKey(newAgreementSeed()).public_jwk,
]
const url = 'https://redirect.example.com'

test('V2 a broker is known by its URL, its mode and its public keys; further keys are for their rotation', () => {
  const [signs, opens] = keys()
  const next = keys()
  const [broker] = readBrokers([{ url, keys: [signs, opens, ...next] }])
  assert.deepEqual([broker!.url, broker!.mode], [url, 'exchange'])
  assert.deepEqual([...broker!.verifying_keys.keys()], [signs!.kid, next[0]!.kid])
  assert.equal(broker!.seal_to.x, opens!.x)
  assert.deepEqual(readBrokers([]), [])
})

test('V2 an entry that is empty, wrong or there twice is refused by name', () => {
  const good = { url, keys: keys() }
  assert.equal(whyNoBrokers([good, { url: `${url}/two`, keys: keys() }]), null)
  for (const [list, why] of [
    [[{}], 'url is missing or empty'],
    [[good, { ...good, keys: keys() }], 'url is that of another broker as well'],
    [[good, { url: `${url}/two`, keys: good.keys }], 'keys is that of another broker as well'],
    [[{ url }], 'keys must be a list of at most 4 JWKs'],
    [[{ url, keys: [null] }], 'keys must be Ed25519 and X25519 keys as JWKs (RFC 8037)'],
    [[{ url, keys: keys().slice(1) }], 'keys must hold an Ed25519 key and an X25519 key'],
  ] as [Record<string, unknown>[], string][]) {
    assert.equal(whyNoBrokers(list), why)
  }
  for (const wrong of [
    'http://redirect.example.com',
    `${url}/`,
    `${url}?x`,
    `${url}#x`,
    'https://u@redirect.example.com',
    'x',
    'HTTPS://redirect.example.com',
  ]) {
    assert.match(whyNoBrokers([{ ...good, url: wrong }]) ?? '', /^url must be an https URL/, wrong)
  }
})

const NOW = 1_800_000_000_000
const iat = NOW / 1000
const aud = 'https://vault.example'
const jti = 'j'.repeat(43)
const good = { iss: url, aud, iat, exp: iat + 60, jti, act: 'check', flow: 'sp_br_x' }

test('a message is for one server, of now, and says what it wants', () => {
  assert.deepEqual(readBrokerRequest({ ...good, more: 1 }, { aud, now: NOW }), good)
  const delivery = { ...good, act: 'deliver', sealed: 'x', receipt_hash: jti }
  assert.deepEqual(readBrokerRequest(delivery, { aud, now: NOW }), delivery)
  for (const [more, why] of [
    [{ iss: undefined }, /iss/],
    [{ aud: [aud] }, /aud/],
    [{ aud: 'https://other.example' }, /aud/],
    [{ iat: iat + 31, exp: iat + 60 }, /future/],
    [{ iat: iat - 120, exp: iat - 30 }, /too old/],
    [{ exp: iat }, /too long/],
    [{ exp: iat + 601 }, /too long/],
    [{ exp: String(iat) }, /times/],
    [{ iat: Number.NaN }, /times/],
    [{ jti: 'short' }, /jti/],
    [{ act: 'toString' }, /act/],
    [{ flow: 7 }, /flow/],
    [{ act: 'deliver' }, /sealed/],
    [{ act: 'deliver', sealed: 'x' }, /receipt_hash/],
  ] as [object, RegExp][]) {
    assert.throws(() => readBrokerRequest({ ...good, ...more }, { aud, now: NOW }), why, JSON.stringify(more))
  }
})

test('an answer is that of the primary to this very question', () => {
  const answer = { iss: aud, aud: url, iat, exp: iat + 60, nonce: jti, act: 'check' }
  assert.equal(whyNoAnswer(answer, { ...good, act: 'check' }, NOW), null)
  for (const more of [
    { iss: url },
    { aud },
    { nonce: 'k'.repeat(43) },
    { nonce: undefined },
    { act: 'open' },
    { exp: iat - 31 },
    { iat: iat + 60 },
  ]) {
    assert.notEqual(whyNoAnswer({ ...answer, ...more }, { ...good, act: 'check' }, NOW), null, JSON.stringify(more))
  }
})
