// What RFC 9110 section 9.2.1 calls safe.
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY'])

// By such a parameter many servers take one method for another: `_method`, `$httpMethod`, `X-HTTP-Method-Override`.
const NAMES_A_METHOD = /^x?(http)?method(override)?$/

/** What a request does at an API that tells it by methods: it reads where its method is safe, and nothing in its query names another. */
export function actionOf(method: string, query: string): 'read' | 'write' {
  return SAFE.has(method) && !query.split(/[?&;]/).some(namesMethod) ? 'read' : 'write'
}

function namesMethod(pair: string): boolean {
  const [name = ''] = pair.split('=')
  // Each byte by itself: what is not UTF-8 has a name as well.
  const decoded = name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return NAMES_A_METHOD.test(decoded.replace(/[^a-z]/gi, '').toLowerCase())
}
