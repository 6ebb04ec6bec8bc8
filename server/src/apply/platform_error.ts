/** Refuses a platform file, with every reason as a sentence that begins with its place in the file. */
export class PlatformError extends Error {
  readonly sentences: readonly string[]

  constructor(sentences: readonly string[]) {
    super(sentences.join('\n'))
    this.name = 'PlatformError'
    this.sentences = sentences
  }
}
