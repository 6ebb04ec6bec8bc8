/** One import of a source file: static, dynamic, re-export, `import('x')` in a type, or require. */
export interface Import {
  /** What stands between the quotes; undefined when it is computed at run time. */
  readonly specifier: string | undefined
  /** The words between `import` and `from`, empty for the other forms. */
  readonly names: string
  /** True when the whole statement disappears with the types. */
  readonly type: boolean
  readonly line: number
}

/** Reads the imports of a TypeScript module. TypeScript 7 has no compiler API, so this reads the text itself. */
export function readImports(source: string): Import[] {
  const code = maskText(source)
  const found: Import[] = []
  const add = (at: number, specifier: string | undefined, names: string) =>
    found.push({ specifier, names, type: /^type\b/.test(names), line: source.slice(0, at).split('\n').length })
  for (const match of code.matchAll(
    /(?<![.\w$])(?:import|export)\s*(type\b[^'"`;()=]*?|[^'"`;()=]*?)\s*\bfrom\s*(['"])( *)\2/g,
  )) {
    const start = match.index + match[0].length - match[3]!.length - 1
    add(match.index, source.slice(start, start + match[3]!.length), match[1]!.trim())
  }
  for (const match of code.matchAll(/(?<![.\w$])import\s*(['"])( *)\1/g)) {
    const start = match.index + match[0].length - match[2]!.length - 1
    add(match.index, source.slice(start, start + match[2]!.length), '')
  }
  for (const match of code.matchAll(/(?<![.\w$])(?:import\s*\(\s*(?:(['"])( *)\1)?|require\s*\(\s*(['"])( *)\3)/g)) {
    const text = match[2] ?? match[4]
    const start = match.index + match[0].length - (text?.length ?? 0) - 1
    add(match.index, text === undefined ? undefined : source.slice(start, start + text.length), '')
  }
  return found.sort((a, b) => a.line - b.line)
}

/** The source with every comment, and the inside of every string, template and regular expression, made of spaces. */
export function maskText(source: string): string {
  const out = source.split('')
  const blank = (from: number, to: number) => {
    for (let i = from; i < to; i++) if (out[i] !== '\n') out[i] = ' '
  }
  // For each open `${` of a template: how many braces are open inside it.
  const templates: number[] = []
  let previous = ''
  let at = 0
  while (at < source.length) {
    const char = source[at]!
    const pair = source.slice(at, at + 2)
    let end = at + 1
    if (pair === '//' || pair === '/*') {
      end = pair === '//' ? indexOr(source, '\n', at) : indexOr(source, '*/', at + 2) + 2
      blank(at, end)
    } else if (char === "'" || char === '"') {
      end = endOfString(source, at)
      blank(at + 1, end - 1)
      previous = char
    } else if (char === '`' || (char === '}' && templates.at(-1) === 0)) {
      if (char === '}') templates.pop()
      end = endOfTemplate(source, at + 1)
      const opens = source.startsWith('${', end - 2) && source[end - 1] === '{'
      if (opens) templates.push(0)
      blank(at + 1, opens ? end - 2 : end - 1)
      previous = opens ? '{' : '`'
    } else if (char === '/' && startsRegExp(source, at, previous)) {
      end = endOfRegExp(source, at)
      blank(at + 1, end - 1)
      previous = '/'
    } else {
      if (templates.length > 0 && char === '{') templates[templates.length - 1]!++
      if (templates.length > 0 && char === '}') templates[templates.length - 1]!--
      if (!/\s/.test(char)) previous = char
    }
    at = end
  }
  return out.join('')
}

function indexOr(source: string, text: string, from: number): number {
  const index = source.indexOf(text, from)
  return index < 0 ? source.length : index
}

function endOfString(source: string, start: number): number {
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === source[start] || source[at] === '\n') return at + 1
  }
  return source.length
}

/** The end of the text part of a template: behind its back quote, or behind the next `${`. */
function endOfTemplate(source: string, start: number): number {
  for (let at = start; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === '`') return at + 1
    else if (source.startsWith('${', at)) return at + 2
  }
  return source.length
}

// A slash divides after a value and begins a regular expression anywhere else.
function startsRegExp(source: string, at: number, previous: string): boolean {
  if (/[\w$]/.test(previous))
    return /\b(?:return|typeof|case|in|of|await|yield|void|new|else)\s*$/.test(source.slice(Math.max(0, at - 12), at))
  return previous === '' || !')]}\'"`/'.includes(previous)
}

function endOfRegExp(source: string, start: number): number {
  let inClass = false
  for (let at = start + 1; at < source.length; at++) {
    const char = source[at]
    if (char === '\\') at++
    else if (char === '\n') return at
    else if (char === '[') inClass = true
    else if (char === ']') inClass = false
    else if (char === '/' && !inClass) return at + 1
  }
  return source.length
}
