import { unverifiedFields } from '../../providers/catalogue.ts'
import type { ConnectorGrantType } from '../../providers/grant_types.ts'
import type { Provider, ProviderFields } from '../../providers/provider.ts'
import { readFields } from '../../providers/resolve.ts'
import { isAnyServer } from '../../providers/search.ts'
import { STANDARD_FIELDS } from '../../providers/standard.ts'
import type { Placeholder } from '../../providers/template.ts'
import { needsCertificate } from '../connectors/connector_certificate.ts'
import { needsKey, signsSecret } from '../connectors/connector_keys.ts'

/** How a connector proves who it is: what has to be typed, if anything. */
export type ClientProof = 'client_secret' | 'private_key' | 'made_key' | 'nothing'

/** What whoever makes a connector wants to know of its provider. */
export interface DescribedProvider {
  readonly provider: string
  readonly name: string
  readonly notes: string | null
  /** Where its developers register an application; null where nobody has said. */
  readonly registration: string | null
  readonly unverified_fields: readonly string[]
  readonly placeholders: Readonly<Record<string, Placeholder>>
  /** The record stands for any server: a connector says where it is. */
  readonly any_server: boolean
  readonly discovery: ProviderFields['discovery']
  readonly credential: ProviderFields['credential']
  readonly pkce: ProviderFields['pkce']
  readonly proof: ClientProof
  /** The client secret is signed in the name of a team. */
  readonly signs_secret: boolean
  readonly needs_certificate: boolean
  readonly client_per_connection: boolean
  /** It says which person somebody is, so that people can sign in here by their account there. */
  readonly says_who: boolean
  /** Asked for where a connector says nothing; the others that are known beside it. */
  readonly default_scope: readonly string[]
  readonly known_scope: readonly string[]
  /** What a connector to it has to be told, by the names of a description. */
  readonly needs: readonly string[]
}

/** Describes a provider as a connector meets it: with its grant, and with the fields that it sets. */
export function describeProvider(
  record: Provider,
  { grant_type = 'authorization_code', fields = {} }: ConnectorChoice = {},
): DescribedProvider {
  const all: ProviderFields = { ...STANDARD_FIELDS, ...readFields(record), ...fields }
  const any_server = isAnyServer(record)
  const proof = chooseProof(all, grant_type)
  const signs_secret = signsSecret(all)
  const needs_certificate = all.credential === 'oauth' && needsCertificate(all)
  const [usual, offline] = [splitScope(all.default_scope), splitScope(all.offline_scope ?? '')]
  const by_id_token = all.discovery === 'oidc'
  const default_scope = [...new Set([...usual, ...offline])]
  return {
    ...{ provider: record.provider, name: record.name, notes: all.notes, unverified_fields: unverifiedFields(record) },
    registration: record.registration?.value ?? null,
    ...{ placeholders: record.placeholders, any_server, discovery: all.discovery, credential: all.credential },
    ...{ pkce: all.pkce, proof, signs_secret, needs_certificate },
    client_per_connection: all.client_per_connection,
    says_who: all.account ? all.account.of === 'person' : any_server || all.issuer !== null,
    default_scope,
    known_scope: [...new Set([...default_scope, ...(by_id_token ? OPENID_SCOPES : [])])],
    needs: [
      ...Object.entries(record.placeholders).flatMap(([name, place]) =>
        place.default === undefined ? [`placeholders.${name}`] : [],
      ),
      ...(any_server ? ['issuer'] : []),
      ...(all.credential === 'oauth' ? ['client_id'] : []),
      ...(proof === 'client_secret' || proof === 'private_key' ? [proof] : []),
      ...(signs_secret ? ['team_id'] : []),
      ...(needs_certificate ? ['certificate'] : []),
    ],
  }
}

/** What a connector itself says of how it gets tokens. */
export interface ConnectorChoice {
  readonly grant_type?: ConnectorGrantType | undefined
  readonly fields?: Partial<ProviderFields> | undefined
}

/** OpenID Connect Core 1.0 section 5.4: what every OpenID provider knows. */
const OPENID_SCOPES = ['openid', 'profile', 'email']

function chooseProof(fields: ProviderFields, grant_type: ConnectorGrantType): ClientProof {
  if (fields.credential !== 'oauth') return 'nothing'
  if (!needsKey(fields, grant_type)) return fields.token_endpoint_auth_method === 'none' ? 'nothing' : 'client_secret'
  return signsSecret(fields) || needsCertificate(fields) ? 'private_key' : 'made_key'
}

function splitScope(scope: string): string[] {
  return scope.split(' ').filter((part) => part !== '')
}
