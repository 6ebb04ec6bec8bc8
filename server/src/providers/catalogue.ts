import type { Provider } from './provider.ts'
import { airtable } from './records/airtable.ts'
import { amazon } from './records/amazon.ts'
import { amplitude } from './records/amplitude.ts'
import { apple } from './records/apple.ts'
import { asana } from './records/asana.ts'
import { atlassian } from './records/atlassian.ts'
import { auth0 } from './records/auth0.ts'
import { bitbucket } from './records/bitbucket.ts'
import { box } from './records/box.ts'
import { calendly } from './records/calendly.ts'
import { clickup } from './records/clickup.ts'
import { databricks } from './records/databricks.ts'
import { discord } from './records/discord.ts'
import { docusign } from './records/docusign.ts'
import { dropbox } from './records/dropbox.ts'
import { facebook } from './records/facebook.ts'
import { figma } from './records/figma.ts'
import { fitbit } from './records/fitbit.ts'
import { freshdesk } from './records/freshdesk.ts'
import { garmin } from './records/garmin.ts'
import { github } from './records/github.ts'
import { gitlab } from './records/gitlab.ts'
import { google } from './records/google.ts'
import { gusto } from './records/gusto.ts'
import { hubspot } from './records/hubspot.ts'
import { intercom } from './records/intercom.ts'
import { intuitQuickbooks } from './records/intuit_quickbooks.ts'
import { jetbrainsHub } from './records/jetbrains_hub.ts'
import { keycloak } from './records/keycloak.ts'
import { linear } from './records/linear.ts'
import { linkedin } from './records/linkedin.ts'
import { mailchimp } from './records/mailchimp.ts'
import { microsoftEntra } from './records/microsoft_entra.ts'
import { miro } from './records/miro.ts'
import { monday } from './records/monday.ts'
import { netsuite } from './records/netsuite.ts'
import { notion } from './records/notion.ts'
import { oauth2 } from './records/oauth2.ts'
import { oidc } from './records/oidc.ts'
import { okta } from './records/okta.ts'
import { paypal } from './records/paypal.ts'
import { pipedrive } from './records/pipedrive.ts'
import { reddit } from './records/reddit.ts'
import { salesforce } from './records/salesforce.ts'
import { sap } from './records/sap.ts'
import { servicenow } from './records/servicenow.ts'
import { shopify } from './records/shopify.ts'
import { slack } from './records/slack.ts'
import { snowflake } from './records/snowflake.ts'
import { spotify } from './records/spotify.ts'
import { square } from './records/square.ts'
import { strava } from './records/strava.ts'
import { stripe } from './records/stripe.ts'
import { tesla } from './records/tesla.ts'
import { twitch } from './records/twitch.ts'
import { typeform } from './records/typeform.ts'
import { webflow } from './records/webflow.ts'
import { wordpressCom } from './records/wordpress_com.ts'
import { workday } from './records/workday.ts'
import { xTwitter } from './records/x_twitter.ts'
import { xero } from './records/xero.ts'
import { yahoo } from './records/yahoo.ts'
import { zendesk } from './records/zendesk.ts'
import { zoho } from './records/zoho.ts'
import { zoom } from './records/zoom.ts'

/** The built-in records, in no order of importance. Adding a provider is one file and one line here. */
export const BUILT_IN: readonly Provider[] = [
  oidc,
  oauth2,
  airtable,
  amazon,
  amplitude,
  apple,
  asana,
  atlassian,
  auth0,
  bitbucket,
  box,
  calendly,
  clickup,
  databricks,
  discord,
  docusign,
  dropbox,
  facebook,
  figma,
  fitbit,
  freshdesk,
  garmin,
  github,
  gitlab,
  google,
  gusto,
  hubspot,
  intercom,
  intuitQuickbooks,
  jetbrainsHub,
  keycloak,
  linear,
  linkedin,
  mailchimp,
  microsoftEntra,
  miro,
  monday,
  netsuite,
  notion,
  okta,
  paypal,
  pipedrive,
  reddit,
  salesforce,
  sap,
  servicenow,
  shopify,
  slack,
  snowflake,
  spotify,
  square,
  strava,
  stripe,
  tesla,
  twitch,
  typeform,
  webflow,
  wordpressCom,
  workday,
  xero,
  xTwitter,
  yahoo,
  zendesk,
  zoho,
  zoom,
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
