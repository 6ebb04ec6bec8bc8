import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import { applyPlatform } from '../../server/src/apply/apply.ts'
import { readPlatform } from '../../server/src/apply/platform.ts'
import { readPlatformFile } from '../../server/src/apply/platform_file.ts'
import { randomBytes } from '../../server/src/crypto/random.ts'
import { RootKey } from '../../server/src/crypto/tenant_keys.ts'
import { createEgress } from '../../server/src/egress/egress.ts'
import { inboundChores } from '../../server/src/inbound/administration/chores.ts'
import { type Dovecot, startDovecot } from './dovecot.ts'
import { freePort, startSallyport } from './sallyport.ts'
import { startServerProcess } from './server_process.ts'
import { UserAgent } from './user_agent.ts'

/** Who runs the plant: a user of the plant's server, who owns the connection. */
export const OPERATOR = { username: 'operator', password: 'the operator of the plant' } as const
/** Whose mailbox the alarms are sent from: a user of the mail provider. */
export const ALARMS = { username: 'alarms', password: 'the mailbox of the alarms' } as const
const ADDRESS = 'alarms@mail.example'
const MAIL = 'https://mail.example'
const SENDER = { client_id: 'alarm-sender', client_secret: 'secret-of-the-alarm-sender' }
const DOVECOT = { client_id: 'dovecot', client_secret: 'secret-of-dovecot' }
const PLANT = { client_id: 'plant', client_secret: 'secret-of-the-plant' }

/** A Sallyport that can be started again where it was, on what it had stored. */
export interface House {
  readonly issuer: string
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Opens one at an issuer on loopback, that holds what a platform file describes. */
export type OpenHouse = (issuer: string, platform: string) => Promise<House>

/** How long the mail provider's tokens live, and how long what its user has allowed. */
export interface Lives {
  readonly access_token_seconds: number
  readonly grant_seconds: number
}

/** What a token request of the vault's API brought. */
export interface VaultAnswer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what came back
  readonly body: any
}

/** A plant whose alarms go out by mail, and its mail provider: two Sallyports and a Dovecot. */
export interface MailWorld {
  readonly post_office: House
  readonly plant: House
  readonly dovecot: Dovecot
  /** The operator connects the mailbox, or repairs the connection; its owner signs in and allows it. */
  connect(connection_id?: string): Promise<void>
  /** The connection as the plant's API shows it, asked for by a program. */
  shownConnection(): Promise<VaultAnswer['body']>
  /** What a program gets of the vault: a usable token, or with `renew` a new one. */
  askVault(renew?: boolean): Promise<VaultAnswer>
  /** Sends a letter by submission with XOAUTH2, over a transport that lives as long as the world and keeps its token. */
  send(subject: string): Promise<void>
  /** How often that transport was refused, and asked for another token by itself. */
  readonly renewals: number
  /** The subjects in the mailbox, read by IMAP with a token of the vault, or the one given. */
  read(access_token?: string): Promise<string[]>
  /** The owner of the mailbox takes the permission back, at the mail provider. */
  withdraw(): Promise<void>
  close(): Promise<void>
}

