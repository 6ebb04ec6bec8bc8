// Of what the programs of the playground are made; code.ts says which.

/** The start of a program with the vault of our SDK. */
export const VAULT = `import { createVault } from '@sallyport/sdk/vault'

`

/** The start of one with the administration API of our SDK. */
export const ADMIN = `import { createAdmin } from '@sallyport/sdk/admin'

`

/** Its end: what came of it. */
export const PRINT = (what: string) => `console.log(JSON.stringify(${what}, null, 2))
`

/** The start of one with oauth4webapi: the server by its discovery, and the client. */
export const CLIENT = `import * as oauth from 'oauth4webapi'

const issuer = new URL({issuer})
const found = await oauth.discoveryRequest(issuer, OPTIONS)
const server = await oauth.processDiscoveryResponse(issuer, found)
const client = { client_id: {client_id} }
`

/** A call that must be refused: what is written then is the refusal. */
export const refused = (call: string, error = 'error.error') => `try {
  await ${call}
} catch (error) {
  console.log(JSON.stringify({ error: ${error} }))
}
`

/** The same of a client with a secret. */
export const OAUTH = `${CLIENT}const authenticate = oauth.ClientSecretBasic({client_secret})
`

/** The same of a client without one. */
export const PUBLIC = `${CLIENT}const authenticate = oauth.None()
`

/** The same of a client that signs. */
export const BY_KEY = `${CLIENT}const ES256 = { name: 'ECDSA', namedCurve: 'P-256' }
const key = await crypto.subtle.importKey('jwk', JSON.parse({client_key}), ES256, false, ['sign'])
const authenticate = oauth.PrivateKeyJwt(key)
`

/** The same of a client with a certificate. */
export const MUTUAL_TLS = `import { readFileSync } from 'node:fs'
import { Agent, fetch } from 'undici'
${OAUTH.replace('{ client_id: {client_id} }', '{ client_id: {client_id}, use_mtls_endpoint_aliases: true }')}
const dispatcher = new Agent({ connect: { cert: readFileSync('app.pem'), key: readFileSync('app.key') } })
const options = { ...OPTIONS, [oauth.customFetch]: (url, init) => fetch(url, { ...init, dispatcher }) }
`

/** What the browser came back with, checked. */
export const CAME_BACK = `const came_back = new URL({redirect_uri})
came_back.search = new URLSearchParams({ code: {code}, state: {state}, iss: {issuer} }).toString()
const params = oauth.validateAuthResponse(server, client, came_back, {state})
`

/** What makes the proofs of a key (RFC 9449). */
export const DPOP = `const jwk = JSON.parse({dpop_key})
const ES256 = { name: 'ECDSA', namedCurve: 'P-256' }
const privateKey = await crypto.subtle.importKey('jwk', jwk, ES256, false, ['sign'])
const publicKey = await crypto.subtle.importKey('jwk', { ...jwk, d: undefined }, ES256, true, ['verify'])
const DPoP = oauth.DPoP(client, { privateKey, publicKey })
`

/** The type of a token that is exchanged. */
export const SUBJECT = `const access_token = 'urn:ietf:params:oauth:token-type:access_token'
`

/** The exchange of a code. */
export const exchangeCode = (start = OAUTH) => `${start}
${CAME_BACK}const verifier = {code_verifier}
const response = await oauth.authorizationCodeGrantRequest(server, client, authenticate, params, {redirect_uri}, verifier, OPTIONS)
const expected = { expectedNonce: {nonce} }
const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, expected)
${PRINT('tokens')}`

/** A refresh. */
export const refresh = (name: string, start = OAUTH) => `${start}
const response = await oauth.refreshTokenGrantRequest(server, client, authenticate, {${name}}, OPTIONS)
const tokens = await oauth.processRefreshTokenResponse(server, client, response)
${PRINT('tokens')}`

/** A refresh that must be refused. */
export const refreshRefused = (name: string) => `${OAUTH}
const response = await oauth.refreshTokenGrantRequest(server, client, authenticate, {${name}}, OPTIONS)
${refused('oauth.processRefreshTokenResponse(server, client, response)')}`

/** An introspection. */
export const introspect = (name: string, start = OAUTH) => `${start}
const response = await oauth.introspectionRequest(server, client, authenticate, {${name}}, OPTIONS)
const told = await oauth.processIntrospectionResponse(server, client, response)
${PRINT('told')}`

/** A revocation. */
export const revoke = (name: string, start = OAUTH) => `${start}
const response = await oauth.revocationRequest(server, client, authenticate, {${name}}, OPTIONS)
await oauth.processRevocationResponse(response)
`

/** The start of one that takes tokens of a provider. */
export const THEIR_TOKEN = `${VAULT}const vault = createVault({ issuer: {issuer}, client_id: {client_id}, client_secret: {client_secret} })
const connection = vault.connection({ connector: {connector}, access_token: {access_token}, via: 'token' })
`

/** The start of a platform of its own users. */
export const PLATFORM = `${ADMIN}const issuer = {issuer}
const scope = 'connect:sessions connect:token'
const admin = createAdmin({ issuer, client_id: {client_id}, client_secret: {client_secret}, scope })
`
