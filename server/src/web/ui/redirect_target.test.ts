import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redirectTarget } from './redirect_target.ts'

test('a web address is shown by its host, with a port that is not the usual one', () => {
  assert.deepEqual(redirectTarget('https://notes.example/cb'), { kind: 'web', shown: 'notes.example' })
  assert.deepEqual(redirectTarget('https://notes.example:8443/cb'), { kind: 'web', shown: 'notes.example:8443' })
})

test('a host that pretends is shown as what it is', () => {
  assert.equal(redirectTarget('https://accounts.google.com@evil.example/').shown, 'evil.example')
  assert.equal(redirectTarget('https://xn--ggle-0nda.example/').shown, 'xn--ggle-0nda.example')
  assert.equal(redirectTarget('https://g\u043e\u043egle.example/').shown, 'xn--ggle-55da.example')
  assert.equal(redirectTarget('https://evil.example/?https://google.com').shown, 'evil.example')
  assert.equal(redirectTarget('http://127.0.0.1.evil.example/').kind, 'web')
  assert.equal(redirectTarget('http://localhost.evil.example/').kind, 'web')
})

test('M-07 every spelling of this computer is loopback', () => {
  for (const uri of [
    'http://localhost/callback',
    'http://localhost:33418/callback',
    'http://LOCALHOST/',
    'http://localhost./',
    'http://app.localhost/',
    'http://127.0.0.1:1/',
    'http://127.9.9.9/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]:5/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:127.8.8.8]/',
    'http://0.0.0.0:8080/',
    'http://[::]/',
    'https://127.0.0.1/',
  ]) {
    assert.equal(redirectTarget(uri).kind, 'loopback', uri)
  }
})

test('a scheme of its own is an app on this device', () => {
  assert.deepEqual(redirectTarget('com.example.app:/oauth'), { kind: 'app', shown: 'com.example.app:' })
})
