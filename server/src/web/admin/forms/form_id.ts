import { idToBytes } from '../../../crypto/random.ts'

/** The identifier that a form has given to what it makes: sent twice, from two tabs or after a step back, it makes one. */
export function readFormId(text: string | undefined): string | undefined {
  return text !== undefined && idToBytes(text) !== null ? text : undefined
}
