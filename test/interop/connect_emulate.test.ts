import { microsoftEntra } from '../../server/src/providers/records/microsoft_entra.ts'
import { tellConnectStory } from '../parts/connect_story.ts'
import { type Emulated, startEmulated } from '../parts/emulated.ts'
import type { UserAgent } from '../parts/user_agent.ts'

// Each service through the record of its vendor in the catalogue, with nothing but the places of its endpoints changed.

const client = { client_id: 'sallyport-there', client_secret: 'secret-of-ours-there' }
const ALICE = { login: 'alice', email: 'alice@corp.example', name: 'Alice Example' }
const NOBODY = { login: 'nobody', email: 'nobody@corp.example', name: 'Nobody Example' }
const users = [NOBODY, ALICE]
const refusal = { status: 401, body: { error: 'invalid_token', message: 'Bad credentials' } }
const stand_in = /"(email|login)":"nobody/

/** Our registration there, under both names that the package has for it. */
function register(redirect_uri: string) {
  const registered = [{ ...client, name: 'Sallyport', redirect_uris: [redirect_uri] }]
  return { users, oauth_clients: registered, oauth_apps: registered }
}

/** What every shape has: a page on which the person presses their own button, and the end. */
function sideOf(emulated: Emulated) {
  return {
    async consent(there: UserAgent, authorization_url: string) {
      const { url, response } = await there.follow(authorization_url)
      return (await there.submit({ url, html: await response.text() }, {}, ALICE.email)).url
    },
    close: () => emulated.close(),
  }
}

async function isTaken(url: string, access_token: string, method = 'GET'): Promise<boolean> {
  const response = await fetch(url, { method, headers: { authorization: `Bearer ${access_token}` } })
  const body = (await response.json()) as { ok?: boolean }
  return response.status === 200 && body.ok !== false
}

async function revokeNewest({ refresh_tokens }: Emulated, revocation_endpoint: string): Promise<void> {
  const body = new URLSearchParams({ token: refresh_tokens.at(-1)! })
  const { status } = await fetch(revocation_endpoint, { method: 'POST', body })
  if (status !== 200) throw new Error(`The revocation is answered with ${status}`)
}

tellConnectStory('Google, as emulate has it', async ({ redirect_uri }) => {
  const theirs = await startEmulated({ service: 'google', seed: register(redirect_uri), stand_in, refusal })
  const { origin } = theirs
  const revocation_endpoint = `${origin}/oauth2/revoke`
  const fields = {
    ...{ authorization_endpoint: `${origin}/o/oauth2/v2/auth`, token_endpoint: `${origin}/oauth2/token` },
    revocation_endpoint,
  }
  return {
    ...sideOf(theirs),
    connector: { provider: 'google', issuer: origin, fields, scope: 'openid email', ...client },
    ...{ account: /^goog_/, account_name: ALICE.email, refresh: 'keeps', revocation: 'revoked' },
    takes: (access_token) => isTaken(`${origin}/oauth2/v2/userinfo`, access_token),
    revoke: () => revokeNewest(theirs, revocation_endpoint),
  }
})

tellConnectStory('GitHub, as emulate has it', async ({ redirect_uri }) => {
  const theirs = await startEmulated({ service: 'github', seed: register(redirect_uri), stand_in, refusal })
  const { origin } = theirs
  const settings = `${origin}/settings/connections/applications/${client.client_id}/revoke`
  const fields = {
    authorization_endpoint: `${origin}/login/oauth/authorize`,
    token_endpoint: `${origin}/login/oauth/access_token`,
    userinfo_endpoint: `${origin}/user`,
    // The package has no such endpoint, and answers 404.
    revocation_endpoint: `${origin}/applications/{client_id}/token`,
  }
  let alices: UserAgent
  const { consent, close } = sideOf(theirs)
  return {
    connector: { provider: 'github', fields, scope: 'repo user:email', ...client },
    ...{ account: /^\d+$/, account_name: ALICE.login, refresh: 'none', revocation: 'unknown', close },
    told: { received: theirs.received, call: `DELETE /applications/${client.client_id}/token` },
    consent(there, authorization_url) {
      alices = there
      return consent(there, authorization_url)
    },
    takes: (access_token) => isTaken(`${origin}/user`, access_token),
    async revoke() {
      await alices.request(settings, { method: 'POST' })
    },
  }
})

