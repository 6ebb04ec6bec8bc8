import type { CompatDoor } from '../door.ts'
import { authorizePage } from '../pages/authorize.ts'
import { actOnOutcome, token, translateAuthorization } from './hub_oauth.ts'
import { rest } from './hub_rest.ts'
import { publicSettings, service, services } from './hub_services.ts'
import { USER_COLLECTIONS, user, userCollection, userItem } from './hub_users.ts'

/** JetBrains Hub's URLs (its REST API, version 1): registration, authorization, tokens, and what its clients ask about. */
export const hub: CompatDoor = {
  machines: (base) => [
    [`${base}/api/rest/services`, services],
    [`${base}/api/rest/oauth2/token`, token],
    [`${base}/api/rest/settings/public`, publicSettings],
  ],
  pages(pages) {
    const door = { translate: translateAuthorization, judged: actOnOutcome }
    pages.on(['GET', 'POST'], '/api/rest/oauth2/auth', authorizePage(door))
    pages.all('/api/rest/services/:id', rest(service))
    pages.all('/api/rest/users/:id', rest(user))
    for (const name of USER_COLLECTIONS) {
      pages.all(`/api/rest/users/:id/${name}`, rest(userCollection(name)))
      pages.all(`/api/rest/users/:id/${name}/:item`, rest(userItem(name)))
    }
  },
}
