import { ConfigError } from '../config/config_error.ts'
import { readTag } from '../languages/languages.ts'
import type { Log } from '../web/log.ts'
import { createLanguages } from '../web/ui/text/languages.ts'
import type { CommandConfig } from './command_config.ts'
import { readLanguages } from './data_folder.ts'

/**
 * `language TAG`: prints every message of a language as a file for the data folder, those that nobody has translated in
 * English; what a file that is there says wrong is told beside it, and 1 says that there is something.
 */
export async function printLanguage({ config }: CommandConfig, asked: string): Promise<number> {
  const tag = readTag(asked)
  if (tag === undefined) throw new ConfigError([`${asked} is no tag of a language, such as fr or pt-BR`])
  const faults: string[] = []
  const unread: Log = { debug() {}, info() {}, error() {}, warn: (what) => faults.push(Object.values(what).join(': ')) }
  const own = readLanguages(config, unread)
  const languages = createLanguages(tag in own ? own : { ...own, [tag]: {} }, (fault) => faults.push(fault))
  process.stdout.write(`${JSON.stringify(languages.find(tag)!.text, null, 2)}\n`)
  for (const fault of faults) process.stderr.write(`${fault}\n`)
  return faults.length > 0 ? 1 : 0
}
