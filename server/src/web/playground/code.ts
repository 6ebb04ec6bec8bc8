import {
  ADMIN,
  BY_KEY,
  CAME_BACK,
  CLIENT,
  DPOP,
  exchangeCode,
  introspect,
  MUTUAL_TLS,
  OAUTH,
  PLATFORM,
  PRINT,
  PUBLIC,
  refresh,
  refreshRefused,
  refused,
  revoke,
  SUBJECT,
  THEIR_TOKEN,
  VAULT,
} from './program_parts.ts'

// The steps of the playground as a program: with our SDK where it has the call, else with oauth4webapi. `{name}` in it is
// a value of the flow, which the page writes as a text of the program; `OPTIONS` allows plain http, where there is no TLS.

const TEMPLATES = {
  exchange_code: exchangeCode(),
  exchange_code_public: exchangeCode(PUBLIC),
  refresh: refresh('refresh_token'),
  refresh_public: refresh('refresh_token', PUBLIC),
  refresh_again: refresh('second_refresh_token'),
  refresh_refused: refreshRefused('refresh_token'),
  newest_refused: refreshRefused('third_refresh_token'),
  narrow: `${OAUTH}
const additionalParameters = { authorization_details: '[]' }
const options = { ...OPTIONS, additionalParameters }
const response = await oauth.refreshTokenGrantRequest(server, client, authenticate, {refresh_token}, options)
const tokens = await oauth.processRefreshTokenResponse(server, client, response)
${PRINT('tokens')}`,
  introspect: introspect('access_token'),
  introspect_exchanged: introspect('exchanged_token'),
  revoke: revoke('next_refresh_token'),
  introspect_by_key: introspect('access_token', BY_KEY),
  revoke_public: revoke('next_refresh_token', PUBLIC),
  revoke_by_key: revoke('access_token', BY_KEY),
  revoke_access_token: revoke('access_token'),
  revoke_refresh_token: revoke('refresh_token'),
  userinfo: `${CLIENT}
const response = await oauth.userInfoRequest(server, client, {access_token}, OPTIONS)
const user = await oauth.processUserInfoResponse(server, client, oauth.skipSubjectCheck, response)
${PRINT('user')}`,
  userinfo_refused: `${CLIENT}
const response = await oauth.userInfoRequest(server, client, {access_token}, OPTIONS)
// The API says in its challenge what is wrong.
${refused('oauth.processUserInfoResponse(server, client, oauth.skipSubjectCheck, response)', 'error.cause[0].parameters.error')}`,
  push: `${OAUTH}
const asked = new URLSearchParams({
  response_type: 'code',
  redirect_uri: {redirect_uri},
  scope: {scope},
  state: {state},
  nonce: {nonce},
  code_challenge: await oauth.calculatePKCECodeChallenge({code_verifier}),
  code_challenge_method: 'S256',
})
const response = await oauth.pushedAuthorizationRequest(server, client, authenticate, asked, OPTIONS)
const pushed = await oauth.processPushedAuthorizationResponse(server, client, response)
${PRINT('pushed')}`,
  device_authorization: `${OAUTH}
const asked = new URLSearchParams({ scope: {scope} })
const response = await oauth.deviceAuthorizationRequest(server, client, authenticate, asked, OPTIONS)
const device = await oauth.processDeviceAuthorizationResponse(server, client, response)
${PRINT('device')}`,
  device_code: `${OAUTH}
const response = await oauth.deviceCodeGrantRequest(server, client, authenticate, {device_code}, OPTIONS)
const tokens = await oauth.processDeviceCodeResponse(server, client, response)
${PRINT('tokens')}`,
  client_token: `${VAULT}const vault = createVault({ issuer: {issuer}, client_id: {client_id}, client_secret: {client_secret} })
const access_token = await vault.clientToken({ resource: {issuer} + '/api', scope: 'admin:read' })
${PRINT('{ access_token }')}`,
  token_by_key: `${BY_KEY}
const asked = new URLSearchParams({ scope: 'admin:read', resource: {issuer} + '/api' })
const response = await oauth.clientCredentialsGrantRequest(server, client, authenticate, asked, OPTIONS)
const tokens = await oauth.processClientCredentialsResponse(server, client, response)
${PRINT('tokens')}`,
  token_by_word: `import { importJWK, SignJWT } from 'jose'
${OAUTH}
const assertion = await new SignJWT()
  .setProtectedHeader({ alg: 'ES256' })
  .setIssuer({trusted_issuer})
  .setSubject('somebody')
  .setAudience(server.issuer)
  .setJti(oauth.generateRandomState())
  .setExpirationTime('1m')
  .sign(await importJWK(JSON.parse({issuer_key}), 'ES256'))
const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const asked = new URLSearchParams({ assertion, scope: 'openid profile' })
const response = await oauth.genericTokenEndpointRequest(server, client, authenticate, grant_type, asked, OPTIONS)
const tokens = await oauth.processGenericTokenEndpointResponse(server, client, response)
${PRINT('tokens')}`,
  platform_token: `${VAULT}const vault = createVault({ issuer: {issuer}, client_id: {client_id}, client_secret: {client_secret} })
const scope = 'connect:sessions connect:token'
const access_token = await vault.clientToken({ resource: {issuer} + '/api', scope })
${PRINT('{ access_token }')}`,
  register: `${CLIENT.slice(0, CLIENT.indexOf('const client'))}
const metadata = {
  client_name: 'Registered in the playground',
  redirect_uris: [{redirect_uri}],
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: 'none',
}
const response = await oauth.dynamicClientRegistrationRequest(server, metadata, OPTIONS)
const client = await oauth.processDynamicClientRegistrationResponse(response)
${PRINT('client')}`,
  list_connections: `${ADMIN}const admin = createAdmin({ issuer: {issuer}, access_token: {access_token} })
const page = await admin.listConnections().page()
${PRINT('page')}`,
  list_clients: `${ADMIN}const admin = createAdmin({ issuer: {issuer}, access_token: {exchanged_token} })
const page = await admin.listClients().page()
${PRINT('page')}`,
  proxy: `${VAULT}const vault = createVault({ issuer: {issuer} })
const api = vault.connection({ connector: {connector}, access_token: {access_token} })
const answer = await api.fetch({path})
console.log(await answer.text())
`,
  provider_token: `${THEIR_TOKEN}
const token = await connection.token()
${PRINT('token')}`,
  renewed_token: `${THEIR_TOKEN}
// The provider's API has refused this one.
const token = await connection.token({provider_token})
${PRINT('token')}`,
  write_refused: `${VAULT}const vault = createVault({ issuer: {issuer} })
const api = vault.connection({ connector: {connector}, access_token: {access_token} })
${refused("api.fetch({path}, { method: 'POST' })")}`,
  too_much: `${ADMIN}const admin = createAdmin({ issuer: {issuer}, access_token: {exchanged_token} })
${refused("admin.createClient({ client_name: 'Too much' })")}`,
  connection_gone: `${VAULT}const vault = createVault({ issuer: {issuer}, client_id: {client_id}, client_secret: {client_secret} })
const api = vault.connection({ connection_id: {connection_id}, scope: 'connect:token' })
${refused('api.fetch({path})')}`,
  exchange: `${OAUTH}${SUBJECT}
const grant_type = 'urn:ietf:params:oauth:grant-type:token-exchange'
const asked = new URLSearchParams({
  subject_token: {access_token},
  subject_token_type: access_token,
  actor_token: {actor_token},
  actor_token_type: access_token,
  resource: {issuer} + '/api',
  scope: 'admin:read',
})
const response = await oauth.genericTokenEndpointRequest(server, client, authenticate, grant_type, asked, OPTIONS)
const tokens = await oauth.processGenericTokenEndpointResponse(server, client, response)
${PRINT('tokens')}`,
  dpop_token: `${OAUTH}
${CAME_BACK}${DPOP}
const options = { ...OPTIONS, DPoP }
const ask = () =>
  oauth.authorizationCodeGrantRequest(server, client, authenticate, params, {redirect_uri}, {code_verifier}, options)
const expected = { expectedNonce: {nonce} }
// The first answer names the nonce, and DPoP remembers it.
let tokens
try {
  tokens = await oauth.processAuthorizationCodeResponse(server, client, await ask(), expected)
} catch (error) {
  if (!oauth.isDPoPNonceError(error)) throw error
  tokens = await oauth.processAuthorizationCodeResponse(server, client, await ask(), expected)
}
${PRINT('tokens')}`,
  dpop_userinfo: `${CLIENT}
${DPOP}
const ask = () => oauth.userInfoRequest(server, client, {access_token}, { ...OPTIONS, DPoP })
let user
try {
  user = await oauth.processUserInfoResponse(server, client, oauth.skipSubjectCheck, await ask())
} catch (error) {
  if (!oauth.isDPoPNonceError(error)) throw error
  user = await oauth.processUserInfoResponse(server, client, oauth.skipSubjectCheck, await ask())
}
${PRINT('user')}`,
  mtls_token: `${MUTUAL_TLS}${CAME_BACK}const verifier = {code_verifier}
const response = await oauth.authorizationCodeGrantRequest(server, client, authenticate, params, {redirect_uri}, verifier, options)
const expected = { expectedNonce: {nonce} }
const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, expected)
await dispatcher.close()
${PRINT('tokens')}`,
  mtls_userinfo: `${MUTUAL_TLS}const response = await oauth.userInfoRequest(server, client, {access_token}, options)
const user = await oauth.processUserInfoResponse(server, client, oauth.skipSubjectCheck, response)
await dispatcher.close()
${PRINT('user')}`,
  resource_metadata: `import * as oauth from 'oauth4webapi'

const resource = new URL({issuer} + '/api')
const response = await oauth.resourceDiscoveryRequest(resource, OPTIONS)
const found = await oauth.processResourceDiscoveryResponse(resource, response)
${PRINT('found')}`,
  server_metadata: `import * as oauth from 'oauth4webapi'

const issuer = new URL({issuer})
const response = await oauth.discoveryRequest(issuer, { ...OPTIONS, algorithm: 'oauth2' })
const server = await oauth.processDiscoveryResponse(issuer, response)
${PRINT('server')}`,
  make_session: `${PLATFORM}const made = await admin.createConnectSession({
  end_user_id: {end_user_id},
  connectors: [{connector}],
  origins: [new URL(issuer).origin],
  return_uri: {redirect_uri},
})
${PRINT('made')}`,
  confirm_session: `${PLATFORM}const session = await admin.confirmConnectSession({session_id}, { confirmation_code: {code} })
${PRINT('session')}`,
  proxy_connection: `${VAULT}const vault = createVault({ issuer: {issuer}, client_id: {client_id}, client_secret: {client_secret} })
const api = vault.connection({ connection_id: {connection_id}, scope: 'connect:token' })
const answer = await api.fetch({path})
console.log(await answer.text())
`,
  refresh_connection: `${PLATFORM}const token = await admin.refreshConnection({connection_id})
${PRINT('token')}`,
  disconnect: `${PLATFORM}await admin.disconnectConnection({connection_id})
`,
} as const

/** What there is code for. */
export type CodeName = keyof typeof TEMPLATES

/** The code of a step; `{name}` in it stands for a value of the flow. */
export function writeCode(name: CodeName, issuer: string): string {
  return allowHttp(TEMPLATES[name], issuer.startsWith('http:'))
}

function allowHttp(code: string, insecure: boolean): string {
  if (insecure)
    return code
      .replaceAll('OPTIONS', '{ [oauth.allowInsecureRequests]: true }')
      .replaceAll(/\{ \.\.\.\{ ([^}]+) \}/g, '{ $1')
  return code.replaceAll(/, OPTIONS(?=\))/g, '').replaceAll('...OPTIONS, ', '')
}
