import { signJwt } from '../../crypto/jwt.ts'
import type { Client } from '../../oauth/clients/client.ts'
import { buildIdTokenClaims } from '../../oauth/id_token.ts'
import type { UserClaims } from '../../oauth/userinfo.ts'
import type { GrantRecord, UserRecord } from '../../store/records.ts'
import { type Configuration, pickSigningKey } from '../../store/tenant.ts'
import type { InboundContext } from '../context.ts'
import { subjectOf } from '../subjects.ts'

const LIFETIME_SECONDS = 600

/** Signs an ID token for a grant (OpenID Connect Core section 2). The nonce is said once, at the code exchange. */
export function issueIdToken(
  context: InboundContext,
  args: {
    client: Client
    configuration: Configuration
    grant: GrantRecord
    now: number
    access_token: string
    with_nonce: boolean
    /** The session as clients know it. */
    sid: string | null
    /** What it tells of the user beside who that is. */
    about_user?: Readonly<Record<string, unknown>> | undefined
  },
): Promise<string> {
  const { grant, configuration } = args
  const key = pickSigningKey(configuration, args.client.id_token_signed_response_alg)
  const claims = buildIdTokenClaims({
    iss: context.tenant.issuer,
    sub: subjectOf(context.tenant, args.client, grant.user_id),
    client_id: args.client.client_id,
    now: args.now,
    lifetime_seconds: LIFETIME_SECONDS,
    alg: key.alg,
    auth_time: Math.floor(grant.auth_time / 1000),
    nonce: args.with_nonce ? grant.nonce : null,
    acr: grant.acr,
    amr: grant.amr === null ? null : (JSON.parse(grant.amr) as string[]),
    sid: args.sid,
    grant_id: grant.grant_id,
    access_token: args.access_token,
    user: args.about_user,
  })
  return signJwt(key, 'JWT', claims)
}

/** What is known of a user, under OpenID Connect's names; claims of the row never replace what has a column. */
export function readUserClaims(user: UserRecord): UserClaims {
  return {
    ...(JSON.parse(user.claims) as Record<string, never>),
    sub: user.user_id,
    name: user.name,
    preferred_username: user.username,
    updated_at: Math.floor(user.updated_at / 1000),
    email: user.email,
    email_verified: user.email === null ? null : user.email_verified === 1,
  }
}
