import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCertificate } from '../parts/certificate.ts'

/** Where an agent says of itself what it is, by https, and where it waits for its answer on the user's computer. */
export interface AgentHome {
  readonly client_id: string
  readonly host: string
  readonly callback: string
  /** The certificate's file, for whoever has to trust it. */
  readonly ca_file: string
  close(): Promise<void>
}

/** Publishes a client ID metadata document, and listens for the browser. */
export async function startAgentHome(client_name: string): Promise<AgentHome> {
  const certificate = createCertificate(['127.0.0.1'])
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-agent-'))
  const ca_file = join(folder, 'ca.pem')
  await writeFile(ca_file, certificate.cert)
  const listener = createHttp((_, response) => response.end('<!doctype html><title>Agent</title>You may go back.'))
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const callback = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/callback`
  const publisher = createServer(certificate, (_, response) => {
    const document = { client_id, client_name, redirect_uris: [callback], token_endpoint_auth_method: 'none' }
    const grant_types = ['authorization_code', 'refresh_token']
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...document, grant_types }))
  })
  await new Promise<void>((resolve) => publisher.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(publisher.address() as AddressInfo).port}`
  const client_id = `https://${host}/agent.json`
  return {
    ...{ client_id, host, callback, ca_file },
    async close() {
      for (const server of [listener, publisher]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}
