import assert from 'node:assert/strict'
import type { Browser, Page } from 'playwright-core'
import type { Transcript } from './transcript.ts'

/** Alice at her browser: does with real pages what a person would, and nothing else. */
export class Person {
  readonly #page: Page

  private constructor(page: Page) {
    this.#page = page
  }

  /** A fresh browser profile whose page loads are written down. */
  static async open(browser: Browser, transcript: Transcript): Promise<Person> {
    const context = await browser.newContext()
    const page = await context.newPage()
    page.on('response', (response) => {
      const request = response.request()
      if (request.resourceType() !== 'document') return
      const location = response.headers()['location']
      const to = location === undefined ? '' : transcript.redirect(new URL(location, request.url()).href)
      transcript.exchange('browser', request.method(), request.url(), '', response.status(), to)
    })
    return new Person(page)
  }

  async visit(url: string): Promise<void> {
    await this.#page.goto(url)
  }

  /** Where the browser is. */
  url(): string {
    return this.#page.url()
  }

  /** What the page says at one place. */
  async read(selector: string): Promise<string> {
    return (await this.#page.locator(selector).first().innerText()).replace(/\s+/g, ' ')
  }

  /** What the page offers to choose from. */
  async choices(): Promise<string[]> {
    const labels = await this.#page.locator('label.choice').allInnerTexts()
    return labels.map((label) => label.replace(/\s+/g, ' ').trim())
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.#page.fill('input[name=username]', username)
    await this.#page.fill('input[name=password]', password)
    await this.#page.press('input[name=password]', 'Enter')
    await this.#page.waitForLoadState()
  }

  /** Presses Allow or Cancel on the consent page. */
  async decide(decision: 'allow' | 'deny'): Promise<void> {
    await this.#page.click(`button[name=decision][value=${decision}]`)
    await this.#page.waitForLoadState()
  }

  /** Follows the consent page's link to connect an account first. */
  async connectOnConsent(connector: string): Promise<void> {
    await this.#page.click(`a[href*="/connect/${connector}"]`)
    await this.#page.waitForLoadState()
  }

  /** Signs in and consents on the foreign provider's own pages; ends on the first page that is ours again. */
  async signInAtForeign(username: string): Promise<void> {
    const { origin } = new URL(this.#page.url())
    for (let pages = 0; pages < 4 && new URL(this.#page.url()).origin === origin; pages++) {
      if (await this.#page.$('input[name=username]')) await this.#page.fill('input[name=username]', username)
      await this.#page.click('button[name=decision][value=allow]')
      await this.#page.waitForLoadState()
    }
  }

  /** The connected accounts on the account page. */
  async connections(): Promise<{ connection_id: string; state: string }[]> {
    await this.#page.goto(await this.#account())
    return this.#page.$$eval('input[name=connection_id]', (fields) =>
      fields.map((field) => ({
        connection_id: (field as HTMLInputElement).value,
        state: field.closest('li')?.textContent ?? '',
      })),
    )
  }

  /** Ends an app's access on the account page. */
  async endApp(client_id: string): Promise<void> {
    await this.#page.goto(await this.#account())
    const ending = this.#page.locator('form[action$="/account/apps/revoke"]')
    const form = ending.filter({ has: this.#page.locator(`input[name=client_id][value="${client_id}"]`) })
    const dialog = await this.#page
      .getByRole('dialog', { includeHidden: true })
      .filter({ has: form })
      .getAttribute('id')
    await this.#page.locator(`button[popovertarget="${dialog}"]`).first().click()
    await form.getByRole('button').last().click()
    await this.#page.waitForLoadState()
  }

  async #account(): Promise<string> {
    const cookies = await this.#page.context().cookies()
    const session = cookies.find(({ name }) => name.includes('sallyport_session'))
    assert.ok(session, 'nobody is signed in')
    return `${this.#ours}/account`
  }

  #ours = ''

  /** Where Sallyport is. */
  at(issuer: string): this {
    this.#ours = issuer
    return this
  }
}
