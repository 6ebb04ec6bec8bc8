import assert from 'node:assert/strict'
import { openConnector, relyingParty } from '../../server/src/outbound/connectors/connector.ts'
import type { ProviderFields } from '../../server/src/providers/provider.ts'
import { refreshToken } from '../../server/src/relying/token_call.ts'
import { near, repairs, type Walk } from './catalogue_walk.ts'
import { codeFor } from './fake_answers.ts'
import { LIVES } from './fake_authorization_server.ts'

const DAY = 86_400

/** Whether the record allows that a refresh token is sent again at once. */
function mayRepeat({ refresh_token_rotation: rotation, refresh_token_replay: replay }: ProviderFields): boolean {
  return rotation === 'never' || ['accepted', 'until_successor_used', 'within_grace'].includes(replay)
}

/** Renews ahead of the end and on 401, and again after an answer was lost. */
export async function refreshes(walk: Walk): Promise<void> {
  const { there, fields } = walk
  const first = await walk.lives()
  if (first.access !== null) {
    walk.pass(first.access - 10)
    assert.equal(await walk.call(), 200)
    assert.deepEqual(walk.seen(), ['refresh', 'api'])
    await checkLives(walk, first.access - 10)
  }
  const most = fields.refresh_token_max_seconds
  if (most !== null) {
    walk.pass(most - DAY - (first.access ?? 0))
    assert.equal(await walk.call(), 200)
    near((await walk.lives()).refresh, DAY + 10, 'what is left of the consent')
    walk.seen()
  }
  walk.pass(60)
  there.api_refuses = true
  assert.equal(await walk.call(), 200)
  assert.deepEqual(walk.seen(), ['api', 'refresh', 'api'])
  walk.pass(60)
  await survivesLoss(walk)
}

async function checkLives(walk: Walk, passed: number): Promise<void> {
  const { fields, there } = walk
  const { access, refresh } = await walk.lives()
  const known = fields.access_token_seconds
  near(access, there.life() ?? (known === 'unknown' ? null : known), 'the life after a refresh')
  if (fields.refresh_token_max_seconds !== null) return
  const { refresh_token_life: life } = fields
  const told = there.refreshLife()
  const before = told === null ? fields.refresh_token_seconds : told === 0 ? null : told
  if (life === 'fixed') near(refresh, before === null ? null : before - passed, 'what is left of a fixed life')
  else near(refresh, life === 'unlimited' ? null : fields.refresh_token_seconds, 'a life that starts anew')
}

/** An answer is lost on the way: what the record says of a token that is sent again decides. */
async function survivesLoss(walk: Walk): Promise<void> {
  const { there, fields } = walk
  const held = await walk.token({ min_seconds: 0 })
  assert.equal(held.kind, 'token')
  if (held.kind !== 'token') return
  there.trouble = 'lost'
  const again = await walk.token({ failed_generation: held.generation })
  if (mayRepeat(fields)) {
    assert.equal(again.kind, 'token', JSON.stringify([again, there.complaints]))
    if (again.kind === 'token') assert.equal(again.access_token, there.grant!.access_token)
    assert.deepEqual(walk.seen(), ['refresh', 'refresh'])
    return
  }
  assert.equal(again.kind, 'unavailable', JSON.stringify(again))
  assert.deepEqual(walk.seen(), ['refresh'])
  const served = await walk.token()
  assert.equal(served.kind, 'token', 'what still lives is served')
  assert.deepEqual(walk.seen(), [], 'and nothing is risked for it')
  const { access_expires_at } = await walk.load()
  walk.pass(access_expires_at === null ? 7_200 : LIVES.access + 7_200)
  const last = await walk.token(access_expires_at === null ? { failed_generation: held.generation } : {})
  assert.equal(last.kind, 'needs_reconsent', JSON.stringify(last))
  assert.deepEqual(walk.seen(), ['refresh'])
  await repairs(walk)
}

const STANDARD_CODES = {
  invalid_grant: 'invalid_grant',
  invalid_client: 'invalid_client',
  invalid_scope: 'invalid_scope',
  temporarily_unavailable: 'unknown',
  slow_down: 'throttled',
} as const

/** Reads every error code of the record, and takes the one that ends a grant for what it is. */
export async function takesErrors(walk: Walk): Promise<void> {
  const { there, fields, context } = walk
  const codes = Object.entries({ ...STANDARD_CODES, ...fields.error_response.meanings })
  const { connection, connector } = (await context.tenant.store.loadConnection({
    ...{ tenant_id: context.tenant.tenant_id, connection_id: walk.connection_id },
  }))!
  const token = await walk.token({ min_seconds: 0 })
  assert.equal(token.kind, 'token')
  const extra = token.kind === 'token' ? token.extra : {}
  const party = relyingParty(context, openConnector(context, connector), extra)
  const places = fields.error_response.error.keys().toArray()
  for (const [code, meaning, place] of codes.flatMap((one) => places.map((at) => [...one, at] as const))) {
    there.trouble = { code, place }
    const input = { refresh_token: there.grant!.refresh_token ?? '', access_token: there.grant!.access_token }
    const outcome = await refreshToken(context.relying, party, { ...input, scope: connection.scope })
    const kind =
      meaning === 'unknown' || meaning === 'throttled'
        ? meaning
        : meaning === 'invalid_client'
          ? 'client_refused'
          : 'refused'
    assert.equal(outcome.kind, kind, `${code} ${JSON.stringify(outcome)}`)
    if (outcome.kind === 'refused')
      assert.deepEqual([outcome.error, outcome.error_description === ''], [meaning, false])
  }
  walk.seen()
  const { generation } = await walk.load()
  walk.pass(60)
  there.trouble = { code: codeFor(fields, 'invalid_grant') }
  const ended = await walk.token({ failed_generation: generation })
  assert.equal(ended.kind, 'needs_reconsent', JSON.stringify(ended))
  walk.seen()
  await repairs(walk)
}
