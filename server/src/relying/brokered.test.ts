import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDelivery, writeOutcome } from './brokered.ts'
import { type TokenOutcome, unknownOutcome } from './outcome.ts'

const TOKENS: TokenOutcome = {
  ...{ kind: 'tokens', access_token: 'at', token_type: 'bearer', expires_in: 60, refresh_token: 'rt' },
  ...{ refresh_token_expires_in: 'never', scope: 'mail', id_token: null, extra: { realmId: '9' }, warnings: [] },
}
const deliver = (exchanged: unknown) => readDelivery(JSON.stringify({ params: 'state=s&code=c', exchanged })).exchanged

test('what a code was redeemed for arrives as it left', () => {
  const refused: TokenOutcome = {
    kind: 'refused',
    error: 'invalid_grant',
    provider_error: 'bad',
    error_description: 'no',
  }
  for (const outcome of [TOKENS, refused, { ...refused, kind: 'client_refused' }] as TokenOutcome[]) {
    assert.deepEqual(deliver(writeOutcome(outcome)), outcome)
  }
  assert.deepEqual(deliver({ kind: 'throttled', retry_after_seconds: 5 }), {
    kind: 'throttled',
    retry_after_seconds: 5,
  })
  const lost = writeOutcome(unknownOutcome(new Error('with a secret in it'), { sent: false, status: 502 }))
  assert.doesNotMatch(JSON.stringify(lost), /secret/)
  const { cause, ...rest } = deliver(lost) as Extract<TokenOutcome, { kind: 'unknown' }>
  assert.deepEqual(rest, { kind: 'unknown', sent: false, status: 502, retry_after_seconds: null })
  assert.match(cause.message, /broker/)
  assert.equal(readDelivery('{"params":"error=access_denied","exchanged":null}').exchanged, null)
})

test('a broker is believed no more than a provider: what does not fit is refused or left out', () => {
  for (const text of ['', 'null', '[]', '{}', '{"params":1,"exchanged":null}', `{"params":"",${'"x":['.repeat(20)}`]) {
    assert.throws(() => readDelivery(text), /delivery|JSON|object|deep/i, text)
  }
  for (const outcome of [
    undefined,
    'tokens',
    [],
    {},
    { kind: 'toString' },
    { ...TOKENS, access_token: '' },
    { ...TOKENS, access_token: 'a\nb' },
    { ...TOKENS, token_type: 7 },
  ]) {
    assert.throws(() => deliver(outcome), /^Error: The delivery has /, JSON.stringify(outcome))
  }
  const odd = deliver({
    ...TOKENS,
    expires_in: -1,
    refresh_token: 7,
    extra: [],
    scope: {},
    id_token_claims: { sub: 'eve' },
  })
  assert.deepEqual(odd, { ...TOKENS, expires_in: null, refresh_token: null, extra: {}, scope: null })
  const said = deliver({ kind: 'refused', error: 'x'.repeat(999), error_description: 'a\u0000b\u202ec' })
  assert.deepEqual(said, { kind: 'refused', error: 'x'.repeat(100), provider_error: '', error_description: 'a b c' })
})
