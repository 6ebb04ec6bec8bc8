import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type ForeignProvider, startForeignProvider } from './foreign_provider.ts'
import { type Program, startProgram } from './program.ts'
import { freePort } from './sallyport.ts'

/** The person of the story, at the primary. */
export const OPERATOR = { username: 'operator', password: 'correct horse battery' } as const

/** A redirect broker as a process, on an address of its own. */
export interface BrokerProcess {
  readonly url: string
  readonly redirect_uri: string
  /** Its folder: all that it may ever write into. */
  readonly folder: string
  readonly program: Program
}

/** A primary and its redirect brokers, each a process, and a provider that this project did not write. */
export interface BrokerStory {
  readonly issuer: string
  readonly foreign: ForeignProvider
  readonly brokers: Readonly<Record<'exchange' | 'relay', BrokerProcess>>
  /** kill -9 of the primary. */
  killPrimary(): Promise<void>
  startPrimary(): Promise<void>
  stop(): Promise<void>
}

/** Starts the primary on 127.0.0.1, and its brokers on 127.0.0.2 and 127.0.0.3. */
export async function startBrokerStory(): Promise<BrokerStory> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-broker-'))
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const brokers = {
    exchange: await startBroker('127.0.0.2', issuer),
    relay: await startBroker('127.0.0.3', issuer),
  }
  const redirect_uris = [brokers.exchange.redirect_uri, brokers.relay.redirect_uri]
  const client = { client_id: 'plant', client_secret: 'secret-of-the-plant', redirect_uris }
  const grant_types = ['authorization_code', 'refresh_token']
  const foreign = await startForeignProvider({ clients: [Object.assign({ ...client }, { grant_types })] })
  const registered = [describe(brokers.exchange, 'exchange'), describe(brokers.relay, 'relay')]
  const { client_id, client_secret } = client
  const platform = {
    server: { egress_allow: ['127.0.0.1'] },
    settings: { brokers: registered },
    users: [{ username: OPERATOR.username, password: { value: OPERATOR.password } }],
    connectors: [
      {
        ...{ connector: 'mailbox', provider: 'oidc', issuer: foreign.issuer, scope: 'openid email offline_access' },
        ...{ client_id, client_secret: { value: client_secret }, redirect_uris },
      },
    ],
  }
  const file = path.join(folder, 'platform.json')
  await writeFile(file, JSON.stringify(platform))
  let primary: Program
  const startPrimary = async () => {
    const more = ['--config', file, '--issuer', issuer, '--port', String(port)]
    primary = startProgram(['serve', ...more], { cwd: folder })
    await primary.waitFor(/listening/)
  }
  const stopBrokers = () => Promise.all(Object.values(brokers).map(({ program }) => program.stop()))
  await startPrimary().catch(async (error) => {
    await Promise.all([stopBrokers(), foreign.close()])
    throw error
  })
  return {
    ...{ issuer, foreign, brokers, startPrimary },
    async killPrimary() {
      await primary.stop('SIGKILL')
    },
    async stop() {
      await primary.stop()
      assert.deepEqual(await stopBrokers(), [0, 0])
      for (const broker of Object.values(brokers)) await rm(broker.folder, { recursive: true })
      await foreign.close()
      await rm(folder, { recursive: true })
    },
  }
}

async function startBroker(host: string, primary: string): Promise<BrokerProcess> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-broker-'))
  const port = await freePort()
  const url = `http://${host}:${port}`
  const where = ['--host', host, '--port', String(port), '--issuer', url, '--egress-allow', '127.0.0.1']
  const program = startProgram(['broker', '--primary', primary, ...where, '--log-level', 'debug'], { cwd: folder })
  await program.waitFor(/brokers: \[/)
  return { url, redirect_uri: `${url}/callback`, folder, program }
}

function describe({ program }: BrokerProcess, mode: string): object {
  const [, json] = /brokers: \[(.*)\]$/m.exec(program.stdout)!
  return { ...JSON.parse(json!), mode }
}
