import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { createResource } from '@sallyport/sdk'

/** A small API of the platform, protected by the SDK: it asks Sallyport about each opaque token. */
export async function startProtectedApi(options: {
  port: number
  issuer: string
  client_id: string
  client_secret: string
}): Promise<{ resource: string; close(): Promise<void> }> {
  const resource = `http://127.0.0.1:${options.port}/notes`
  const { issuer, client_id, client_secret } = options
  const api = createResource({ resource, issuer, introspection: { client_id, client_secret } })
  const fetch = api.protect((_request, access) => Response.json({ notes: ['water the plants'], of: access.sub }), {
    scope: 'api:read',
  })
  const server = createServer(getRequestListener(fetch))
  await new Promise<void>((resolve) => server.listen(options.port, '127.0.0.1', resolve))
  return {
    resource,
    close: () => new Promise((resolve) => server.close(() => resolve()) && server.closeAllConnections()),
  }
}
