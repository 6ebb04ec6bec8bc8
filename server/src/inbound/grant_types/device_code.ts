import { DEVICE_CODE_GRANT, judgePoll } from '../../oauth/device.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireParam } from '../../oauth/params.ts'
import { checkCodeVerifier, codeVerifierError } from '../../oauth/pkce.ts'
import type { GrantAuthority, GrantRecord } from '../../store/records.ts'
import type { GrantType } from '../authorization/grant_type.ts'
import { whyGrantIsDead } from '../liveness.ts'
import { prepareFirstTokens } from './first_tokens.ts'

// Networks and clocks of devices are not exact: so much too early is in time.
const GRACE_MS = 500

/** The hash of the presented code with the grant it has brought, if it has. */
interface Presented extends GrantAuthority {
  readonly device_code_hash: Buffer
}

/** A device that polls for its tokens (RFC 8628 section 3.4). */
export const device_code: GrantType<Presented> = {
  grant_type: DEVICE_CODE_GRANT,

  async load({ tenant: { tenant_id, store, keys } }, params, client_id) {
    const device_code_hash = keys.hashSecret(requireParam(params, 'device_code'))
    const grant_id = (await store.findGrantOfDevice({ tenant_id, device_code_hash })) ?? ''
    const authority = await store.loadGrantAuthority({ tenant_id, client_id, grant_id })
    return authority && { ...authority, device_code_hash }
  },

  async issue(context, request) {
    const { params, client, authority, proofs } = request
    const { tenant_id, store } = context.tenant
    const { device_code_hash, now } = authority
    const { client_id } = client
    const polled = await store.pollDeviceCode({ tenant_id, device_code_hash, client_id, grace_ms: GRACE_MS })
    if (!polled) throw refused('no such code of this client')
    const verified = checkCodeVerifier(params.values['code_verifier'], polled.code_challenge)
    if (verified !== 'ok') throw codeVerifierError(verified)
    const wait = judgePoll(polled, now)
    if (wait) throw wait
    // Approved since the grant was looked for: the next poll finds it.
    if (!authority.grant) throw new OAuthError('authorization_pending', 'The user has answered: ask again')
    const { redemption, response } = await prepareFirstTokens(context, request, requireLiving(authority))
    const outcome = await store.redeemDeviceCode({ ...redemption, code_hash: device_code_hash })
    if (outcome !== 'redeemed') throw refused('redeemed before')
    proofs.settle()
    return response
  },
}

function requireLiving(authority: GrantAuthority): GrantRecord {
  const { grant } = authority
  const dead = grant ? whyGrantIsDead(authority) : 'gone'
  if (dead !== null) throw refused(dead)
  return grant!
}

function refused(cause: string): OAuthError {
  const text = 'The device code is unknown, used, expired or was issued to another client'
  return new OAuthError('invalid_grant', text, { cause })
}
