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
    // In pairs, so that what else the machine does falls on both alike.
    const gaps: number[] = []
    const times: number[] = []
    for (let i = 0; i < SAMPLES; i++) {
      const time: Record<string, number> = {}
      for (const kind of randomInt(2) === 0 ? ['known', 'unknown'] : ['unknown', 'known']) {
        time[kind] = await post(`${kind}${i % users}`)
      }
      gaps.push(time['known']! - time['unknown']!)
      times.push(time['unknown']!)
    }
    const { mean, variance, median, count } = describe(gaps)
    const t = mean / Math.sqrt(variance / count)
    const gap = Math.abs(median) / describe(times).median
    assert.ok(Math.abs(t) < 4.5, `t of the pairs is ${t.toFixed(2)}`)
    assert.ok(gap < 0.05, `the median pair is ${(gap * 100).toFixed(1)} % apart`)
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

/** Mean, variance and median without the outermost fortieth at each end: what the machine did then says nothing. */
function describe(all: readonly number[]): { mean: number; variance: number; median: number; count: number } {
  const cut = Math.floor(all.length / 40)
  const kept = all.toSorted((x, y) => x - y).slice(cut, all.length - cut)
  const count = kept.length
  const mean = kept.reduce((sum, value) => sum + value, 0) / count
  const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1)
  return { mean, variance, median: kept[count >> 1]!, count }
}