tellConnectStory('Slack, as emulate has it', async ({ redirect_uri }) => {
  const theirs = await startEmulated({
    ...{ service: 'slack', seed: { team: { name: 'Corp' }, ...register(redirect_uri) } },
    ...{ stand_in: /"user_id":"U000000001"/, refusal: { status: 200, body: { ok: false, error: 'token_revoked' } } },
  })
  const { origin } = theirs
  const fields = {
    ...{ authorization_endpoint: `${origin}/oauth/v2/authorize`, token_endpoint: `${origin}/api/oauth.v2.access` },
    introspection_endpoint: `${origin}/api/auth.test`,
    // The package has no such method, and answers 404.
    revocation_endpoint: `${origin}/api/auth.revoke`,
  }
  return {
    ...sideOf(theirs),
    connector: { provider: 'slack', fields, scope: 'chat:write channels:read', ...client },
    ...{ account: /^T\w+$/, account_name: 'Corp', refresh: 'none', revocation: 'unknown' },
    told: { received: theirs.received, call: 'POST /api/auth.revoke' },
    takes: (access_token) => isTaken(`${origin}/api/auth.test`, access_token, 'POST'),
    revoke: async () => theirs.endTokens(),
  }
})

for (const tenant of ['9188040d-6c67-4c5b-b112-36a304b66dad', 'common']) {
  tellConnectStory(`Microsoft Entra ID, as emulate has it, by the authority ${tenant}`, async ({ redirect_uri }) => {
    const theirs = await startEmulated({ service: 'microsoft', seed: register(redirect_uri), stand_in, refusal })
    const { origin } = theirs
    const { id_token_issuer } = microsoftEntra.fields
    const value = { ...id_token_issuer!.value!, template: `${origin}/{tid}/v2.0` }
    const here = {
      ...microsoftEntra,
      fields: { ...microsoftEntra.fields, id_token_issuer: { ...id_token_issuer!, value } },
    }
    const fields = {
      authorization_endpoint: `${origin}/oauth2/v2.0/authorize`,
      token_endpoint: `${origin}/oauth2/v2.0/token`,
      userinfo_endpoint: `${origin}/oidc/userinfo`,
      jwks_uri: `${origin}/discovery/v2.0/keys`,
    }
    return {
      ...sideOf(theirs),
      // Where tokens of every tenant come from is no field of a connector.
      ...(tenant === 'common' && { providers: [here] }),
      connector: {
        ...{ provider: 'microsoft-entra', issuer: `${origin}/{tenant}/v2.0`, placeholders: { tenant }, fields },
        ...{ scope: 'openid email User.Read', ...client },
      },
      ...{ account: /^[\da-f-]{36}$/, account_name: ALICE.email, refresh: 'rotates', revocation: 'unsupported' },
      takes: (access_token) => isTaken(`${origin}/oidc/userinfo`, access_token),
      revoke: () => revokeNewest(theirs, `${origin}/oauth2/v2.0/revoke`),
    }
  })
}

tellConnectStory('Okta, as emulate has it', async ({ redirect_uri }) => {
  const theirs = await startEmulated({ service: 'okta', seed: register(redirect_uri), stand_in, refusal })
  const issuer = `${theirs.origin}/oauth2/default`
  return {
    ...sideOf(theirs),
    connector: {
      ...{ provider: 'okta', issuer, placeholders: { issuer: 'https://acme.okta.com/oauth2/default' } },
      ...{ scope: 'openid email', ...client },
    },
    ...{ account: /^00u/, account_name: ALICE.email, refresh: 'rotates', revocation: 'revoked' },
    takes: (access_token) => isTaken(`${issuer}/v1/userinfo`, access_token),
    revoke: () => revokeNewest(theirs, `${issuer}/v1/revoke`),
  }
})
