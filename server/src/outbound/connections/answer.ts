import { randomSecret } from '../../crypto/random.ts'
import type { ResolvedProvider } from '../../providers/resolve.ts'
import type { Tokens } from '../../relying/outcome.ts'
import type { ConnectionRecord } from '../../store/verbs/connections.ts'
import type { ProviderAnswer, ProviderTokens } from '../vault/vault.ts'

// Where neither the provider nor the connector says how long its tokens live.
const ASSUMED_SECONDS = 3600

/** What stood before a refresh, and the refresh token that was sent. */
export interface Before {
  readonly tokens: ProviderTokens
  readonly scope: string
  readonly refresh_expires_at: number | null
  readonly sent_refresh_token: string
}

/**
 * What is to be stored of a provider's answer. What the answer to a refresh leaves out stays as it was (RFC 6749
 * section 6); `asked_at` is the time before the request left, so that no token is thought younger than it is.
 */
export function arrangeAnswer(
  provider: ResolvedProvider,
  answer: Tokens,
  asked_at: number,
  otherwise:
    | Before
    | {
        readonly scope: string
        readonly asked_again?: { readonly subject?: string | undefined }
        readonly proof_key?: string | undefined
      },
): ProviderAnswer {
  const before = 'tokens' in otherwise ? otherwise : null
  const renews = provider.refresh_grant?.sends === 'access_token' ? answer.access_token : null
  const again = 'tokens' in otherwise ? otherwise.tokens.renewal : otherwise.asked_again
  // A refresh token that such a grant brings all the same (RFC 6749 section 4.4.3) is not needed.
  const refresh_token = again ? undefined : (answer.refresh_token ?? renews ?? before?.sent_refresh_token)
  const proof_key = 'tokens' in otherwise ? otherwise.tokens.proof_key : otherwise.proof_key
  const renewal = again && { ...again, name: randomSecret() }
  // However often it is used, it dies with the consent that it came of.
  const most = provider.refresh_token_max_seconds
  const refresh_ends_at = before ? before.tokens.refresh_ends_at : (endOf(asked_at, most) ?? undefined)
  const refresh_expires_at = refreshEnd(provider, answer.refresh_token_expires_in, asked_at, before)
  const id_token = answer.id_token ?? before?.tokens.id_token
  return {
    tokens: {
      access_token: answer.access_token,
      token_type: answer.token_type,
      ...(refresh_token === undefined ? {} : { refresh_token }),
      ...(renewal && { renewal }),
      ...(proof_key !== undefined && { proof_key }),
      ...(id_token === undefined ? {} : { id_token }),
      ...(refresh_ends_at === undefined ? {} : { refresh_ends_at }),
      extra: { ...before?.tokens.extra, ...answer.extra },
    },
    scope: answer.scope ?? otherwise.scope,
    issued_at: asked_at,
    access_expires_at: endOf(asked_at, accessSeconds(answer.expires_in, refresh_token ?? renewal)),
    refresh_expires_at: refresh_token === undefined ? null : earlier(refresh_expires_at, refresh_ends_at),
  }
}

/** What is to be stored where an answer brought a refresh token and nothing else of use: all else stays as it is held. */
export function arrangeSuccessor(
  provider: ResolvedProvider,
  refresh_token: string,
  asked_at: number,
  held: Pick<ConnectionRecord, 'scope' | 'issued_at' | 'access_expires_at' | 'refresh_expires_at'> & {
    readonly tokens: ProviderTokens
  },
): ProviderAnswer {
  const { tokens, scope, issued_at, access_expires_at } = held
  return {
    tokens: { ...tokens, refresh_token },
    ...{ scope, issued_at: issued_at ?? asked_at, access_expires_at },
    refresh_expires_at: earlier(refreshEnd(provider, null, asked_at, held), tokens.refresh_ends_at),
  }
}

// What can be renewed is renewed too early rather than too late; what cannot is good until it is refused.
function accessSeconds(expires_in: Tokens['expires_in'], renewed_by: unknown): number | null {
  if (expires_in !== 'unknown') return expires_in
  return renewed_by === undefined ? null : ASSUMED_SECONDS
}

// A life that is fixed counts from the consent; any other starts anew with each use.
function refreshEnd(
  provider: ResolvedProvider,
  told: Tokens['refresh_token_expires_in'],
  asked_at: number,
  before: Pick<Before, 'refresh_expires_at'> | null,
): number | null {
  if (told !== null) return told === 'never' ? null : endOf(asked_at, told)
  if (before && provider.refresh_token_life === 'fixed') return before.refresh_expires_at
  return endOf(asked_at, provider.refresh_token_life === 'unlimited' ? null : provider.refresh_token_seconds)
}

function earlier(end: number | null, other: number | undefined): number | null {
  return end === null ? (other ?? null) : Math.min(end, other ?? end)
}

function endOf(asked_at: number, seconds: number | null): number | null {
  return seconds === null ? null : asked_at + seconds * 1000
}
