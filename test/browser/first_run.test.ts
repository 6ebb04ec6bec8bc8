import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../parts/chromium.ts'
import { type PastedProgram, runPasted } from '../parts/pasted.ts'
import { startProgram } from '../parts/program.ts'
import { freePort } from '../parts/sallyport.ts'
import { Visitor } from '../parts/visitor.ts'

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
    const redirect_uri = `http://127.0.0.1:${await freePort()}/callback`
    const person = await Visitor.open(running.browser, { javaScriptEnabled })
    let app: PastedProgram | undefined
    try {
      const [link] = await program.waitFor(/http:\/\/localhost:\d+\/setup\?token=[\w-]+/)
      await program.waitFor(/listening/)

      await person.visit(link)
      await person.fill('username', 'root')
      await person.fill('password', 'correct horse battery')
      await person.press('Create administrator')
      assert.equal(await person.heading(), 'Is this the address of your server?')
      assert.match(await person.page.locator('main').innerText(), /Your browser came to this address/)
      await person.press('Register the first client')

      await person.fill('client_name', 'First app')
      await person.fill('redirect_uris', redirect_uri)
      await person.press('Create client')
      assert.equal(await person.heading(), 'First app is registered')

      // One step: the code that stands on the page is pasted into a file, the key into its environment.
      person.steps++
      const [, CLIENT_KEY] = await person.page.locator('.copyable').allInnerTexts()
      const code = await person.page.locator('details[open] pre').innerText()
      app = await runPasted(code, { CLIENT_KEY: CLIENT_KEY! })
      const [, login] = await app.waitFor(/^Open (\S+)$/m)

      await person.visit(login!)
      assert.equal(await person.heading(), 'Allow First app to use your account?')
      await person.press('Allow')
      assert.match(await person.page.locator('body').innerText(), /"signed_in":\{.*"sub":/)
      assert.ok(person.steps <= MOST_STEPS, `${person.steps} steps`)

      const again = await fetch(link)
      assert.equal(again.status, 403)
      assert.match(await again.text(), /has been used or has expired/)
    } finally {
      await app?.stop()
      await program.stop()
      await rm(cwd, { recursive: true, force: true })
    }
    await person.close()
  })
}
