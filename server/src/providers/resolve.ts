import type { ParamTemplates, Provider, ProviderFields } from './provider.ts'
import { SettingError } from './setting_error.ts'
import { STANDARD_FIELDS } from './standard.ts'
import { expandParams, expandUrl, type PlaceholderValues, readPlaceholderValue } from './template.ts'

/** A provider as one connector sees it: plain values, defaults filled in, placeholders of URLs replaced. */
export interface ResolvedProvider extends Omit<ProviderFields, 'id_token_issuer'> {
  readonly provider: string
  /** `{name}` stands for the ID token's own claim of that name; null where `iss` is the issuer. */
  readonly id_token_issuer: string | null
}

/** What a connector says about its provider: values of placeholders, and fields that it overrides. */
export interface ProviderSettings {
  readonly client_id: string
  readonly placeholders?: PlaceholderValues
  readonly fields?: Partial<ProviderFields>
}

const URL_FIELDS = [
  'issuer',
  'authorization_endpoint',
  'token_endpoint',
  'refresh_endpoint',
  'revocation_endpoint',
  'introspection_endpoint',
  'userinfo_endpoint',
  'device_authorization_endpoint',
  'pushed_authorization_request_endpoint',
  'jwks_uri',
  'api_base_url',
] as const

const PARAM_FIELDS = [
  'authorization_params',
  'offline_params',
  'token_params',
  'refresh_params',
  'token_request_headers',
  'api_headers',
] as const

// Stands for a token in the path of a revocation endpoint until there is one.
const TOKEN_MARK = '-token-'

/** The plain values of a provider's record, without defaults. */
export function readFields(provider: Provider): Partial<ProviderFields> {
  return Object.fromEntries(Object.entries(provider.fields).map(([name, fact]) => [name, fact.value]))
}

/** Joins record, standard behaviour and the connector's settings into plain data; refuses values that do not fit. */
export function resolveProvider(provider: Provider, settings: ProviderSettings): ResolvedProvider {
  const own = readFields(provider)
  const assertion_grant = {
    ...STANDARD_FIELDS.assertion_grant,
    ...own.assertion_grant,
    ...settings.fields?.assertion_grant,
  }
  const fields: ProviderFields = { ...STANDARD_FIELDS, ...own, ...settings.fields, assertion_grant }
  const placeholders = { ...provider.placeholders, client_id: { label: 'Client ID', form: 'segment' } as const }
  const values = { ...settings.placeholders, client_id: settings.client_id }
  const urls: Partial<Record<(typeof URL_FIELDS)[number], string>> = {}
  for (const name of URL_FIELDS) {
    const template = fields[name]
    if (template === null) continue
    const expanded = ofField(name, () => expandUrl(template.replace('{token}', TOKEN_MARK), placeholders, values))
    urls[name] = expanded.replace(TOKEN_MARK, '{token}')
  }
  const params: Partial<Record<(typeof PARAM_FIELDS)[number], ParamTemplates>> = {}
  for (const name of PARAM_FIELDS) {
    params[name] = ofField(name, () => expandParams(fields[name], placeholders, values))
  }
  const { revocation_request, steps } = ofField('steps', () => expandCalls(fields, placeholders, values))
  const api_hosts = fields.api_hosts.map((host) => new URL(expandUrl(`https://${host}`, placeholders, values)).host)
  const rule = fields.id_token_issuer
  const applies = Object.entries(rule?.when ?? {}).every(([name, among]) => {
    return among.includes(settings.placeholders?.[name] ?? provider.placeholders[name]?.default ?? '')
  })
  const id_token_issuer = rule && applies ? rule.template : null
  const calls = { revocation_request, steps }
  return { provider: provider.provider, ...fields, ...urls, ...params, ...calls, api_hosts, id_token_issuer }
}

function expandCalls(
  { revocation_request, steps }: ProviderFields,
  placeholders: Provider['placeholders'],
  values: PlaceholderValues,
): Pick<ProviderFields, 'revocation_request' | 'steps'> {
  const expand = (params: ParamTemplates) => expandParams(params, placeholders, values)
  return {
    revocation_request: revocation_request && { ...revocation_request, params: expand(revocation_request.params) },
    steps: steps.map((step) => ({
      ...step,
      url: expandUrl(step.url, placeholders, values),
      params: expand(step.params),
    })),
  }
}

// Says which field a value spoils.
function ofField<T>(name: string, expand: () => T): T {
  try {
    return expand()
  } catch (cause) {
    if (!(cause instanceof SettingError)) throw cause
    throw new SettingError(cause.setting, `Field ${name}: ${cause.message}`, { cause })
  }
}

/** The values that a connector must still be given: placeholders without a value or default. */
export function missingPlaceholders(provider: Provider, values: PlaceholderValues = {}): string[] {
  return Object.entries(provider.placeholders).flatMap(([name, placeholder]) => {
    if ((values[name] ?? placeholder.default) === undefined) return [name]
    readPlaceholderValue(name, placeholder, values[name] ?? placeholder.default)
    return []
  })
}
