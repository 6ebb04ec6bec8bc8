import { discoverProvider } from '../../relying/discovery.ts'
import type { TokenOutcome } from '../../relying/outcome.ts'
import { refreshToken } from '../../relying/token_call.ts'
import { openConnector, relyingParty } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'

/** One thing that was looked at; `unknown` is what no answer says. */
export interface ConnectorCheck {
  readonly check: 'metadata' | 'client'
  readonly outcome: 'ok' | 'failed' | 'unknown' | 'not_asked'
  readonly detail: string
}

// Nobody's: a provider that looks at it has first looked at who sends it.
const NO_REFRESH_TOKEN = 'sallyport-connector-test'

/**
 * Tests whether a connector can work: its provider's metadata can be had, and its token endpoint knows us as a client. The
 * provider is asked with a refresh token that is none, which it refuses by `invalid_grant` where it accepts the client
 * (RFC 6749 section 5.2). Nothing is changed. Null where there is no such connector.
 */
export async function testConnector(context: OutboundContext, connector: string): Promise<ConnectorCheck[] | null> {
  const { tenant_id, store } = context.tenant
  const record = await store.findConnector({ tenant_id, connector })
  if (!record) return null
  const opened = openConnector(context, record)
  if (opened.provider.credential !== 'oauth') {
    const detail = 'People type keys of this provider: there is nothing to ask it as a client'
    return [{ check: 'client', outcome: 'not_asked', detail }]
  }
  try {
    await discoverProvider(context.relying, opened.provider)
  } catch (error) {
    return [{ check: 'metadata', outcome: 'failed', detail: (error as Error).message }]
  }
  const metadata = { check: 'metadata', outcome: 'ok', detail: 'The endpoints are known' } as const
  const outcome = await refreshToken(context.relying, relyingParty(context, opened), {
    refresh_token: NO_REFRESH_TOKEN,
  })
  return [metadata, { check: 'client', ...judge(outcome) }]
}

function judge(outcome: TokenOutcome): Pick<ConnectorCheck, 'outcome' | 'detail'> {
  switch (outcome.kind) {
    case 'tokens':
      return { outcome: 'unknown', detail: 'The provider gave a token for a refresh token that is none' }
    case 'refused': {
      const known = outcome.error === 'invalid_grant'
      const what = known ? 'The provider accepts the client' : 'The provider refused, and not the client alone'
      return { outcome: known ? 'ok' : 'unknown', detail: `${what}: ${outcome.provider_error}` }
    }
    case 'client_refused':
      return { outcome: 'failed', detail: `The provider refuses the client: ${outcome.provider_error}` }
    case 'throttled':
      return { outcome: 'unknown', detail: 'The provider asks for a pause' }
    case 'unknown':
      return { outcome: 'failed', detail: outcome.cause.message }
  }
}
