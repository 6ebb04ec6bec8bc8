const LONGEST = 500

// Controls, characters that change the direction of text or cannot be seen, and halves of surrogate pairs.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]+/gu

/**
 * Makes text from another server fit to be stored and shown: no control characters, bounded length, and none of the
 * secrets that were sent, for some servers repeat them.
 */
export function cleanText(text: unknown, secrets: readonly string[] = []): string {
  if (typeof text !== 'string') return ''
  let clean = text.slice(0, LONGEST * 8)
  for (const secret of secrets) if (secret.length >= 4) clean = clean.replaceAll(secret, '[removed]')
  clean = clean.replace(UNPRINTABLE, ' ').replace(/\s+/g, ' ').trim()
  return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}...` : clean
}
