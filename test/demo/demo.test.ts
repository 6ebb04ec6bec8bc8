import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const DEMO = fileURLToPath(new URL('demo.ts', import.meta.url))

test('the demo tells the whole main job in under 30 s, and shows no secret of it', () => {
  const started = Date.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=sallyport-source', DEMO], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  assert.ok(Date.now() - started < 30_000, `it took ${Date.now() - started} ms`)
  assert.match(stdout, /\n11\. Alice ends the app's access/)
  // Whole tokens, codes and secrets are longer than what the transcript cuts values to.
  assert.doesNotMatch(stdout, /sp_(?:at|rt|ac|cs)_[\w-]{30}|eyJ[\w-]{30}|-of-the-demo|correct horse/)
})
