import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ROOT } from './parts/checks.ts'
import { freePort, startProgram } from './parts/program.ts'

test('the program of docs/embed.md compiles, serves beside an application, administers itself and stops', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sallyport-embed-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const document = await readFile(path.join(ROOT, 'docs/embed.md'), 'utf8')
  const [, program] = /```ts\n([\s\S]*?)```/.exec(document)!
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(path.join(folder, 'program.ts'), program!)
  await writeFile(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: path.join(ROOT, 'tsconfig.json'), include: ['program.ts'] }),
  )
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
  await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch((error) => {
    throw new Error(`docs/embed.md does not compile:\n${error.stdout}`)
  })

  const port = await freePort()
  const secret = 'the-secret-of-a-script'
  const running = startProgram([], {
    cwd: folder,
    env: { PORT: String(port), AUTH_ROOT_KEY: randomBytes(32).toString('base64'), SCRIPT_SECRET: secret },
    command: [process.execPath, '--conditions=sallyport-source', path.join(folder, 'program.ts')],
  })
  t.after(() => running.stop('SIGKILL'))
  const origin = `http://127.0.0.1:${port}`
  const get = async (url: string) => {
    const answer = await fetch(origin + url)
    return { status: answer.status, text: await answer.text() }
  }
  await running.waitFor(/^Listening$/m)
  assert.equal((await get('/')).text, 'My application')
  const issuer = `http://localhost:${port}/auth`
  for (const url of ['/auth/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/auth']) {
    assert.equal(JSON.parse((await get(url)).text).issuer, issuer)
  }
  const answer = await fetch(`${origin}/auth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`script:${secret}`)}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: 'http://localhost:5000/notes',
      scope: 'notes:read',
    }),
  })
  assert.equal(((await answer.json()) as { scope: string }).scope, 'notes:read')
  assert.equal(await running.stop('SIGTERM'), 0, running.stderr)
})

test('docs/embed.md names every option of an app, no other, and every method of its administration', async () => {
  const document = await readFile(path.join(ROOT, 'docs/embed.md'), 'utf8')
  const read = (file: string) => readFile(path.join(ROOT, 'server/src', file), 'utf8')
  const section = (title: string) => document.split(/^## /m).find((one) => one.startsWith(title))!
  const body = (source: string, name: string) =>
    new RegExp(`export interface ${name} \\{\\n([\\s\\S]*?)\\n\\}`).exec(source)![1]!
  const members = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name!).sort()
  assert.deepEqual(
    members(section('`createApp('), /^\| `(\w+)` \|/gm),
    members(body(await read('app.ts'), 'AppOptions'), /^ {2}readonly (\w+)\??:/gm),
  )
  const methods = members(body(await read('cli/administration.ts'), 'Administration'), /^ {2}(\w+)\(/gm)
  const named = members(section('`createAdministration('), /`(\w+)(?:\([^`]*\))?`/g)
  assert.deepEqual(
    methods.filter((name) => !named.includes(name)),
    [],
  )
})
