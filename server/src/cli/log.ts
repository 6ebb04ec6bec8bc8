import { pino } from 'pino'
import type { Config } from '../config/read_config.ts'
import type { Log } from '../web/log.ts'

/** A log with its destination: what is buffered is written when asked, and at the latest after a second. */
export interface ServerLog extends Log {
  flush(): void
}

// What may stand in a line. A field that is not listed is left out, so that nothing gets in by accident.
const FIELDS: ReadonlySet<string> = new Set([
  ...['request_id', 'method', 'path', 'status', 'ms', 'error', 'cause', 'err', 'reason', 'signal', 'version', 'mode'],
  ...['issuer', 'host', 'port', 'database', 'tenant_id', 'client_id', 'user_id', 'grant_id', 'connection_id'],
  ...[
    'connector',
    'provider',
    'event',
    'count',
    'created',
    'changed',
    'migrations',
    'attempt',
    'delay_ms',
    'expires_at',
  ],
])

/** Makes the log: JSON lines or short text, to the terminal or to a file that its owner alone can read. */
export function createLog(config: Pick<Config, 'log_level' | 'log_format' | 'log_file'>): ServerLog {
  const sink = pino.destination({
    dest: config.log_file ?? 1,
    sync: false,
    minLength: config.log_format === 'text' ? 0 : 4096,
    periodicFlush: 1000,
    mode: 0o600,
  })
  // A full disk or a closed pipe must not end the server.
  sink.on('error', () => {})
  const stream = config.log_format === 'text' ? { write: (line: string) => sink.write(formatLine(line)) } : sink
  const options = {
    level: config.log_level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (level: string) => ({ level }), log: allowedFields },
    // pino's own would look for errors in what is already described.
    serializers: { err: (err: unknown) => err },
  }
  const log = pino(options, stream)
  const flush = () => {
    try {
      sink.flushSync()
    } catch {
      // It was never opened, or is gone.
    }
  }
  return Object.assign(log, { flush })
}

function allowedFields(fields: Record<string, unknown>): Record<string, unknown> {
  const allowed: Record<string, unknown> = {}
  for (const name in fields) {
    if (!FIELDS.has(name)) continue
    const value = fields[name]
    if (value instanceof Error) allowed[name] = describeError(value)
    else if (typeof value === 'string') allowed[name] = printable(name === 'cause' ? scrub(value) : value)
    else allowed[name] = value
  }
  return allowed
}

// An error of a database or of a provider may carry what it was given in members of its own: they stay out.
function describeError(error: Error, depth = 0): Record<string, unknown> {
  const { code } = error as { code?: unknown }
  return {
    type: error.name,
    message: printable(scrub(error.message)),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: printable(scrub(error.stack)) }),
    ...(error.cause instanceof Error && depth < 5 ? { cause: describeError(error.cause, depth + 1) } : {}),
  }
}

// JSON escapes the older control characters; these too begin commands of a terminal, or break a line (ASVS 16.4.1).
const COMMANDS = /[\x7f-\x9f\u2028\u2029]/g

function printable(text: string): string {
  return text.replace(COMMANDS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

// Long enough for any sentence and stack of ours; what a stranger sends may fill a whole header.
const LONGEST_SCRUBBED = 8192
// The rest of a URL is taken in one piece, and a token starts where a word does: no text makes either look twice.
const AFTER_SCHEME = /:\/\/[^\s"'`]*/g
const PASSWORD = /:\/\/[^/@]*@/g
const TOKEN = /(?<![\w-])(?:sp_[a-z]+_[\w-]{8,}|eyJ[\w-]{8,}(?:\.[\w-]*)+)/g

/** Takes out of a sentence what may be secret in it: queries and passwords of URLs, our tokens, JWTs. */
export function scrub(text: string): string {
  const cut = text.length > LONGEST_SCRUBBED ? `${text.slice(0, LONGEST_SCRUBBED)}[...]` : text
  return cut.replace(AFTER_SCHEME, scrubUrl).replace(TOKEN, '[...]')
}

function scrubUrl(rest: string): string {
  const end = rest.search(/[?#]/)
  const place = end < 0 ? rest : `${rest.slice(0, end)}?[...]`
  return place.replace(PASSWORD, '://[...]@')
}

/** A line for people: time, level, sentence, and the fields as name=value. */
export function formatLine(line: string): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>
  const shown = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `${name}=${/[^\x21-\x7e]|["=]/.test(text) ? JSON.stringify(text) : text}`
  })
  const { stack, message } = (err ?? {}) as { stack?: string; message?: string }
  const lines = (stack ?? message ?? '').split('\n').map((text) => JSON.stringify(text).slice(1, -1))
  const trouble = err === undefined ? '' : `\n  ${lines.join('\n  ')}`
  return `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${[msg, ...shown].join(' ')}${trouble}\n`
}
