// The load generator, a process of its own: keeps connections busy for a time and checks every answer.
import { CHECKS, type Check } from './checks.ts'
import { type Answer, Connection } from './connection.ts'
import { answerParent } from './pinned_process.ts'

/** Requests to send to one path: each again and again, each once, or each as the first of a chain of refreshes. */
export interface Load {
  readonly port: number
  readonly path: string
  readonly authorization: string
  readonly forms: readonly string[]
  readonly use: 'again' | 'once' | 'chain'
  readonly check: Check
  readonly connections: number
  readonly seconds: number
}

/** What came of a load. */
export interface Result {
  readonly answered: number
  readonly seconds: number
  readonly wrong: number
  /** Why an answer was wrong, one of them. */
  readonly complaint: string | null
  readonly p50_ms: number
  readonly p99_ms: number
  /** The last right answers of some connections, for a closer look. */
  readonly samples: readonly string[]
}

answerParent({ load })

async function load(order: Load): Promise<Result> {
  const { port, path, authorization, connections, use } = order
  const check = CHECKS[order.check]
  const queue = [...order.forms]
  const latencies: number[] = []
  const samples: string[] = []
  let head = 0
  let wrong = 0
  let complaint: string | null = null
  const started = performance.now()
  const end = started + order.seconds * 1000

  const take = () => (use === 'again' ? queue[head++ % queue.length] : queue[head++])
  const keepBusy = async () => {
    const connection = new Connection(port)
    let sample: string | null = null
    for (let form = take(); form !== undefined && performance.now() < end; form = take()) {
      const asked = performance.now()
      let answer: Answer
      try {
        answer = await connection.send(request(path, authorization, form))
      } catch (error) {
        answer = { status: 0, body: String(error) }
      }
      latencies.push(performance.now() - asked)
      const checked = answer.status === 200 ? check(answer.body) : `status ${answer.status}`
      if (typeof checked === 'string') {
        wrong++
        complaint ??= `${checked}: ${answer.body.slice(0, 500)}`
      } else {
        sample = answer.body
        // The successor waits for its turn at the end, so that all chains grow alike.
        if (use === 'chain') queue.push(`grant_type=refresh_token&refresh_token=${checked['refresh_token']}`)
      }
    }
    connection.close()
    if (sample !== null) samples.push(sample)
  }
  await Promise.all(Array.from({ length: connections }, keepBusy))
  const seconds = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0
  const answered = latencies.length - wrong
  return { answered, seconds, wrong, complaint, p50_ms: at(0.5), p99_ms: at(0.99), samples: samples.slice(0, 4) }
}

function request(path: string, authorization: string, form: string): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\nAccept: application/json\r\n` +
    `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${form.length}\r\n\r\n${form}`
  )
}
