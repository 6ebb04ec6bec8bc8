import { connect } from 'node:net'

/** Writes bytes to a listener of loopback as they are, and answers all that comes back until it is closed. */
export function sendRaw(port: number, text: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'))
  let answer = ''
  socket.setTimeout(5_000, () => socket.destroy(new Error(`No end of the answer to ${text.slice(0, 80)}`)))
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')))
  socket.on('error', reject)
  socket.on('close', () => resolve(answer))
  return promise
}
