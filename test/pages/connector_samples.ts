import { describeProvider } from '../../server/src/outbound/administration/describe_provider.ts'
import { createCatalogue } from '../../server/src/providers/catalogue.ts'
import {
  type ConnectorFormData,
  renderConnectorForm,
} from '../../server/src/web/admin/outbound/templates/connector_form.ts'
import { renderCatalogue } from '../../server/src/web/admin/outbound/templates/provider_catalogue.ts'
import type { View } from '../../server/src/web/ui/view.ts'
import type { Pages, Put } from './sample_view.ts'

/** The catalogue, and forms of connectors to providers of each kind. */
export function newConnectorPages(view: View, put: Put): Pages {
  const catalogue = createCatalogue()
  const describe = (provider: string) => {
    const known = describeProvider(catalogue.get(provider)!)
    const placeholders = Object.fromEntries(
      Object.entries(known.placeholders).map(([name, place]) => [name, { ...place, label: put(place.label) }]),
    )
    return { ...known, placeholders, name: put(known.name), notes: known.notes && put(known.notes) }
  }
  const form: Omit<ConnectorFormData, 'provider' | 'values'> = {
    ...{ connector: put('acme'), known: false, grant_type: 'authorization_code', seen: '' },
    callback_url: put('https://id.northwind.example/connect/acme/callback'),
    jwks_uri: put('https://id.northwind.example/jwks/acme'),
    script: {
      api: put('curl -X POST https://id.northwind.example/api/connectors'),
      cli: put('sallyport connectors create'),
    },
  }
  const typed = {
    'scopes.0': 'openid',
    client_id: put('northwind'),
    scope: put('repo read:user'),
    hand_out_tokens: 'true',
  }
  const all = ['oidc', 'oauth2', 'airtable', 'apple', 'freshdesk', 'github', 'google', 'sap', 'shopify'].map(describe)
  return {
    provider_catalogue: () => renderCatalogue(view, { providers: all, q: put('a') }),
    provider_catalogue_empty: () => renderCatalogue(view, { providers: [], q: put('nobody') }),
    new_connector: () => renderConnectorForm(view, { ...form, provider: describe('google'), values: typed }),
    new_connector_refused: () =>
      renderConnectorForm(view, {
        ...{ ...form, provider: describe('shopify') },
        values: { ...typed, 'placeholders.shop': put('acme shop'), sign_in: 'off', fields: put('{"pkce": "no"}') },
        wrong: { member: 'placeholders.shop', sentence: put('is not a valid label') },
      }),
    new_connector_name: () =>
      renderConnectorForm(view, { ...form, provider: describe('google'), values: {}, wrong_name: 'name_taken' }),
    new_connector_taken: () =>
      renderConnectorForm(view, {
        ...{ ...form, provider: describe('google'), values: typed, posted: true, wrong_name: 'name_taken' },
      }),
    new_connector_generic: () => renderConnectorForm(view, { ...form, provider: describe('oauth2'), values: typed }),
    new_connector_keys: () => renderConnectorForm(view, { ...form, provider: describe('freshdesk'), values: {} }),
    edit_connector: () =>
      renderConnectorForm(view, { ...form, known: true, provider: describe('apple'), values: typed, wrong: 'stale' }),
  }
}
