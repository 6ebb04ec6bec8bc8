import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ALICE, JWT_API, startPlatform } from '../parts/platform.ts'
import { freePort } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const CLI = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)

interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

const { stdout: help } = await promisify(execFile)(process.execPath, [CLI, '--help'])
// Versions before 0.2 test clients and servers of MCP alone.
const skip =
  !/^ {2}authorization /m.test(help) && 'the installed @modelcontextprotocol/conformance has no authorization command'

/** Runs every scenario for authorization servers, with somebody at a browser; answers the checks of each. */
async function runScenarios(args: readonly string[], folder: string): Promise<Map<string, Check[]>> {
  const child = spawn(process.execPath, [CLI, 'authorization', ...args, '--output-dir', folder])
  let said = ''
  let visited: Promise<unknown> | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk
    const url = /^(http:\/\/127\.0\.0\.1:\S+\/authorize\?\S+)\r?$/m.exec(said)?.[1]
    if (url === undefined || visited) return
    visited = new UserAgent().authorize(url, ALICE).then((back) => fetch(back))
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const code = await new Promise((resolve) => child.on('exit', resolve))
  await visited
  assert.equal(code, 0, said)
  const results = new Map<string, Check[]>()
  for (const file of await readdir(folder, { recursive: true })) {
    if (!file.endsWith('checks.json')) continue
    const checks = JSON.parse(await readFile(path.join(folder, file), 'utf8')) as Check[]
    results.set(path.dirname(file), checks)
  }
  return results
}

test('the MCP conformance suite finds nothing wrong with this authorization server', { skip }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-conformance-'))
  const p = await startPlatform({ path: '/hub', real_time: true })
  try {
    await p.server.saveSettings({
      metadata_documents: 'any',
      registration: 'open',
      dynamic_client_scopes: ['mcp:tools'],
    })
    await p.server.addResource({
      resource: JWT_API,
      scopes: JSON.stringify({ 'mcp:tools': 'Use the tools' }),
      default_scopes: '["mcp:tools"]',
    })
    const port = await freePort()
    await p.server.addClient({
      ...{ client_id: 'conformance', token_endpoint_auth_method: 'none', application_type: 'native' },
      ...{ redirect_uris: [`http://127.0.0.1:${port}/callback`], scope: 'mcp:tools', default_resource: JWT_API },
    })
    const args = ['--url', p.issuer, '--client-id', 'conformance', '--resource', JWT_API, '--port', String(port)]
    const results = await runScenarios(args, folder)
    assert.ok(results.size >= 2, [...results.keys()].join())
    for (const [scenario, checks] of results) {
      assert.ok(checks.length > 0, scenario)
      for (const { id, status, errorMessage } of checks) {
        assert.ok(status === 'SUCCESS' || status === 'INFO', `${scenario} ${id}: ${status} ${errorMessage ?? ''}`)
      }
    }
  } finally {
    await p.stop()
    await rm(folder, { recursive: true })
  }
})
