import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readClientMetadata } from './client_metadata.ts'

const rules = (door: 'administrator' | 'dynamic') => ({
  door,
  grant_types: ['authorization_code'],
  response_types: ['code'],
  response_modes: ['query'],
  token_endpoint_auth_methods: ['client_secret_basic'],
})
const read = (members: object, door: 'administrator' | 'dynamic' = 'dynamic') =>
  readClientMetadata({ redirect_uris: ['https://app.example/cb'], ...members }, rules(door))
const refused = (name: string) => new RegExp(`Member ${name} `)

test('Back-Channel Logout 2.2 the address is an https URL without fragment', () => {
  const backchannel_logout_uri = 'https://app.example/logout?tenant=1'
  const metadata = read({ backchannel_logout_uri, backchannel_logout_session_required: true })
  assert.equal(metadata.backchannel_logout_uri, backchannel_logout_uri)
  assert.equal(metadata.backchannel_logout_session_required, true)
  assert.equal(read({ backchannel_logout_session_required: false }).backchannel_logout_session_required, undefined)
  const wrong = ['http://app.example/logout', 'https://app.example/#x', 'javascript:x', 'https://127.0.0.1/', '/logout']
  for (const uri of [...wrong, 'https://localhost/x', 'https://user@app.example/', 1, ['https://app.example/']]) {
    assert.throws(() => read({ backchannel_logout_uri: uri }), refused('backchannel_logout_uri'), String(uri))
  }
  assert.throws(
    () => read({ backchannel_logout_session_required: 'yes' }),
    refused('backchannel_logout_session_required'),
  )
  // An administrator may have clients on the own network.
  const internal = 'http://10.0.0.7:8080/logout'
  assert.equal(read({ backchannel_logout_uri: internal }, 'administrator').backchannel_logout_uri, internal)
})

test('11.6.1 the algorithm of ID tokens is one that there is, and never none', () => {
  for (const alg of ['ES256', 'EdDSA', 'PS256', 'RS256']) {
    assert.equal(read({ id_token_signed_response_alg: alg }).id_token_signed_response_alg, alg)
  }
  for (const alg of ['none', 'HS256', 'RS512', 'es256', 5]) {
    assert.throws(
      () => read({ id_token_signed_response_alg: alg }),
      refused('id_token_signed_response_alg'),
      String(alg),
    )
  }
})
