import { startBetterAuth } from '../parts/better_auth.ts'
import { tellConnectStory } from '../parts/connect_story.ts'

tellConnectStory('an account at an app of Better Auth is connected', async ({ redirect_uri }) => {
  const theirs = await startBetterAuth(redirect_uri)
  const { issuer, client, consent, close } = theirs
  const { client_id, client_secret } = client
  return {
    connector: { provider: 'oidc', issuer, scope: 'openid email offline_access', client_id, client_secret },
    ...{ account: /^\w{32}$/, account_name: 'alice@corp.example', refresh: 'rotates', revocation: 'revoked' },
    ...{ consent, close },
    async takes(access_token) {
      const headers = { authorization: `Bearer ${access_token}` }
      return (await fetch(`${issuer}/oauth2/userinfo`, { headers })).status === 200
    },
    revoke: async () => theirs.forgetRefreshTokens(),
  }
})