/** Opens one; nothing is connected yet. */
export async function openMailWorld(open: OpenHouse, lives: Lives): Promise<MailWorld> {
  const opened = new AsyncDisposableStack()
  try {
    return await fillMailWorld(open, lives, opened)
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

async function fillMailWorld(open: OpenHouse, lives: Lives, opened: AsyncDisposableStack): Promise<MailWorld> {
  const keep = <Part extends { stop(): Promise<void> }>(part: Part) => opened.adopt(part, () => part.stop())
  const issuers = { post_office: await freeIssuer(), plant: await freeIssuer() }
  const dovecot = await startDovecot({
    ...DOVECOT,
    introspection_endpoint: `${issuers.post_office}/introspect`,
    openid_configuration: `${issuers.post_office}/.well-known/openid-configuration`,
    ...{ scope: 'mail', mailboxes: [ALARMS.username] },
  }).then(keep)
  const post_office = await open(issuers.post_office, describePostOffice(issuers.plant, lives)).then(keep)
  const plant = await open(issuers.plant, describePlant(issuers.post_office)).then(keep)
  const mail = { host: '127.0.0.1', tls: { ca: dovecot.certificate } }
  const { username: user } = ALARMS
  const transport = createTransport({
    ...{ ...mail, port: dovecot.submission_port, requireTLS: true, auth: { type: 'OAuth2', user } },
  })
  let renewals = 0
  transport.set('oauth2_provision_cb', (_user, renew, done) => {
    if (renew) renewals++
    usableToken(world, renew).then((token) => done(null, token), done)
  })
  const ask = async (method: string, route: string): Promise<VaultAnswer> => {
    const token = await tokenForProgram(plant.issuer)
    return read(await fetch(`${plant.issuer}/api${route}`, { method, headers: { authorization: `Bearer ${token}` } }))
  }

  const world: MailWorld = {
    ...{ post_office, plant, dovecot },
    get renewals() {
      return renewals
    },
    async connect(connection_id) {
      const operator = await signIn(plant.issuer, OPERATOR)
      const query = connection_id === undefined ? '' : `?connection_id=${connection_id}`
      const left = await operator.follow(`${plant.issuer}/connect/post_office${query}`)
      const back = await new UserAgent().authorize(left.url, ALARMS)
      const { response } = await operator.follow(back.href)
      assert.equal(response.status, 200, await response.text())
    },
    async shownConnection() {
      const { body } = await ask('GET', '/connections?connector=post_office')
      assert.equal(body.items.length, 1)
      return body.items[0]
    },
    async askVault(renew = false) {
      const { connection_id } = await world.shownConnection()
      return renew
        ? ask('POST', `/connections/${connection_id}/refresh`)
        : ask('GET', `/connections/${connection_id}/token`)
    },
    async send(subject) {
      await transport.sendMail({ from: ADDRESS, to: ADDRESS, subject, text: 'The pump has stopped.' })
    },
    async read(access_token) {
      const auth = { user, accessToken: access_token ?? (await usableToken(world)) }
      const { imap_port: port } = dovecot
      const client = new ImapFlow({ ...mail, port, secure: false, doSTARTTLS: true, auth, logger: false })
      try {
        await client.connect()
        await client.mailboxOpen('INBOX', { readOnly: true })
        const letters = await client.fetchAll('1:*', { envelope: true })
        await client.logout()
        return letters.map(({ envelope }) => envelope!.subject!)
      } finally {
        // Whoever is refused keeps the connection otherwise.
        client.close()
      }
    },
    async withdraw() {
      const owner = await signIn(post_office.issuer, ALARMS)
      const { url, response } = await owner.follow(`${post_office.issuer}/account`)
      await owner.submit({ url, html: await response.text() }, {}, '/account/apps/revoke')
    },
    async close() {
      transport.close()
      await opened.disposeAsync()
    },
  }
  return world
}

/** Opens Sallyports in this process, on databases in files, at a clock that the test moves. */
export function openInProcess(clock: () => number): OpenHouse {
  return async (issuer, platform) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-mail-'))
    const egress = createEgress({ allow: ['127.0.0.1'] })
    const place = {
      port: Number(new URL(issuer).port),
      ...{ location: { sqlite: path.join(folder, 'sallyport.db'), clock }, clock },
      ...{ root: new RootKey(randomBytes(32)), app: { egress } },
    }
    let server = await startSallyport(place)
    const { web } = server.app
    const file = readPlatformFile(platform, { env: {}, folder })
    const grant_types = web.grant_types.map(({ grant_type }) => grant_type)
    await applyPlatform(web, readPlatform(file.platform, { grant_types }), 'test')
    return {
      issuer,
      async restart() {
        await server.stop()
        server = await startSallyport(place)
        // What it would do by itself within minutes.
        for (const { run } of inboundChores(server.app.web.inbound)) await run()
      },
      async stop() {
        await server.stop()
        await egress.close()
        await rm(folder, { recursive: true })
      },
    }
  }
}

/** Opens Sallyports as processes; a restart is kill -9. */
export const openAsProcess: OpenHouse = async (issuer, platform) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-mail-'))
  const file = path.join(folder, 'platform.yaml')
  await writeFile(file, platform)
  const place = { issuer, port: Number(new URL(issuer).port), data_dir: path.join(folder, 'data'), platform: file }
  let server = await startServerProcess(place)
  return {
    issuer,
    async restart() {
      await server.kill()
      server = await startServerProcess(place)
    },
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true })
    },
  }
}

/** The mail provider's authorization server: Dovecot asks it about tokens, and the plant is registered at it. */
function describePostOffice(plant: string, lives: Lives): string {
  return JSON.stringify({
    settings: { refresh_lifetime_seconds: lives.grant_seconds },
    resources: [
      {
        ...{ resource: MAIL, name: 'Mail', scopes: { mail: 'Read and send your mail' }, every_user: true },
        access_token: { lifetime_seconds: lives.access_token_seconds },
        introspection_clients: [DOVECOT.client_id],
      },
    ],
    users: [withSecret(ALARMS, 'password')],
    clients: [
      { ...withSecret(DOVECOT, 'client_secret'), grant_types: ['client_credentials'] },
      {
        ...withSecret(PLANT, 'client_secret'),
        ...{ client_name: 'The plant', redirect_uris: [`${plant}/connect/post_office/callback`] },
        ...{ grant_types: ['authorization_code', 'refresh_token'], scope: 'openid offline_access mail' },
      },
    ],
  })
}

/** The plant's own server: it keeps the connection, and the program that sends alarms gets tokens of it. */
function describePlant(post_office: string): string {
  return JSON.stringify({
    server: { egress_allow: ['127.0.0.1'] },
    users: [withSecret(OPERATOR, 'password')],
    clients: [
      {
        ...withSecret(SENDER, 'client_secret'),
        ...{ grant_types: ['client_credentials'], scope: 'admin:read vault:token' },
      },
    ],
    connectors: [
      {
        ...{ connector: 'post_office', provider: 'oidc', issuer: post_office, scope: 'openid offline_access mail' },
        ...withSecret(PLANT, 'client_secret'),
        fields: { authorization_params: { resource: MAIL } },
      },
    ],
  })
}

function withSecret<Name extends string>(entry: Readonly<Record<Name, string>>, name: Name) {
  return { ...entry, [name]: { value: entry[name] } }
}

async function freeIssuer(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`
}

async function signIn(issuer: string, user: { username: string; password: string }): Promise<UserAgent> {
  const person = new UserAgent()
  const { url, response } = await person.follow(`${issuer}/login`)
  const done = await person.submit({ url, html: await response.text() }, user)
  assert.equal(done.response.status, 200)
  return person
}

async function tokenForProgram(issuer: string): Promise<string> {
  const authorization = `Basic ${btoa(`${SENDER.client_id}:${SENDER.client_secret}`)}`
  const form = { grant_type: 'client_credentials', scope: 'admin:read vault:token', resource: `${issuer}/api` }
  const body = new URLSearchParams(form)
  const answer = await read(await fetch(`${issuer}/token`, { method: 'POST', headers: { authorization }, body }))
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body.access_token
}

async function usableToken(world: MailWorld, renew = false): Promise<string> {
  const { status, body } = await world.askVault(renew)
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body.access_token
}

async function read(response: Response): Promise<VaultAnswer> {
  return { status: response.status, body: await response.json() }
}
