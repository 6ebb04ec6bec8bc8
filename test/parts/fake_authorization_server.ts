import { createHash, createHmac, randomUUID } from 'node:crypto'
import type { Provider } from '../../server/src/providers/provider.ts'
import type { TokenResponse } from '../../server/src/providers/quirks.ts'
import { type Body, codeFor, shapeError, shapeTokens, signIdToken, type Told } from './fake_answers.ts'
import { type Arrived, authenticateClient, expectParams, expectSame, readParams, refuse } from './fake_checks.ts'
import { type Grant, renewGrant } from './fake_grants.ts'
import {
  comesOtherwise,
  type Described,
  describeRecord,
  endpointOf,
  exampleOfLearned,
  fillAll,
  put,
  REGISTRATION,
} from './fake_record.ts'

/** What the token endpoint of a fake provider says of a life, in seconds. */
export const LIVES = { access: 1_234, refresh: 54_321 } as const
/** Of several things that a consent is good for, the one that a test chooses. */
export const CHOSEN = 'choice-2'

/** The part of a fake provider that asks for consent and issues tokens, as one record says and not otherwise. */
export class FakeAuthorizationServer {
  readonly described: Described
  readonly redirect_uri: string
  protected readonly now: () => number
  /** What a chosen or read step keeps. */
  readonly kept = new Map<string, string>()
  grant: Grant | null = null
  /** What goes wrong next: an answer is lost once the provider has acted, an ID token is forged, or a code is answered. */
  trouble: 'lost' | 'forged_id_token' | { readonly code: string; readonly place?: number } | null = null
  /** No refresh token comes, though it was asked for. */
  withholds = false
  /** How many codes were redeemed. */
  consents = 0
  /** Access was taken back over there. */
  dead = false

  constructor(record: Provider, more: { redirect_uri: string; now: () => number }) {
    this.described = describeRecord(record)
    this.redirect_uri = more.redirect_uri
    this.now = more.now
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
    const id = known === null ? null : this.valueAt(known.id[0]!)
    const name = known?.name[0] === undefined ? null : this.valueAt(known.name[0])
    if (!choice) return { account: id, account_name: name }
    return {
      account: id === null ? CHOSEN : `${id} ${CHOSEN}`,
      account_name: name === null ? 'The second' : `${name}, The second`,
    }
  }

  protected valueAt(path: string): string {
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

  protected redeem(call: Arrived): Body {
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
    const offline = grant.offline && fields.refresh_token_rotation !== 'no_refresh_token' && !this.withholds
    this.grant = { ...grant, code: '', refresh_token: offline ? randomUUID() : null }
    if (this.trouble === null) this.consents++
    return this.#tell(false)
  }

  #fail(shape: TokenResponse): Body {
    const { code, place = 0 } = this.trouble as { code: string; place?: number }
    this.trouble = null
    return shapeError(this.fields, shape, code, place)
  }

  protected refresh(call: Arrived): Body {
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
    const lost = this.trouble === 'lost'
    if (!renewGrant(fields, grant, { sent, renews_itself: renewal?.sends === 'access_token', lost, now: this.now() })) {
      return shapeError(fields, shape, codeFor(fields, 'invalid_grant'))
    }
    return this.#tell(true)
  }

  #tell(again: boolean): Body {
    const { fields, described } = this
    const grant = this.grant!
    const { wants_id_token, nonce } = grant
    const shape = (again ? fields.refresh_response : null) ?? fields.token_response
    const now = this.now()
    const claims = { sub: this.valueAt('sub'), ...(nonce === null ? {} : { nonce }), ...this.names('id_token') }
    const forged = this.trouble === 'forged_id_token' ? { aud: 'somebody-else' } : {}
    if (this.trouble === 'forged_id_token') this.trouble = null
    const id_token =
      fields.issuer === null ? 'of nobody we know' : signIdToken(described, { ...claims, ...forged }, now)
    const told: Told = {
      access_token: grant.access_token,
      refresh_token: fields.refresh_token_rotation === 'never' && again ? null : grant.refresh_token,
      // What a record assumes is left out once, and what it says of the answer is told once.
      expires_in: typeof fields.access_token_seconds === 'number' && !again && this.consents === 1 ? null : this.life(),
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

  protected names(from: string): Record<string, unknown> {
    const { account } = this.fields
    const said: Record<string, unknown> = {}
    const place = account ?? { from: 'id_token' as const, id: ['sub'], name: ['email'] }
    if (place.from !== from && !(place.from === 'id_token' && from === 'userinfo')) return said
    if (account !== null && from === 'id_token' && endpointOf(this.described, 'userinfo_endpoint') !== null) return said
    for (const path of [place.id[0]!, ...place.name.slice(0, 1)]) put(said, path, this.valueAt(path))
    return said
  }

  #extra(): Record<string, unknown> {
    const { fields, described } = this
    const extra: Record<string, unknown> = {}
    const places = fields.account?.from === 'extra' ? [fields.account.id[0]!, ...fields.account.name.slice(0, 1)] : []
    for (const path of places) if (!comesOtherwise(fields, path)) extra[path] = this.valueAt(path)
    for (const place of fields.learned) {
      if (place.from !== 'extra' || comesOtherwise(fields, place.path)) continue
      const value = exampleOfLearned(place)
      extra[place.path] = value
      described.told.set(place.name, place.form === 'host' ? new URL(value).host : value)
    }
    return extra
  }
}
