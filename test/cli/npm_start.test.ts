import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../parts/checks.ts'
import { freePort, startProgram } from '../parts/program.ts'

test('npm start serves, and SIGTERM to npm ends the server cleanly', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-npm-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  const env = { SALLYPORT_DATA_DIR: folder, PORT: String(port) }
  const npm = startProgram(['start', '--silent', '--', '--log-level', 'info'], { cwd: ROOT, env, command: ['npm'] })
  t.after(() => npm.stop('SIGKILL'))
  await npm.waitFor(/ listening /)
  const response = await fetch(`http://localhost:${port}/.well-known/openid-configuration`)
  assert.equal(((await response.json()) as { issuer: string }).issuer, `http://localhost:${port}`)
  await npm.stop('SIGTERM')
  await npm.waitFor(/ stopped\n/)
  await assert.rejects(fetch(`http://localhost:${port}/healthz`))
})
