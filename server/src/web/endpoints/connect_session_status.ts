import { equalBytes } from '../../crypto/hash.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { requireParam } from '../../oauth/params.ts'
import { hashCodeVerifier } from '../../oauth/pkce.ts'
import { judgeSession, openConfirmation } from '../../outbound/connect_sessions/connect_sessions.ts'
import { isOriginOf } from '../../outbound/connect_sessions/open_session.ts'
import { type Answer, jsonAnswer, type MachineEndpoint, readForm, refusalAnswer } from '../machine.ts'
import type { Web } from '../web.ts'

/**
 * POST /connect/session/status: how far a connect session is, for the page that opened it and knows the verifier of its
 * challenge. So a page finds out although the provider has cut it off from its popup; and whoever made the session, but did
 * not open it, is not given what proves who finished it.
 */
export const connectSessionStatus: MachineEndpoint<Web> = {
  methods: ['POST'],
  cors: false,
  async answer({ outbound, tenant }, request) {
    const params = readForm(request)
    const token_hash = tenant.keys.hashSecret(requireParam(params, 'session_token'))
    const found = await tenant.store.findConnectSession({ tenant_id: tenant.tenant_id, token_hash })
    const origin = request.header('origin')
    // A page of another origin reads nothing, not even that.
    if (!found || !isOriginOf(found.session, origin)) return withCors(refusalAnswer(UNKNOWN), undefined)
    const { session } = found
    const { code_challenge, opened_at, session_id, connection_id } = session
    const verifier = params.values['code_verifier'] ?? ''
    const challenge = Buffer.from(hashCodeVerifier(verifier))
    const opener = opened_at === null || equalBytes(Buffer.from(code_challenge ?? ''), challenge)
    if (!opener) return withCors(refusalAnswer(UNKNOWN), origin)
    const status = judgeSession(found)
    const done = status === 'connected' || status === 'unconfirmed'
    const confirmation_code = status === 'unconfirmed' ? openConfirmation(outbound, session) : null
    const answer = jsonAnswer({
      ...{ session_id, status },
      ...(status === 'failed' && { reason: session.reason }),
      ...(done && { connection_id }),
      ...(confirmation_code !== null && { confirmation_code }),
    })
    return withCors(answer, origin)
  },
}

const UNKNOWN = new OAuthError('invalid_request', 'There is no such session for this page', { status: 404 })

function withCors(answer: Answer, origin: string | undefined): Answer {
  const allowed = origin === undefined ? {} : { 'Access-Control-Allow-Origin': origin }
  return { ...answer, headers: { ...answer.headers, ...allowed, Vary: 'Origin' } }
}
