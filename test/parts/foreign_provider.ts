import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import Provider, { type Context, type Interaction } from 'oidc-provider'

/** One call of the token endpoint, as the provider saw it. */
export interface TokenCall {
  grant_type: string | undefined
  client_id: string | undefined
  started_at: number
  /** Null while it is under way. */
  ended_at: number | null
  /** What the provider decided, whatever then became of its answer. */
  status: number | null
  error: string | null
}

/** What goes wrong with one token call: before the provider has acted on it, or after. */
export interface TokenFault {
  when: 'before' | 'after'
  do: 'delay' | 'cut' | 'status'
  ms?: number
  status?: number
}

/** How a foreign provider is started. */
export interface ForeignProviderOptions {
  port?: number
  /** Registrations with the names of RFC 7591. */
  clients: ReadonlyArray<{ client_id: string; client_secret?: string; redirect_uris: readonly string[] } & object>
  access_token_seconds?: number
  refresh_token_seconds?: number
  /** Each refresh brings a new refresh token, and the use of an old one ends the grant. */
  rotate?: boolean
  /** Features of the package beside those that every test has, by its names. */
  features?: Readonly<Record<string, object>>
  /** Scopes beside those of OpenID Connect. */
  scopes?: readonly string[]
  /** Speaks TLS, and asks for certificates. */
  tls?: { readonly key: string; readonly cert: string }
  /** Whom every sign-in is for, without asking anybody; null shows pages for login and consent. */
  auto_login?: string | null
}

/** A complete OpenID provider that this project did not write, on loopback. */
export interface ForeignProvider {
  readonly issuer: string
  readonly ledger: TokenCall[]
  /** Faults for the next token calls, one each, in order. */
  readonly faults: TokenFault[]
  auto_login: string | null
  /** How often it was told to revoke a token. */
  revocations: number
  /** What it says of every user in place of, or beside, what it would. */
  claims: Readonly<Record<string, unknown>>
  /** Ends grants on the provider's side: of one user, or all. Returns how many. */
  revokeGrants(sub?: string): Promise<number>
  /** Forgets one refresh token on the provider's side. */
  revokeRefreshToken(refresh_token: string): Promise<boolean>
  close(): Promise<void>
}

/** Starts npm's oidc-provider on 127.0.0.1. Every user name is a user, with any password. */
export async function startForeignProvider(options: ForeignProviderOptions): Promise<ForeignProvider> {
  const { tls } = options
  const server = tls ? createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }) : createServer()
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(
    issuer,
    readConfiguration(options, () => foreign.claims),
  )
  const grants = new Map<string, string>()
  const foreign: ForeignProvider = {
    issuer,
    ledger: [],
    faults: [],
    auto_login: options.auto_login === undefined ? 'alice' : options.auto_login,
    revocations: 0,
    claims: {},
    async revokeGrants(sub) {
      const ids = [...grants].filter(([, accountId]) => sub === undefined || accountId === sub).map(([id]) => id)
      for (const id of ids) {
        grants.delete(id)
        await provider.RefreshToken.revokeByGrantId(id)
        await provider.AccessToken.revokeByGrantId(id)
        await (await provider.Grant.find(id))?.destroy()
      }
      return ids.length
    },
    async revokeRefreshToken(refresh_token) {
      const found = await provider.RefreshToken.find(refresh_token)
      await found?.destroy()
      return found !== undefined
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  provider.use((ctx, next) => (isTokenCall(ctx) ? recordTokenCall(foreign, grants, ctx, next) : next()))
  const handle = provider.callback()
  server.on('request', (request, response) => {
    if (request.url === '/token/revocation') foreign.revocations++
    if (!request.url!.startsWith('/interaction/')) return handle(request, response)
    interact(provider, foreign, request, response).catch((error) => response.writeHead(500).end(String(error)))
  })
  return foreign
}

function isTokenCall(ctx: Context): boolean {
  return ctx.path === '/token' && ctx.method === 'POST'
}

async function recordTokenCall(
  foreign: ForeignProvider,
  grants: Map<string, string>,
  ctx: Context,
  next: () => Promise<void>,
): Promise<void> {
  const call: TokenCall = {
    ...{
      grant_type: undefined,
      client_id: undefined,
      started_at: Date.now(),
      ended_at: null,
      status: null,
      error: null,
    },
  }
  foreign.ledger.push(call)
  const fault = foreign.faults.shift()
  try {
    if (fault?.when === 'before' && (await applyFault(ctx, fault))) return
    await next()
    call.grant_type = ctx.oidc?.params?.['grant_type']
    call.client_id = ctx.oidc?.entities.Client?.clientId
    call.status = ctx.status
    call.error = (ctx.body as { error?: string } | undefined)?.error ?? null
    const grant = ctx.oidc?.entities.Grant
    if (grant && ctx.status === 200) grants.set(grant.jti, grant.accountId ?? '')
    if (fault?.when === 'after') await applyFault(ctx, fault)
  } finally {
    call.ended_at = Date.now()
  }
}

/** True when the call is over with that. */
async function applyFault(ctx: Context, fault: TokenFault): Promise<boolean> {
  if (fault.ms) await sleep(fault.ms)
  // Who left meanwhile took the request's body along.
  if (fault.do === 'delay') return ctx.req.destroyed
  if (fault.do === 'cut') {
    ctx.respond = false
    ctx.req.socket.destroy()
  } else {
    ctx.status = fault.status ?? 503
    ctx.body = 'out of order'
  }
  return true
}

async function interact(
  provider: Provider,
  foreign: ForeignProvider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response)
  const isLogin = interaction.prompt.name === 'login'
  const form = request.method === 'POST' ? new URLSearchParams(await text(request)) : null
  const login = foreign.auto_login ?? form?.get('username') ?? null
  if (form === null && foreign.auto_login === null) return showPage(interaction, isLogin, response)
  if (form?.get('decision') === 'deny') {
    return provider.interactionFinished(request, response, {
      error: 'access_denied',
      error_description: 'The user said no',
    })
  }
  if (isLogin) return provider.interactionFinished(request, response, { login: { accountId: login } })
  const grantId = await allow(provider, interaction)
  return provider.interactionFinished(request, response, { consent: { grantId } })
}

