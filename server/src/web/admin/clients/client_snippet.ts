import type { ClientMetadata } from '../../../oauth/clients/client.ts'
import { DEVICE_CODE } from './templates/client_type.ts'

/** Code for one framework or library, to be pasted as it stands. */
export interface Snippet {
  /** As its makers write it. */
  readonly framework: Framework
  readonly code: string
}

/** What there is code for. */
const FRAMEWORKS = ['Express', 'Passport', 'openid-client', 'oauth4webapi', 'oidc-client-ts', 'curl'] as const

/** One of those. */
export type Framework = (typeof FRAMEWORKS)[number]

/** The client that code is for. */
export type SnippetClient = ClientMetadata & { readonly client_id: string }

/** Code that uses a client as it is registered, for each framework that suits it; the best fit first. */
export function listSnippets(issuer: string, client: SnippetClient): readonly Snippet[] {
  const at = { issuer, client, insecure: issuer.startsWith('http:') }
  const write: Record<Framework, (at: Place) => string> = {
    Express: writeExpress,
    Passport: writePassport,
    'openid-client': writeOpenidClient,
    oauth4webapi: writeOauth4webapi,
    'oidc-client-ts': writeOidcClientTs,
    curl: writeCurl,
  }
  return chooseFrameworks(client).map((framework) => ({ framework, code: write[framework](at) }))
}

interface Place {
  readonly issuer: string
  readonly client: SnippetClient
  /** The issuer is this machine, without TLS: libraries want to be told that this is meant. */
  readonly insecure: boolean
}

function chooseFrameworks(client: SnippetClient): readonly Framework[] {
  const { token_endpoint_auth_method: method, application_type } = client
  if (!usesCode(client)) {
    if (client.grant_types.includes(DEVICE_CODE)) return ['openid-client']
    return method === 'client_secret_basic'
      ? ['openid-client', 'oauth4webapi', 'curl']
      : ['openid-client', 'oauth4webapi']
  }
  if (method !== 'none') return ['Express', 'Passport', 'openid-client', 'oauth4webapi']
  return application_type === 'native' ? ['openid-client', 'oauth4webapi'] : ['oidc-client-ts', 'oauth4webapi']
}

const usesCode = ({ grant_types }: ClientMetadata) => grant_types.includes('authorization_code')
const text = (value: string | undefined) => JSON.stringify(value ?? '')

// The key that the console makes: ES256.
const IMPORT_KEY = `const jwk = JSON.parse(process.env.CLIENT_KEY)
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
`

/** How a client authenticates, by the functions that openid-client and oauth4webapi have in common. */
function authenticate(library: string, { client }: Place): { readonly before: string; readonly by: string } {
  const secret = 'process.env.CLIENT_SECRET'
  const methods: Readonly<Record<string, string>> = {
    none: `${library}.None()`,
    client_secret_basic: `${library}.ClientSecretBasic(${secret})`,
    client_secret_post: `${library}.ClientSecretPost(${secret})`,
    client_secret_jwt: `${library}.ClientSecretJwt(${secret})`,
    private_key_jwt: `${library}.PrivateKeyJwt({ key, kid: jwk.kid })`,
  }
  const method = client.token_endpoint_auth_method
  return {
    before: method === 'private_key_jwt' ? IMPORT_KEY : '',
    by: methods[method] ?? `${library}.TlsClientAuth()`,
  }
}

function configureOpenidClient(at: Place): string {
  const { before, by } = authenticate('client', at)
  const more = at.insecure ? ', { execute: [client.allowInsecureRequests] }' : ''
  return `${before}const issuer = new URL(${text(at.issuer)})
const config = await client.discovery(issuer, ${text(at.client.client_id)}, undefined, ${by}${more})
`
}

function writeExpress(at: Place): string {
  const { redirect_uris, scope } = at.client
  return `import express from 'express'
import * as client from 'openid-client'

${configureOpenidClient(at)}const redirect_uri = ${text(redirect_uris[0])}
const app = express()

app.get('/login', async (request, response) => {
  const code_verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  // Only the browser that began can finish: what it takes is in a cookie of its own.
  const secure = redirect_uri.startsWith('https:')
  response.cookie('sign_in', \`\${state}.\${code_verifier}\`, { httpOnly: true, sameSite: 'lax', secure, maxAge: 600_000 })
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: ${text(scope)},
    state,
    code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
    code_challenge_method: 'S256',
  })
  response.redirect(url.href)
})

app.get(new URL(redirect_uri).pathname, async (request, response) => {
  const [, kept = ''] = /(?:^|; )sign_in=([^;]+)/.exec(request.headers.cookie ?? '') ?? []
  const [expectedState, pkceCodeVerifier] = kept.split('.')
  const url = new URL(request.originalUrl, redirect_uri)
  const tokens = await client.authorizationCodeGrant(config, url, { pkceCodeVerifier, expectedState })
  // Here your own session begins.
  response.clearCookie('sign_in').json({ signed_in: tokens.claims() })
})

app.listen(new URL(redirect_uri).port || 3000)
console.log('Open', new URL('/login', redirect_uri).href)
`
}

