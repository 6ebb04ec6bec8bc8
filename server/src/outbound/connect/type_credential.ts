import type { ResolvedProvider } from '../../providers/resolve.ts'
import { nameProvider, openConnector } from '../connectors/connector.ts'
import type { OutboundContext } from '../context.ts'
import type { ProviderAnswer } from '../vault/vault.ts'
import { NOBODY } from './account.ts'
import { concludeConsent } from './conclude_consent.ts'
import type { ConnectFinished } from './connect_outcome.ts'
import { type ConnectFinish, takeUp } from './finish_connect.ts'

/** What a person typed: a name and its password, or an API key alone. */
export interface Typed {
  readonly username?: string | undefined
  readonly secret: string
}

/** What is asked of a person at a connector whose provider takes keys. */
export interface TypedQuestion {
  readonly provider_name: string
  readonly credential: 'basic_pair' | 'api_key'
  readonly notes: string | null
}

/** What a connector asks people to type; null where there is none of that name, or OAuth brings it all. */
export async function findTypedQuestion(context: OutboundContext, connector: string): Promise<TypedQuestion | null> {
  const { tenant_id, store } = context.tenant
  const record = await store.findConnector({ tenant_id, connector })
  if (!record || record.disabled_at !== null) return null
  const { credential, notes } = openConnector(context, record).provider
  return credential === 'oauth' ? null : { provider_name: nameProvider(context, record), credential, notes }
}

/**
 * Ends a connect flow with what the person typed: once, by the user and in the browser that started it. What cannot be a
 * key of this provider takes up nothing, and is told by null.
 */
export async function finishTyped(
  context: OutboundContext,
  finish: Omit<ConnectFinish, 'params'> & { readonly state: string; readonly typed: Typed },
): Promise<ConnectFinished | null> {
  const { tenant_id, store } = context.tenant
  const { state, typed, ...rest } = finish
  const record = await store.findConnector({ tenant_id, connector: finish.connector })
  const credentials = record && readTyped(openConnector(context, record).provider, typed)
  if (credentials === null) return null
  const taken = await takeUp(context, { ...rest, params: new URLSearchParams({ state }) })
  if ('outcome' in taken) return taken
  const { provider } = taken.connector
  const { now } = (await store.loadTenantState({ tenant_id }))!
  const answer: ProviderAnswer = {
    tokens: { access_token: credentials, token_type: provider.authorization_scheme ?? 'N_A', extra: {} },
    ...{ scope: '', issued_at: now, access_expires_at: null, refresh_expires_at: null },
  }
  return concludeConsent(context, taken, { answer, account: NOBODY, options: null })
}

/** The credentials as they stand behind the scheme (RFC 7617 section 2); null for what cannot be sent as such. */
export function readTyped(
  { credential, basic_password }: Pick<ResolvedProvider, 'credential' | 'basic_password'>,
  { username = '', secret }: Typed,
): string | null {
  if (credential === 'oauth') return null
  const is_key = credential === 'api_key'
  if (is_key && !/^[\x21-\x7e]{1,4096}$/.test(secret)) return null
  if (is_key && basic_password === null) return secret
  const [name, password] = is_key ? [secret, basic_password ?? ''] : [username, secret]
  const fits = [name, password].every((part) => /^[^\p{Cc}]{1,4096}$/u.test(part)) && !name.includes(':')
  return fits ? Buffer.from(`${name}:${password}`).toString('base64') : null
}
