import { verifyOwnJwt } from '../../crypto/jwt.ts'
import { type Acr, readAcrWish } from '../../oauth/acr.ts'
import type { AuthorizationRequest } from '../../oauth/authorization_request.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { OAuthError } from '../../oauth/errors.ts'
import type { Configuration } from '../../store/tenant.ts'
import type { InboundContext } from '../context.ts'
import type { Interaction } from '../interactions.ts'
import { subjectOf } from '../subjects.ts'
import type { SignedIn } from './sessions.ts'
import { judgeStepUp } from './step_up.ts'

/** What of a request says who must sign in, how and how long ago at most. */
export interface SignInAsked {
  readonly client: Client
  readonly request: AuthorizationRequest
  readonly interaction: Interaction
  readonly configuration: Configuration
  readonly now: number
  /** The surest sign-in that the user has the factors for. */
  readonly reachable: Acr
}

/**
 * The sign-in that a request still needs of whoever is signed in, or null where the present one will do: by `prompt`,
 * `max_age`, `acr_values`, `claims` and `id_token_hint` (OpenID Connect Core sections 3.1.2.1 and 5.5.1).
 */
export function findNeededSignIn(context: InboundContext, asked: SignInAsked, signed_in: SignedIn): Acr | null {
  const { request, interaction, now, reachable } = asked
  const { session } = signed_in
  // A sign-in for this very request, and not one in another tab or by whoever came before or after.
  const answered = interaction.session_id === session.session_id
  // Another server may have vouched for a sign-in of before; its times are whole seconds.
  const lately = session.auth_time >= interaction.started_at - 1000
  const needed = judgeStepUp(
    session,
    {
      anew: request.prompt.some((value) => value === 'login' || value === 'select_account' || value === 'create'),
      max_age: request.max_age,
      acr: readAcrWish(request.acr_values, request.claims?.id_token['acr']),
      answered: answered && lately,
      reachable,
    },
    now,
  )
  if (needed.kind === 'unmet') {
    throw new OAuthError('unmet_authentication_requirements', 'The user cannot sign in as surely as the request asks')
  }
  if (needed.kind === 'sign_in') return needed.acr
  if (isWanted(context, asked, signed_in)) return null
  // To ask again would get the same answer: the client is told.
  if (answered) throw new OAuthError('login_required', 'Somebody else has signed in than the request names')
  return 'pwd'
}

/** Whether a request names this user, or nobody: by the ID token of an earlier sign-in, or by the claim `sub`. */
function isWanted(context: InboundContext, asked: SignInAsked, { user }: SignedIn): boolean {
  const { client, request } = asked
  const sub = subjectOf(context.tenant, client, user.user_id)
  const wish = request.claims?.id_token['sub']
  if (wish !== undefined && wish.values.length > 0 && !wish.values.includes(sub)) return false
  return request.id_token_hint === undefined || readHint(context, asked, request.id_token_hint) === sub
}

/** Whom an ID token of ours names to this client, expired or not; anything else is no hint. */
function readHint({ tenant }: InboundContext, { client, configuration }: SignInAsked, id_token_hint: string): unknown {
  const { verifying_keys } = configuration
  const hint = verifyOwnJwt(id_token_hint, 'JWT', (kid) => verifying_keys.get(kid))
  if (!hint || hint['iss'] !== tenant.issuer || hint['aud'] !== client.client_id) {
    throw new OAuthError('invalid_request', 'Parameter id_token_hint is not an ID token of this issuer for this client')
  }
  return hint['sub']
}
