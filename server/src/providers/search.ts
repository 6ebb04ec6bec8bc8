import type { Catalogue } from './catalogue.ts'
import type { Provider } from './provider.ts'

/** The providers whose names hold every word that is searched for, by name; those that stand for any server come first. */
export function searchCatalogue(catalogue: Catalogue, q = ''): Provider[] {
  const words = q
    .toLowerCase()
    .split(/[\s_-]+/)
    .filter((word) => word !== '')
  const found = [...catalogue.values()].filter(({ provider, name }) => {
    const text = `${provider} ${name}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const place = (one: Provider) => `${isAnyServer(one) ? 0 : 1} ${one.name.toLowerCase()}`
  return found.sort((a, b) => (place(a) < place(b) ? -1 : 1))
}

/** Whether a record does not say where its server is: a connector does. */
export function isAnyServer({ fields }: Provider): boolean {
  return !(fields.issuer ?? fields.authorization_endpoint ?? fields.api_base_url)
}
