/** A browser without a screen: keeps cookies, posts forms as a page of the server would, follows redirects within it. */
export class UserAgent {
  readonly cookies = new Map<string, string>()

  /** One request; redirects are not followed. */
  async request(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.cookies.size > 0)
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';')
      const [name, value] = [pair!.slice(0, pair!.indexOf('=')), pair!.slice(pair!.indexOf('=') + 1)]
      const gone = attributes.some((attribute) => /^ *expires=thu, 01 jan 1970/i.test(attribute))
      if (gone) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }

  /** Follows redirects for as long as they stay at the origin; answers the last response and where it was. */
  async follow(url: string, init: RequestInit = {}): Promise<{ url: string; response: Response }> {
    let here = url
    let response = await this.request(here, init)
    for (let hops = 0; hops < 10 && response.status >= 300 && response.status < 400; hops++) {
      const next = new URL(response.headers.get('location')!, here)
      if (next.origin !== new URL(url).origin) return { url: next.href, response }
      here = next.href
      response = await this.request(here)
    }
    return { url: here, response }
  }

  /** Fills in and posts a form of a page, as a browser would: the first that holds the text, of whatever form. */
  async submit(
    page: { url: string; html: string },
    values: Record<string, string>,
    holds = '',
  ): Promise<{ url: string; response: Response }> {
    const forms = page.html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)
    const form = forms.find(([whole]) => whole.includes(holds))
    if (!form) throw new Error(`no form with ${holds} on ${page.url}: ${page.html.slice(0, 500)}`)
    const body = new URLSearchParams()
    for (const [tag] of form[2]!.matchAll(/<input[^>]*>/g)) {
      const name = /name="([^"]*)"/.exec(tag)?.[1]
      const type = /type="([^"]*)"/.exec(tag)?.[1] ?? 'text'
      if (name === undefined || ((type === 'radio' || type === 'checkbox') && !/ checked/.test(tag))) continue
      body.set(name, decodeEntities(/value="([^"]*)"/.exec(tag)?.[1] ?? ''))
    }
    for (const [, name, text] of form[2]!.matchAll(/<textarea[^>]* name="([^"]*)"[^>]*>\n?([\s\S]*?)<\/textarea>/g)) {
      body.set(name!, decodeEntities(text!))
    }
    for (const [, name, options] of form[2]!.matchAll(/<select[^>]* name="([^"]*)"[^>]*>([\s\S]*?)<\/select>/g)) {
      const chosen = /<option value="([^"]*)" selected/.exec(options!) ?? /<option value="([^"]*)"/.exec(options!)
      body.set(name!, decodeEntities(chosen?.[1] ?? ''))
    }
    for (const [name, value] of Object.entries(values)) body.set(name, value)
    const action = new URL(decodeEntities(form[1]!), page.url).href
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      origin: new URL(page.url).origin,
    }
    return this.follow(action, { method: 'POST', headers, body: body.toString() })
  }

  /** Takes an authorization URL through sign-in and consent; answers the redirect back to the client. */
  async authorize(
    url: string,
    user: { username: string; password: string },
    decision: 'allow' | 'deny' = 'allow',
    choices: Record<string, string> = {},
  ): Promise<URL> {
    let at = await this.follow(url)
    for (let pages = 0; pages < 4; pages++) {
      if (new URL(at.url).origin !== new URL(url).origin) return new URL(at.url)
      const html = await at.response.text()
      if (/name="password"/.test(html)) at = await this.submit({ url: at.url, html }, user)
      else if (/name="decision"/.test(html))
        at = await this.submit({ url: at.url, html: consentForm(html) }, { decision, ...choices })
      else throw new Error(`neither sign-in nor consent at ${at.url} (${at.response.status}): ${html.slice(0, 2000)}`)
    }
    throw new Error(`the authorization request never came to an end: ${at.url}`)
  }
}

/** The form among several that holds the decision. */
function consentForm(html: string): string {
  const forms = html.match(/<form[\s\S]*?<\/form>/g) ?? []
  return forms.find((form) => form.includes('name="decision"')) ?? html
}

/** The text that a page shows for what stands in its markup. */
export function decodeEntities(text: string): string {
  return text
    .replace(/&quot;/g, '"')
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
}
