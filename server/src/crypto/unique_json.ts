const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g

/**
 * Parses JSON that names each member of an object once (RFC 8259 section 4, RFC 7515 section 4): of two, one parser
 * takes the first and another the last, so whoever sends both says two things at once. Throws a SyntaxError.
 */
export function parseUniqueJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  // The text is known to be JSON, so strings and brackets are all that has to be told apart.
  const open: (Set<string> | null)[] = []
  let before = ''
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(null)
    else if (token === '}' || token === ']') open.pop()
    else if (token !== ',' && (before === '{' || before === ',')) addName(open.at(-1), token)
    before = token
  }
  return value
}

function addName(names: Set<string> | null | undefined, token: string): void {
  if (!names) return
  const name = JSON.parse(token) as string
  if (names.has(name)) throw new SyntaxError('a member is given twice')
  names.add(name)
}
