import { unverified } from '../fact.ts'
import type { Provider } from '../provider.ts'

/** Amplitude: no OAuth, but a pair of keys. */
export const amplitude: Provider = {
  provider: 'amplitude',
  name: 'Amplitude',
  placeholders: {
    api_host: {
      label: 'Host of the API, by the region of the project',
      form: 'choice',
      choices: ['amplitude.com', 'analytics.eu.amplitude.com'],
      default: 'amplitude.com',
    },
  },
  fields: {
    grant_types: unverified([], 'no OAuth for everybody is known of'),
    credential: unverified('basic_pair', 'Nango providers.yaml@2f4c0af: api_key:secret_key'),
    authorization_scheme: unverified('Basic', 'Nango providers.yaml@2f4c0af: api_key:secret_key'),
    api_base_url: unverified('https://{api_host}'),
    notes: unverified('The API takes the API key of a project as name, its secret key as password, and no token.'),
  },
}
