import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, answerCut, answerJson, answerText } from '../../../test/parts/hostile_provider.ts'
import { startRelyingParty } from '../../../test/parts/relying_party.ts'
import { STANDARD_REVOCATION_REQUEST } from '../providers/quirks.ts'
import type { ResolvedProvider } from '../providers/resolve.ts'
import { revokeToken } from './revocation.ts'

test('revocation follows RFC 7009, or the record', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const held = { refresh_token: 'rt', access_token: 'at' }
  assert.deepEqual(await revokeToken(context, party, held), { kind: 'revoked' })
  assert.equal(hostile.received.at(-1)!.body, 'token_type_hint=refresh_token&token=rt')
  hostile.answers.set('/applications/client/token', (response) => void response.writeHead(204).end())
  const github: ResolvedProvider = {
    ...party.provider,
    revocation_endpoint: `${hostile.issuer}/applications/client/token`,
    revocation_request: {
      ...STANDARD_REVOCATION_REQUEST,
      method: 'DELETE',
      parameter: 'access_token',
      body: 'json',
      authorization: 'client',
    },
  }
  assert.deepEqual(await revokeToken(context, { ...party, provider: github }, held), { kind: 'revoked' })
  const deleted = hostile.received.at(-1)!
  assert.deepEqual([deleted.method, deleted.body], ['DELETE', '{"access_token":"at"}'])
  assert.equal(deleted.headers['authorization'], `Basic ${btoa('client:s3cret')}`)
  const inPath: ResolvedProvider = {
    ...party.provider,
    revocation_endpoint: `${hostile.issuer}/tokens/{token}`,
    revocation_request: {
      ...STANDARD_REVOCATION_REQUEST,
      method: 'DELETE',
      token: 'refresh_token',
      authorization: 'bearer',
    },
  }
  const strange = { refresh_token: '../x?y#z', access_token: null }
  await revokeToken(context, { ...party, provider: inPath }, strange)
  assert.equal(hostile.received.at(-1)!.url, '/tokens/..%2Fx%3Fy%23z')
})

test('a failed revocation says whether the provider decided', async (t) => {
  const { hostile, context, party } = await startRelyingParty(t)
  const revoke = async (answer: Answer, endpoint = '/revoke') => {
    hostile.answers.set(endpoint, answer)
    return (await revokeToken(context, party, { refresh_token: 'rt', access_token: null })).kind
  }
  assert.equal(await revoke(answerJson({ error: 'invalid_token' }, 400)), 'refused')
  assert.equal(await revoke(answerJson({ error: 'invalid_client' }, 401)), 'client_refused')
  assert.equal(await revoke(answerText('', 429)), 'throttled')
  assert.equal(await revoke(answerText('', 500)), 'unknown')
  assert.equal(await revoke(answerText('<html>', 403)), 'unknown')
  assert.equal(await revoke(answerCut()), 'unknown')
  delete hostile.metadata['revocation_endpoint']
  const bare = { ...party.provider, discovery: null }
  const outcome = await revokeToken(context, { ...party, provider: bare }, { refresh_token: 'rt', access_token: null })
  assert.deepEqual(outcome, { kind: 'unsupported' })
})
