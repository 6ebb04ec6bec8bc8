/** What a command's exit code says; docs/command_line.md has the same. */
export const EXIT = {
  done: 0,
  /** Refused or failed: the sentence on the standard error says why. */
  failed: 1,
  /** `plan`: there is something to change. */
  differs: 2,
  /** Nobody is signed in there, or not as somebody who may. */
  not_allowed: 3,
  /** What was named is not there. */
  not_there: 4,
  /** It is there already, or somebody else changed it meanwhile. */
  conflict: 5,
} as const

/** A refusal of a command line, for people, with the exit code that it becomes. */
export class CommandError extends Error {
  readonly code: number

  constructor(sentence: string, code: number = EXIT.failed, options: { readonly cause?: unknown } = {}) {
    super(sentence, options)
    this.name = 'CommandError'
    this.code = code
  }
}
