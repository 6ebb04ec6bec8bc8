import { connect, type Socket } from 'node:net'

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number
  readonly body: string
}

/**
 * One keep-alive connection that asks and waits, in turn (RFC 9112). It reads what the servers of this benchmark send,
 * answers with Content-Length, so that it costs the machine a fraction of what an HTTP client of npm does.
 */
export class Connection {
  readonly #port: number
  #socket: Socket | undefined
  #received = ''
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** Sends a whole request and answers what came back. */
  send(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket ??= this.#connect()
      this.#socket.write(request, 'latin1')
    })
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed the connection')))
    return socket
  }

  #read(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#received.slice(0, end))
    if (!length) {
      this.#fail(new Error(`an answer without Content-Length: ${this.#received.slice(0, end)}`))
      return
    }
    const size = end + 4 + Number(length[1])
    if (this.#received.length < size) return
    const answer = { status: Number(this.#received.slice(9, 12)), body: this.#received.slice(end + 4, size) }
    this.#received = ''
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(answer)
  }

  #fail(error: Error): void {
    this.close()
    this.#received = ''
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
