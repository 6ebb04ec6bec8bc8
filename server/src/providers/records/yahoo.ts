import { unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const FLOW = 'https://developer.yahoo.com/oauth2/guide/flows_authcode/'
const TOKENS = 'http://fe.prod.ydn.yahoo.com/brightroll/dsp/api/docs/tokens/'

/** Yahoo: a refresh token stays good until the person takes the access back. */
export const yahoo: Provider = {
  provider: 'yahoo',
  name: 'Yahoo',
  placeholders: {},
  fields: {
    authorization_endpoint: verified('https://api.login.yahoo.com/oauth2/request_auth', FLOW, '2026-11-22'),
    token_endpoint: verified('https://api.login.yahoo.com/oauth2/get_token', TOKENS, '2026-11-22'),
    token_endpoint_auth_method: verified('client_secret_basic', TOKENS, '2026-11-22'),
    scope_separator: unverified(' ', 'a comma is thought to do as well'),
    access_token_seconds: verified(3_600, TOKENS, '2026-11-22'),
    refresh_token_life: verified('unlimited', FLOW, '2026-11-22'),
    refresh_token_rotation: unverified('unknown', 'the refresh token is thought to stay the same'),
    notes: verified('The answer names the user in xoauth_yahoo_guid.', TOKENS, '2026-11-22'),
  },
}
