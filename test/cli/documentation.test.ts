import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { CONFIG_VARIABLE, SETTINGS, type Setting } from '../../server/src/config/settings.ts'
import { LIMITS, type Limit, PASSWORDS_AT_ONCE } from '../../server/src/inbound/limits.ts'
import { FRESH_MS } from '../../server/src/inbound/sessions/step_up.ts'
import { KNOWN_DEVICE_DAYS } from '../../server/src/inbound/users/known_device.ts'
import { HTTP_LIMITS } from '../../server/src/node_server.ts'
import { DEFAULT_SETTINGS, readSettings } from '../../server/src/store/settings.ts'
import { LARGEST_BODY, LARGEST_DESCRIPTION } from '../../server/src/web/machine.ts'

const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
const rows = [...text.matchAll(/^\| (?:`(\w+)`)? ?\| (?:`(--[\w-]+)`)? ?\| `([A-Z_]+)` \|/gm)]

test('docs/configuration.md lists every setting under its three names, and no other', () => {
  const documented = rows.map(([, name, flag, env]) => [name, flag, env])
  const settings = Object.entries<Setting>(SETTINGS).map(([name, { flag, env }]) => [name, flag?.split(' ')[0], env])
  assert.deepEqual(documented, [...settings, [undefined, '--config', CONFIG_VARIABLE]])
})

/** What a setting may be, in the words of its refusal. */
function limitsOf(name: string): string {
  try {
    readSettings({ [name]: Symbol('nothing') })
  } catch (error) {
    return (error as Error).message.slice(`settings.${name} must be `.length)
  }
  throw new Error(`${name} takes anything`)
}

test('2.1.1 docs/configuration.md says of every setting of a tenant what it is and what it may be, and no other', () => {
  const section = /^### Settings of a tenant\n([\s\S]*?)^### /m.exec(text)![1]!
  const settings = Object.entries(DEFAULT_SETTINGS).map(
    ([name, value]) => `| \`${name}\` | \`${JSON.stringify(value)}\` | ${limitsOf(name)} |`,
  )
  assert.deepEqual(
    section.split('\n').filter((line) => line.startsWith('| `')),
    settings,
  )
})

test('7.1.1 7.1.2 7.1.3 docs/configuration.md says how long a sign-in lasts here and at clients, and how many there may be', () => {
  const flat = text.replace(/\s+/g, ' ')
  const { session_idle_seconds, session_lifetime_seconds, refresh_idle_seconds, refresh_lifetime_seconds } =
    DEFAULT_SETTINGS
  for (const sentence of [
    `\`session_idle_seconds\` (${session_idle_seconds / 3600} hours)`,
    `\`session_lifetime_seconds\` (${session_lifetime_seconds / 86_400} days, what NIST`,
    `a sign-in of the last ${FRESH_MS / 60_000} minutes`,
    'A user may be signed in in any number of browsers',
    `\`refresh_idle_seconds\` unused (${refresh_idle_seconds / 86_400} days)`,
    `\`refresh_lifetime_seconds\` (${refresh_lifetime_seconds / 86_400} days)`,
    'it ends as said here, and not when theirs does',
  ]) {
    assert.ok(flat.includes(sentence), sentence)
  }
})

const DURATIONS: Readonly<Record<number, string>> = {
  60: 'a minute',
  600: '10 minutes',
  3600: 'an hour',
  86400: 'a day',
}

function afterwards({ delay }: Limit): string {
  if (!delay) return 'none until the time is over'
  const [first, longest] = [DURATIONS[delay.first_seconds], DURATIONS[delay.longest_seconds]]
  return first === longest ? `each after ${first}` : `each after a wait from ${first} to ${longest}`
}

test('6.1.1 2.1.3 docs/configuration.md says every limit as the code has it, and no other', () => {
  const section = /^## Limits\n([\s\S]*?)^## /m.exec(text)![1]!
  const documented = section.split('\n').filter((line) => line.startsWith('| `'))
  const limits = Object.entries<Limit>(LIMITS).map(([name, limit]) => {
    const { counts, by, most, seconds, kept_in } = limit
    return `| \`${name}\` | ${counts} | ${by} | ${most} in ${DURATIONS[seconds]} | ${afterwards(limit)} | ${kept_in} |`
  })
  assert.deepEqual(documented, limits)
})

test('6.1.1 15.2.2 13.1.2 13.1.3 docs/configuration.md says the other numbers as the code has them', () => {
  const flat = text.replace(/\s+/g, ' ')
  const { most, most_of_address, most_with_known_devices } = PASSWORDS_AT_ONCE
  const { url_bytes, header_bytes, header_seconds, request_seconds, keep_alive_seconds } = HTTP_LIMITS
  const { connections, connections_of_address } = HTTP_LIMITS
  for (const sentence of [
    `Of passwords ${most} are checked at a time, ${most_of_address} of them for one address; ${most_with_known_devices} for devices`,
    `signed in within the last ${KNOWN_DEVICE_DAYS} days`,
    `a URL of at most ${url_bytes} bytes, ${header_bytes} bytes of headers within ${header_seconds} seconds, the whole request within ${request_seconds} seconds (`,
    `at most ${connections} connections, ${connections_of_address} of them from one address`,
    `an idle connection is kept for ${keep_alive_seconds} seconds`,
    `A body has at most ${LARGEST_BODY} bytes, that of a pushed request or a registration ${LARGEST_DESCRIPTION}`,
  ]) {
    assert.ok(flat.includes(sentence), sentence)
  }
})

test('every limit is used by some path', async () => {
  const folder = new URL('../../server/src/', import.meta.url)
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts'))
  const sources = files
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
  const used = (name: string) => sources.some((source) => source.includes(`'${name}'`))
  assert.deepEqual(
    Object.keys(LIMITS).filter((name) => !used(name)),
    [],
  )
})