async function allow(provider: Provider, interaction: Interaction): Promise<string> {
  const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId)
  const accountId = interaction.session!.accountId
  const grant = known ?? new provider.Grant({ accountId, clientId: interaction.params['client_id']! })
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = interaction.prompt.details
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '))
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims)
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '))
  }
  return grant.save()
}

function showPage(interaction: Interaction, isLogin: boolean, response: ServerResponse): void {
  const fields = isLogin
    ? '<label>User name <input name="username" autofocus></label> <label>Password <input name="password" type="password"></label> <button name="decision" value="allow">Sign in</button>'
    : '<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button>'
  const heading = isLogin ? 'Sign in at the foreign provider' : 'Allow access at the foreign provider?'
  const page = `<!doctype html><html lang="en"><title>${heading}</title><h1>${heading}</h1><form method="post" action="/interaction/${interaction.uid}">${fields}</form></html>`
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
}

function isOwnToken(_ctx: unknown, client: { clientId: string }, token: { clientId?: string }): boolean {
  return token.clientId === client.clientId
}

function readConfiguration(options: ForeignProviderOptions, more: () => Readonly<Record<string, unknown>>): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const refresh_token_seconds = options.refresh_token_seconds ?? 14 * 86_400
  return {
    adapter: MemoryAdapter,
    clients: options.clients.map((client) => ({ grant_types: ['authorization_code', 'refresh_token'], ...client })),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'foreign' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    findAccount: (_ctx: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({
        sub,
        name: sub,
        preferred_username: sub,
        email: `${sub}@foreign.example`,
        email_verified: true,
        ...more(),
      }),
    }),
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'] },
    conformIdTokenClaims: false,
    // Its dispatcher refuses loopback, where we are.
    fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) => fetch(url, init),
    features: {
      devInteractions: { enabled: false },
      // So that tests can look at what a browser carries.
      pushedAuthorizationRequests: { enabled: false },
      revocation: { enabled: true, allowedPolicy: isOwnToken },
      introspection: { enabled: true, allowedPolicy: isOwnToken },
      ...options.features,
    },
    ...(options.scopes && { scopes: ['openid', 'offline_access', ...options.scopes] }),
    ...(options.features?.['mTLS'] && {
      clientAuthMethods: ['none', 'self_signed_tls_client_auth'],
    }),
    interactions: { url: (_ctx: unknown, interaction: Interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    rotateRefreshToken: options.rotate ?? true,
    ttl: {
      AccessToken: options.access_token_seconds ?? 3_600,
      AuthorizationCode: 60,
      ClientCredentials: options.access_token_seconds ?? 3_600,
      Grant: refresh_token_seconds,
      // Stories go on for hours of the clock that they move, which is not its own.
      IdToken: 86_400,
      Interaction: 600,
      RefreshToken: refresh_token_seconds,
      Session: 86_400,
    },
  }
}

type Payload = Record<string, unknown> & { grantId?: string; uid?: string; userCode?: string }

/** Keeps everything of one provider class: the package's own adapter keeps a thousand entries for the whole process. */
class MemoryAdapter {
  readonly entries = new Map<string, { payload: Payload; expires_at: number }>()

  async upsert(id: string, payload: Payload, expiresIn?: number): Promise<void> {
    const expires_at = expiresIn === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresIn * 1000
    this.entries.set(id, { payload, expires_at })
  }

  async find(id: string): Promise<Payload | undefined> {
    const entry = this.entries.get(id)
    return entry && entry.expires_at > Date.now() ? entry.payload : undefined
  }

  async findByUid(uid: string): Promise<Payload | undefined> {
    return this.entries.values().find(({ payload }) => payload.uid === uid)?.payload
  }

  async findByUserCode(userCode: string): Promise<Payload | undefined> {
    return this.entries.values().find(({ payload }) => payload.userCode === userCode)?.payload
  }

  async consume(id: string): Promise<void> {
    const entry = this.entries.get(id)
    if (entry) entry.payload['consumed'] = Math.floor(Date.now() / 1000)
  }

  async destroy(id: string): Promise<void> {
    this.entries.delete(id)
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [id, { payload }] of this.entries) if (payload.grantId === grantId) this.entries.delete(id)
  }
}
