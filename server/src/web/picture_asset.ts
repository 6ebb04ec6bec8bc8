import { nameOfPicture, type Picture } from '../inbound/picture.ts'
import { type Asset, asset } from './ui/assets.ts'

/** A picture of the tenant (`logo`) or of a client, at the path of what it is: another picture has another path. */
export function pictureAsset(of: 'logo' | 'client', picture: Picture): Asset<Picture['bytes']> {
  return asset(`/assets/${of}-${nameOfPicture(picture)}`, picture.bytes, picture.type)
}
