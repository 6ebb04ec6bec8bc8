/** Refuses to run, with every reason as a sentence for the person who configures the server. */
export class ConfigError extends Error {
  readonly sentences: readonly string[]

  constructor(sentences: readonly string[]) {
    super(sentences.join('\n'))
    this.name = 'ConfigError'
    this.sentences = sentences
  }
}

/** A refusal with one sentence. */
export function refuse(sentence: string): ConfigError {
  return new ConfigError([sentence])
}
