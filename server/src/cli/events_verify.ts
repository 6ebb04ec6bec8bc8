import { createReadStream } from 'node:fs'
import * as z from 'zod'
import { equalBytes } from '../crypto/hash.ts'
import { type ChainHead, EMPTY_CHAIN, findBrokenLink, type SealedEvent } from '../store/event_chain.ts'
import { API_ROUTES } from '../web/api/table.ts'
import { CommandError, EXIT } from './exit_codes.ts'
import { reachServer } from './remote_server.ts'
import { type ApiSurroundings, sendTo } from './run_api_command.ts'

/** What `events verify` is told: a file instead of the server, and where an earlier run had come to. */
export interface VerifyOptions {
  readonly file?: string
  readonly after?: string
  readonly link?: string
}

/** What verifying came to: where the chain stands, or the number at which it is broken. */
export interface Verified {
  readonly events: number
  /** Of how many the details are gone: the chain allows it, and so whoever writes the database could have done it. */
  readonly erased: number
  readonly head: ChainHead
  readonly broken_at: number | null
}

const LINES_AT_ONCE = 500
const LONGEST_LINE = 2 ** 20
const EXPORT = API_ROUTES.find(({ name }) => name === 'exportEvents')!

/** `events verify`: computes the chain of an export of the audit log anew, of the server or in a file. */
export async function verifyEvents(
  at: () => Promise<ApiSurroundings>,
  options: VerifyOptions,
  json: boolean,
): Promise<number> {
  const from = readHead(options)
  if (options.file !== undefined) return tell(await verifyChain(openFile(options.file), from), json)
  const { issuer, env } = await at()
  const server = reachServer(issuer)
  try {
    // With the event that an earlier run came to: an export of nothing would not tell whether it is still there.
    const query = { after_sequence: String(Math.max(0, from.sequence - 1)) }
    const { body } = await sendTo({ server, issuer, env }, EXPORT, { params: {}, query })
    return tell(await verifyChain(body ?? [], from), json)
  } finally {
    await server.close()
  }
}

/**
 * Goes along a chain from a link of it, however long it is; it holds no more of it than some lines. It begins with the event
 * of that link or with the next one; where there is neither, the end was cut off.
 */
export async function verifyChain(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  from: ChainHead,
): Promise<Verified> {
  let head = from
  let events = 0
  let erased = 0
  let page: SealedEvent[] = []
  const verifyPage = () => {
    const broken_at = findBrokenLink(head, page)
    const last = page.at(-1)
    if (broken_at === null && last) {
      head = { sequence: last.sequence, chain: last.chain }
      events += page.length
      erased += page.filter(({ detail_salt }) => detail_salt === null).length
    }
    page = []
    return broken_at
  }
  const broken = (broken_at: number) => ({ events: events + broken_at - head.sequence - 1, erased, head, broken_at })
  let first = true
  for await (const event of readEvents(chunks)) {
    const known = first && event.sequence === from.sequence
    first = false
    if (known && !equalBytes(event.chain, from.chain)) return { events, erased, head, broken_at: from.sequence }
    if (known || page.push(event) < LINES_AT_ONCE) continue
    const broken_at = verifyPage()
    if (broken_at !== null) return broken(broken_at)
  }
  if (first) return { events, erased, head, broken_at: Math.max(1, from.sequence) }
  const broken_at = verifyPage()
  return broken_at === null ? { events, erased, head, broken_at } : broken(broken_at)
}

/** The events of an export, line by line. */
export async function* readEvents(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<SealedEvent> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let number = 0
  try {
    for await (const chunk of receive(chunks)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop()!
      if (rest.length > LONGEST_LINE)
        throw new CommandError(`Line ${number + lines.length + 1} is longer than any event`)
      for (const line of lines) yield readEvent(line, ++number)
    }
    rest += decoder.decode()
  } catch (error) {
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new CommandError('The export is not UTF-8', undefined, { cause: error })
    }
    throw error
  }
  // Each line of an export ends: what does not was cut off on the way.
  if (rest !== '') throw new CommandError(`Line ${number + 1} is cut off: the export is not whole`)
}

async function* receive(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (cause) {
    throw cause instanceof CommandError ? cause : new CommandError('The export broke off', undefined, { cause })
  }
}

const text = z.string().nullable()
const bytes = z.base64url().transform((written) => Buffer.from(written, 'base64url'))
const Line = z.strictObject({
  ...{ event_id: z.string(), at: z.int(), type: z.string(), actor: z.string(), detail: z.string(), sequence: z.int() },
  ...{ client_id: text, user_id: text, grant_id: text, connection_id: text, request_id: text },
  ...{ detail_salt: bytes.nullable(), detail_digest: bytes, chain: bytes },
})

function readEvent(line: string, number: number): SealedEvent {
  try {
    return Line.parse(JSON.parse(line))
  } catch (cause) {
    // Without a word of the line: whatever file it is, it may be a secret one.
    throw new CommandError(`Line ${number} is no event of an export`, undefined, { cause })
  }
}

function readHead({ after, link }: VerifyOptions): ChainHead {
  if (after === undefined && link === undefined) return EMPTY_CHAIN
  if (after === undefined || link === undefined) throw new CommandError('--after and --link go together')
  if (!/^\d{1,15}$/.test(after)) throw new CommandError('--after must be the number of an event')
  if (!/^[\w-]{43}$/.test(link)) throw new CommandError('--link must be the link that was printed with that number')
  return { sequence: Number(after), chain: Buffer.from(link, 'base64url') }
}

/** What is in a file; - is the standard input. */
export async function* openFile(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file === '-' ? process.stdin : createReadStream(file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined || error instanceof CommandError) throw error
    throw new CommandError(`${file} cannot be read (${code})`, undefined, { cause: error })
  }
}

function tell({ events, erased, head: { sequence, chain }, broken_at }: Verified, json: boolean): number {
  const sound = broken_at === null
  const link = Buffer.from(chain).toString('base64url')
  if (json) {
    const said = sound ? { sound, events, erased, sequence, link } : { sound, events, broken_at }
    process.stdout.write(`${JSON.stringify(said, null, 2)}\n`)
  } else if (sound) {
    process.stdout.write(
      `${events} events, each as it was sealed${erased > 0 ? `, of ${erased} without its details, which were erased` : ''}.\nGo on next time with --after ${sequence} --link ${link}\n`,
    )
  } else {
    process.stderr.write(
      `sallyport: The chain is broken at ${broken_at}: that event is altered, missing or out of its place\n`,
    )
  }
  return sound ? EXIT.done : EXIT.failed
}
