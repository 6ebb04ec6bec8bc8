import { signJwt } from '../../crypto/jwt.ts'
import { readClientCredentials } from '../../oauth/client_credentials.ts'
import { OAuthError } from '../../oauth/errors.ts'
import { buildRevocationFeed, REVOCATION_FEED_TYPE, readCursor } from '../../oauth/revocation_feed.ts'
import type { Configuration, Tenant } from '../../store/tenant.ts'
import type { RevocationPage, RevocationRecord } from '../../store/verbs/revocations.ts'
import { authenticateClient } from '../client_authentication/authenticate_client.ts'
import type { DirectRequest } from '../client_authentication/direct_request.ts'
import { refuseReplays } from '../client_authentication/proofs.ts'
import type { InboundContext } from '../context.ts'
import { subjectAt } from '../subjects.ts'
import { resourcesOfCaller } from './introspection_rights.ts'

const MOST = 1000

/**
 * The revocation feed (docs/adr/0013): what has ended since a cursor and is still unexpired, signed, for the clients
 * that stand for a resource. A grant is named to all of them: by token exchange its tokens may be for any.
 */
export async function readRevocationFeed(context: InboundContext, request: DirectRequest): Promise<string> {
  const { tenant } = context
  const { tenant_id, store, issuer } = tenant
  const credentials = readClientCredentials({
    authorization: request.authorization,
    params: request.params,
    realm: issuer,
  })
  const authority = await store.loadClientAuthority({ tenant_id, client_id: credentials.client_id })
  const { client, proofs } = await authenticateClient(context, request, credentials, authority)
  const configuration = await tenant.configuration(authority!.tenant.config_version)
  const resources = resourcesOfCaller(configuration, client.client_id)
  if (client.token_endpoint_auth_method === 'none' || resources.length === 0) {
    throw new OAuthError('unauthorized_client', 'The client does not stand for a resource of this server')
  }
  if (authority!.tenant.disabled_at !== null) {
    throw new OAuthError('temporarily_unavailable', 'This server is switched off')
  }
  const youngest_ms = longestLifetime(configuration, resources)
  const page = await readPage(context, request.params.values['cursor'], youngest_ms)
  const { revocations, now } = page
  const last = revocations.at(-1)?.sequence
  const more = revocations.length === MOST
  const claims = buildRevocationFeed(
    {
      ...{ iss: issuer, aud: client.client_id, more, now },
      cursor: String(more ? last : page.last_sequence),
      keep_seconds: page.keep_ms / 1000,
    },
    revocations.flatMap((revoked) => nameFor(tenant, resources, revoked)),
  )
  const feed = await signJwt(configuration.signing_key, REVOCATION_FEED_TYPE, claims)
  await refuseReplays(issuer, () => proofs.accept(context))
  return feed
}

async function readPage(
  context: InboundContext,
  cursor: string | undefined,
  youngest_ms: number,
): Promise<RevocationPage> {
  const { tenant_id, store } = context.tenant
  const read = (after_sequence: number) => store.pageRevocations({ tenant_id, after_sequence, youngest_ms, most: MOST })
  const after = readCursor(cursor) ?? 0
  let page = await read(after)
  // Numbers are given when somebody asks: nothing waits for a turn of the upkeep, and nobody else pays for it.
  if (page.unnumbered) {
    while ((await store.numberRevocations({ tenant_id, most: MOST })) === MOST);
    page = await read(after)
  }
  // A cursor of the future is of a database that has been restored since: everything is said again.
  return after > page.last_sequence ? read(0) : page
}

// Users of pairwise clients have a name of their own at each resource.
function nameFor(tenant: Tenant, resources: readonly string[], revoked: RevocationRecord): RevocationRecord[] {
  if (revoked.kind !== 'sub') return [revoked]
  const names = [revoked.value, ...resources.map((resource) => subjectAt(tenant, resource, revoked.value))]
  return [...new Set(names)].map((value) => ({ ...revoked, value }))
}

function longestLifetime(configuration: Configuration, resources: readonly string[]): number {
  const lifetimes = resources.map((name) => configuration.resources.get(name)!.access_token_lifetime_seconds)
  return Math.max(...lifetimes) * 1000
}
