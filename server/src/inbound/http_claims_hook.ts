import type { KeyObject } from 'node:crypto'
import { newId } from '../crypto/random.ts'
import { parseUniqueJson } from '../crypto/unique_json.ts'
import { signWebhook } from '../crypto/webhook_signature.ts'
import { Circuits } from '../egress/circuit.ts'
import { createEgress, type Egress } from '../egress/egress.ts'
import { isJsonType } from '../oauth/clients/metadata_document.ts'
import type { ClaimsAsk, ClaimsHook } from './claims_hook.ts'

/** Where the operator's claims come from over HTTP. */
export interface ClaimsService {
  readonly url: string
  /** What both sides know: see `readWebhookSecret`. */
  readonly secret: KeyObject
  /** Lets the times of failures be played. */
  readonly clock?: () => number
}

/**
 * A claims hook over HTTP: the ask as JSON, signed by the Standard Webhooks convention, and JSON as the answer. Anything
 * else has failed, redirects too; a service that goes on failing is left alone for a while, so that nobody waits for it.
 */
export function createHttpClaimsHook({ url, secret, clock = Date.now }: ClaimsService): {
  readonly ask: ClaimsHook
  close(): Promise<void>
} {
  // A guard of its own: what the operator opens for this service is not open to what tenants name.
  const egress = createEgress({ allow: [hostAndPort(url)] })
  const circuits = new Circuits(Math.random)
  return {
    async ask(ask) {
      if (circuits.waitMs(url, 0, clock()) > 0)
        throw new Error('the claims hook has failed too often, and is left alone')
      try {
        const claims = await post(egress, { url, secret, now: clock() }, ask)
        circuits.succeed(url)
        return claims
      } catch (error) {
        if (error instanceof AskRefused) circuits.succeed(url)
        else circuits.fail(url, 0, clock())
        throw error
      }
    },
    close: () => egress.close(),
  }
}

/** The service is there and refuses this one ask: one user whose claims it cannot make keeps nobody else waiting. */
class AskRefused extends Error {}

function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
}

async function post(
  egress: Egress,
  { url, secret, now }: { readonly url: string; readonly secret: KeyObject; readonly now: number },
  { signal, ...ask }: ClaimsAsk,
): Promise<Readonly<Record<string, unknown>>> {
  const body = JSON.stringify(ask)
  const signed = signWebhook(secret, { id: `msg_${newId(now)}`, now, body })
  const response = await egress.fetch(url, {
    ...{ purpose: 'claims', method: 'POST', body, signal },
    headers: { 'content-type': 'application/json', accept: 'application/json', ...signed },
  })
  if (response.status !== 200 || !isJsonType(response.headers.get('content-type'))) {
    await response.body?.cancel()
    const sentence = `the claims hook answered with status ${response.status}, or not with JSON`
    throw /^4(?!29)/.test(String(response.status)) ? new AskRefused(sentence) : new Error(sentence)
  }
  return parseUniqueJson(await response.text()) as Readonly<Record<string, unknown>>
}
