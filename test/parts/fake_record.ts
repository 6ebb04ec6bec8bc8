import { generateKeyPairSync, verify } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Provider, ProviderFields } from '../../server/src/providers/provider.ts'
import { STANDARD_FIELDS } from '../../server/src/providers/standard.ts'

/** A client as it is registered at the fake provider; its secret reads otherwise when it is encoded. */
export const REGISTRATION = { client_id: 'client-1', client_secret: 'hush+/=% hush' } as const

/** The key of that client, and its public half, where the provider takes what a key signs. */
export const KEY_PAIR = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  publicKeyEncoding: { format: 'pem', type: 'spki' },
})
const SIGNED = { key_id: 'KEY1234567', team_id: 'TEAM123456' } as const

/** What an administrator says of that client, as the record wants it. */
export function registrationAt(fields: ProviderFields) {
  const { token_endpoint_auth_method: method, client_secret_form } = fields
  if (fields.credential !== 'oauth') return {}
  const { client_id } = REGISTRATION
  const key = { client_id, private_key: KEY_PAIR.privateKey, key_id: SIGNED.key_id }
  if (method === 'private_key_jwt') return key
  return client_secret_form === 'signed_jwt' ? { ...key, team_id: SIGNED.team_id } : REGISTRATION
}

/** Whether a JWT is signed by that client, for the issuer alone, and for a minute. */
export function isSignedByClient(token: string, typ: string, iss: string, issuer: string | null): boolean {
  const [head = '', body = '', signature = ''] = token.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString() || '{}')
  const key = { key: KEY_PAIR.publicKey, dsaEncoding: 'ieee-p1363' } as const
  if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) return false
  const { jti, iat, exp, ...claims } = read(body)
  const expected = { iss, sub: REGISTRATION.client_id, aud: issuer }
  const lives = exp - iat === 60 && typeof jti === 'string'
  return isDeepStrictEqual([read(head), claims, lives], [{ alg: 'ES256', typ, kid: SIGNED.key_id }, expected, true])
}

/** Whether a client secret is one that the key signs in the name of the team. */
export function isSignedSecret(client_secret: string, issuer: string | null): boolean {
  return isSignedByClient(client_secret, 'JWT', SIGNED.team_id, issuer)
}

/** What a provider says of itself, and where a consent has led since: what it tells takes the place of placeholders. */
export interface Described {
  readonly provider: string
  readonly fields: ProviderFields
  readonly placeholders: Readonly<Record<string, string>>
  /** What was told on the way, by placeholder. */
  readonly told: Map<string, string>
}

/** Reads a record without the code that is under test. */
export function describeRecord({ provider, fields, placeholders }: Provider): Described {
  const values = Object.entries(fields).map(([name, fact]) => [name, fact.value])
  return {
    provider,
    fields: { ...STANDARD_FIELDS, ...Object.fromEntries(values) },
    placeholders: examplePlaceholders(placeholders),
    told: new Map(),
  }
}

/** Values for the placeholders of a record. */
export function examplePlaceholders(placeholders: Provider['placeholders']): Record<string, string> {
  const entries = Object.entries(placeholders).map(([name, { form, suffixes = [], choices = [], ...rest }]) => {
    const host = suffixes[0]?.replace(/^\./, 'north.') ?? 'id.example.org'
    const forms = { choice: choices[0] ?? '', host, base_url: `https://${host}`, label: 'north', segment: 'north' }
    return [name, form === 'choice' && rest.default === undefined ? forms.choice : (rest.default ?? forms[form])]
  })
  return Object.fromEntries(entries)
}

/** Fills the placeholders of a URL or a parameter; other braces stay. */
export function fill({ placeholders, told }: Described, template: string): string {
  return template.replace(/\{(\w+)\}/g, (braced, name: string) => {
    if (name === 'client_id') return REGISTRATION.client_id
    return told.get(name) ?? placeholders[name] ?? braced
  })
}

/** The parameters of a record, filled. */
export function fillAll(described: Described, params: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, fill(described, value)]))
}

/** An endpoint of the record, or else the one that its metadata document names; null where there is neither. */
export function endpointOf(described: Described, name: keyof ProviderFields): string | null {
  const own = described.fields[name]
  if (typeof own === 'string') return fill(described, own)
  const { issuer, discovery } = described.fields
  const isDiscovered = issuer !== null && discovery !== null && DISCOVERED.includes(name)
  return isDiscovered ? `${new URL(fill(described, issuer)).origin}/discovered/${name}` : null
}

/** What the metadata document of a fake provider names, as far as its record does not. */
export const DISCOVERED: readonly (keyof ProviderFields)[] = [
  ...(['authorization_endpoint', 'token_endpoint', 'revocation_endpoint', 'userinfo_endpoint', 'jwks_uri'] as const),
]

/** Where the API is, once a consent is through. */
export function apiBaseOf(described: Described): string {
  const { api_base_url, api_hosts, issuer } = described.fields
  const told = described.told.get('api_base_url')
  if (told !== undefined) return told
  if (api_base_url !== null) return fill(described, api_base_url)
  if (api_hosts[0] !== undefined) return `https://${fill(described, api_hosts[0])}`
  return new URL(endpointOf(described, 'userinfo_endpoint') ?? fill(described, issuer!)).origin
}

/** A place of its own for one consent: what a learned value is told as. */
export function exampleOfLearned({ form, suffixes }: ProviderFields['learned'][number]): string {
  if (form === 'text') return '4620816365'
  const suffix = suffixes.at(-1)!
  const host = suffix.startsWith('.') ? `south${suffix}` : suffix
  return `https://${host}`
}

/** Whether what stands at a path comes from the callback or a step, and not with the tokens. */
export function comesOtherwise({ learned, steps }: ProviderFields, path: string): boolean {
  const names = [
    ...learned.filter(({ from }) => from === 'callback').map(({ name }) => name),
    ...steps.flatMap(({ keep }) => Object.keys(keep)),
  ]
  return names.includes(path.split('.')[0]!)
}

/** Puts a value at a path of names joined by dots. */
export function put(object: Record<string, unknown>, path: string, value: unknown): void {
  const names = path.split('.')
  const last = names.pop()!
  let parent = object
  for (const name of names) {
    parent[name] ??= {}
    parent = parent[name] as Record<string, unknown>
  }
  parent[last] = value
}
