import { once } from 'node:events'
import { globSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { ROOT } from './checks.ts'
import { writeTar } from './tar.ts'

/**
 * A registry for npm on loopback that holds what this checkout has installed, so that a test can run a real
 * `npm install` in an empty project without a network.
 */
export async function startRegistry(): Promise<{ url: string; stop(): Promise<void> }> {
  const lock: { packages: Record<string, Record<string, unknown>> } = JSON.parse(
    readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8'),
  )
  const places = Object.keys(lock.packages).filter(
    (place) => place.includes('node_modules/') && !lock.packages[place]!['link'],
  )

  const describe = (name: string) => {
    const versions: Record<string, unknown> = {}
    for (const place of places.filter((one) => one.endsWith(`node_modules/${name}`))) {
      const { version, resolved, integrity, dev, optional, devOptional, peer, ...fields } = lock.packages[place]!
      const tarball = `${url}/-/${encodeURIComponent(place)}.tgz`
      versions[String(version)] = { ...fields, name, version, dist: { tarball } }
    }
    const latest = Object.keys(versions).at(-1)
    return latest === undefined ? undefined : JSON.stringify({ name, 'dist-tags': { latest }, versions })
  }

  const server = createServer(async (request, response) => {
    const asked = decodeURIComponent(request.url!.slice(1))
    if (asked.startsWith('-/')) return response.end(await packFolder(path.join(ROOT, asked.slice(2, -4))))
    const found = describe(asked)
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(found ?? '{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { url, stop }
}

async function packFolder(folder: string): Promise<Buffer> {
  const names = globSync('**', { cwd: folder, exclude: (name) => path.basename(name) === 'node_modules' })
  const files = names.filter((name) => statSync(path.join(folder, name)).isFile())
  const entries = files.map((name) => ({
    name: `package/${name}`,
    mode: statSync(path.join(folder, name)).mode & 0o777,
    data: readFileSync(path.join(folder, name)),
  }))
  return promisify(gzip)(writeTar(entries), { level: 1 })
}
