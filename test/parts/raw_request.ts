import assert from 'node:assert/strict'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'

/** A request as it is to be sent. */
export interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string | Buffer
}

/** An answer as it came. */
export interface Received {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends one request as it is, with any method and any bytes, on a connection of its own; POST unless told otherwise. */
export function sendRaw(url: string, { method = 'POST', headers = {}, body }: Sent = {}): Promise<Received> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

/** Asserts that an answer is the refusal of its RFC: code, sentence, JSON, not kept by anybody, nothing of the inside. */
export function assertRefusal(answer: Received, status: number, error: string, what: string): string {
  assert.equal(answer.status, status, `${what}: ${answer.text}`)
  assert.match(answer.headers['content-type'] ?? '', /^application\/json/, what)
  assert.equal(answer.headers['cache-control'], 'no-store', what)
  assert.equal(answer.headers['x-content-type-options'], 'nosniff', what)
  const body = JSON.parse(answer.text)
  assert.deepEqual(Object.keys(body), ['error', 'error_description'], what)
  assert.equal(body.error, error, `${what}: ${answer.text}`)
  assert.match(body.error_description, /^[\x20\x21\x23-\x5b\x5d-\x7e]{5,300}$/, what)
  assert.doesNotMatch(answer.text, /\.ts\b|node:|\bat \w+ \(|secret-of|sp_[a-z]{2}_|Error:/, what)
  return body.error_description
}
