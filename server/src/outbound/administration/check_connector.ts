import { EgressError } from '../../egress/egress_error.ts'
import type { ResolvedProvider } from '../../providers/resolve.ts'
import { SettingError } from '../../providers/setting_error.ts'
import { chooseProofKey } from '../../relying/authorization_url.ts'
import { createRelyingContext, type RelyingContext, type RelyingParty } from '../../relying/context.ts'
import { DiscoveryError, discoverProvider } from '../../relying/discovery.ts'
import type { TokenOutcome } from '../../relying/outcome.ts'
import { probeWithCode, probeWithRefreshToken } from '../../relying/probe_client.ts'
import { type Connector, grantTypeOf, openConnector, relyingParty, withProofKey } from '../connectors/connector.ts'
import { withSettings } from '../connectors/connector_secret.ts'
import { type OutboundContext, outboundEvent } from '../context.ts'

/** What a check can come to, as a word that pages and programs can branch on. */
export const CHECK_REASONS = [
  ...(['endpoints_known', 'metadata_read', 'metadata_unreachable', 'metadata_invalid'] as const),
  ...(['issuer_differs', 'endpoint_missing'] as const),
  ...(['client_accepted', 'client_refused', 'client_unclear', 'pause_asked', 'not_let_out', 'no_answer'] as const),
  'people_type_keys',
] as const

/** One thing that was looked at; `unknown` is what no answer says. */
export interface ConnectorCheck {
  readonly check: 'metadata' | 'client'
  readonly outcome: 'ok' | 'failed' | 'unknown' | 'not_asked'
  readonly reason: (typeof CHECK_REASONS)[number]
  /** In English, with what the provider said. */
  readonly detail: string
}

// Somebody waits for the answer, and a call of the provider's that takes longer would fail people as well.
const PROBE_MS = 8_000

/**
 * Checks whether a connector can work: its provider's metadata can be had now, and its token endpoint knows us as a client.
 * Nothing is issued or changed, here or there, but the audit log. Null where there is no such connector.
 */
export async function checkConnector(
  context: OutboundContext,
  actor: string,
  connector: string,
): Promise<ConnectorCheck[] | null> {
  const { tenant_id, store } = context.tenant
  const record = await store.findConnector({ tenant_id, connector })
  if (!record) return null
  const opened = withSettings(() => openConnector(context, record))
  const checks = await look(context, opened)
  const detail = { connector, reasons: checks.map(({ reason }) => reason) }
  await store.recordEvent(outboundEvent(context, 'connector.tested', actor, { detail }))
  return checks
}

async function look(context: OutboundContext, opened: Connector): Promise<ConnectorCheck[]> {
  const { provider } = opened
  if (provider.credential !== 'oauth') {
    const detail = 'People type keys of this provider: there is nothing to ask it as a client'
    return [{ check: 'client', outcome: 'not_asked', reason: 'people_type_keys', detail }]
  }
  const plain = [provider.issuer, provider.token_endpoint].find(
    (url) => url?.startsWith('http:') && !context.egress.mayUseHttp(url),
  )
  if (plain) {
    const detail = `SALLYPORT_EGRESS_ALLOW does not name ${new URL(plain).host}`
    return [{ check: 'metadata', outcome: 'failed', reason: 'not_let_out', detail }]
  }
  // What was remembered says nothing of now, and nobody goes on with what is read here.
  const asking = createRelyingContext({ egress: context.egress, clock: context.clock })
  let proof_key: string | null
  try {
    const server = await discoverProvider(asking, provider)
    const needed = grantTypeOf(opened) === 'authorization_code' ? ENDPOINTS : ENDPOINTS.slice(1)
    const missing = needed.find((name) => !server[name])
    if (missing) {
      const detail = `The provider has no ${missing.replaceAll('_', ' ')}`
      return [{ check: 'metadata', outcome: 'failed', reason: 'endpoint_missing', detail }]
    }
    proof_key = await chooseProofKey(provider, server)
  } catch (error) {
    return [judgeMetadata(error)]
  }
  const party = withProofKey(relyingParty(context, opened), proof_key ?? undefined)
  return [foundMetadata(provider), await probe(asking, opened, party)]
}

