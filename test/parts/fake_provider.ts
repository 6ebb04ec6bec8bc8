import { randomUUID } from 'node:crypto'
import type { Step } from '../../server/src/providers/quirks.ts'
import { type Body, jsonBody, KEYS, shapeTokens } from './fake_answers.ts'
import { CHOSEN, FakeAuthorizationServer, LIVES } from './fake_authorization_server.ts'
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
import { apiBaseOf, DISCOVERED, endpointOf, exampleOfLearned, fill, fillAll, put } from './fake_record.ts'

type Kind = 'discovery' | 'jwks' | 'code' | 'refresh' | 'step' | 'userinfo' | 'introspection' | 'revocation' | 'api'

/** A provider that behaves as one record says, and takes nothing that the record does not say. */
export class FakeProvider extends FakeAuthorizationServer {
  /** What arrived and was as it should be, in order. */
  readonly seen: Kind[] = []
  /** What was not as the record says: a sentence each. */
  readonly complaints: string[] = []
  /** The API refuses the next call. */
  api_refuses = false

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
      return isCode ? ['code', () => this.redeem(call)] : ['refresh', () => this.refresh(call)]
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
      return shapeTokens(fields, fields.token_response, told, this.now())
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
    return jsonBody({ sub: this.valueAt('sub'), ...this.names('userinfo') })
  }

  #introspect(call: Arrived): Body {
    const { fields, described } = this
    const { method, parameter, body, authorization } = fields.introspection_request
    expectSame('the method', call.method, method)
    const params = readParams(call, body)
    expectAuthorization(described, call, params, authorization, this.grant!.access_token)
    expectApiHeaders(described, call, new Map())
    expectParams(params, parameter === null ? {} : { [parameter]: this.grant!.access_token })
    if (!this.dead) return jsonBody({ active: true, ...this.names('introspection') })
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
    const kept = Object.entries(shape.kept_params).map(([name, path]) => [name, this.valueAt(path)])
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
