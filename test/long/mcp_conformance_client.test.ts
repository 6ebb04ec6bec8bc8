import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const SUITE = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)
const CLIENT = fileURLToPath(new URL('../parts/mcp_outbound_client.ts', import.meta.url))
const AT_ONCE = 2

/** What this client does not pass, and why: each names what it is about, and a pass makes the entry false. */
const NOT_PASSED: Readonly<Record<string, string>> = {
  'auth/enterprise-managed-authorization':
    'exchanges the ID token of a company for an assertion (ID-JAG): connections are made by consent, by a client, or by a key of ours',
  'auth/wif-jwt-bearer':
    'takes an assertion that a workload was given: a connector signs its own, and is never handed one that lives for minutes',
  'request-metadata': 'the versions of MCP itself that a client falls back to; nothing of tokens',
  'sep-2322-client-request-state': 'the rounds of MCP itself in which a tool asks back; nothing of tokens',
  'http-custom-headers': 'the headers of MCP itself that a tool describes; nothing of tokens',
  'http-invalid-tool-headers': 'as http-custom-headers',
}

interface Outcome {
  readonly scenario: string
  readonly passed: boolean
  readonly checks: readonly [succeeded: number, of: number]
  readonly said: string
}

let folder: string
const outcomes: Outcome[] = []
const suites = new Map<string, string[]>()

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-conformance-client-'))
  const { stdout } = await promisify(execFile)(process.execPath, [SUITE, 'list', '--client'])
  const scenarios = [...stdout.matchAll(/^ {2}- (\S+) \[(.*)\]$/gm)].map(
    ([, name, versions]) => [name!, versions!] as const,
  )
  const named = (fits: (name: string, versions: string) => boolean) =>
    scenarios.flatMap(([name, versions]) => (fits(name, versions) ? name : []))
  suites.set(
    'auth',
    named((name, versions) => name.startsWith('auth/') && versions.includes('2025-')),
  )
  suites.set(
    'draft',
    named((_, versions) => versions === '2026-07-28'),
  )
  suites.set(
    'extensions',
    named((name, versions) => name.startsWith('auth/') && versions === 'extension'),
  )
  const waiting = [...suites.values()].flat()
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) outcomes.push(await run(next))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
})
after(() => rm(folder, { recursive: true }))

/** One scenario of the suite, with a client of its own. */
async function run(scenario: string): Promise<Outcome> {
  const command = `${process.execPath} ${CLIENT}`
  const child = spawn(process.execPath, [SUITE, 'client', '--command', command, '--scenario', scenario, '-o', folder])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
  const code = await new Promise((resolve) => child.on('exit', resolve))
  const [, succeeded = '0', of = '0'] = /^Passed: (\d+)\/(\d+)/m.exec(said) ?? []
  return { scenario, passed: code === 0, checks: [Number(succeeded), Number(of)], said }
}

for (const suite of ['auth', 'draft', 'extensions']) {
  test(`the MCP conformance suite ${suite} of clients, over the outbound half`, (t) => {
    const scenarios = suites.get(suite)!
    assert.ok(scenarios.length >= 6, scenarios.join())
    const ran = outcomes.filter(({ scenario }) => scenarios.includes(scenario))
    const passed = ran.filter((outcome) => outcome.passed)
    const sum = (index: 0 | 1) => ran.reduce((total, { checks }) => total + checks[index], 0)
    t.diagnostic(`${suite}: ${passed.length} of ${ran.length} scenarios, ${sum(0)} of ${sum(1)} checks`)
    for (const { scenario, passed, said } of ran) {
      const reason = NOT_PASSED[scenario]
      if (!passed) t.diagnostic(`${scenario}: ${reason}`)
      assert.equal(passed, reason === undefined, `${scenario}\n${said}`)
    }
  })
}
