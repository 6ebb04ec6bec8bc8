import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'

type Information = NonNullable<Awaited<ReturnType<OAuthClientProvider['clientInformation']>>>
type Tokens = NonNullable<Awaited<ReturnType<OAuthClientProvider['tokens']>>>

/** Takes an authorization URL through somebody's browser, and answers the URL at which it comes back. */
export type Visit = (authorization_url: URL) => Promise<URL>

/** An MCP client as its SDK has it, with somebody at a browser beside it. */
export class McpClient implements OAuthClientProvider {
  readonly redirectUrl: string
  readonly clientMetadata: OAuthClientProvider['clientMetadata']
  readonly clientMetadataUrl?: string
  information: Information | undefined
  kept_tokens: Tokens | undefined
  /** Every authorization URL that was opened. */
  readonly opened: URL[] = []
  readonly #visit: Visit
  readonly #elicit: ((url: string) => Promise<void>) | undefined
  readonly #fetch: typeof fetch | undefined
  #verifier = ''
  #came_back: URL | undefined

  constructor(options: {
    redirectUrl: string
    metadata?: Partial<OAuthClientProvider['clientMetadata']>
    clientMetadataUrl?: string
    visit: Visit
    /** Takes the page that a tool asks for through somebody's browser; then the tool is called again. */
    elicit?: (url: string) => Promise<void>
    fetch?: typeof fetch
  }) {
    this.redirectUrl = options.redirectUrl
    this.#visit = options.visit
    this.#elicit = options.elicit
    this.#fetch = options.fetch
    if (options.clientMetadataUrl !== undefined) this.clientMetadataUrl = options.clientMetadataUrl
    this.clientMetadata = {
      client_name: 'Notes reader',
      redirect_uris: [options.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      ...options.metadata,
    }
  }

  /** Calls a tool of a server that this client may never have seen. Answers its text. */
  async call(url: string, tool: string): Promise<string> {
    for (;;) {
      const transport = new StreamableHTTPClientTransport(new URL(url), {
        authProvider: this,
        ...(this.#fetch && { fetch: this.#fetch }),
      })
      const capabilities = this.#elicit ? { elicitation: { url: {} } } : {}
      const client = new Client({ name: 'notes-reader', version: '1.0.0' }, { capabilities })
      try {
        await client.connect(transport as Parameters<Client['connect']>[0])
        const { content } = await client.callTool({ name: tool, arguments: {} })
        return (content as { text: string }[])[0]!.text
      } catch (error) {
        if (this.#elicit && error instanceof UrlElicitationRequiredError) {
          for (const elicitation of error.elicitations) await this.#elicit(elicitation.url)
          continue
        }
        const came_back = this.#came_back
        this.#came_back = undefined
        if (!came_back) throw error
        const code = came_back.searchParams.get('code')
        if (code === null) throw new Error(`no code came back: ${came_back.search}`)
        await transport.finishAuth(code)
      } finally {
        await client.close()
      }
    }
  }

  clientInformation() {
    return this.information
  }
  saveClientInformation(information: Information) {
    this.information = information
  }
  tokens() {
    return this.kept_tokens
  }
  saveTokens(tokens: Tokens) {
    this.kept_tokens = tokens
  }
  async redirectToAuthorization(url: URL) {
    this.opened.push(url)
    this.#came_back = await this.#visit(url)
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier
  }
  codeVerifier() {
    return this.#verifier
  }
  invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery') {
    if (scope === 'all' || scope === 'client') this.information = undefined
    if (scope === 'all' || scope === 'tokens') this.kept_tokens = undefined
  }
}
