import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  brandPath,
  findAsset,
  formPost,
  icon,
  passkey,
  showPassword,
  signedInStylesheet,
  stylesheet,
} from './assets.ts'

test('an asset is found at the path that pages name, and kept by browsers for ever', () => {
  for (const asset of [stylesheet, signedInStylesheet, showPassword, formPost, icon]) {
    assert.equal(findAsset(asset.path), asset)
    assert.match(asset.path, /^\/assets\/\w+-[0-9a-f]{12}\.(css|js|svg)$/)
    assert.match(asset.headers['cache-control']!, /immutable/)
    assert.equal(asset.headers['x-content-type-options'], 'nosniff')
  }
})

test('nothing else is an asset', () => {
  for (const path of [
    '/assets/app.css',
    '/assets/../ui/html.ts',
    '/assets/',
    '/assets/brand-00000g.css',
    '/assets/brand-000.css',
  ]) {
    assert.equal(findAsset(path), undefined)
  }
})

test('a shortened stylesheet has the rules of its source', () => {
  for (const { body } of [stylesheet, signedInStylesheet]) {
    assert.equal(body.split('{').length, body.split('}').length)
    assert.doesNotMatch(body, /\/\*|\n| {2}/)
  }
})

test('5.8 our styles and scripts name no other origin', () => {
  for (const { body } of [stylesheet, signedInStylesheet, showPassword, formPost]) {
    assert.doesNotMatch(body, /url\(|@import|https?:|["'`]\/\//)
  }
})

test('3.5.5 3.5.6 3.5.7 CVE-2024-1249 our scripts hold nothing of anybody, call nobody back and neither send nor take messages', () => {
  for (const { body, headers } of [showPassword, formPost, passkey]) {
    assert.doesNotMatch(body, /postMessage|['"`]message['"`]|onmessage|MessageChannel|callback|jsonp/i)
    assert.equal(headers['cache-control'], stylesheet.headers['cache-control'], 'the same for everybody, for ever')
  }
})

test('a tenant with a colour has a stylesheet of its own, any other has none', () => {
  assert.equal(brandPath('#0A7F5A'), '/assets/brand-0a7f5a.css')
  assert.match(findAsset('/assets/brand-0a7f5a.css')!.body, /--accent: light-dark\(#/)
  assert.equal(brandPath('javascript:x'), undefined)
  assert.equal(brandPath(undefined), undefined)
})
