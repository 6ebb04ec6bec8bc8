/** Prints what happens so that a person can follow it: steps, and under each its HTTP exchanges with secrets shortened. */
export class Transcript {
  #step = 0
  /** Nothing is printed of what happens many times over. */
  muted = false
  readonly #names = new Map<string, string>()

  /** Gives an origin a name of its own in what is printed. */
  name(origin: string, name: string): void {
    this.#names.set(new URL(origin).origin, name)
  }

  step(sentence: string): void {
    process.stdout.write(`\n${String(++this.#step).padStart(2)}. ${sentence}\n`)
  }

  /** What somebody does or reads. */
  say(sentence: string): void {
    process.stdout.write(`      ${sentence}\n`)
  }

  /** A fact that was checked. */
  check(sentence: string): void {
    process.stdout.write(`      ✔ ${sentence}\n`)
  }

  /** One exchange: who asked, for what, and the answer. */
  exchange(who: string, method: string, url: string, sent: string, status: number, answer: string): void {
    if (this.muted) return
    process.stdout.write(`      ${who}: ${method} ${this.#show(url)}${sent === '' ? '' : `  ${sent}`}\n`)
    process.stdout.write(`        → ${status}${answer === '' ? '' : `  ${answer}`}\n`)
  }

  /** A fetch that prints what passes through it. */
  fetch(who: string): typeof fetch {
    return async (input, init) => {
      const request = new Request(input, init)
      const body = request.body ? await request.clone().text() : ''
      const sent = body.startsWith('{') ? shortenJson(body) : shortenForm(body)
      const response = await fetch(request)
      const text = await response.clone().text()
      const header = response.headers.get('www-authenticate')
      const answer = response.status === 401 && header ? header : shortenJson(text)
      this.exchange(who, request.method, request.url, sent, response.status, answer)
      return response
    }
  }

  /** A URL with its long values cut, its origin by name. */
  #show(url: string): string {
    const { origin, pathname, search } = new URL(url)
    const query = search === '' ? '' : `?${shortenForm(search.slice(1))}`
    return `${this.#names.get(origin) ?? origin}${pathname}${query}`
  }

  redirect(url: string): string {
    return this.#show(url)
  }
}

const LONGEST = 28

/** A value short enough to read and too short to use. */
export function shorten(value: string): string {
  if (/^https?:[^ ?]+\?/.test(value)) return value.replace(/\?.*/, (query) => `?${shortenForm(query.slice(1))}`)
  return value.length > LONGEST && !value.includes(' ') && !/^https?:/.test(value)
    ? `${value.slice(0, 6)}…${value.slice(-4)}`
    : value
}

function shortenForm(form: string): string {
  return [...new URLSearchParams(form)]
    .map(([name, value]) => `${name}=${/secret|password/.test(name) ? '…' : shorten(value)}`)
    .join('&')
}

function shortenJson(text: string): string {
  try {
    const flat = JSON.stringify(JSON.parse(text), (_, value) => (typeof value === 'string' ? shorten(value) : value))
    return flat.length > 260 ? `${flat.slice(0, 260)}…` : flat
  } catch {
    return text.startsWith('<') ? '(a page)' : text.trim().slice(0, 120)
  }
}
