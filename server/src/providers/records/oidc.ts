import { verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

/** Any OpenID provider: its issuer suffices, or its endpoints one by one. */
export const oidc: Provider = {
  provider: 'oidc',
  name: 'OpenID Connect',
  placeholders: {},
  fields: {
    discovery: verified('oidc', 'OpenID Connect Discovery 1.0 section 4'),
    offline_scope: verified('offline_access', 'OpenID Connect Core 1.0 section 11'),
    offline_params: verified({ prompt: 'consent' }, 'OpenID Connect Core 1.0 section 11'),
    default_scope: verified('openid', 'OpenID Connect Core 1.0 section 3.1.2.1'),
    account: verified(
      { from: 'id_token', id: ['sub'], name: ['email', 'preferred_username', 'name'], of: 'person' },
      'OpenID Connect Core 1.0 section 5.1',
    ),
  },
}
