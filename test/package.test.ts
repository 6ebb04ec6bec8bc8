import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { ROOT } from './parts/checks.ts'
import { readImports } from './parts/imports.ts'
import { startRegistry } from './parts/registry.ts'
import { freePort } from './parts/sallyport.ts'
import { readTar } from './parts/tar.ts'

let folder: string
let registry: Awaited<ReturnType<typeof startRegistry>>
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sallyport-package-'))
  registry = await startRegistry()
})
after(async () => {
  await registry?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Runs a command as in a fresh shell of somebody who has an empty home and our registry. */
async function runCommand(cwd: string, command: string, ...args: string[]): Promise<string> {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_TEST|^NODE_OPTIONS$/i.test(name))
  const npm = {
    npm_config_registry: registry.url,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  }
  const env = { ...Object.fromEntries(own), ...npm, HOME: path.join(folder, 'home') }
  const { stdout } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 2 ** 26 }).catch((error) => {
    throw new Error(`${command} ${args.join(' ')} failed:\n${`${error.stdout}${error.stderr}`.slice(-3000)}`)
  })
  return stdout
}

/** Packs a package as `npm publish` would; gives the archive, its files and its manifest. */
async function pack(name: string) {
  const out = await runCommand(ROOT, 'npm', 'pack', '--silent', '-w', name, '--pack-destination', folder)
  const archive = path.join(folder, out.trim().split('\n').at(-1)!)
  const entries = readTar(gunzipSync(await readFile(archive)))
  const files = new Map(entries.map((entry) => [entry.name.replace(/^package\//, ''), entry]))
  return { archive, files, manifest: JSON.parse(files.get('package.json')!.data.toString()) }
}

/** The files of code that the doors and commands of a package lead to. */
function findCode({ files, manifest }: Pick<Awaited<ReturnType<typeof pack>>, 'files' | 'manifest'>): Set<string> {
  const doors = Object.values<{ default: string }>(manifest.exports).map((door) => door.default)
  const found = new Set([...doors, ...Object.values<string>(manifest.bin ?? {})].map((file) => path.posix.join(file)))
  for (const file of found) {
    for (const { specifier } of readImports(files.get(file)?.data.toString() ?? '')) {
      if (specifier?.startsWith('.')) found.add(path.posix.join(path.posix.dirname(file), specifier))
    }
  }
  return found
}

/** What every package must hold: all that the sources need (the server's code bundled), nothing else, and no import that leads nowhere. */
function checkFiles(name: string, { files, manifest }: Awaited<ReturnType<typeof pack>>): void {
  const expected = new Set(['package.json', 'LICENSE'])
  for (const source of globSync('**/*.*', { cwd: path.join(ROOT, name, 'src') })) {
    if (source.endsWith('.test.ts')) continue
    const stem = `dist/${source.replace(/\.ts$/, '')}`
    for (const file of source.endsWith('.ts') ? [`${stem}.js`, `${stem}.d.ts`] : [stem]) expected.add(file)
  }
  if (name === 'server') {
    const code = [...expected].filter((file) => file.endsWith('.js') && files.has(file.replace(/js$/, 'd.ts')))
    for (const file of code) expected.delete(file)
    for (const file of findCode({ files, manifest })) expected.add(file)
  }
  assert.deepEqual([...files.keys()].filter((file) => file !== 'README.md').sort(), [...expected].sort())

  for (const [file, { data }] of files) {
    if (!/\.(js|d\.ts)$/.test(file)) continue
    for (const { specifier } of readImports(data.toString())) {
      if (specifier === undefined || specifier.startsWith('node:')) continue
      const written = file.endsWith('.d.ts') ? specifier.replace(/(?<!\.d)\.ts$/, '.d.ts') : specifier
      const to = specifier.startsWith('.') ? path.posix.join(path.posix.dirname(file), written) : undefined
      if (to !== undefined) assert.ok(files.has(to), `${file} imports ${specifier}`)
      else {
        const [scope, rest] = specifier.split('/')
        const module = scope!.startsWith('@') ? `${scope}/${rest}` : scope!
        const declared = { ...manifest.dependencies, ...manifest.peerDependencies }
        assert.ok(module in declared, `${file} imports ${specifier}, which is no dependency`)
      }
    }
  }
  for (const target of Object.values<Record<string, string>>(manifest.exports)) {
    for (const key of ['types', 'default'])
      assert.ok(files.has(target[key]!.slice(2)), `exports lead to ${target[key]}`)
  }
}

test('the SDK, packed and installed into an empty project, type-checks and runs', async () => {
  const sdk = await pack('sdk')
  checkFiles('sdk', sdk)

  const project = path.join(folder, 'sdk-project')
  await mkdir(project)
  await writeFile(path.join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }')
  await runCommand(project, 'npm', 'install', '--no-save', sdk.archive, 'hono')

  const doors = Object.keys(sdk.manifest.exports).map((door) => `@sallyport/sdk${door.slice(1)}`)
  const imports = doors.map((door, index) => `import * as door${index} from '${door}'\n`).join('')
  const used = `export const doors = [${doors.map((_, index) => `door${index}`)}]\n`
  await writeFile(path.join(project, 'use.ts'), imports + used)
  await writeFile(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2022',
        lib: ['es2023', 'dom'],
        types: [],
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
      },
      files: ['use.ts'],
    }),
  )
  await runCommand(project, process.execPath, path.join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.')
  const script = `${imports}\nconsole.log(JSON.stringify([${doors.map((_, index) => `Object.keys(door${index}).length`)}]))`
  const counts = JSON.parse(await runCommand(project, process.execPath, '--input-type=module', '-e', script))
  assert.equal(counts.length, doors.length)
  for (const [index, count] of counts.entries()) assert.ok(count > 0, `${doors[index]} exports nothing`)
})

test('the server, packed and installed into an empty project, has its command, serves discovery and embeds', async () => {
  const server = await pack('server')
  checkFiles('server', server)
  const project = path.join(folder, 'server-project')
  await mkdir(project)
  await writeFile(path.join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }')
  await runCommand(project, 'npm', 'install', '--no-save', server.archive)
  const version = await runCommand(project, 'npx', 'sallyport', '--version')
  assert.equal(version.trim(), server.manifest.version)

  const port = await freePort()
  const child = spawn('npx', ['sallyport', 'dev', '--port', String(port)], {
    cwd: project,
    env: { PATH: process.env['PATH'], HOME: path.join(folder, 'home') },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const exited = new Promise((resolve) => child.on('exit', resolve))
  try {
    const issuer = `http://localhost:${port}`
    const discovery = await waitFor(`${issuer}/.well-known/openid-configuration`, () => output)
    assert.equal(discovery.issuer, issuer)
    assert.match(output, /\/setup\?token=/)
  } finally {
    // The whole group: npx, and the server below it.
    process.kill(-child.pid!, 'SIGTERM')
    await exited
  }
  const script = `
    import { createApp, openStore, RootKey } from 'sallyport'
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const store = await openStore({ sqlite: ':memory:' })
    const app = await createApp({ issuer: 'https://host.example/hub', store, root: new RootKey(new Uint8Array(32)), log })
    const answer = await app.fetch(new Request('https://host.example/hub/.well-known/openid-configuration'))
    console.log((await answer.json()).token_endpoint)
    await app.close()
    await store.close()`
  const embedded = await runCommand(project, process.execPath, '--input-type=module', '-e', script)
  assert.equal(embedded.trim(), 'https://host.example/hub/token')
})

async function waitFor(url: string, output: () => string): Promise<{ issuer: string }> {
  for (let tries = 0; tries < 200; tries++) {
    const response = await fetch(url).catch(() => null)
    if (response?.ok) return (await response.json()) as { issuer: string }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} does not answer:\n${output()}`)
}
