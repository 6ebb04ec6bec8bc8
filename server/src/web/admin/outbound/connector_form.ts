import { describeKey } from '../../../crypto/signing_keys.ts'
import { refusal } from '../../../oauth/clients/metadata_member.ts'
import type { OAuthError } from '../../../oauth/errors.ts'
import type { ConnectorInput } from '../../../outbound/administration/connector_input.ts'
import type { ShownConnector } from '../../../outbound/administration/connectors.ts'
import type { DescribedProvider } from '../../../outbound/administration/describe_provider.ts'
import { CONNECTOR_GRANT_TYPES, type ConnectorGrantType } from '../../../providers/grant_types.ts'
import { SettingError } from '../../../providers/setting_error.ts'
import { refusedField } from '../forms/refused_field.ts'
import type { FieldKind } from '../forms/templates/typed_field.ts'
import { type FormValues, readTyped } from '../forms/typed_form.ts'
import { connectorFields } from './templates/connector_form.ts'

/** The grant that a form or an address names; a person's consent where it names none. */
export function readGrantType(text: string | undefined): ConnectorGrantType {
  return CONNECTOR_GRANT_TYPES.find((known) => known === text) ?? 'authorization_code'
}

/** What fills in the form of a new connector: what its provider usually is asked for. */
export function startForm({ credential, default_scope, known_scope, placeholders }: DescribedProvider): FormValues {
  return {
    ...Object.fromEntries(
      Object.entries(placeholders).map(([name, place]) => [`placeholders.${name}`, place.default ?? '']),
    ),
    ...tickScopes(known_scope, default_scope),
    // A key that somebody typed never expires, and opens all that its person may do.
    ...(credential === 'oauth' && { hand_out_tokens: 'true' }),
  }
}

/** What fills in the form of a connector that is there; its secrets stay where they are. */
export function writeConnectorForm(found: ShownConnector, provider: DescribedProvider): FormValues {
  const { settings, scope } = found
  const own = settings.fields as Readonly<Record<string, unknown>>
  const { asked, more } = connectorFields(provider, readGrantType(settings.grant_type))
  const typed = Object.keys({ ...asked, ...more }).flatMap((member) => /^fields\.(\w+)$/.exec(member)?.[1] ?? [])
  const rest = Object.entries(own).filter(([name]) => !typed.includes(name) && !(name === 'issuer' && asked['issuer']))
  const scopes = scope.split(' ').filter((part) => part !== '')
  const { key, redirect_uris, connection_lifetime_seconds: longest } = settings
  return {
    ...startForm({ ...provider, default_scope: scopes }),
    ...Object.fromEntries(Object.entries(settings.placeholders).map(([name, at]) => [`placeholders.${name}`, at])),
    ...Object.fromEntries(typed.map((name) => [`fields.${name}`, String(own[name] ?? '')])),
    issuer: String(own['issuer'] ?? ''),
    client_id: found.client_id,
    scope: scopes.filter((one) => !provider.known_scope.includes(one)).join(' '),
    // A name of the provider's own; another key has another thumbprint.
    key_id: key && key.kid !== describeKey(key.alg, key.public_jwk).kid ? key.kid : '',
    team_id: settings.team_id ?? '',
    certificate: settings.certificate ?? '',
    sign_in: settings.sign_in ?? 'off',
    hand_out_tokens: String(settings.hand_out_tokens),
    connection_lifetime_seconds: longest === undefined ? '' : String(longest),
    return_uris: settings.return_uris.join('\n'),
    redirect_uris: redirect_uris?.join('\n') ?? '',
    fields: rest.length === 0 ? '' : JSON.stringify(Object.fromEntries(rest), null, 2),
  }
}

/** Reads what was typed into what an administrator says about a connector, which is still to be checked. */
export function readConnectorForm(
  provider: DescribedProvider,
  grant_type: ConnectorGrantType,
  connector: string,
  values: FormValues,
): ConnectorInput {
  const kinds: Readonly<Record<string, FieldKind>> = merge(provider, grant_type)
  // What was left empty is as if there were no field.
  const said = Object.fromEntries(Object.entries(values).filter(([, text]) => text.trim() !== ''))
  const json = readTyped(kinds, said) as Record<string, string | undefined>
  const { fields, certificate, scopes, return_uris, redirect_uris } = json as {
    fields?: unknown
    certificate?: string[]
    scopes?: string[]
    return_uris?: string[]
    redirect_uris?: string[]
  }
  if (fields !== undefined && (typeof fields !== 'object' || fields === null || Array.isArray(fields))) {
    throw refusal('fields', 'must be an object')
  }
  const under = (group: string) =>
    Object.fromEntries(
      Object.entries(json).flatMap(([member, value]) =>
        member.startsWith(`${group}.`) ? [[member.slice(group.length + 1), value as string]] : [],
      ),
    )
  const of_oauth = provider.credential === 'oauth'
  const { issuer, client_id, client_secret, private_key, key_id, team_id, sign_in } = json
  return {
    ...{ connector, provider: provider.provider, issuer, placeholders: under('placeholders') },
    ...{ client_id, client_secret, private_key, key_id, team_id, certificate: certificate?.join('\n') },
    fields: { ...(fields as object), ...under('fields') },
    ...(of_oauth && { grant_type, scope: [...(scopes ?? []), ...(json['scope'] ?? '').split(/\s+/)].join(' ').trim() }),
    ...{ return_uris, redirect_uris, sign_in: sign_in as ConnectorInput['sign_in'] },
    hand_out_tokens: json['hand_out_tokens'] as unknown as boolean,
    connection_lifetime_seconds: json['connection_lifetime_seconds'] as unknown as number | undefined,
  }
}

/** The field of the form that a refusal of a connector is about, and what it says of it. */
export function refusedConnectorField(
  error: OAuthError,
  provider: DescribedProvider,
  grant_type: ConnectorGrantType,
): ReturnType<typeof refusedField> {
  const kinds = merge(provider, grant_type)
  const { cause } = error
  const of_setting = cause instanceof SettingError
  const { member: named, sentence } = refusedField(error)
  const setting = of_setting ? cause.setting : named
  if (setting === undefined) return { member: undefined, sentence }
  const places = [setting, `placeholders.${setting}`, `fields.${setting}`, of_setting ? 'fields' : setting]
  const member = places.find((one) => Object.hasOwn(kinds, one)) ?? setting
  const plain = of_setting ? cause.message.replace(/^Field \w+:? /, '').replace(/^Value for \S+ /, '') : sentence
  return { member, sentence: plain }
}

function merge(provider: DescribedProvider, grant_type: ConnectorGrantType): Readonly<Record<string, FieldKind>> {
  const { asked, more } = connectorFields(provider, grant_type)
  return { ...asked, ...more }
}

function tickScopes(known: readonly string[], ticked: readonly string[]): FormValues {
  return Object.fromEntries(known.flatMap((scope, i) => (ticked.includes(scope) ? [[`scopes.${i}`, scope]] : [])))
}
