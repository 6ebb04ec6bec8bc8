import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { type EndedLine, runLines } from '../parts/program.ts'

// What the command line is promised to have.
const COMMANDS = [
  ...['dev', 'init', 'serve', 'broker', 'migrate', 'doctor', 'backup', 'restore', 'keys', 'rekey', 'plan', 'apply'],
  ...['export', 'login', 'logout', 'clients', 'users', 'grants', 'connections', 'events tail', 'connect', 'test'],
]
const WITHOUT_JSON = ['dev', 'serve', 'broker', 'clients', 'users', 'grants', 'connections']

/** Bad input of each kind: nothing on the standard output, a sentence that says what was wrong, and no stack. */
const BAD: readonly (readonly [line: string[], code: number, says: RegExp])[] = [
  [['nothing'], 1, /unknown command 'nothing'/],
  [['backup'], 1, /missing required argument 'file'/],
  [['backup', 'x.backup', '--wat'], 1, /unknown option '--wat'/],
  [['backup', 'x.backup'], 4, /There is no database/],
  [['tenants', 'list'], 4, /There is no database/],
  [['tenants', 'disable', 'x', '--yes'], 4, /There is no database/],
  [['restore'], 1, /missing required argument 'file'/],
  [['restore', 'none.backup'], 1, /root key of the backup/],
  [['plan'], 1, /required option '-f, --file <file>'/],
  [['plan', '-f', 'none.yaml'], 1, /none\.yaml cannot be read \(ENOENT\)/],
  [['apply', '-f', 'bad.yaml'], 1, /sallyport: /],
  [['serve', '--port', 'x'], 1, /--port must be/],
  [['dev', '--issuer', 'https://login.example'], 1, /root key|dev is for development/],
  [['broker', '--primary', 'nowhere'], 1, /sallyport: /],
  [['keys', 'dance'], 1, /keys dance is not known/],
  [['keys', 'revoke'], 1, /needs the kid/],
  [['keys', 'list', 'x'], 1, /takes no argument/],
  [['connect', 'acme'], 1, /required option '--user <username>'/],
  [['connect', 'acme', '--user', 'a', '--timeout', '0'], 1, /--timeout must be/],
  [['connect', 'acme', '--user', 'a'], 1, /No server runs/],
  [['init', 'cobol'], 1, /There is no start for cobol/],
  [['completion', 'cmd'], 1, /There is no completion for cmd/],
  [['test', 'token'], 1, /required option '--client-id/],
  [['test', 'dance', '--client-id', 'x'], 1, /There is no test of dance/],
  [['clients', 'list'], 3, /Nobody is signed in/],
  [['clients', 'update'], 1, /missing required argument/],
  [['users', 'create', '--set', 'password=x'], 1, /is a secret|Nobody is signed in/],
  [['events', 'verify', '--file', 'none.ndjson'], 1, /none\.ndjson cannot be read/],
  [['events', 'verify', '--after', '3'], 1, /--after and --link go together/],
]

const SHELLS = ['bash', 'zsh', 'fish']

let cwd: string
let ended: EndedLine[]
before(async () => {
  cwd = mkdtempSync(path.join(tmpdir(), 'sallyport-commands-'))
  writeFileSync(path.join(cwd, 'bad.yaml'), 'clients: [{client_id: 7}]\n')
  const helps = COMMANDS.map((line) => [...line.split(' '), '--help'])
  const completions = SHELLS.map((shell) => ['completion', shell])
  const env = { XDG_CONFIG_HOME: path.join(cwd, 'config') }
  ended = await runLines([...helps, ...BAD.map(([line]) => line), ...completions], { cwd, env })
})
after(() => rmSync(cwd, { recursive: true, force: true }))

test('every command is there, says what it does, takes --json, and answers bad input with a sentence and its exit code', () => {
  for (const [i, name] of COMMANDS.entries()) {
    const { code, stdout, stderr } = ended[i]!
    assert.deepEqual([code, stderr], [0, ''], name)
    assert.match(stdout, new RegExp(`^Usage: sallyport ${name}`), name)
    assert.equal(stdout.includes('--json'), !WITHOUT_JSON.includes(name), name)
  }
  for (const [i, [line, expected, says]] of BAD.entries()) {
    const { code, stdout, stderr } = ended[COMMANDS.length + i]!
    assert.match(stderr, says, line.join(' '))
    assert.deepEqual([code, stdout], [expected, ''], line.join(' '))
    assert.doesNotMatch(stderr, /\n {4}at |node:internal/, line.join(' '))
  }
})

test('each command in the documentation is one of ours, with options that it has', () => {
  const lines = ended.at(-SHELLS.length)!.stdout.matchAll(/^ +'([a-z -]*)'\) words='([^']*)'/gm)
  const follows = new Map([...lines].map(([, line, words]) => [line!, words!.split(' ')]))
  const findFault = (shown: string): string | null => {
    let line = ''
    for (const word of shown.split(/\s+/)) {
      const known = follows.get(line)!
      if (word.startsWith('--')) {
        if (!known.includes(word.replace(/=.*/, ''))) return `${shown}: ${line} has no ${word}`
      } else if (known.includes(word)) line = `${line} ${word}`.trim()
      else if (known.some((one) => !one.startsWith('-'))) return `${shown}: there is no ${line} ${word}`
    }
    return null
  }
  assert.deepEqual(['keys burn', 'doctor --now', 'users destroy 1', 'clients'].map(findFault).map(Boolean), [
    false,
    true,
    true,
    false,
  ])
  const root = new URL('../../', import.meta.url)
  const pages = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'))
  const seen = ['README.md', 'sdk/README.md', ...pages.map((name) => `docs/${name}`)].flatMap((page) => {
    const text = readFileSync(new URL(page, root), 'utf8')
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block]) => block!.split('\n'))
    const shown = [...blocks, ...[...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!)].flatMap((code) => {
      const [, command] = /(?:^|[ (])(?:sallyport )+([a-z][^#|>;&)<]*)/.exec(code) ?? []
      return command === undefined ? [] : [command.trim()]
    })
    return shown.map((command) => ({ page, command }))
  })
  assert.ok(seen.filter(({ page }) => page === 'docs/operate.md').length > 30)
  const faults = seen.flatMap(({ page, command }) => (findFault(command) ? [`${page}: ${findFault(command)}`] : []))
  assert.deepEqual(faults, [])
})

