import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { makeClientKey } from '../../server/src/inbound/clients/client_keys.ts'
import { readAdministratedClient } from '../../server/src/inbound/clients/register_client.ts'
import { type Framework, listSnippets } from '../../server/src/web/admin/clients/client_snippet.ts'
import { bundleForBrowser } from '../parts/browser_bundle.ts'
import { ROOT } from '../parts/checks.ts'
import { launchBrowser } from '../parts/chromium.ts'
import { runPasted } from '../parts/pasted.ts'
import { ALICE, type Platform, startPlatform } from '../parts/platform.ts'
import { freePort } from '../parts/program.ts'
import { UserAgent } from '../parts/user_agent.ts'
import { Visitor } from '../parts/visitor.ts'

const CLIENT_SECRET = 'secret-of-pasted-code'
const SIGN_IN = { grant_types: ['authorization_code', 'refresh_token'], scope: 'openid profile' }
const MACHINE = { grant_types: ['client_credentials'], scope: 'api:read' }
const DEVICE = { grant_types: ['urn:ietf:params:oauth:grant-type:device_code'], scope: 'openid profile' }

let p: Platform
let folder: string
before(async () => {
  p = await startPlatform({ path: '/hub', real_time: true })
  folder = await mkdtemp(path.join(ROOT, 'node_modules/.cache/pasted-'))
})
after(async () => {
  await p.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Registers a client, and answers the code that the console would show for it, by framework. */
async function write(client_id: string, described: Record<string, unknown>): Promise<Map<Framework, string>> {
  const { token_endpoint_auth_method: method = 'client_secret_basic' } = described
  const secret = String(method).startsWith('client_secret') ? { client_secret: CLIENT_SECRET } : {}
  await p.server.addClient({ client_id, ...described, ...secret })
  const metadata = readAdministratedClient(
    described,
    p.server.app.web.grant_types.map(({ grant_type }) => grant_type),
  )
  return new Map(listSnippets(p.issuer, { ...metadata, client_id }).map(({ framework, code }) => [framework, code]))
}

interface Finishing {
  readonly url: URL
  finish(currentUrl: URL): Promise<{ readonly access_token: string }>
}

/** Loads pasted code that says where to send the browser, signs somebody in, and has the code finish. */
async function signInBy(code: string, env: Record<string, string>): Promise<string> {
  const file = path.join(folder, `${Math.trunc(performance.now() * 1000)}.mjs`)
  await writeFile(file, code)
  Object.assign(process.env, env)
  const { url, finish } = (await import(pathToFileURL(file).href)) as Finishing
  const back = await new UserAgent().authorize(url.href, ALICE)
  return (await finish(back)).access_token
}

test('what is pasted for a web application signs people in, and nobody who has not begun', async () => {
  const redirect_uri = `http://127.0.0.1:${await freePort()}/auth/callback`
  const code = await write('pasted+web', { redirect_uris: [redirect_uri], ...SIGN_IN })
  assert.deepEqual([...code.keys()], ['Express', 'Passport', 'openid-client', 'oauth4webapi'])
  for (const framework of ['Express', 'Passport'] as const) {
    await signInByApp(code.get(framework)!)
  }
  for (const framework of ['openid-client', 'oauth4webapi'] as const) {
    assert.ok(await signInBy(code.get(framework)!, { CLIENT_SECRET }), framework)
  }
})

/** Runs a pasted application, and signs somebody in to it. */
async function signInByApp(code: string): Promise<void> {
  const app = await runPasted(code, { CLIENT_SECRET })
  try {
    const [, login] = await app.waitFor(/^Open (\S+)$/m)
    const browser = new UserAgent()
    const begin = async () => {
      const begun = await browser.request(login!)
      return new UserAgent().authorize(begun.headers.get('location')!, ALICE)
    }
    const signed_in = await browser.request((await begin()).href)
    assert.equal(JSON.parse(await signed_in.text()).signed_in.aud, 'pasted+web')
    const stranger = await new UserAgent().request((await begin()).href)
    assert.ok([401, 500].includes(stranger.status), `${stranger.status}`)
  } finally {
    await app.stop()
  }
}

test('what is pasted for a client that signs uses its key', async () => {
  const { jwks, private_jwk } = await makeClientKey()
  const of = { token_endpoint_auth_method: 'private_key_jwt', jwks, redirect_uris: ['http://127.0.0.1:3000/callback'] }
  const code = await write('pasted:key', { ...of, ...SIGN_IN })
  for (const framework of ['openid-client', 'oauth4webapi'] as const) {
    assert.ok(await signInBy(code.get(framework)!, { CLIENT_KEY: JSON.stringify(private_jwk) }), framework)
  }
})

test('what is pasted into a page signs people in there', async () => {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const of = { token_endpoint_auth_method: 'none', redirect_uris: [`${origin}/callback`], application_type: 'web' }
  const code = await write('pasted-page', { ...of, ...SIGN_IN })
  assert.deepEqual([...code.keys()], ['oidc-client-ts', 'oauth4webapi'])
  assert.ok(await signInBy(code.get('oauth4webapi')!, {}))
  const script = await bundleForBrowser(code.get('oidc-client-ts')!)
  const app = createServer((request, response) => {
    if (request.url === '/app.js') return response.setHeader('content-type', 'text/javascript').end(script)
    const head = '<!doctype html><link rel="icon" href="data:,"><title>App</title>'
    response.setHeader('content-type', 'text/html')
    return response.end(`${head}<body><script type="module" src="/app.js"></script>`)
  })
  await new Promise<void>((resolve) => app.listen(port, '127.0.0.1', resolve))
  const { browser, close } = await launchBrowser()
  try {
    const person = await Visitor.open(browser)
    await person.visit(origin)
    await person.press('Sign in')
    await person.page.waitForURL(/\/login\?/)
    await person.signIn(ALICE)
    await person.press('Allow')
    await person.page.getByText(/Signed in as \S+/).waitFor({ timeout: 10_000 })
    await person.close()
  } finally {
    await close()
    app.closeAllConnections()
    await new Promise((resolve) => app.close(resolve))
  }
})

test('what is pasted for a script gets its token', async () => {
  const code = await write("o'pasted%machine", MACHINE)
  assert.deepEqual([...code.keys()], ['openid-client', 'oauth4webapi', 'curl'])
  for (const framework of ['openid-client', 'oauth4webapi'] as const) {
    const script = await runPasted(code.get(framework)!, { CLIENT_SECRET })
    assert.equal(await script.ended, 0, script.stderr)
    assert.match(script.stdout, /^A token for \d+ seconds\n$/, framework)
  }
  const env = { ...process.env, CLIENT_SECRET }
  const { stdout } = await promisify(execFile)('bash', ['-c', code.get('curl')!], { env })
  assert.equal(JSON.parse(stdout).token_type, 'Bearer')
})

test('what is pasted for a device asks its user, and goes on when they have answered', async () => {
  const code = await write('pasted-device', { token_endpoint_auth_method: 'none', ...DEVICE })
  const device = await runPasted(code.get('openid-client')!)
  const [, uri, user_code] = await device.waitFor(/^Open (\S+) and type (\S+)$/m)
  const person = new UserAgent()
  let at = await person.follow(`${uri}?user_code=${user_code}`)
  for (let pages = 0; pages < 4; pages++) {
    const here = { url: at.url, html: await at.response.text() }
    if (here.html.includes('name="password"')) at = await person.submit(here, ALICE, 'name="password"')
    else if (here.html.includes('name="shown"')) {
      await person.submit(here, { decision: 'allow' }, 'name="shown"')
      break
    } else at = await person.submit(here, { user_code: user_code! }, 'name="user_code"')
  }
  assert.equal(await device.ended, 0, device.stderr)
  assert.match(device.stdout, /Signed in, with openid profile\n$/)
})
