import { type Broker, createBroker } from '../broker/broker.ts'
import { NotRegistered, PrimaryDown } from '../broker/primary.ts'
import { ConfigError } from '../config/config_error.ts'
import { readIssuer } from '../config/issuer.ts'
import type { Config } from '../config/read_config.ts'
import { createEgress } from '../egress/egress.ts'
import type { Log } from '../web/log.ts'
import type { Machines } from '../web/router.ts'
import { readRootKey } from './data_folder.ts'
import { createLog } from './log.ts'
import { endOnDefect, limitStop, listenOrSay, waitForSignal } from './serve.ts'

const GRACE_MS = 10_000

// All that it serves are pages.
const NO_MACHINES: Machines = {
  has: () => false,
  largestBody: () => 0,
  answer: () => Promise.reject(new Error('a redirect broker has no endpoints for machines')),
}

/** `broker`: runs a redirect broker until a signal says otherwise. It opens no database; its root key is what it is. */
export async function serveBroker(config: Config, given_primary: string): Promise<number> {
  const primary = readIssuer(given_primary, '--primary')
  const log = createLog(config)
  endOnDefect(log)
  const stopped = waitForSignal()
  const { hostname, port, protocol } = new URL(primary)
  const egress = createEgress({ allow: config.egress_allow })
  // The operator has named the primary, which may well be within the same network.
  const primary_egress = createEgress({ allow: [`${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`] })
  const broker = createBroker({
    ...{ url: config.issuer, primary, key: readRootKey(config).broker_key },
    ...{ egress, primary_egress, clock: Date.now, log },
  })
  try {
    await greet(broker, primary, log)
    const served = { fetch: broker.fetch, machines: NO_MACHINES, web: { production: config.production } }
    const server = await listenOrSay(served, config, log)
    const { issuer: url } = config
    process.stdout.write(
      `Sallyport's redirect broker at ${url} works for ${primary}\n  redirect URI  ${url}/callback\n` +
        `  in the settings of the primary  brokers: [${JSON.stringify(broker.description)}]\n`,
    )
    log.info({ signal: await stopped }, 'stopping')
    limitStop(log)
    await server.stop(GRACE_MS)
    log.info({}, 'stopped')
    return 0
  } finally {
    broker.close()
    await Promise.all([egress.close(), primary_egress.close()])
    log.flush()
  }
}

/** Whoever the primary does not know serves nobody; where the primary is away, it is asked with the first flow. */
async function greet(broker: Broker, primary: string, log: Log): Promise<void> {
  try {
    await broker.greet()
  } catch (error) {
    if (error instanceof NotRegistered) {
      const entry = JSON.stringify(broker.description)
      throw new ConfigError([`${error.message}. In the settings of ${primary} it would stand as brokers: [${entry}]`])
    }
    if (!(error instanceof PrimaryDown)) throw error
    log.warn({ cause: error.message }, 'the primary is down')
  }
}
