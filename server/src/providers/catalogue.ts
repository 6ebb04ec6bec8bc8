import type { Provider } from './provider.ts'
import { github } from './records/github.ts'
import { google } from './records/google.ts'
import { hubspot } from './records/hubspot.ts'
import { microsoftEntra } from './records/microsoft_entra.ts'
import { notion } from './records/notion.ts'
import { oauth2 } from './records/oauth2.ts'
import { oidc } from './records/oidc.ts'
import { salesforce } from './records/salesforce.ts'
import { slack } from './records/slack.ts'

/** The built-in records, in no order of importance. Adding a provider is one file and one line here. */
export const BUILT_IN: readonly Provider[] = [
  oidc,
  oauth2,
  github,
  google,
  hubspot,
  microsoftEntra,
  notion,
  salesforce,
  slack,
]

/** All providers that connectors may name, by name. */
export type Catalogue = ReadonlyMap<string, Provider>

/** Joins the built-in records with an embedder's own; an own record of the same name takes the place of a built-in. */
export function createCatalogue(extra: readonly Provider[] = []): Catalogue {
  const catalogue = new Map(BUILT_IN.map((record) => [record.provider, record]))
  const seen = new Set<string>()
  for (const record of extra) {
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(record.provider)) {
      throw new Error(`Provider name ${record.provider} may hold lower-case letters, digits and hyphens only`)
    }
    if (seen.has(record.provider)) throw new Error(`Provider ${record.provider} is given twice`)
    seen.add(record.provider)
    catalogue.set(record.provider, record)
  }
  return catalogue
}

/** The fields of a record that nobody has verified with the vendor: what the console marks as such. */
export function unverifiedFields(record: Provider): string[] {
  return Object.entries(record.fields).flatMap(([name, fact]) =>
    fact.status === 'verified' || fact.status === 'configured' ? [] : [name],
  )
}
