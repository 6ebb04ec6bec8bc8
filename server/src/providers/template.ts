import { SettingError } from './setting_error.ts'

/** What may stand in for a placeholder. */
export interface Placeholder {
  /** Shown to whoever has to give the value. */
  readonly label: string
  /**
   * `label` is one part of a host name, `host` a whole one, `segment` one part of a path, `base_url` a URL to which a
   * path is appended, `choice` one of a list.
   */
  readonly form: 'label' | 'host' | 'segment' | 'base_url' | 'choice'
  /** Hosts must be one of these or end with one that begins with a dot. */
  readonly suffixes?: readonly string[]
  readonly choices?: readonly string[]
  readonly default?: string
}

/** Values by placeholder. */
export type PlaceholderValues = Readonly<Record<string, string>>

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const HOST = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/i
const SEGMENT = /^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,127}$/

/**
 * Puts values into a URL template and makes sure that the result is the URL that the template draws: every value is of
 * its placeholder's form, and the parser reads the parts of the outcome exactly as they were written.
 */
export function expandUrl(
  template: string,
  placeholders: Readonly<Record<string, Placeholder>>,
  values: PlaceholderValues,
): string {
  const expanded = template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    if (!Object.hasOwn(placeholders, name)) {
      throw new SettingError(name, `Placeholder ${name} is not known to this provider`)
    }
    return valueFor(name, placeholders, values)
  })
  const url = URL.parse(expanded)
  // The parser changes what is not canonical: dot segments, backslashes, escapes, odd hosts, default ports.
  const canonical = url && (url.href === expanded || url.href === `${expanded}/`)
  if (!canonical || !/^https?:$/.test(url.protocol) || url.username + url.password + url.hash !== '') {
    throw new SettingError('placeholders', 'The values of the placeholders do not make a valid URL')
  }
  return expanded
}

/** Puts values into parameters. Braces that name no placeholder stay: a parameter may hold JSON. */
export function expandParams(
  params: Readonly<Record<string, string>>,
  placeholders: Readonly<Record<string, Placeholder>>,
  values: PlaceholderValues,
): Record<string, string> {
  const expand = (text: string) =>
    text.replace(/\{([^{}]*)\}/g, (braced, name: string) =>
      Object.hasOwn(placeholders, name) ? valueFor(name, placeholders, values) : braced,
    )
  return Object.fromEntries(Object.entries(params).map(([name, text]) => [name, expand(text)]))
}

/** Checks one value against its placeholder and brings it into canonical form. */
export function readPlaceholderValue(name: string, placeholder: Placeholder, value: string | undefined): string {
  if (value === undefined || value === '') throw new SettingError(name, `Value for ${name} is missing`)
  const read = readForm(placeholder, value)
  if (read === null) throw new SettingError(name, `Value for ${name} is not a valid ${placeholder.form}`)
  return read
}

/**
 * Reads a URL or host that a provider sent as the place of its API. It must be https on the default port under one of
 * the suffixes; the origin is all that is kept.
 */
export function readLearnedOrigin(value: unknown, suffixes: readonly string[]): string | null {
  if (typeof value !== 'string' || value.length > 2_048) return null
  const url = URL.parse(value.includes('://') ? value : `https://${value}`)
  if (url?.protocol !== 'https:' || url.port !== '' || url.username + url.password !== '') return null
  return HOST.test(url.hostname) && isUnder(url.hostname, suffixes) ? url.origin : null
}

function valueFor(
  name: string,
  placeholders: Readonly<Record<string, Placeholder>>,
  values: PlaceholderValues,
): string {
  const placeholder = placeholders[name]!
  return readPlaceholderValue(name, placeholder, Object.hasOwn(values, name) ? values[name] : placeholder.default)
}

function readForm(placeholder: Placeholder, value: string): string | null {
  const { form, suffixes = [], choices = [] } = placeholder
  if (form === 'choice') return choices.includes(value) ? value : null
  if (form === 'label') return LABEL.test(value) ? value.toLowerCase() : null
  if (form === 'segment') return SEGMENT.test(value) ? value : null
  if (form === 'host') {
    const host = value.toLowerCase()
    return HOST.test(host) && (suffixes.length === 0 || isUnder(host, suffixes)) ? host : null
  }
  return readBaseUrl(value, suffixes)
}

// Plain http and addresses pass here: whether they may be reached is for the egress guard and its allow list.
function readBaseUrl(value: string, suffixes: readonly string[]): string | null {
  if (value.length > 512 || !/^https?:\/\/[\x21-\x7e]+$/i.test(value)) return null
  const url = URL.parse(value)
  if (!url || url.username + url.password !== '' || /[?#@\\{}]/.test(value) || /[%;]|\/\//.test(url.pathname))
    return null
  const written = value.replace(/^[^/]*\/\/[^/]*/, (origin) => origin.toLowerCase())
  if (url.href !== written && url.href !== `${written}/`) return null
  return suffixes.length === 0 || isUnder(url.hostname, suffixes) ? url.href.replace(/\/$/, '') : null
}

function isUnder(host: string, suffixes: readonly string[]): boolean {
  return suffixes.some((suffix) => (suffix.startsWith('.') ? host.endsWith(suffix) : host === suffix))
}
