import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createResource, type Resource } from '@sallyport/sdk'
import { answerRefusals, protect, serveMetadata } from '@sallyport/sdk/express'
import express from 'express'
import type { TestServer } from './sallyport.ts'

/** An MCP server of somebody's: tools over HTTP, protected by our SDK. */
export interface ProtectedMcpServer {
  /** Its resource identifier, and where it is. */
  readonly url: string
  readonly api: Resource
  stop(): Promise<void>
}

/**
 * Starts one and registers it as a resource: `whoami` needs `notes:read`, which goes without saying there, and `erase`
 * needs `notes:write` as well.
 */
export async function startMcpServer(sallyport: TestServer): Promise<ProtectedMcpServer> {
  const app = express()
  const listening = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => listening.once('listening', resolve))
  const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/mcp`
  await sallyport.addResource({
    resource: url,
    name: 'Notes',
    scopes: JSON.stringify({ 'notes:read': 'Read your notes', 'notes:write': 'Change your notes' }),
    default_scopes: '["notes:read"]',
  })
  const api = createResource({
    resource: url,
    issuer: sallyport.issuer,
    scopes_supported: ['notes:read', 'notes:write'],
  })
  app.use(serveMetadata(api))
  app.all('/mcp', protect(api, { scope: 'notes:read' }), express.json(), async (req, res, next) => {
    try {
      if (req.body?.params?.name === 'erase') api.require(req.access!, { scope: 'notes:read notes:write' })
      const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
      await createTools(req.access!.sub ?? '').connect(transport as Parameters<McpServer['connect']>[0])
      await transport.handleRequest(req, res, req.body)
    } catch (error) {
      next(error)
    }
  })
  app.use(answerRefusals())
  return {
    ...{ url, api },
    stop: () =>
      new Promise((resolve) => {
        listening.close(() => resolve())
        listening.closeAllConnections()
      }),
  }
}

function createTools(sub: string): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' })
  const say = (text: string) => ({ content: [{ type: 'text' as const, text }] })
  server.registerTool('whoami', { description: 'Who is asking' }, () => say(sub))
  server.registerTool('erase', { description: 'Erases the notes' }, () => say('erased'))
  return server
}
