import { randomUUID } from 'node:crypto'
import { Events, OAuth2Server } from 'oauth2-mock-server'
import { type ForeignSide, tellConnectStory } from '../parts/connect_story.ts'

// The package keeps no books: it signs whatever it is asked for, so its hooks say here what is good and what has ended.

tellConnectStory('an account at oauth2-mock-server is connected', start, { checks_secret: false })

async function start({ redirect_uri }: { redirect_uri: string }): Promise<ForeignSide> {
  const theirs = new OAuth2Server()
  await theirs.issuer.keys.generate('RS256')
  await theirs.start(0, '127.0.0.1')
  const issuer = `http://127.0.0.1:${theirs.address().port}`
  theirs.issuer.url = issuer
  const [refresh_tokens, access_tokens] = [new Set<unknown>(), new Set<unknown>()]
  theirs.service.on(Events.BeforeTokenSigning, ({ payload }) => {
    // Two tokens of one second would be the same.
    payload['jti'] = randomUUID()
  })
  theirs.service.on(Events.BeforeResponse, (answer, { body }) => {
    const sent = (body as { refresh_token?: string }).refresh_token
    if (sent !== undefined && !refresh_tokens.delete(sent)) {
      answer.statusCode = 400
      answer.body = { error: 'invalid_grant', error_description: 'The refresh token has ended' }
    } else if (answer.body !== '') {
      refresh_tokens.add(answer.body['refresh_token'])
      access_tokens.add(answer.body['access_token'])
    }
  })
  theirs.service.on(Events.BeforeUserinfo, (answer, { headers }) => {
    if (access_tokens.has(headers.authorization?.slice('Bearer '.length))) return
    answer.statusCode = 401
    answer.body = { error: 'invalid_token' }
  })
  theirs.service.on(Events.BeforeRevoke, () => refresh_tokens.clear())
  return {
    connector: { provider: 'oidc', issuer, scope: 'openid', client_id: 'sallyport', client_secret: 'any' },
    ...{ account: /^johndoe$/, account_name: null, refresh: 'rotates', revocation: 'revoked' },
    async consent(there, authorization_url) {
      const { url } = await there.follow(authorization_url)
      if (!url.startsWith(redirect_uri)) throw new Error(`It leads to ${url}`)
      return url
    },
    async takes(access_token) {
      const headers = { authorization: `Bearer ${access_token}` }
      return (await fetch(`${issuer}/userinfo`, { headers })).status === 200
    },
    revoke: async () => refresh_tokens.clear(),
    close: () => theirs.stop(),
  }
}
