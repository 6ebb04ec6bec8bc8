import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageHeaders } from './headers.ts'

const production = pageHeaders({ production: true })

function directives(headers: Record<string, string>): Map<string, string> {
  const parts = headers['content-security-policy']!.split('; ').map((part) => part.split(' '))
  return new Map(parts.map(([name, ...values]) => [name!, values.join(' ')]))
}

test('5.8 a page loads nothing but our own styles and pictures, and runs no script', () => {
  const policy = directives(production)
  assert.equal(policy.get('default-src'), "'none'")
  assert.equal(policy.get('script-src'), "'none'")
  assert.equal(policy.get('style-src'), "'self'")
  assert.equal(policy.get('img-src'), "'self' data:")
  assert.equal(policy.get('connect-src'), "'self'")
  assert.equal(policy.get('base-uri'), "'none'")
  assert.equal(policy.get('object-src'), "'none'")
  assert.equal(policy.get('require-trusted-types-for'), "'script'")
  assert.equal(policy.get('trusted-types'), "'none'")
})

test('5.8 a page with an island runs scripts of this server only', () => {
  assert.equal(directives(pageHeaders({ production: true, script: true })).get('script-src'), "'self'")
})

test('no form-action: Chromium would apply it to the redirect that leads to the client', () => {
  assert.equal(directives(production).has('form-action'), false)
})

test('B-20 a page is never framed', () => {
  assert.equal(directives(production).get('frame-ancestors'), "'none'")
  assert.equal(production['x-frame-options'], 'DENY')
})

test('B-03 a page sends no referrer', () => {
  assert.equal(production['referrer-policy'], 'no-referrer')
})

test('a page is not stored, sniffed or shared, and uses no feature of the device', () => {
  assert.equal(production['cache-control'], 'no-store')
  assert.equal(production['x-content-type-options'], 'nosniff')
  assert.equal(production['cross-origin-opener-policy'], 'same-origin')
  assert.equal(production['cross-origin-resource-policy'], 'same-origin')
  assert.match(production['permissions-policy']!, /^([a-z-]+=\(\)(, |$))+$/)
})

test('browsers are told to stay on https in production alone', () => {
  assert.equal(production['strict-transport-security'], 'max-age=63072000; includeSubDomains')
  assert.equal(pageHeaders({ production: false })['strict-transport-security'], undefined)
})