const ENDPOINTS = ['authorization_endpoint', 'token_endpoint'] as const

function foundMetadata({ issuer, discovery }: ResolvedProvider): ConnectorCheck {
  const reason = issuer !== null && discovery !== null ? 'metadata_read' : 'endpoints_known'
  return { check: 'metadata', outcome: 'ok', reason, detail: 'The endpoints are known' }
}

function judgeMetadata(error: unknown): ConnectorCheck {
  if (!(error instanceof DiscoveryError || error instanceof SettingError)) throw error
  const failed = { check: 'metadata', outcome: 'failed', detail: explain(error) } as const
  if (isHeldBack(error)) return { ...failed, reason: 'not_let_out' }
  const reason = error instanceof DiscoveryError ? error.reason : 'invalid'
  if (reason === 'unreachable') return { ...failed, reason: 'metadata_unreachable' }
  if (reason === 'missing') return { ...failed, reason: 'endpoint_missing' }
  return { ...failed, reason: reason === 'issuer_mismatch' ? 'issuer_differs' : 'metadata_invalid' }
}

async function probe(asking: RelyingContext, opened: Connector, party: RelyingParty): Promise<ConnectorCheck> {
  if (grantTypeOf(opened) === 'authorization_code') {
    const judged = judge(await probeWithCode(asking, party, PROBE_MS))
    if (judged.reason !== 'client_unclear') return judged
  }
  const outcome = await probeWithRefreshToken(asking, party, PROBE_MS)
  // RFC 6749 section 5.2: of a client that may not refresh, which a connector need not.
  const may_not_refresh = outcome.kind === 'client_refused' && outcome.error === 'unauthorized_client'
  return may_not_refresh ? judge({ ...outcome, kind: 'refused' }) : judge(outcome)
}

function judge(outcome: TokenOutcome): ConnectorCheck {
  const check = 'client'
  switch (outcome.kind) {
    case 'tokens':
      return { check, outcome: 'unknown', reason: 'client_unclear', detail: 'The provider gave a token for nothing' }
    case 'refused':
      return outcome.error === 'invalid_grant'
        ? {
            check,
            outcome: 'ok',
            reason: 'client_accepted',
            detail: `The provider accepts the client: ${say(outcome)}`,
          }
        : { check, outcome: 'unknown', reason: 'client_unclear', detail: `The provider refused: ${say(outcome)}` }
    case 'client_refused':
      return {
        ...{ check, outcome: 'failed', reason: 'client_refused' },
        detail: `The provider refuses the client: ${say(outcome)}`,
      }
    case 'throttled':
      return { check, outcome: 'unknown', reason: 'pause_asked', detail: 'The provider asks for a pause' }
    case 'unknown': {
      const reason = isHeldBack(outcome.cause) ? 'not_let_out' : 'no_answer'
      return { check, outcome: 'failed', reason, detail: explain(outcome.cause) }
    }
  }
}

function say({ provider_error, error_description }: { provider_error: string; error_description: string }): string {
  return [provider_error, error_description].filter((part) => part !== '').join(': ')
}

/** A call that the egress guard did not let out: only the operator can. */
function isHeldBack(error: unknown): boolean {
  return causesOf(error).some((cause) => cause instanceof EgressError && cause.code.startsWith('blocked_'))
}

function explain(error: unknown): string {
  const [first, ...others] = causesOf(error)
  const guards = others.find((cause) => cause instanceof EgressError)
  return [first, guards].flatMap((cause) => (cause ? [cause.message] : [])).join('. ')
}

function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let cause = error; cause instanceof Error && causes.length < 5; cause = cause.cause) causes.push(cause)
  return causes
}
