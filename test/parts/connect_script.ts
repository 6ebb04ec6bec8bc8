import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'

const SOURCE = new URL('../../sdk/src/connect/connect.ts', import.meta.url)
const HEAD = '// Made of sdk/src/connect/connect.ts, the module @sallyport/sdk/connect, by npm run openapi.\n'

/** The script that pages of platforms load from a server: the module of the SDK without its types and comments. */
export function writeConnectScript(): string {
  const bare = stripTypeScriptTypes(readFileSync(SOURCE, 'utf8'))
    .replaceAll(/\/\*\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
    .split('\n')
    // Where a type stood there are blanks as long as it was; a line may have been nothing but a type.
    .map((line) => line.replaceAll(/(?<=\S) {2,}(?=\{)/g, ' ').replaceAll(/(?<=\S) {2,}(?=[,)=;]|$)/g, ''))
    .filter((line) => !/^\s*;?$/.test(line))
  return `${HEAD}${bare.join('\n')}\n`
}
