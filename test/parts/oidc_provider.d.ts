// The package carries no types: what the tests and the benchmark use of it.
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Model {
    readonly jti: string
    readonly accountId?: string
    destroy(): Promise<void>
    save(): Promise<string>
  }

  interface GrantModel extends Model {
    addOIDCScope(scope: string): void
    addOIDCClaims(claims: readonly string[]): void
    addResourceScope(resource: string, scope: string): void
  }

  interface TokenClass {
    find(value: string): Promise<Model | undefined>
    revokeByGrantId(grantId: string): Promise<void>
  }

  /** Koa's context, as far as it is used. */
  export interface Context {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly path: string
    readonly method: string
    status: number
    body: unknown
    respond: boolean
    readonly oidc?: {
      readonly route?: string
      readonly params?: Readonly<Record<string, string | undefined>>
      readonly entities: { readonly Client?: { readonly clientId: string }; readonly Grant?: Model }
    }
  }

  export interface Interaction {
    readonly uid: string
    readonly prompt: {
      readonly name: string
      readonly details: {
        readonly missingOIDCScope?: readonly string[]
        readonly missingOIDCClaims?: readonly string[]
        readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>
      }
    }
    readonly params: Readonly<Record<string, string | undefined>>
    readonly session?: { readonly accountId: string }
    readonly grantId?: string
  }

  export default class Provider {
    constructor(issuer: string, configuration: object)
    readonly issuer: string
    readonly Grant: {
      new (properties: { accountId: string; clientId: string }): GrantModel
      find(id: string): Promise<GrantModel | undefined>
    }
    readonly AccessToken: TokenClass
    readonly RefreshToken: TokenClass
    readonly AuthorizationCode: TokenClass
    use(middleware: (ctx: Context, next: () => Promise<void>) => Promise<void>): void
    callback(): (request: IncomingMessage, response: ServerResponse) => void
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>
    on(event: string, listener: (...args: unknown[]) => void): this
  }
}
