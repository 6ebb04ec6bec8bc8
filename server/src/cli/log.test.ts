import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { createLog, formatLine, scrub } from './log.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-log-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function written(level: string, write: (log: ReturnType<typeof createLog>) => void): Promise<string> {
  const log_file = path.join(folder, `${Math.random()}.log`)
  const log = createLog({ log_level: level, log_format: 'json', log_file })
  write(log)
  // A file that is there may still be on its way to whoever opened it: until then nothing is flushed.
  for (;;) {
    log.flush()
    const text = await readFile(log_file, 'utf8').catch(() => '')
    if (text !== '') {
      assert.equal((await stat(log_file)).mode & 0o777, 0o600)
      return text
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('5.16 a field that is not on the list is left out of the log', async () => {
  const text = await written('debug', (log) =>
    log.info({ request_id: 'r1', status: 200, password: 'hunter2', body: { token: 'hunter2' } }, 'request'),
  )
  const { time, ...line } = JSON.parse(text) as Record<string, unknown>
  assert.deepEqual(line, { level: 'info', request_id: 'r1', status: 200, msg: 'request' })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/)
})

test('5.16 an error is logged with its causes, without members of its own and without secrets in its text', async () => {
  const cause = Object.assign(new Error('connect to postgres://sallyport:hunter2@db:5432/x failed'), {
    code: 'ECONNREFUSED',
    detail: 'Key (token)=(hunter2)',
  })
  const error = new Error('GET https://provider.example/cb?code=hunter2&state=1 refused sp_cs_hunter2hunter2', {
    cause,
  })
  const text = await written('debug', (log) => log.error({ err: error }, 'failed'))
  assert.doesNotMatch(text, /hunter2/)
  const { err } = JSON.parse(text) as { err: { message: string; cause: { code: string; message: string } } }
  assert.equal(err.message, 'GET https://provider.example/cb?[...] refused [...]')
  assert.equal(err.cause.code, 'ECONNREFUSED')
  assert.equal(err.cause.message, 'connect to postgres://[...]@db:5432/x failed')
})

test('lines below the level are not written', async () => {
  const text = await written('warn', (log) => {
    log.info({}, 'request')
    log.warn({ reason: 'full' }, 'unavailable')
  })
  assert.equal(text.trim().split('\n').length, 1)
})

test('tokens of ours and JWTs are scrubbed from sentences, and ordinary words stay', () => {
  const jwt = `eyJhbGciOiJFUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}`
  assert.equal(scrub(`token ${jwt}, secret sp_at_AAAAAAAAAAAA_-x end`), 'token [...], secret [...] end')
  assert.equal(scrub('Parameter code is missing? Yes.'), 'Parameter code is missing? Yes.')
})

test('CWE-1333 no text of a stranger keeps the server busy with its log', () => {
  for (const part of ['a-', 'a.', 'a://', '://', 'eyJaaaaaaaaa.', 'eyJ-', 'sp_a-', 'a://b?', '://@']) {
    const text = part.repeat(16_384 / part.length)
    const started = performance.now()
    scrub(text)
    assert.ok(performance.now() - started < 100, part)
  }
})

test('text lines hold time, level, sentence and fields', () => {
  const line = JSON.stringify({
    level: 'warn',
    time: '2026-01-02T03:04:05.678Z',
    path: '/a b',
    status: 200,
    msg: 'request',
  })
  assert.equal(formatLine(line), '03:04:05 warn  request path="/a b" status=200\n')
  const failed = JSON.stringify({
    level: 'error',
    time: '2026-01-02T03:04:05Z',
    err: { stack: 'E: x\n  at y' },
    msg: 'failed',
  })
  assert.equal(formatLine(failed), '03:04:05 error failed\n  E: x\n    at y\n')
})

test('16.4.1 what comes from outside can neither begin a line nor command a terminal', async () => {
  const hostile = 'a\r\n{"level":"info"}\u001b[2J\u009b2J\u2028\u0000b'
  const text = await written('info', (log) => log.info({ path: hostile, err: new Error(hostile) }, 'request'))
  assert.equal(text.trim().split('\n').length, 1)
  assert.doesNotMatch(text.trim(), /[\x00-\x1f\x7f-\x9f\u2028]/)
  const shown = formatLine(text).replaceAll('\n', '')
  assert.doesNotMatch(shown, /[\x00-\x1f\x7f-\x9f\u2028]/)
  assert.match(formatLine(text), /^\d\d:\d\d:\d\d info {2}request path="a\\r\\n/)
})
