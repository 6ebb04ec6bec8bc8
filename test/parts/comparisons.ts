import { maskText } from './imports.ts'

const isTest = (file: string) => file.endsWith('.test.ts')

// The last word of a name that stands for what a stranger may not learn piece by piece.
const SECRET = new Set(
  'secret hash hmac mac digest signature verifier challenge token fingerprint nonce cookie password code pepper salt otp'.split(
    ' ',
  ),
)
const LITERAL_RIGHT = /^\s*(undefined|null|true|false|typeof|['"`\d-])/
const LITERAL_LEFT = /(\bundefined|\bnull|\btrue|\bfalse|(?<!\[['"]\w+)['"`]|(?<![\w$])\d[\d_]*)\s*$/

/** What is compared by === and is no secret, by file and operand, each with its reason. */
const KNOWN: Readonly<Record<string, string>> = {
  'sdk/src/resource/sender_constraint.ts nonce': 'a nonce that has just been found to be a recent one',
  'sdk/src/vault/kept_token.ts access_token': 'which of our own tokens has failed',
  'server/src/oauth/client_credentials.ts client_secret': 'two spellings of what was sent',
  'server/src/oauth/distinguished_name.ts token': 'a part of a name',
  'server/src/oauth/dpop.ts hashAccessToken': 'a token against its hash, both of which have been sent',
  'server/src/store/sqlite.ts primaryCode': 'the number of an error',
  'server/src/relying/revocation.ts token': 'which of our own two tokens the caller has named',
  'server/src/web/admin/clients/client_secrets.ts seenSecret':
    'what a page has shown, behind the token against forgery',
}

/**
 * Comparisons of secrets that end at the first difference, one sentence each: `===` and its kin between two values of
 * which one is named like a secret, and comparisons of bytes other than equalBytes. A value against its own spelling
 * (`bytes.toString(...) !== text`) tells nothing of a secret.
 */
export function checkComparisons(tree: ReadonlyMap<string, string>): string[] {
  const wrong: string[] = []
  for (const [file, source] of tree) {
    if (isTest(file)) continue
    const masked = maskText(source)
    const lineOf = (index: number) => masked.slice(0, index).split('\n').length
    for (const { 0: sign, index } of masked.matchAll(/(?<![=!<>])[!=]==?(?![=>])/g)) {
      const [left, right] = [source.slice(0, index), source.slice(index + sign.length)]
      if (LITERAL_RIGHT.test(right) || LITERAL_LEFT.test(left) || /\.toString\([^()]*\)\s*$/.test(left)) continue
      const secret = [nameBefore(left), nameAfter(right)].find((name) => SECRET.has(lastWord(name)))
      if (secret === undefined || `${file} ${secret}` in KNOWN) continue
      wrong.push(`${file}:${lineOf(index)} compares ${secret} by ${sign}: equalBytes takes the same time for all`)
    }
    // The DER of a certificate (`x509.raw`) is public.
    for (const { 0: text, index } of masked.matchAll(/(?<!\braw)\.equals\(|\bBuffer\.compare\(|\.localeCompare\(/g)) {
      wrong.push(`${file}:${lineOf(index)} compares by ${text.slice(0, -1)}: equalBytes takes the same time for all`)
    }
  }
  return wrong
}

/** The name that a text ends with: of a variable, a member, or a function that was called. */
function nameBefore(text: string): string {
  let end = text.replace(/[\s!]+$/, '')
  for (let depth = 0; /[)\]]$/.test(end) && !/\[['"]\w+['"]\]$/.test(end); ) {
    let at = end.length - 1
    for (; at >= 0; at--) {
      if (/[)\]]/.test(end[at]!)) depth++
      else if (/[([]/.test(end[at]!) && --depth === 0) break
    }
    end = end.slice(0, Math.max(at, 0)).replace(/[\s!?.]+$/, '')
  }
  return /([\w$]+)(?:['"]\])?$/.exec(end)?.[1] ?? ''
}

/** The last name of the operand that a text begins with. */
function nameAfter(text: string): string {
  const path = /^[\s(!]*(?:await\s+)?([\w$]+(?:[?!]?\.[\w$]+|[?!.]*\[['"]\w+['"]\])*)/.exec(text)?.[1] ?? ''
  return /([\w$]+)(?:['"]\])?$/.exec(path)?.[1] ?? ''
}

/** The last word of a name: `secret` of `client_secret` and of `clientSecret`. */
function lastWord(name: string): string {
  return /(?:[A-Z]?[a-z0-9]+|[A-Z]+)$/.exec(name)?.[0].toLowerCase() ?? ''
}
