import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import {
  newWebhookKey,
  readWebhookKey,
  readWebhookSecret,
  signWebhook,
  writePublicWebhookKey,
} from './webhook_signature.ts'

test('a message is signed as the published example of Standard Webhooks', () => {
  const key = readWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')!
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', now: 1614265330_999, body: '{"test": 2432232314}' }
  assert.deepEqual(signWebhook(key, message), {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  })
})

test('a secret has 24 to 64 bytes as base64 behind whsec_, and is no repetition', () => {
  const write = (bytes: Buffer) => `whsec_${bytes.toString('base64')}`
  const bytes = (size: number) => Buffer.from(Array.from({ length: size }, (_, i) => i * 7))
  for (const size of [24, 25, 32, 64]) assert.ok(readWebhookSecret(write(bytes(size))), String(size))
  assert.ok(readWebhookSecret(`${write(bytes(32))}\n`))
  for (const text of [
    ...[write(bytes(23)), write(bytes(65)), write(Buffer.alloc(32, 'ab')), write(bytes(32)).slice('whsec_'.length)],
    ...['', 'hunter2', 'whsec_', `whsec_${'-'.repeat(43)}`, `${write(bytes(32))} x`],
  ]) {
    assert.equal(readWebhookSecret(text), null, text)
  }
})

const MESSAGE = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', now: 1614265330_000, body: '{"test": 2432232314}' }
const SEED = 'VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk='
const SIGNED = 'tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=='

test('a message is signed by Ed25519 as the test vector of the Go implementation of Standard Webhooks', () => {
  const key = readWebhookKey(`whsk_${SEED}`)!
  assert.equal(signWebhook(key, MESSAGE)['webhook-signature'], `v1a,${SIGNED}`)
  const spki = Buffer.from(createPublicKey(key).export({ format: 'der', type: 'spki' }))
  assert.equal(writePublicWebhookKey(key), `whpk_${spki.subarray(-32).toString('base64')}`)
})

test('while keys change a message is signed by both, of whatever kinds', () => {
  const keys = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', `whsk_${SEED}`].map((text) => readWebhookKey(text)!)
  const both = `v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1a,${SIGNED}`
  assert.equal(signWebhook(keys, MESSAGE)['webhook-signature'], both)
  assert.equal(writePublicWebhookKey(keys[0]!), null)
})

test('a key that is made can be read, by its scheme alone, and what is no key cannot', () => {
  assert.equal(readWebhookKey(newWebhookKey('v1'))!.type, 'secret')
  assert.equal(readWebhookKey(newWebhookKey('v1a'))!.asymmetricKeyType, 'ed25519')
  assert.notEqual(newWebhookKey('v1'), newWebhookKey('v1'))
  for (const text of ['whsk_', `whsk_${SEED.slice(4)}`, `whpk_${SEED}`, SEED, `whsk_${SEED}x`]) {
    assert.equal(readWebhookKey(text), null, text)
  }
})
