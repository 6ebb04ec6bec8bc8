import assert from 'node:assert/strict'
import type { Browser, BrowserContext, BrowserContextOptions, Page, Response } from 'playwright-core'

/** Somebody at a browser: each thing that they do is counted, and whatever the browser complains about is kept. */
export class Visitor {
  readonly page: Page
  readonly context: BrowserContext
  /** What a person would count: pages opened, fields filled, buttons pressed. */
  steps = 0
  /** Violations of a policy, errors of scripts, requests to anywhere but loopback. */
  readonly complaints: string[] = []
  /** Every answer to this browser. */
  readonly answers: Response[] = []

  private constructor(context: BrowserContext, page: Page) {
    this.context = context
    this.page = page
  }

  /** A browser of their own, without cookies. */
  static async open(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await browser.newContext(options)
    // A script of the test's own, so that violations are seen that the console does not tell.
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
        console.error(`policy: ${violatedDirective} ${blockedURI}`)
      })
    })
    const visitor = new Visitor(context, await context.newPage())
    visitor.#watch(visitor.page)
    return visitor
  }

  /** Another tab of the same browser. */
  async openTab(): Promise<Visitor> {
    const tab = new Visitor(this.context, await this.context.newPage())
    tab.#watch(tab.page)
    return tab
  }

  async visit(url: string): Promise<void> {
    this.steps++
    await this.page.goto(url)
  }

  async fill(field: string, value: string): Promise<void> {
    this.steps++
    await this.page.fill(`[name="${field}"]`, value)
  }

  /** Presses a button or link, by what stands on it. */
  async press(label: string | RegExp): Promise<void> {
    this.steps++
    const exact = typeof label === 'string'
    const button = this.page.getByRole('button', { name: label, exact })
    await button
      .or(this.page.getByRole('link', { name: label, exact }))
      .filter({ visible: true })
      .first()
      .click()
    await this.page.waitForLoadState()
  }

  async signIn(user: { username: string; password: string }): Promise<void> {
    await this.fill('username', user.username)
    await this.fill('password', user.password)
    await this.press('Sign in')
  }

  /** What the page says first. */
  async heading(): Promise<string> {
    return (await this.page.locator('h1').first().innerText()).replaceAll(/\s+/g, ' ')
  }

  /** Ends the visit; whatever the browser complained about fails it. */
  async close(): Promise<void> {
    await this.context.close()
    assert.deepEqual(this.complaints, [])
  }

  #watch(page: Page): void {
    const { complaints } = this
    page.on('console', (message) => {
      // The browser says so of every page with a status of 400 and more.
      if (/^Failed to load resource: the server responded with a status of [45]/.test(message.text())) return
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('response', (response) => this.answers.push(response))
    page.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url())
      if (protocol !== 'data:' && !/^(127\.0\.0\.1|localhost)$/.test(hostname))
        complaints.push(`request to ${request.url()}`)
    })
  }
}
