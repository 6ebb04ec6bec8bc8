import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CommandError } from './exit_codes.ts'

// What begins a command of a terminal, breaks a line, or turns the order of what is read around.
const COMMANDS = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A text of somebody else as one line for a terminal, which does nothing but show it. */
export function printable(text: string): string {
  return text.replace(COMMANDS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Whether a person can be asked: never where a program reads or writes. */
export function isAttended(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

/** Asks on a terminal whether to go on; without one nobody is asked, and whoever wrote the command has decided. */
export async function confirm(question: string): Promise<void> {
  if (!isAttended()) return
  const answer = await ask(`${question} [y/N] `, process.stderr)
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing was changed')
}

/** Asks for a secret without showing it. */
export async function askSecret(what: string): Promise<string> {
  if (!isAttended()) throw new CommandError(`${what} is asked for on a terminal; a program gives it in a file`)
  process.stderr.write(`${what}: `)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const secret = await ask('', silent)
  process.stderr.write('\n')
  if (secret === '') throw new CommandError(`${what} must not be empty`)
  return secret
}

async function ask(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  try {
    return await lines.question(question)
  } finally {
    lines.close()
  }
}
