import type { ClientAuthMethod, ProviderFields } from '../../server/src/providers/provider.ts'
import type { CallAuthorization, CallBody } from '../../server/src/providers/quirks.ts'
import { type Described, fill, isSignedByClient, isSignedSecret, REGISTRATION } from './fake_record.ts'

/** A call as it arrived, at the address that it was meant for. */
export interface Arrived {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** Why a call is not as the record says. */
export class NotAsTold extends Error {}

/** Refuses a call for one reason. */
export function refuse(reason: string): never {
  throw new NotAsTold(reason)
}

/** Two values that must be the same. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) refuse(`${what} is ${JSON.stringify(actual)} and not ${JSON.stringify(expected)}`)
}

/** Parameters that must be these and no others. */
export function expectParams(actual: ReadonlyMap<string, string>, expected: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(expected)) expectSame(`parameter ${name}`, actual.get(name), value)
  for (const name of actual.keys()) if (!Object.hasOwn(expected, name)) refuse(`parameter ${name} is not taken`)
}

/** Reads the parameters of a call from where the record wants them, and nowhere else. */
export function readParams(call: Arrived, from: CallBody, base: string | null = null): Map<string, string> {
  const query = new URLSearchParams(call.url.search)
  for (const name of base === null ? [] : new URL(base).searchParams.keys()) query.delete(name)
  const type = String(call.headers['content-type'] ?? '').split(';')[0]
  if (from === 'query') {
    expectSame('the body', call.body, '')
    expectSame('the content type', type, '')
    return readOnce(query)
  }
  expectSame('the query', query.toString(), '')
  expectSame('the content type', type, from === 'json' ? 'application/json' : 'application/x-www-form-urlencoded')
  return from === 'json'
    ? new Map(Object.entries(JSON.parse(call.body) as Record<string, string>))
    : readOnce(new URLSearchParams(call.body))
}

function readOnce(params: URLSearchParams): Map<string, string> {
  for (const name of params.keys()) if (params.getAll(name).length > 1) refuse(`parameter ${name} comes twice`)
  return new Map(params)
}

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** Takes the client's authentication off a call; what is left in the parameters is the call itself. */
export function authenticateClient(
  fields: ProviderFields,
  call: Arrived,
  params: Map<string, string>,
  method: ClientAuthMethod = fields.token_endpoint_auth_method,
): void {
  const { client_id, client_secret } = REGISTRATION
  const take = (name: string) => {
    const value = params.get(name)
    params.delete(name)
    return value
  }
  if (method === 'client_secret_basic') {
    const encode = (part: string) =>
      fields.basic_credentials === 'raw' ? part : new URLSearchParams({ '': part }).toString().slice(1)
    const pair = Buffer.from(`${encode(client_id)}:${encode(client_secret)}`).toString('base64')
    expectSame('the client authentication', call.headers['authorization'], `Basic ${pair}`)
    return
  }
  expectSame('the header authorization', call.headers['authorization'], undefined)
  expectSame('client_id', take('client_id'), client_id)
  if (method === 'private_key_jwt') {
    expectSame('client_assertion_type', take('client_assertion_type'), JWT_BEARER)
    const assertion = take('client_assertion') ?? ''
    const typ = 'client-authentication+jwt'
    expectSame('the assertion', isSignedByClient(assertion, typ, client_id, fields.issuer), true)
  }
  if (method === 'client_secret_post' && fields.client_secret_form === 'signed_jwt') {
    expectSame('the signed secret', isSignedSecret(take('client_secret') ?? '', fields.issuer), true)
  } else if (method === 'client_secret_post') expectSame('client_secret', take('client_secret'), client_secret)
  else expectSame('client_secret', params.get('client_secret'), undefined)
}

/** What a call beside the token endpoint must carry of the client, or of the token. */
export function expectAuthorization(
  described: Described,
  call: Arrived,
  params: Map<string, string>,
  authorization: CallAuthorization,
  access_token: string,
  method?: ClientAuthMethod | null,
): void {
  const { fields } = described
  if (authorization === 'client') authenticateClient(fields, call, params, method ?? undefined)
  else if (authorization === 'bearer') expectToken(fields, call, access_token)
  else if (authorization === 'none') expectSame('the header authorization', call.headers['authorization'], undefined)
  else {
    const expected = `${authorization.secret_scheme} ${REGISTRATION.client_secret}`
    expectSame('the header authorization', call.headers['authorization'], expected)
  }
}

/** The token where the record wants it. */
export function expectToken(fields: ProviderFields, call: Arrived, access_token: string): void {
  const { authorization_header, authorization_scheme } = fields
  const expected = authorization_scheme === null ? access_token : `${authorization_scheme} ${access_token}`
  expectSame(`the header ${authorization_header}`, call.headers[authorization_header.toLowerCase()], expected)
  if (authorization_header !== 'authorization') {
    expectSame('the header authorization', call.headers['authorization'], undefined)
  }
}

/** The fixed headers; those that name what is kept need it to be known. */
export function expectApiHeaders(described: Described, call: Arrived, kept: ReadonlyMap<string, string>): void {
  for (const [name, template] of Object.entries(described.fields.api_headers)) {
    const expected = fill(described, template).replace(
      /\{(\w+)\}/g,
      (braced, known: string) => kept.get(known) ?? braced,
    )
    if (!/\{\w+\}/.test(expected)) expectSame(`the header ${name}`, call.headers[name.toLowerCase()], expected)
  }
}
