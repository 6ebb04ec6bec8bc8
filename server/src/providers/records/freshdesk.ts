import { unverified } from '../fact.ts'
import type { Provider } from '../provider.ts'

/** Freshdesk: no OAuth but for applications of the vendor's marketplace; an API key instead. */
export const freshdesk: Provider = {
  provider: 'freshdesk',
  name: 'Freshdesk',
  placeholders: { subdomain: { label: 'Subdomain: what stands before .freshdesk.com', form: 'label' } },
  fields: {
    grant_types: unverified([], 'OAuth is thought to be for applications of the Freshworks marketplace alone'),
    credential: unverified('api_key', 'Nango providers.yaml@2f4c0af: apiKey:X'),
    basic_password: unverified('X', 'Nango providers.yaml@2f4c0af: apiKey:X'),
    authorization_scheme: unverified('Basic', 'Nango providers.yaml@2f4c0af: apiKey:X'),
    api_base_url: unverified('https://{subdomain}.freshdesk.com'),
    notes: unverified('The API takes the API key of a person, and no token.'),
  },
}
