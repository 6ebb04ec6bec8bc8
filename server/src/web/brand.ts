import { type Picture, readPictureUrl } from '../inbound/picture.ts'
import type { Configuration, Tenant } from '../store/tenant.ts'
import { pictureAsset } from './picture_asset.ts'
import type { Asset } from './ui/assets.ts'
import type { Tenant as Brand } from './ui/view.ts'

type Logo = Asset<Picture['bytes']>

// Read once for each version of a configuration, however many pages show it.
const logos = new WeakMap<Configuration, Logo | null>()

function logoOf(configuration: Configuration): Logo | null {
  const known = logos.get(configuration)
  if (known !== undefined) return known
  const { brand_logo } = configuration.settings
  const picture = brand_logo === '' ? 'unknown' : readPictureUrl(brand_logo)
  const logo = typeof picture === 'string' ? null : pictureAsset('logo', picture)
  logos.set(configuration, logo)
  return logo
}

/** What pages show of a tenant: its name, its colour, and the path of its picture under the issuer's. */
export function brandOf(configuration: Configuration, base: string): Brand {
  const { name, settings } = configuration
  const logo = logoOf(configuration)
  return {
    name,
    ...(settings.brand_accent !== '' && { accent: settings.brand_accent }),
    ...(logo && { logo_uri: base + logo.path }),
  }
}

/** The picture of a tenant, as long as it is the one at this path; every replica reads which one that is now. */
export async function findLogo(tenant: Tenant, path: string): Promise<Logo | undefined> {
  if (!path.startsWith('/assets/logo-')) return undefined
  const logo = logoOf(await tenant.currentConfiguration())
  return logo?.path === path ? logo : undefined
}
