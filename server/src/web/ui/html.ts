/**
 * Pages are made with one template tag that escapes by position. It is our own and not hono/html for three reasons:
 * it is synchronous, so a page is a value; what counts as safe carries a private field and cannot be forged by data;
 * and it knows where each hole stands, so a URL attribute checks its scheme and a hole in a place where no escaping
 * is right (script, style, tag name, unquoted or event attribute) is an error of the template. There is no `raw()`.
 */
class Markup {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toString(): string {
    return this.#text
  }
  static textOf(value: unknown): string | undefined {
    return typeof value === 'object' && value !== null && #text in value ? value.#text : undefined
  }
}

class AttributeList {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  static textOf(value: unknown): string | undefined {
    return typeof value === 'object' && value !== null && #text in value ? value.#text : undefined
  }
}

/** Markup that came out of a template literal; `String(page)` is the document. */
export type SafeHtml = Markup

/** Attributes made by `attrs`. */
export type Attributes = AttributeList

/** What may stand between tags. Text is escaped, `false`, `null` and `undefined` are nothing, lists are joined. */
export type Child = SafeHtml | string | number | false | null | undefined | readonly Child[]

/** The place of a hole: between tags, inside a tag, or inside the double quotes of a named attribute. */
type Place = { in: 'text' } | { in: 'tag' } | { in: 'attribute'; name: string }

const URL_ATTRIBUTES = new Set(['href', 'src', 'action', 'formaction', 'poster', 'cite', 'data', 'ping', 'background'])
const SCRIPTABLE_ATTRIBUTE = /^(on.*|style|srcdoc|srcset|http-equiv|xlink:href)$/
const REFUSED_URL = 'about:invalid'
const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const placesOf = new WeakMap<TemplateStringsArray, Place[]>()

/** The tag: `` html`<p>${text}</p>` ``. Every hole is escaped for the place where it stands. */
export function html(strings: TemplateStringsArray, ...values: (Child | Attributes)[]): SafeHtml {
  const places = placesOf.get(strings) ?? findPlaces(strings)
  placesOf.set(strings, places)
  let text = strings[0] ?? ''
  for (const [index, value] of values.entries()) {
    text += fill(places[index]!, value) + strings[index + 1]
  }
  return new Markup(text)
}

/** Attributes that depend on data, for use inside a tag: `<input ${attrs({ checked })}>`. True stands alone, false is left out. */
export function attrs(values: Readonly<Record<string, string | number | boolean | undefined>>): Attributes {
  let text = ''
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === false) continue
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new TypeError(`${name} is no attribute name`)
    text += value === true ? ` ${name}` : ` ${name}="${escapeAttribute(name, value)}"`
  }
  return new AttributeList(text)
}

/**
 * The URL if a page may link to it: http, https, the setup of an authenticator app, or a path, query or fragment of this
 * server. Everything else is undefined: other schemes, `//host`, and what browsers read differently (backslash, blank,
 * control characters).
 */
export function href(url: string): string | undefined {
  if (/[\0-\x20\x7f-\x9f\\]/.test(url)) return undefined
  return /^(https?:\/\/[^/?#]|otpauth:\/\/totp\/|\/(?!\/)|[?#])/i.test(url) ? url : undefined
}

/** What a page may load: a path of this server, or a data URL of a raster picture (never SVG). Nothing of third parties. */
export function source(url: string): string | undefined {
  if (/^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$/.test(url)) return url
  return url.startsWith('/') ? href(url) : undefined
}

/** Escapes text for any place between tags and inside double quotes. */
export function escapeText(text: string): string {
  return /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => ESCAPES[character]!) : text
}

function fill(place: Place, value: Child | Attributes): string {
  if (place.in === 'text') return childText(value)
  if (place.in === 'tag') {
    const text = AttributeList.textOf(value)
    if (text === undefined) throw new TypeError('Inside a tag only attrs() may stand')
    return text
  }
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new TypeError(`Attribute ${place.name} takes a string or a number`)
  }
  return escapeAttribute(place.name, value)
}

function childText(value: Child | Attributes): string {
  if (value === undefined || value === null || value === false) return ''
  if (typeof value === 'string') return escapeText(value)
  if (typeof value === 'number') return String(value)
  if (Array.isArray(value)) return value.map(childText).join('')
  const text = Markup.textOf(value)
  if (text === undefined) throw new TypeError('Between tags stand text, numbers, markup and lists of them')
  return text
}

function escapeAttribute(name: string, value: string | number): string {
  if (SCRIPTABLE_ATTRIBUTE.test(name)) throw new TypeError(`Attribute ${name} takes no data`)
  if (!URL_ATTRIBUTES.has(name)) return escapeText(String(value))
  return escapeText((name === 'src' ? source(String(value)) : href(String(value))) ?? REFUSED_URL)
}

/** Reads the fixed parts of a template once, and says where each hole stands. */
function findPlaces(strings: TemplateStringsArray): Place[] {
  // The content of these two is not HTML: no escaping makes data safe there, so it must be empty.
  if (/<(script|style)\b[^>]*>(?!<\/\1>)/i.test(strings.join('\0'))) throw new TypeError('script and style stay empty')
  const places: Place[] = []
  let place: Place = { in: 'text' }
  for (const [index, part] of strings.entries()) {
    place = placeAfter(place, part)
    if (index === strings.length - 1) break
    if (place.in === 'attribute') {
      if (SCRIPTABLE_ATTRIBUTE.test(place.name)) throw new TypeError(`Attribute ${place.name} takes no data`)
      if (URL_ATTRIBUTES.has(place.name) && !part.endsWith('"')) {
        throw new TypeError(`Attribute ${place.name} takes a whole URL from one hole`)
      }
    }
    places.push(place)
  }
  if (place.in !== 'text') throw new TypeError(`A template ends inside a tag: ${strings.at(-1)}`)
  return places
}

/** One fixed part, from the place where it starts to the place where it ends. */
function placeAfter(start: Place, part: string): Place {
  let place = start
  let rest = part
  while (rest !== '') {
    const step = place.in === 'text' ? afterText(rest) : place.in === 'tag' ? afterTag(rest) : afterQuote(rest)
    rest = step.rest
    place = step.place ?? place
  }
  return place
}

interface Step {
  rest: string
  place?: Place
}

function afterText(rest: string): Step {
  const tag = /<(!doctype|\/?[a-z][a-z0-9]*)(?=[\s/>]|$)|</i.exec(rest)
  if (!tag) return { rest: '' }
  if (tag[1] === undefined) throw new TypeError(`A < stands where no tag begins: ${rest}`)
  return { rest: rest.slice(tag.index + tag[0].length), place: { in: 'tag' } }
}

function afterTag(rest: string): Step {
  const token = /^(?:\s+|\/|>|([^\s"'<>=/]+)(?:="|(?=[\s/>]|$)))/.exec(rest)
  if (!token) throw new TypeError(`Attributes are written name="value": ${rest}`)
  const after = rest.slice(token[0].length)
  if (token[0] === '>') return { rest: after, place: { in: 'text' } }
  if (token[0].endsWith('="')) return { rest: after, place: { in: 'attribute', name: token[1]!.toLowerCase() } }
  return { rest: after }
}

function afterQuote(rest: string): Step {
  const end = rest.indexOf('"')
  return end < 0 ? { rest: '' } : { rest: rest.slice(end + 1), place: { in: 'tag' } }
}
