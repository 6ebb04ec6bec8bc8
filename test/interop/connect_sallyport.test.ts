import { BOB } from '../parts/bridge.ts'
import { tellConnectStory } from '../parts/connect_story.ts'
import { startSallyport } from '../parts/sallyport.ts'
import { UserAgent } from '../parts/user_agent.ts'

const client = { client_id: 'other-sallyport', client_secret: 'secret: of + the / other' }

tellConnectStory('a Sallyport connects an account at another Sallyport', async ({ redirect_uri }) => {
  const theirs = await startSallyport({ path: '/theirs' })
  const bob = await theirs.addUser({ ...BOB, email: 'bob@example.test' })
  await theirs.addClient({
    ...{ ...client, client_name: 'The other one', redirect_uris: [redirect_uri] },
    ...{ grant_types: ['authorization_code', 'refresh_token'], scope: 'openid email offline_access' },
  })
  return {
    connector: { provider: 'oidc', issuer: theirs.issuer, scope: 'openid email offline_access', ...client },
    account: new RegExp(`^${bob}$`),
    account_name: 'bob@example.test',
    refresh: 'rotates',
    revocation: 'revoked',
    async consent(there, authorization_url) {
      return (await there.authorize(authorization_url, BOB)).href
    },
    async takes(access_token) {
      const headers = { authorization: `Bearer ${access_token}` }
      return (await fetch(`${theirs.issuer}/userinfo`, { headers })).status === 200
    },
    async revoke() {
      const bobs = new UserAgent()
      const login = await bobs.follow(`${theirs.issuer}/login`)
      await bobs.submit({ url: login.url, html: await login.response.text() }, BOB)
      const { url, response } = await bobs.follow(`${theirs.issuer}/account`)
      await bobs.submit({ url, html: await response.text() }, {}, '/account/apps/revoke')
    },
    close: () => theirs.stop(),
  }
})
