import { createHash, createHmac, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createEgress, type Egress } from '../../server/src/egress/egress.ts'
import type { Provider } from '../../server/src/providers/provider.ts'
import type { TokenResponse } from '../../server/src/providers/quirks.ts'
import { type Body, codeFor, jsonBody, KEYS, shapeError, shapeTokens, signIdToken, type Told } from './fake_answers.ts'
import {
  type Arrived,
  authenticateClient,
  expectApiHeaders,
  expectAuthorization,
  expectParams,
  expectSame,
  expectToken,
  NotAsTold,
  readParams,
  refuse,
} from './fake_checks.ts'
import {
  apiBaseOf,
  comesOtherwise,
  type Described,
  DISCOVERED,
  describeRecord,
  endpointOf,
  exampleOfLearned,
  fill,
  fillAll,
  put,
  REGISTRATION,
} from './fake_record.ts'

/** What the token endpoint of a fake provider says of a life, in seconds. */
export const LIVES = { access: 1_234, refresh: 54_321 } as const
/** Of several things that a consent is good for, the one that a test chooses. */
export const CHOSEN = 'choice-2'

type Kind = 'discovery' | 'jwks' | 'code' | 'refresh' | 'step' | 'userinfo' | 'introspection' | 'revocation' | 'api'
type Step = Described['fields']['steps'][number]

/** One consent at the provider, and what has come of it. */
interface Grant {
  readonly code: string
  readonly code_challenge: string | null
  readonly nonce: string | null
  readonly wants_id_token: boolean
  readonly scopes: readonly string[]
  readonly offline: boolean
  readonly steps_done: Set<Step>
  access_token: string
  refresh_token: string | null
  refreshes: number
  ended: boolean
  /** Refresh tokens that were replaced: when, by what, and whether that was used since. */
  readonly replaced: Map<string, { at: number; by: string; used: boolean }>
}

/** A provider that behaves as one record says, and takes nothing that the record does not say. */
export class FakeProvider {
  readonly described: Described
  readonly redirect_uri: string
  readonly #now: () => number
  /** What arrived and was as it should be, in order. */
  readonly seen: Kind[] = []
  /** What was not as the record says: a sentence each. */
  readonly complaints: string[] = []
  /** What a chosen or read step keeps. */
  readonly kept = new Map<string, string>()
  grant: Grant | null = null
  /** What goes wrong next: an answer is lost once the provider has acted, an ID token is forged, or a code is answered. */
  trouble: 'lost' | 'forged_id_token' | { readonly code: string; readonly place?: number } | null = null
  /** The API refuses the next call. */
  api_refuses = false
  /** How many codes were redeemed. */
  consents = 0
  /** Access was taken back over there. */
  dead = false

  constructor(record: Provider, more: { redirect_uri: string; now: () => number }) {
    this.described = describeRecord(record)
    this.redirect_uri = more.redirect_uri
    this.#now = more.now
  }

  get fields() {
    return this.described.fields
  }

  /** The account that a connection must be found to be of. */
  get account(): { account: string | null; account_name: string | null } {
    const { account } = this.fields
    const choice = this.fields.steps.some((step) => step.choice)
    const known =
      account ?? (this.grant?.wants_id_token && this.fields.issuer !== null ? { id: ['sub'], name: ['email'] } : null)
    const id = known === null ? null : this.#valueAt(known.id[0]!)
    const name = known?.name[0] === undefined ? null : this.#valueAt(known.name[0])
    if (!choice) return { account: id, account_name: name }
    return {
      account: id === null ? CHOSEN : `${id} ${CHOSEN}`,
      account_name: name === null ? 'The second' : `${name}, The second`,
    }
  }

