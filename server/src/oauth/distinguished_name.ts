import type { Rdn } from '../crypto/certificate.ts'

// RFC 4514 section 3, and the names that certificates of machines have besides.
const TYPES: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  C: '2.5.4.6',
  STREET: '2.5.4.9',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
  SERIALNUMBER: '2.5.4.5',
  EMAILADDRESS: '1.2.840.113549.1.9.1',
  ORGANIZATIONIDENTIFIER: '2.5.4.97',
  SN: '2.5.4.4',
  GN: '2.5.4.42',
  T: '2.5.4.12',
}

const ATTRIBUTE = /^ *([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+) *= *((?:[^\\,+"<>;]|\\[0-9A-Fa-f]{2}|\\[ "#+,;<=>\\])*?) *$/

/** Reads the text of a distinguished name (RFC 4514 section 3); null when it is none. */
export function readDistinguishedName(text: string): readonly Rdn[] | null {
  const rdns: Rdn[] = []
  for (const rdn of splitUnescaped(text, ',')) {
    const attributes: [string, string][] = []
    for (const part of splitUnescaped(rdn, '+')) {
      const [, type = '', value = ''] = ATTRIBUTE.exec(part) ?? []
      const oid = /^\d/.test(type) ? type : TYPES[type.toUpperCase()]
      if (oid === undefined || value === '') return null
      attributes.push([oid, unescapeValue(value)])
    }
    rdns.push(attributes)
  }
  return rdns
}

/** Whether two names have the same parts in the same order; values are compared as they are, letter by letter. */
export function isSameName(a: readonly Rdn[], b: readonly Rdn[]): boolean {
  return writeDown(a) === writeDown(b)
}

// The attributes of one part have no order (X.501 section 9.3).
function writeDown(name: readonly Rdn[]): string {
  return JSON.stringify(name.map((rdn) => rdn.map((attribute) => JSON.stringify(attribute)).sort()))
}

function splitUnescaped(text: string, separator: ',' | '+'): string[] {
  const parts = ['']
  for (const token of text.match(/\\.|[^\\]|\\$/gsu) ?? []) {
    if (token === separator) parts.push('')
    else parts[parts.length - 1] += token
  }
  return parts
}

// A pair of hexadecimal digits is a byte of UTF-8.
function unescapeValue(value: string): string {
  return value
    .replace(/(?:\\[0-9A-Fa-f]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('\\', ''), 'hex').toString('utf8'))
    .replace(/\\(.)/g, '$1')
}
