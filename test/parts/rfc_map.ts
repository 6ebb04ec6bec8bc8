/** Gives the text of a file of the repository, undefined when there is none. */
export type ReadText = (path: string) => string | undefined

/** Everything that is wrong with the map of clauses in docs/rfc.md, one sentence each; its header explains the format. */
export function checkRfcMap(markdown: string, readText: ReadText): string[] {
  const wrong: string[] = []
  let section = ''
  let rows = 0
  for (const [index, line] of markdown.split('\n').entries()) {
    if (line.startsWith('## ')) {
      section = line.slice(3)
      rows = 0
    }
    if (!line.startsWith('|') || section === '') continue
    rows++
    const cells = line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|'))
    if (rows === 1 && cells.join() !== 'clause,what it asks,file,test') wrong.push(`${section} has other columns`)
    if (rows <= 2) continue
    for (const what of checkRow(cells, readText)) wrong.push(`docs/rfc.md:${index + 1} (${section}) ${what}`)
  }
  if (section === '') wrong.push('docs/rfc.md has no section')
  return wrong
}

/** Everything that is wrong with the tests that a table names in its last column, as `path › title`. */
export function checkNamedTests(markdown: string, readText: ReadText): string[] {
  const named = markdown.split('\n').flatMap((line) => /\| ([^|]* › [^|]*) \|$/.exec(line)?.[1] ?? [])
  return named.length === 0 ? ['no table names a test'] : named.flatMap((name) => checkTest(name.trim(), readText))
}

function checkRow(cells: readonly string[], readText: ReadText): string[] {
  const [clause, asks, file, test] = cells
  if (cells.length !== 4 || !clause || !asks || !file || !test) return ['must have four filled columns']
  if (file === 'left out') {
    return test.includes('›') || test.split(' ').length < 4 ? [`leaves ${clause} out without a reason`] : []
  }
  const missing = file.split('<br>').filter((name) => readText(name.trim()) === undefined)
  const untested = test.split('<br>').flatMap((name) => checkTest(name.trim(), readText))
  return [...missing.map((name) => `names ${name}, which is not there`), ...untested]
}

function checkTest(name: string, readText: ReadText): string[] {
  const [path, title] = name.split(' › ', 2)
  if (!path || !title) return [`names a test without path and title: ${name}`]
  const source = readText(path)
  if (source === undefined) return [`names ${path}, which is not there`]
  return readTitles(source).has(title) ? [] : [`names a test that is not in ${path}: ${title}`]
}

/** The titles written out as the first argument of a call (`test`, or a function that calls it for both databases). */
export function readTitles(source: string): Set<string> {
  const calls = source.matchAll(/\w\(\s*(['"`])((?:\\.|(?!\1).)*)\1\s*,/g)
  return new Set([...calls].map((match) => match[2]!.replace(/\\(.)/g, '$1')))
}
