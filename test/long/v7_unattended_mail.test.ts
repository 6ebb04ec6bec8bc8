import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MailWorld, openAsProcess, openInProcess, openMailWorld } from '../parts/unattended_mail.ts'

const DAY = 86_400_000
const GRANT_DAYS = 180
const STEP_DAYS = 2
const RESTART_EACH_DAYS = 30
const LIVES = { access_token_seconds: 600, grant_seconds: (GRANT_DAYS * DAY) / 1000 }

test('V7 V4 after kill -9 of both servers and of the mail server mail is sent and read, with nobody there', async () => {
  // Shorter than what a token must have left: each that is asked for is a new one.
  const world = await openMailWorld(openAsProcess, { ...LIVES, access_token_seconds: 20 })
  try {
    await world.connect()
    const { connection_id } = await world.shownConnection()
    const sent: string[] = []
    for (const dying of ['nobody', 'post_office', 'plant', 'dovecot'] as const) {
      if (dying === 'dovecot') await restartDovecot(world)
      else if (dying !== 'nobody') await world[dying].restart()
      await sendAndRead(world, sent, `alarm after the end of ${dying}`)
    }
    const shown = await world.shownConnection()
    assert.deepEqual([shown.connection_id, shown.state], [connection_id, 'ready'])
  } finally {
    await world.close()
  }
})

test(`V7 V4 mail is sent and read for ${GRANT_DAYS} days after one consent; what ends then is repaired by another`, async () => {
  let now = Date.now()
  const world = await openMailWorld(
    openInProcess(() => now),
    LIVES,
  )
  try {
    await world.connect()
    const { connection_id } = await world.shownConnection()
    const keys = new Set<string>()
    const sent: string[] = []
    for (let day = 0; day < GRANT_DAYS; day += STEP_DAYS) {
      if (day % RESTART_EACH_DAYS === 0) {
        await Promise.all([world.post_office.restart(), world.plant.restart(), restartDovecot(world)])
      }
      await sendAndRead(world, sent, `alarm of day ${day}`)
      assert.equal(world.renewals, day / STEP_DAYS, 'the transport still had the token of last time')
      keys.add(readKeyId((await world.askVault()).body.access_token))
      now += STEP_DAYS * DAY
    }
    assert.deepEqual([...world.dovecot.logins].sort(), ['imap OAUTHBEARER', 'submission XOAUTH2'])
    assert.ok(keys.size > 1, 'the signing keys were rotated meanwhile')

    await isRefused(world, 'the permission has ended')
    await world.connect(connection_id)
    await sendAndRead(world, sent, 'alarm after the first repair')

    const { access_token } = (await world.askVault()).body
    assert.deepEqual(await world.read(access_token), sent)
    await world.withdraw()
    await assert.rejects(world.read(access_token), { authenticationFailed: true }, 'at once, before it expires')
    now += LIVES.access_token_seconds * 1000
    await isRefused(world, 'the permission was taken back')
    await world.connect(connection_id)
    await sendAndRead(world, sent, 'alarm after the second repair')
    assert.equal((await world.shownConnection()).connection_id, connection_id)
  } finally {
    await world.close()
  }
})

async function sendAndRead(world: MailWorld, sent: string[], subject: string): Promise<void> {
  await world.send(subject)
  sent.push(subject)
  assert.deepEqual(await world.read(), sent)
}

/** The program that sends is told what is wrong and where to repair it, and so is who looks at the connection. */
async function isRefused(world: MailWorld, why: string): Promise<void> {
  await assert.rejects(world.send('alarm that is not sent'), /connection_needs_reconsent/, why)
  const { status, body } = await world.askVault()
  assert.deepEqual([status, body.error], [403, 'connection_needs_reconsent'])
  const { connection_id, state, reason } = await world.shownConnection()
  assert.deepEqual([state, reason], ['needs_reconsent', 'revoked'])
  assert.equal(body.connect_url, `${world.plant.issuer}/connect/post_office?connection_id=${connection_id}`)
}

async function restartDovecot({ dovecot }: MailWorld): Promise<void> {
  await dovecot.crash()
  await dovecot.start()
}

function readKeyId(jwt: string): string {
  return JSON.parse(Buffer.from(jwt.split('.')[0]!, 'base64url').toString()).kid
}
