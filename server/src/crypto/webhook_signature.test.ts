import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWebhookSecret, signWebhook } from './webhook_signature.ts'

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
