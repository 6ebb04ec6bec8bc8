import { verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

/** Any OAuth 2 server: its issuer where it publishes metadata, or its endpoints one by one. */
export const oauth2: Provider = {
  provider: 'oauth2',
  name: 'OAuth 2',
  placeholders: {},
  fields: {
    discovery: verified('oauth2', 'RFC 8414 section 3'),
  },
}
