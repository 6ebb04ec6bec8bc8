import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actionOf } from './proxy_action.ts'

test('a safe method reads, and every other one writes', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'QUERY']) assert.equal(actionOf(method, '?a=b'), 'read', method)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'PURGE'])
    assert.equal(actionOf(method, ''), 'write', method)
})

test('a query that names another method makes of any request one that may write', () => {
  for (const query of [
    ...['?_method=DELETE', '?a=b&method=post', '?%24httpMethod=DELETE', '?$httpMethod=DELETE', '?_HttpMethod=PATCH'],
    ...['?X-HTTP-Method-Override=PUT', '?x-http-method=PUT', '?a;_method=DELETE', '?%5fmethod', '?_method[]=DELETE'],
    ...['?a=b?_method=DELETE', '?%ff_method=DELETE', '?+_method=DELETE'],
  ]) {
    assert.equal(actionOf('GET', query), 'write', query)
  }
  for (const query of ['', '?q=method', '?methods=all', '?payment_method=card', '?a=_method%3DDELETE']) {
    assert.equal(actionOf('GET', query), 'read', query)
  }
})
