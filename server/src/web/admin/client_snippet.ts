import type { ClientMetadata } from '../../oauth/clients/client.ts'
import { DEVICE_CODE } from './templates/client_type.ts'

const AUTHENTICATION: Readonly<Record<string, string>> = {
  none: 'client.None()',
  client_secret_basic: 'client.ClientSecretBasic(process.env.CLIENT_SECRET)',
  client_secret_post: 'client.ClientSecretPost(process.env.CLIENT_SECRET)',
  client_secret_jwt: 'client.ClientSecretJwt(process.env.CLIENT_SECRET)',
  private_key_jwt: 'client.PrivateKeyJwt({ key, kid: jwk.kid })',
}

// The key that the console makes: ES256.
const IMPORT_KEY = `const jwk = JSON.parse(process.env.CLIENT_KEY)
const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
`

/** Code that uses a client as it is registered. */
export function writeSnippet(
  issuer: string,
  { client_id }: { readonly client_id: string },
  client: ClientMetadata,
): string {
  const auth = AUTHENTICATION[client.token_endpoint_auth_method]
  const more = issuer.startsWith('http:') ? ', { execute: [client.allowInsecureRequests] }' : ''
  const key = client.token_endpoint_auth_method === 'private_key_jwt' ? IMPORT_KEY : ''
  const head = `import * as client from 'openid-client'

${key}const issuer = new URL(${JSON.stringify(issuer)})
const config = await client.discovery(issuer, ${JSON.stringify(client_id)}, undefined, ${auth}${more})
`
  const asked = `scope: ${JSON.stringify(client.scope)}`
  if (client.grant_types.includes(DEVICE_CODE) && !client.grant_types.includes('authorization_code'))
    return `${head}const device = await client.initiateDeviceAuthorization(config, { ${asked} })
console.log('Open', device.verification_uri, 'and type', device.user_code)
const tokens = await client.pollDeviceAuthorizationGrant(config, device)
`
  if (!client.grant_types.includes('authorization_code'))
    return `${head}const tokens = await client.clientCredentialsGrant(config, { ${asked} })\n`
  return `${head}
const code_verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri: ${JSON.stringify(client.redirect_uris[0] ?? '')},
  ${asked},
  state,
  code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
  code_challenge_method: 'S256',
})
// Send the browser to url. When it comes back to the redirect URI:
// const tokens = await client.authorizationCodeGrant(config, currentUrl, { pkceCodeVerifier: code_verifier, expectedState: state })
`
}
