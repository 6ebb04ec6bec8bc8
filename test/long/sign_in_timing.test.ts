import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { type Platform, startPlatform } from '../parts/platform.ts'
import { UserAgent } from '../parts/user_agent.ts'

const SAMPLES = 2000
const PER_ACCOUNT = 8

test('6.3.8 CVE-2026-22746 the time of a refused sign-in does not tell whether the user exists', async () => {
  const p = await startPlatform()
  try {
    const users = SAMPLES / PER_ACCOUNT
    for (let i = 0; i < users; i++)
      await p.server.addUser({ username: `known${i}`, password: `known by user ${i} alone` })
    const post = await openLogin(p)
    for (let i = 0; i < 100; i++) await post(`warm${i}`)
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
    while (times.known.length < SAMPLES || times.unknown.length < SAMPLES) {
      const kind = randomInt(2) === 0 ? 'known' : 'unknown'
      if (times[kind].length === SAMPLES) continue
      times[kind].push(await post(`${kind}${times[kind].length % users}`))
    }
    const [a, b] = [describe(times.known), describe(times.unknown)]
    const t = (a.mean - b.mean) / Math.sqrt(a.variance / SAMPLES + b.variance / SAMPLES)
    const gap = Math.abs(a.median - b.median) / b.median
    assert.ok(Math.abs(t) < 4.5, `Welch t is ${t.toFixed(2)}`)
    assert.ok(gap < 0.05, `the medians are ${(gap * 100).toFixed(1)} % apart`)
  } finally {
    await p.stop()
  }
})

async function openLogin(p: Platform): Promise<(username: string) => Promise<number>> {
  const agent = new UserAgent()
  const page = await agent.follow(`${p.issuer}/login`)
  const csrf_token = /name="csrf_token" value="([^"]+)"/.exec(await page.response.text())![1]!
  const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
  return async (username) => {
    // As slowly as one address may guess.
    p.pass(7)
    const body = new URLSearchParams({ csrf_token, username, password: 'not the password' }).toString()
    const started = performance.now()
    const response = await agent.request(page.url, { method: 'POST', headers, body })
    await response.text()
    const time = performance.now() - started
    assert.equal(response.status, 401, username)
    return time
  }
}

/** Mean, variance and median, the slowest twentieth left out: what the machine did meanwhile says nothing. */
function describe(all: readonly number[]): { mean: number; variance: number; median: number } {
  const times = all.toSorted((x, y) => x - y).slice(0, Math.floor(all.length * 0.95))
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (times.length - 1)
  return { mean, variance, median: times[times.length >> 1]! }
}
