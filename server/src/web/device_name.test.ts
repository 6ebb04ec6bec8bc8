import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameDevice } from './device_name.ts'
import { en } from './ui/text/en.ts'
import type { View } from './ui/view.ts'

const view: View = { lang: 'en', dir: 'ltr', text: en, now: 0, base: '', tenant: { name: 'N' }, csrf_token: 't' }

test('a browser is named as people call it', () => {
  const like = 'AppleWebKit/537.36 (KHTML, like Gecko)'
  const names: Record<string, string> = {
    [`Mozilla/5.0 (X11; Linux x86_64) ${like} HeadlessChrome/147.0.0.0 Safari/537.36`]: 'Chrome on Linux',
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${like} Chrome/147.0 Safari/537.36 Edg/147.0`]: 'Edge on Windows',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_1) AppleWebKit/605.1 (KHTML, like Gecko) Version/19.0 Safari/605.1':
      'Safari on macOS',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile/15E148 Safari/604.1':
      'Safari on iPhone',
    'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0': 'Firefox on Android',
    'curl/8.5.0': 'curl',
  }
  for (const [user_agent, name] of Object.entries(names)) assert.equal(nameDevice(view, user_agent), name)
  assert.equal(nameDevice(view, null), '')
})

test('a hostile user agent is cut to what it calls itself', () => {
  assert.equal(nameDevice(view, '<script>alert(1)</script>'), '<script>alert(1)<')
  assert.equal(nameDevice(view, 'x'.repeat(10_000)).length, 40)
})
