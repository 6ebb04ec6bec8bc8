import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Runs a demo; answers what it printed. */
function run(file: string, within_ms: number): string {
  const started = Date.now()
  const path = fileURLToPath(new URL(file, import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=sallyport-source', path], {
    encoding: 'utf8',
    timeout: 2 * within_ms,
  })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  assert.ok(Date.now() - started < within_ms, `it took ${Date.now() - started} ms`)
  // Whole tokens, codes, links and secrets are longer than what the transcript cuts values to.
  assert.doesNotMatch(stdout, /sp_(?:at|rt|ac|cs)_[\w-]{30}|eyJ[\w-]{30}|request=[\w-]{30}|-of-the-demo|correct horse/)
  return stdout
}

test('the demo tells the whole main job in under 30 s, and shows no secret of it', () => {
  assert.match(run('demo.ts', 30_000), /\n11\. Alice ends the app's access/)
})

test('the demo of an agent tells the bridge from discovery to the end in under 60 s, and shows no secret of it', () => {
  assert.match(
    run('agent.ts', 60_000),
    /connection\.allowed[\s\S]*connection\.used[\s\S]*consent\.withdrawn[\s\S]*grants 1/,
  )
})