  #valueAt(path: string): string {
    return this.kept.get(path) ?? this.described.told.get(path) ?? `value of ${path}`
  }

  /** Whether a refresh can be asked for at all. */
  get refreshes(): boolean {
    return this.fields.refresh_token_rotation !== 'no_refresh_token' || this.fields.refresh_grant !== null
  }

  /** The person consents: checks the authorization request and answers the parameters of the callback. */
  authorize(authorization_url: string): URLSearchParams {
    const { fields, described } = this
    // A new consent may lead elsewhere.
    described.told.clear()
    this.kept.clear()
    const url = new URL(authorization_url)
    const endpoint = new URL(endpointOf(described, 'authorization_endpoint')!)
    expectSame('the authorization endpoint', url.origin + url.pathname, endpoint.origin + endpoint.pathname)
    const params = new Map(url.searchParams)
    const take = (name: string) => {
      const value = params.get(name)
      params.delete(name)
      return value
    }
    const scopes =
      fields.scope_parameter === null ? ['read'] : (take(fields.scope_parameter)?.split(fields.scope_separator) ?? [])
    if (scopes.some((scope) => /[\s,;]/.test(scope))) refuse('the scopes are not divided as they should be')
    const offline = fields.offline_scope === null || scopes.includes(fields.offline_scope)
    const state = take('state') ?? ''
    if (!/^[\w-]{43}$/.test(state)) refuse('the state is too short')
    const wants_id_token = scopes.includes('openid')
    const checked = wants_id_token && fields.issuer !== null && fields.id_token_nonce
    const nonce = take('nonce') ?? null
    expectSame('that there is a nonce', nonce !== null, checked)
    const code_challenge = take('code_challenge') ?? null
    expectSame('that there is a code_challenge', code_challenge !== null, fields.pkce !== 'refused')
    const before = fields.steps.filter(({ when }) => when === 'before_authorization')
    expectParams(params, {
      ...fillAll(described, fields.authorization_params),
      ...(offline ? fillAll(described, fields.offline_params) : {}),
      ...Object.fromEntries(before.flatMap(({ keep }) => Object.keys(keep).map((name) => [name, `kept ${name}`]))),
      ...{ response_type: 'code', client_id: REGISTRATION.client_id, redirect_uri: this.redirect_uri },
      ...(fields.response_mode === null ? {} : { response_mode: fields.response_mode }),
      ...(code_challenge === null ? {} : { code_challenge_method: 'S256' }),
    })
    const code = randomUUID()
    this.grant = {
      ...{ code, code_challenge, nonce, wants_id_token, offline, steps_done: new Set() },
      // The person allows less than was asked for.
      scopes: scopes.filter((scope) => scope !== 'write'),
      ...{ access_token: randomUUID(), refresh_token: null, refreshes: 0, ended: false, replaced: new Map() },
    }
    this.dead = false
    return this.#callback(code, state)
  }

  #callback(code: string, state: string): URLSearchParams {
    const { learned, callback_scope, callback_signature } = this.fields
    const params = new URLSearchParams({ code, state })
    for (const place of learned.filter(({ from }) => from === 'callback')) {
      const value = exampleOfLearned(place)
      params.set(place.path, value)
      this.described.told.set(place.name, place.form === 'host' ? new URL(value).host : value)
    }
    if (callback_scope) params.set(callback_scope.parameter, this.grant!.scopes.join(callback_scope.separator))
    if (callback_signature) {
      params.sort()
      const hmac = createHmac('sha256', REGISTRATION.client_secret).update(params.toString()).digest('hex')
      params.set(callback_signature.parameter, hmac)
    }
    return params
  }

  /** Answers a call; null means that the answer is lost. */
  answer(call: Arrived): Body | null {
    try {
      const [kind, answer] = this.#find(call)
      const body = answer()
      this.seen.push(kind)
      if (this.trouble === 'lost' && (kind === 'refresh' || kind === 'code')) {
        this.trouble = null
        return null
      }
      return body
    } catch (thrown) {
      if (!(thrown instanceof Error)) throw thrown
      const where = `${call.method} ${call.url.origin}${call.url.pathname}`
      this.complaints.push(`${where}: ${thrown instanceof NotAsTold ? thrown.message : (thrown.stack ?? '')}`)
      return jsonBody({ error: 'invalid_request' }, 400)
    }
  }

  #find(call: Arrived): [Kind, () => Body] {
    const { fields, described } = this
    const at = (url: string | null) => {
      const there = url === null ? null : new URL(url)
      return there !== null && call.url.origin === there.origin && call.url.pathname === there.pathname
    }
    const issuer = fields.issuer === null ? null : fill(described, fields.issuer).replace(/\/$/, '')
    if (call.url.pathname.includes('/.well-known/')) return ['discovery', () => this.#metadata(call, issuer)]
    if (at(endpointOf(described, 'jwks_uri'))) return ['jwks', () => jsonBody(KEYS)]
    const step = fields.steps.find((one) => this.#isDue(one) && at(fill(described, one.url)))
    if (step) return ['step', () => this.#takeStep(step, call)]
    const token = endpointOf(described, 'token_endpoint')
    const refresh = endpointOf(described, 'refresh_endpoint') ?? token
    const code = this.grant?.code ?? ''
    const isCode = code !== '' && `${call.url.search}${call.body}`.includes(code)
    if (at(isCode ? token : refresh))
      return isCode ? ['code', () => this.#redeem(call)] : ['refresh', () => this.#refresh(call)]
    if (at(endpointOf(described, 'userinfo_endpoint'))) return ['userinfo', () => this.#userinfo(call)]
    if (at(endpointOf(described, 'introspection_endpoint'))) return ['introspection', () => this.#introspect(call)]
    const revocation = endpointOf(described, 'revocation_endpoint')
    if (at(revocation?.replace('{token}', this.grant?.access_token ?? '') ?? null)) {
      return ['revocation', () => this.#revoke(call, revocation!)]
    }
    return ['api', () => this.#callApi(call)]
  }

  #isDue(step: Step): boolean {
    if (step.when === 'before_authorization') return true
    return this.grant?.code === '' && !this.grant.steps_done.has(step)
  }

  #metadata(call: Arrived, issuer: string | null): Body {
    const { discovery } = this.fields
    if (issuer === null || discovery === null) refuse('there is no metadata document')
    const path = new URL(issuer).pathname.replace(/\/$/, '')
    const known =
      discovery === 'oidc'
        ? `${path}/.well-known/openid-configuration`
        : `/.well-known/oauth-authorization-server${path}`
    expectSame('the place of the metadata', call.url.pathname, known)
    // The word of a record counts more than these.
    const names = DISCOVERED.map((name) => [name, `${new URL(issuer).origin}/discovered/${name}`])
    return jsonBody({ issuer: fill(this.described, this.fields.issuer!), ...Object.fromEntries(names) })
  }

  #readToken(call: Arrived): Map<string, string> {
    const { fields } = this
    expectSame('the method', call.method, fields.token_request === 'query' ? 'GET' : 'POST')
    const params = readParams(call, fields.token_request)
    for (const [name, value] of Object.entries(fillAll(this.described, fields.token_request_headers))) {
      expectSame(`the header ${name}`, call.headers[name.toLowerCase()], value)
    }
    authenticateClient(fields, call, params)
    return params
  }

  #redeem(call: Arrived): Body {
    const { fields } = this
    const grant = this.grant!
    const params = this.#readToken(call)
    const code_verifier = params.get('code_verifier') ?? ''
    if (grant.code_challenge !== null) {
      const challenge = createHash('sha256').update(code_verifier).digest('base64url')
      expectSame('the challenge', challenge, grant.code_challenge)
    }
    expectParams(params, {
      ...{ grant_type: 'authorization_code', code: grant.code, redirect_uri: this.redirect_uri },
      ...(grant.code_challenge === null ? {} : { code_verifier }),
      ...fillAll(this.described, fields.token_params),
    })
    if (this.trouble instanceof Object) return this.#fail(fields.token_response)
    const offline = grant.offline && fields.refresh_token_rotation !== 'no_refresh_token'
    this.grant = { ...grant, code: '', refresh_token: offline ? randomUUID() : null }
    if (this.trouble === null) this.consents++
    return this.#tell(false)
  }

  #fail(shape: TokenResponse): Body {
    const { code, place = 0 } = this.trouble as { code: string; place?: number }
    this.trouble = null
    return shapeError(this.fields, shape, code, place)
  }

  #refresh(call: Arrived): Body {
    const { fields } = this
    const grant = this.grant!
    const params = this.#readToken(call)
    const renewal = fields.refresh_grant
    const shape = fields.refresh_response ?? fields.token_response
    const name = renewal?.token_param ?? 'refresh_token'
    const sent = params.get(name) ?? ''
    const grant_type = renewal === null ? 'refresh_token' : renewal.grant_type
    const scope = { [fields.scope_parameter ?? 'scope']: grant.scopes.join(fields.scope_separator) }
    expectParams(params, {
      ...fillAll(this.described, fields.refresh_params),
      ...(grant_type === null ? {} : { grant_type }),
      [name]: sent,
      ...(fields.refresh_sends.includes('redirect_uri') ? { redirect_uri: this.redirect_uri } : {}),
      ...(fields.refresh_sends.includes('scope') ? scope : {}),
    })
    if (this.trouble instanceof Object) return this.#fail(shape)
    if (!this.#renew(grant, sent, renewal?.sends === 'access_token')) {
      return shapeError(fields, shape, codeFor(fields, 'invalid_grant'))
    }
    return this.#tell(true)
  }

  /** Rotates as the record says; false where the token that was sent is no longer good. */
  #renew(grant: Grant, sent: string, renewsItself: boolean): boolean {
    const { refresh_token_rotation: rotation, refresh_token_replay: replay, replay_grace_seconds } = this.fields
    if (grant.ended) return false
    if (renewsItself) {
      if (sent !== grant.access_token) return false
      grant.access_token = randomUUID()
      return true
    }
    if (sent !== grant.refresh_token) {
      const old = grant.replaced.get(sent)
      if (!old) refuse('a refresh token comes that never was one')
      const inGrace = this.#now() <= old.at + (replay_grace_seconds ?? 0) * 1000
      const good =
        replay === 'accepted' ||
        (replay === 'until_successor_used' && !old.used) ||
        (replay === 'within_grace' && inGrace)
      if (replay === 'ends_grant') grant.ended = true
      if (!good) return false
      grant.access_token = randomUUID()
      grant.refresh_token = old.by
      return true
    }
    for (const old of grant.replaced.values()) if (old.by === sent) old.used = true
    grant.refreshes++
    grant.access_token = randomUUID()
    const rotates =
      rotation !== 'never' && (rotation !== 'sometimes' || grant.refreshes % 2 === 0 || this.trouble === 'lost')
    if (rotates) {
      grant.refresh_token = randomUUID()
      grant.replaced.set(sent, { at: this.#now(), by: grant.refresh_token, used: false })
    }
    return true
  }

  #tell(again: boolean): Body {
    const { fields, described } = this
    const grant = this.grant!
    const { wants_id_token, nonce } = grant
    const shape = (again ? fields.refresh_response : null) ?? fields.token_response
    const now = this.#now()
    const claims = { sub: this.#valueAt('sub'), ...(nonce === null ? {} : { nonce }), ...this.#names('id_token') }
    const forged = this.trouble === 'forged_id_token' ? { aud: 'somebody-else' } : {}
    if (this.trouble === 'forged_id_token') this.trouble = null
    const id_token =
      fields.issuer === null ? 'of nobody we know' : signIdToken(described, { ...claims, ...forged }, now)
    const told: Told = {
      access_token: grant.access_token,
      refresh_token: fields.refresh_token_rotation === 'never' && again ? null : grant.refresh_token,
      // What a record assumes is left out once, and what it says of the answer is told once.
      expires_in: fields.access_token_seconds !== null && !again && this.consents === 1 ? null : this.life(),
      refresh_token_expires_in: again ? null : this.refreshLife(),
      scopes: fields.callback_scope ? null : grant.scopes,
      scope_as_list: again && shape.format === 'json',
      id_token: wants_id_token && !again ? id_token : null,
      extra: again ? {} : this.#extra(),
    }
    return shapeTokens(fields, shape, told, now)
  }

  /** Seconds that the answer names for an access token; null where it names none. */
  life(): number | null {
    return this.fields.token_response.expires.zero === 'never' ? null : LIVES.access
  }

  /** The same of a refresh token, in the answer to a code: the first consent is told otherwise than those after it. */
  refreshLife(): number | null {
    const told = this.fields.token_response.refresh_token_expires
    if (told === null) return null
    if (told.zero === 'never') return this.consents === 1 ? 0 : LIVES.refresh
    return this.consents === 1 ? LIVES.refresh : null
  }

  #names(from: string): Record<string, unknown> {
    const { account } = this.fields
    const said: Record<string, unknown> = {}
    const place = account ?? { from: 'id_token' as const, id: ['sub'], name: ['email'] }
    if (place.from !== from && !(place.from === 'id_token' && from === 'userinfo')) return said
    if (account !== null && from === 'id_token' && endpointOf(this.described, 'userinfo_endpoint') !== null) return said
    for (const path of [place.id[0]!, ...place.name.slice(0, 1)]) put(said, path, this.#valueAt(path))
    return said
  }

  #extra(): Record<string, unknown> {
    const { fields, described } = this
    const extra: Record<string, unknown> = {}
    const places = fields.account?.from === 'extra' ? [fields.account.id[0]!, ...fields.account.name.slice(0, 1)] : []
    for (const path of places) if (!comesOtherwise(fields, path)) extra[path] = this.#valueAt(path)
    for (const place of fields.learned) {
      if (place.from !== 'extra' || comesOtherwise(fields, place.path)) continue
      const value = exampleOfLearned(place)
      extra[place.path] = value
      described.told.set(place.name, place.form === 'host' ? new URL(value).host : value)
    }
    return extra
  }

  #takeStep(step: Step, call: Arrived): Body {
    const { described, fields } = this
    const grant = this.grant
    expectSame('the method', call.method, step.method)
    const params = readParams(call, step.body)
    expectAuthorization(described, call, params, step.authorization, grant?.access_token ?? '')
    const expected = Object.entries(fillAll(described, step.params)).map(([name, value]) => [
      name,
      value.replace('{access_token}', grant?.access_token ?? ''),
    ])
    expectParams(params, Object.fromEntries(expected))
    grant?.steps_done.add(step)
    if (step.replaces_token) {
      grant!.access_token = randomUUID()
      const { access_token } = grant!
      const nothing = { refresh_token: null, refresh_token_expires_in: null, scopes: null, id_token: null, extra: {} }
      const told = { ...nothing, access_token, expires_in: LIVES.access, scope_as_list: false }
      return shapeTokens(fields, fields.token_response, told, this.#now())
    }
    if (step.choice === null) return jsonBody(this.#keep(step, (name) => `kept ${name}`))
    const { choice } = step
    const first = this.#keep(step, (name) => `other ${name}`, 'north')
    put(first, choice.id, 'choice-1')
    put(first, choice.name[0]!, 'The first')
    const second = this.#keep(step, (name) => `kept ${name}`)
    put(second, choice.id, CHOSEN)
    put(second, choice.name[0]!, 'The second')
    for (const [name, path] of Object.entries(step.keep)) if (path === choice.id) this.kept.set(name, CHOSEN)
    const list = [first, second]
    if (choice.list === '') return jsonBody(list)
    const body: Record<string, unknown> = {}
    put(body, choice.list, list)
    return jsonBody(body)
  }

  #keep(step: Step, tell: (name: string) => string, other = ''): Record<string, unknown> {
    const body: Record<string, unknown> = {}
    for (const [name, path] of Object.entries(step.keep)) {
      const place = this.fields.learned.find((learned) => learned.from === 'extra' && learned.path === name)
      const value = place ? exampleOfLearned(place).replace('south', other || 'south') : tell(name)
      put(body, path, value)
      if (other !== '' || step.when === 'before_authorization') continue
      this.kept.set(name, value)
      if (place) this.described.told.set(place.name, place.form === 'host' ? new URL(value).host : value)
    }
    return body
  }

  #userinfo(call: Arrived): Body {
    const { fields } = this
    const { method, json } = fields.userinfo_request
    expectSame('the method', call.method, method)
    expectSame('the body', call.body, json === null ? '' : JSON.stringify(json))
    expectToken(fields, call, this.grant!.access_token)
    expectApiHeaders(this.described, call, new Map())
    if (this.dead) return jsonBody({ error: 'invalid_token' }, 401)
    return jsonBody({ sub: this.#valueAt('sub'), ...this.#names('userinfo') })
  }

  #introspect(call: Arrived): Body {
    const { fields, described } = this
    const { method, parameter, body, authorization } = fields.introspection_request
    expectSame('the method', call.method, method)
    const params = readParams(call, body)
    expectAuthorization(described, call, params, authorization, this.grant!.access_token)
    expectApiHeaders(described, call, new Map())
    expectParams(params, parameter === null ? {} : { [parameter]: this.grant!.access_token })
    if (!this.dead) return jsonBody({ active: true, ...this.#names('introspection') })
    return authorization === 'bearer' ? jsonBody({}, 401) : jsonBody({ active: false })
  }

  #revoke(call: Arrived, endpoint: string): Body {
    const { fields, described } = this
    const { access_token, refresh_token } = this.grant!
    const shape = fields.revocation_request
    expectApiHeaders(described, call, this.kept)
    if (shape === null) {
      expectSame('the method', call.method, 'POST')
      const params = readParams(call, 'form')
      authenticateClient(fields, call, params, fields.revocation_endpoint_auth_method ?? undefined)
      const hint = refresh_token === null ? 'access_token' : 'refresh_token'
      expectParams(params, { token: refresh_token ?? access_token, token_type_hint: hint })
      return { status: 200, type: '', text: '' }
    }
    expectSame('the method', call.method, shape.method)
    const params = readParams(call, shape.body, endpoint.replace('{token}', 'x'))
    const { authorization } = shape
    expectAuthorization(described, call, params, authorization, access_token, fields.revocation_endpoint_auth_method)
    const token = shape.token === 'refresh_token' ? refresh_token! : access_token
    const kept = Object.entries(shape.kept_params).map(([name, path]) => [name, this.#valueAt(path)])
    expectParams(params, {
      ...fillAll(described, shape.params),
      ...Object.fromEntries(kept),
      ...(shape.parameter === null ? {} : { [shape.parameter]: token }),
    })
    return { status: 204, type: '', text: '' }
  }

  #callApi(call: Arrived): Body {
    const base = apiBaseOf(this.described).replace(/\/$/, '')
    expectSame('the place of the API', call.url.href, `${base}/things?a=1`)
    expectToken(this.fields, call, this.grant!.access_token)
    expectApiHeaders(this.described, call, this.kept)
    if (!this.api_refuses && !this.dead) return jsonBody({ ok: true })
    this.api_refuses = false
    return jsonBody({ error: 'invalid_token' }, 401)
  }
}

/** One server on loopback for all fake providers, and a way out that leads every host to it. */
export interface FakeInternet {
  readonly egress: Egress
  /** Who answers from now on. */
  serve(provider: FakeProvider): void
  close(): Promise<void>
}

const MEANT = 'x-meant-for'

/** Starts the server; calls name in a header where they were meant to go. */
export async function startFakeInternet(): Promise<FakeInternet> {
  let provider: FakeProvider | undefined
  const server = createServer(async (request, response) => {
    const { method = '', headers } = request
    const call = { method, headers, url: new URL(String(headers[MEANT])), body: await text(request) }
    const answer = provider?.answer(call)
    if (!answer) return void response.socket?.destroy()
    response.writeHead(answer.status, answer.type === '' ? {} : { 'content-type': answer.type }).end(answer.text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const inner = createEgress({ allow: ['127.0.0.1'] })
  return {
    egress: {
      fetch(input, init) {
        const headers = new Headers(init.headers)
        headers.set(MEANT, input instanceof Request ? input.url : String(input))
        return inner.fetch(`${origin}/`, { ...init, headers })
      },
      mayUseHttp: () => false,
      close: () => inner.close(),
    },
    serve(next) {
      provider = next
    },
    async close() {
      await inner.close()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
