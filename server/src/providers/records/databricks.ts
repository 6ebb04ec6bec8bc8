import { corroborated, secondary, unverified, verified } from '../fact.ts'
import type { Provider } from '../provider.ts'

const PARTNERS =
  'https://databrickslabs.github.io/partner-architecture/isv-partners/lakehouse-patterns/access-auth/oauth-reference'
const SINGLE_USE = 'https://docs.databricks.com/aws/en/integrations/single-use-tokens'

/** Databricks, at the endpoints of a workspace. */
export const databricks: Provider = {
  provider: 'databricks',
  name: 'Databricks',
  placeholders: {
    workspace: {
      label: 'Host of the workspace',
      form: 'host',
      suffixes: ['.cloud.databricks.com', '.gcp.databricks.com', '.azuredatabricks.net'],
    },
  },
  fields: {
    authorization_endpoint: secondary('https://{workspace}/oidc/v1/authorize', PARTNERS),
    token_endpoint: corroborated('https://{workspace}/oidc/v1/token', `Nango providers.yaml@2f4c0af; ${PARTNERS}`),
    token_endpoint_auth_method: unverified(
      'client_secret_basic',
      'in the body, or none at all, is thought to do as well',
    ),
    pkce: unverified('supported', 'required of public clients'),
    scope_separator: unverified(' '),
    offline_scope: verified('offline_access', SINGLE_USE, '2026-11-22'),
    access_token_seconds: verified(3_600, `${SINGLE_USE}: a setting, 60 minutes in the sample`, '2026-11-22'),
    refresh_token_life: verified('setting', `${SINGLE_USE}: with an end of the whole session beside it`, '2026-11-22'),
    refresh_token_rotation: verified('setting', `${SINGLE_USE}: on at first for some applications`, '2026-11-22'),
    refresh_token_replay: verified('refused', `${SINGLE_USE}: where they are good once`, '2026-11-22'),
    api_base_url: unverified('https://{workspace}'),
    notes: secondary('An account has endpoints of its own, with its ID in their path (/oidc/accounts/).', PARTNERS),
  },
}