function writePassport(at: Place): string {
  const { redirect_uris, scope } = at.client
  return `import express from 'express'
import * as client from 'openid-client'
import { Strategy } from 'openid-client/passport'
import passport from 'passport'

${configureOpenidClient(at)}const redirect_uri = ${text(redirect_uris[0])}
const options = { name: 'sallyport', config, scope: ${text(scope)}, callbackURL: redirect_uri }
passport.use(new Strategy(options, (tokens, done) => done(null, tokens.claims())))
const app = express()

// Your own session stands here, such as that of express-session: this one is gone with the process.
const sessions = new Map()
app.use((request, response, next) => {
  const [, known] = /(?:^|; )session=([^;]+)/.exec(request.headers.cookie ?? '') ?? []
  const id = sessions.has(known) ? known : client.randomState()
  if (id !== known) sessions.set(id, {})
  request.session = sessions.get(id)
  response.cookie('session', id, { httpOnly: true, sameSite: 'lax', secure: redirect_uri.startsWith('https:') })
  next()
})

const signIn = passport.authenticate('sallyport', { session: false })
app.get('/login', signIn)
app.get(new URL(redirect_uri).pathname, signIn, (request, response) => {
  response.json({ signed_in: request.user })
})

app.listen(new URL(redirect_uri).port || 3000)
console.log('Open', new URL('/login', redirect_uri).href)
`
}

function writeOpenidClient(at: Place): string {
  const { client } = at
  const head = `import * as client from 'openid-client'\n\n${configureOpenidClient(at)}`
  const asked = `scope: ${text(client.scope)}`
  if (!usesCode(client) && client.grant_types.includes(DEVICE_CODE)) {
    return `${head}
const device = await client.initiateDeviceAuthorization(config, { ${asked} })
console.log('Open', device.verification_uri, 'and type', device.user_code)
const tokens = await client.pollDeviceAuthorizationGrant(config, device)
console.log('Signed in, with', tokens.scope)
`
  }
  if (!usesCode(client)) {
    return `${head}
const tokens = await client.clientCredentialsGrant(config, { ${asked} })
console.log('A token for', tokens.expires_in, 'seconds')
`
  }
  return `${head}
const code_verifier = client.randomPKCECodeVerifier()
const state = client.randomState()

// Send the browser here.
export const url = client.buildAuthorizationUrl(config, {
  redirect_uri: ${text(client.redirect_uris[0])},
  ${asked},
  state,
  code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
  code_challenge_method: 'S256',
})

// When it comes back to the redirect URI, with the whole URL.
export function finish(currentUrl) {
  return client.authorizationCodeGrant(config, currentUrl, { pkceCodeVerifier: code_verifier, expectedState: state })
}
`
}

function writeOauth4webapi(at: Place): string {
  const { client, issuer, insecure } = at
  // A browser has no environment, and a client there no secret.
  const { before, by } = authenticate('oauth', at)
  const options = insecure ? ', { [oauth.allowInsecureRequests]: true }' : ''
  const head = `import * as oauth from 'oauth4webapi'

${before}const issuer = new URL(${text(issuer)})
const client = { client_id: ${text(client.client_id)} }
const authenticate = ${by}
const found = await oauth.discoveryRequest(issuer${options})
const server = await oauth.processDiscoveryResponse(issuer, found)
`
  if (!usesCode(client)) {
    return `${head}
const asked = new URLSearchParams({ scope: ${text(client.scope)} })
const response = await oauth.clientCredentialsGrantRequest(server, client, authenticate, asked${options})
const tokens = await oauth.processClientCredentialsResponse(server, client, response)
console.log('A token for', tokens.expires_in, 'seconds')
`
  }
  return `${head}const redirect_uri = ${text(client.redirect_uris[0])}
const code_verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()

// Send the browser here.
export const url = new URL(server.authorization_endpoint)
url.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri,
  response_type: 'code',
  scope: ${text(client.scope)},
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(code_verifier),
  code_challenge_method: 'S256',
})

// When it comes back to the redirect URI, with the whole URL.
export async function finish(currentUrl) {
  const params = oauth.validateAuthResponse(server, client, currentUrl, state)
  const response = await oauth.authorizationCodeGrantRequest(
    server, client, authenticate, params, redirect_uri, code_verifier${options},
  )
  return oauth.processAuthorizationCodeResponse(server, client, response)
}
`
}

function writeOidcClientTs({ issuer, client }: Place): string {
  return `import { UserManager } from 'oidc-client-ts'

const redirect_uri = ${text(client.redirect_uris[0])}
const manager = new UserManager({
  authority: ${text(issuer)},
  client_id: ${text(client.client_id)},
  redirect_uri,
  scope: ${text(client.scope)},
})

if (location.origin + location.pathname === redirect_uri) {
  manager.signinCallback().then((user) => {
    history.replaceState(null, '', '/')
    document.body.append(\`Signed in as \${user.profile.sub}\`)
  })
} else {
  const button = document.createElement('button')
  button.append('Sign in')
  button.onclick = () => manager.signinRedirect()
  document.body.append(button)
}
`
}

function writeCurl({ issuer, client }: Place): string {
  // RFC 6749 section 2.3.1: both are encoded before they are put together.
  const id = encodeURIComponent(client.client_id)
  const quote = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`
  return `curl -u ${quote(`${id}:`)}"$CLIENT_SECRET" -d grant_type=client_credentials \\
  -d scope=${quote(encodeURIComponent(client.scope))} ${issuer}/token
`
}
