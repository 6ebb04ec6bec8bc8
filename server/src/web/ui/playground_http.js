// How the playground writes what it sends and gets: as HTTP, as a line for a shell, and as code.

/** A request as it goes over the wire, a parameter to a line. */
export function writeRequest({ method, url, headers, body }) {
  const { pathname, search, host } = new URL(url)
  const asked = search.replaceAll('&', '\n&')
  const lines = [`${method} ${pathname}${asked}`, `Host: ${host}`, ...Object.entries(headers).map(([k, v]) => `${k}: ${v}`)]
  if (body === undefined) return lines.join('\n')
  const written =
    typeof body === 'string'
      ? JSON.stringify(JSON.parse(body), null, 2)
      : String(body).replaceAll('&', '\n&')
  return `${lines.join('\n')}\n\n${written}`
}

/** An answer: its status, the headers that matter here, and its body. */
export function writeAnswer(answer, text, json) {
  const shown = ['content-type', 'cache-control', 'www-authenticate', 'dpop-nonce', 'location'].flatMap((name) => {
    const value = answer.headers.get(name)
    return value === null ? [] : [`${name}: ${value}`]
  })
  const body = Object.keys(json).length > 0 ? JSON.stringify(json, null, 2) : text
  return [`${answer.status} ${answer.statusText}`, ...shown, '', body].join('\n').trimEnd()
}

/** The same request for a shell. */
export function writeCurl({ method, url, headers, body, certificate }) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`
  // As the page sends it: curl would take brackets in it for many addresses.
  const parts = [`curl ${quote(URL.canParse(url) ? new URL(url).href : url)}`]
  if (/[[\]{}]/.test(url)) parts.push('--globoff')
  // By its data curl knows a POST, and by nothing else.
  const has_data = typeof body === 'string' || [...(body ?? [])].length > 0
  if (method !== (has_data ? 'POST' : 'GET')) parts.push(`-X ${method}`)
  if (certificate) parts.push('--cert app.pem', '--key app.key')
  for (const [name, value] of Object.entries(headers)) {
    if (name !== 'Content-Type' || typeof body === 'string') parts.push(`-H ${quote(`${name}: ${value}`)}`)
  }
  if (typeof body === 'string') parts.push(`--data-raw ${quote(body)}`)
  else for (const [name, value] of body ?? []) parts.push(`--data-urlencode ${quote(`${name}=${value}`)}`)
  return parts.join(' \\\n  ')
}

/** Code with its `{names}` replaced by what they stand for, written as the texts of a program. */
export const fillCode = (code, values) =>
  code.replace(/\{(\w+)\}/g, (hole, name) => (name in values ? JSON.stringify(values[name]) : JSON.stringify(hole)))

/** `{name}` becomes its value. */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '')

/** The parameters of a form; of a broken step some are others, or missing. */
export function fillForm(params, values, broken) {
  const filled = new URLSearchParams(params.map(({ name, value }) => [name, fill(value, values)]))
  for (const [name, value] of Object.entries(broken?.set ?? {})) {
    if (value === null) filled.delete(name)
    else filled.set(name, fill(value, values))
  }
  return filled
}

/** The same as a JSON object. */
export function fillObject(params, values, broken) {
  const set = Object.entries(broken?.set ?? {})
  const written = ({ json }, value) => (json ? fillJson(value, values) : fill(value, values))
  const filled = Object.fromEntries(params.map((one) => [one.name, written(one, one.value)]))
  for (const [name, value] of set) {
    if (value === null) delete filled[name]
    else filled[name] = written(params.find((one) => one.name === name) ?? {}, value)
  }
  return JSON.stringify(filled)
}

/** A header of an answer, or after # one parameter of it. */
export function readHeader({ headers }, name) {
  const [header, param] = name.split('#')
  const value = headers.get(header) ?? ''
  return param ? (new RegExp(`\\b${param}="([^"]*)"`).exec(value)?.[1] ?? '') : value
}

/** The object that a text of JSON is; without one there are no members. */
export function readJson(text) {
  try {
    const json = JSON.parse(text)
    return typeof json === 'object' && json !== null ? json : {}
  } catch {
    return {}
  }
}

/** What stands at a place such as `cnf.jkt` of an answer. */
export const at = (json, place) => place.split('.').reduce((inner, name) => inner?.[name], json)

/** The same with `{name}` replaced inside of a text of JSON. */
export const fillJson = (text, values) =>
  JSON.parse(text, (_, value) => (typeof value === 'string' ? fill(value, values) : value))
