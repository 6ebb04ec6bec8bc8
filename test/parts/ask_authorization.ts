import assert from 'node:assert/strict'
import { ALICE, type BOB, CALLBACK, type ClientName, type Platform } from './platform.ts'
import { UserAgent } from './user_agent.ts'

/** What tests of the authorization endpoint ask of its answers, for one platform. */
export function askAuthorization(platform: () => Platform) {
  return {
    /** A browser in which somebody is signed in already; with clients, they were allowed what they ask for. */
    async signedIn(user: typeof ALICE | typeof BOB = ALICE, ...clients: ClientName[]): Promise<UserAgent> {
      const agent = new UserAgent()
      for (const client of ['trusted', ...clients] as ClientName[]) {
        await agent.authorize(platform().authorizeUrl(client), user)
      }
      return agent
    },

    /** Asserts that an answer is a page of ours and leads nowhere. */
    async assertPage(response: Response, what: string, status = 400): Promise<string> {
      assert.equal(response.status, status, what)
      assert.equal(response.headers.get('location'), null, what)
      assert.match(response.headers.get('content-type')!, /^text\/html/, what)
      assert.equal(response.headers.get('cache-control'), 'no-store', what)
      const html = await response.text()
      assert.doesNotMatch(html, /http-equiv="refresh"|<script(?! type="module" src="\/hub\/assets)/i, what)
      return html
    },

    /** Asserts that an answer is an error at the client's own address, whole and with nothing that could be a token. */
    assertRefused(response: Response, error: string, what: string, redirect_uri: string = CALLBACK): URL {
      assert.equal(response.status, 303, what)
      const location = response.headers.get('location')!
      assert.ok(location.startsWith(`${redirect_uri}?`), `${what}: ${location}`)
      const url = new URL(location)
      assert.equal(url.searchParams.get('error'), error, `${what}: ${location}`)
      assert.ok(url.searchParams.get('error_description'), what)
      assert.equal(url.searchParams.get('iss'), platform().issuer, what)
      assert.equal(url.searchParams.get('code'), null, what)
      assert.equal(url.hash, '#_', 'B-02 a fragment of our own')
      assert.equal(response.headers.get('cache-control'), 'no-store', what)
      assert.equal(response.headers.get('referrer-policy'), 'no-referrer', what)
      return url
    },
  }
}
