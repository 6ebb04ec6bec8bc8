import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { UrlElicitationRequiredError } from '@modelcontextprotocol/sdk/types.js'
import { createResource } from '@sallyport/sdk'
import { answerRefusals, protect, serveMetadata } from '@sallyport/sdk/express'
import { createVault, VaultError } from '@sallyport/sdk/vault'
import express from 'express'

/** Something that listens. */
interface Listening {
  readonly origin: string
  close(): Promise<void>
}

/** The API of a calendar at a foreign provider: it asks the provider whose token it was shown, and counts its calls. */
export async function startCalendarApi(provider: string): Promise<Listening & { readonly calls: string[] }> {
  const calls: string[] = []
  const server = createServer(async (request, response) => {
    calls.push(`${request.method} ${request.url}`)
    const me = await fetch(`${provider}/me`, { headers: { authorization: request.headers.authorization ?? '' } })
    response.writeHead(me.ok ? 200 : 401, { 'content-type': 'application/json' })
    const { sub } = (await me.json()) as { sub?: string }
    response.end(
      JSON.stringify(me.ok ? { title: 'Dentist', at: '10:30', calendar_of: sub } : { error: 'invalid_token' }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { calls, ...listening(server) }
}

/** Somebody's MCP server: `echo` needs nobody's account, `next_meeting` needs the calendar of the user who is asking. */
export async function startPlanner(options: {
  port: number
  issuer: string
  client_id: string
  client_secret: string
  fetch: typeof fetch
}): Promise<Listening & { readonly resource: string }> {
  const { port, issuer, client_id, client_secret } = options
  const resource = `http://127.0.0.1:${port}/mcp`
  const api = createResource({ resource, issuer, introspection: { client_id, client_secret } })
  const vault = createVault({ issuer, client_id, client_secret, fetch: (url, init) => options.fetch(url, init) })
  const app = express()
  app.use(serveMetadata(api))
  app.post('/mcp', protect(api, { scope: 'planner:use' }), express.json(), async (req, res) => {
    const access_token = req.get('authorization')!.replace(/^(Bearer|DPoP) /i, '')
    const calendar = vault.connection({ connector: 'calendar', access_token, exchange: true, actions: ['read'] })
    const server = createTools((path) => calendar.fetch(path))
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
    await server.connect(transport as Parameters<McpServer['connect']>[0])
    await transport.handleRequest(req, res, req.body)
  })
  // It keeps no session, and has nothing to say of itself.
  app.all('/mcp', (_, res) => void res.status(405).end())
  app.use(answerRefusals())
  const server = app.listen(port, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return { resource, ...listening(server) }
}

function createTools(ask: (path: string) => Promise<Response>): McpServer {
  const server = new McpServer({ name: 'planner', version: '1.0.0' })
  const say = (text: string) => ({ content: [{ type: 'text' as const, text }] })
  server.registerTool('hello', { description: 'Says hello' }, () => say('Hello.'))
  server.registerTool('next_meeting', { description: 'The next meeting' }, async () => {
    try {
      const answer = await ask('/next')
      return say(await answer.text())
    } catch (error) {
      if (!(error instanceof VaultError && error.connect_url)) throw error
      const { connect_url: url, error_description: message } = error
      throw new UrlElicitationRequiredError([{ mode: 'url', elicitationId: randomUUID(), url, message }])
    }
  })
  return server
}

function listening(server: ReturnType<typeof createServer>): Listening {
  const { port } = server.address() as { port: number }
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve()) && server.closeAllConnections()),
  }
}
