import { type Picture, readPicture } from '../inbound/picture.ts'
import type { Tenant } from '../store/tenant.ts'
import { pictureAsset } from './picture_asset.ts'
import type { Asset } from './ui/assets.ts'
import type { Web } from './web.ts'

const PREFIX = '/assets/client-'

/** A client as a page knows it that may show its picture. */
export interface PicturedClient {
  readonly client_id: string
  readonly logo_uri?: string | undefined
}

/** Where a picture of this name is served. */
export function pathOfLogo({ base }: Pick<Web, 'base'>, file: string): string {
  return base + PREFIX + file
}

/** The paths of the pictures of clients under the issuer's, by client_id; those that have none yet are missing. */
export async function findClientLogos(
  web: Pick<Web, 'tenant' | 'base'>,
  clients: readonly PicturedClient[],
): Promise<ReadonlyMap<string, string>> {
  const by_id = new Map(
    clients.flatMap(({ client_id, logo_uri }) =>
      logo_uri === undefined ? [] : [[client_id, { client_id, logo_uri }] as const],
    ),
  )
  if (by_id.size === 0) return new Map()
  const { tenant_id, store } = web.tenant
  const found = await store.listLogoFiles({ tenant_id, clients: [...by_id.values()] })
  return new Map(found.map(({ client_id, file }) => [client_id, pathOfLogo(web, file)]))
}

/** The path of the picture of one client, unless nobody of the tenant has looked at it: such a client may show anybody's. */
export async function findClientLogo(
  web: Pick<Web, 'tenant' | 'base'>,
  client: PicturedClient,
  verified: boolean,
): Promise<string | undefined> {
  return verified ? (await findClientLogos(web, [client])).get(client.client_id) : undefined
}

/** The picture at a path, as long as it is that of a client. */
export async function findClientPicture(
  { tenant_id, store }: Tenant,
  path: string,
): Promise<Asset<Picture['bytes']> | undefined> {
  const file = /^[0-9a-f]{24}\.(?:png|jpeg|webp)$/.exec(path.startsWith(PREFIX) ? path.slice(PREFIX.length) : '')?.[0]
  if (file === undefined) return undefined
  const bytes = await store.findLogoPicture({ tenant_id, file })
  const picture = bytes && readPicture(bytes)
  // What is in a database is read as what it is, like what comes from anywhere else.
  return picture && typeof picture === 'object' ? pictureAsset('client', picture) : undefined
}
