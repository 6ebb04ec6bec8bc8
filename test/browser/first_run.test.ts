import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import * as oauth from 'openid-client'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../parts/chromium.ts'
import { startProgram } from '../parts/program.ts'
import { freePort } from '../parts/sallyport.ts'
import { Visitor } from '../parts/visitor.ts'
import { startWebApp } from '../parts/web_app.ts'

const MOST_STEPS = 12

let running: { browser: Browser; close(): Promise<void> }
before(async () => {
  running = await launchBrowser()
})
after(() => running?.close())

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? '' : ', without JavaScript'
  test(`6.3.2 from the link in the terminal to the first sign-in of an app in ${MOST_STEPS} steps${how}`, async () => {
    const cwd = await mkdtemp(path.join(tmpdir(), 'sallyport-first-run-'))
    const port = await freePort()
    const program = startProgram(['serve', '--port', String(port)], { cwd })
    const app = await startWebApp()
    const person = await Visitor.open(running.browser, { javaScriptEnabled })
    try {
      const [link] = await program.waitFor(/http:\/\/localhost:\d+\/setup\?token=[\w-]+/)
      await program.waitFor(/listening/)

      await person.visit(link)
      await person.fill('username', 'root')
      await person.fill('password', 'correct horse battery')
      await person.press('Create administrator')
      assert.equal(new URL(person.page.url()).pathname, '/admin')
      assert.equal(await person.heading(), 'Overview')

      await person.press('Clients')
      await person.press('New client')
      await person.fill('client_name', 'First app')
      await person.fill('redirect_uris', app.redirect_uri)
      await person.press('Create client')
      assert.equal(await person.heading(), 'First app is registered')

      // One step: the code that stands on the page is pasted into the app, the key into its environment.
      person.steps++
      const [, key] = await person.page.locator('.copyable').allInnerTexts()
      const { config } = await runSnippet(await person.page.locator('pre').innerText(), key!)
      app.configure(config)

      await person.visit(`${app.origin}/login`)
      assert.equal(await person.heading(), 'Allow First app to use your account?')
      await person.press('Allow')
      assert.equal(await person.heading(), 'Signed in as root')
      assert.ok(person.steps <= MOST_STEPS, `${person.steps} steps`)

      const again = await fetch(link)
      assert.equal(again.status, 403)
      assert.match(await again.text(), /has been used or has expired/)
    } finally {
      await app.close()
      await program.stop()
      await rm(cwd, { recursive: true, force: true })
    }
    await person.close()
  })
}

/** Runs the code that the console says is ready to paste, as it stands there. */
async function runSnippet(code: string, CLIENT_KEY: string): Promise<{ config: oauth.Configuration }> {
  const importLine = "import * as client from 'openid-client'\n"
  assert.ok(code.startsWith(importLine), code)
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  const run = new AsyncFunction('client', 'process', `${code.slice(importLine.length)}\nreturn { config, url }`)
  const made = (await run(oauth, { env: { CLIENT_KEY } })) as { config: oauth.Configuration; url: URL }
  assert.equal(made.url.searchParams.get('response_type'), 'code')
  return made
}
