import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ROOT } from './checks.ts'
import { type Program, startProgram } from './program.ts'

/** Code that somebody has pasted into a file, running. */
export type PastedProgram = Pick<Program, 'stdout' | 'stderr' | 'waitFor' | 'ended' | 'stop'>

/** Runs code as it stands, as a module that finds the packages of this workspace; its file goes when it ends. */
export async function runPasted(
  code: string,
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<PastedProgram> {
  const folder = await mkdtemp(path.join(ROOT, 'node_modules/.cache/pasted-'))
  const file = path.join(folder, 'app.mjs')
  await writeFile(file, code)
  const program = startProgram([file], { cwd: cwd ?? folder, env, command: [process.execPath] })
  void program.ended.finally(() => rm(folder, { recursive: true, force: true }))
  return program
}