test('completion offers the commands, what follows them and their flags, in each shell that is here', (t) => {
  const files = new Map(
    SHELLS.map((shell, i) => {
      const file = path.join(cwd, `completion.${shell}`)
      writeFileSync(file, ended.at(i - SHELLS.length)!.stdout)
      return [shell, file]
    }),
  )
  const complete = (...words: string[]) => {
    const script = `source "$1"; shift; COMP_WORDS=(sallyport "$@"); COMP_CWORD=$#; _sallyport; echo "\${COMPREPLY[@]}"`
    const all = ['--norc', '-c', script, 'bash', files.get('bash')!, ...words]
    return execFileSync('bash', all, { encoding: 'utf8' }).trim().split(/\s+/)
  }
  assert.deepEqual(complete('ba'), ['backup'])
  const top = complete('')
  for (const name of COMMANDS) assert.ok(top.includes(name.split(' ')[0]!), name)
  assert.deepEqual(complete('restore', 'x.backup', '--rep'), ['--replace'])
  assert.deepEqual(complete('restore', '--rev'), ['--revocations'])
  assert.deepEqual(complete('events', 'ta'), ['tail'])
  assert.deepEqual(complete('clients', 'rotate-s'), ['rotate-secret'])
  assert.deepEqual(complete('plan', '--fi'), ['--file'])
  for (const [shell, check] of [
    ['zsh', '-n'],
    ['fish', '--no-execute'],
  ] as const) {
    try {
      execFileSync(shell, [check, files.get(shell)!], { stdio: 'pipe' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      t.diagnostic(`${shell} is not on this machine: its completion was not read`)
    }
  }
})
