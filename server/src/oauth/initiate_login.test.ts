import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initiateLoginUrl } from './initiate_login.ts'

test('OpenID Connect Core 4 whoever starts at the server is sent to the client with its issuer', () => {
  const iss = 'https://id.example/hub'
  const to = (initiate_login_uri: string) => initiateLoginUrl({ initiate_login_uri }, iss)
  assert.equal(to('https://app.example/login'), 'https://app.example/login?iss=https%3A%2F%2Fid.example%2Fhub')
  assert.equal(
    to('https://app.example/login?a=1&iss=x'),
    'https://app.example/login?a=1&iss=https%3A%2F%2Fid.example%2Fhub',
  )
  assert.equal(initiateLoginUrl({}, iss), undefined)
})
