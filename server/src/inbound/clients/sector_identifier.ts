import type { Egress } from '../../egress/egress.ts'
import { EgressError } from '../../egress/egress_error.ts'
import type { ClientMetadata } from '../../oauth/clients/client.ts'
import { refusal } from '../../oauth/clients/metadata_member.ts'

/**
 * Holds a registration against the list at its sector_identifier_uri (OpenID Connect Dynamic Client Registration section
 * 5): who owns that host says which redirect URIs know users by one name. An administrator is taken at their word.
 */
export async function checkSectorIdentifier(
  egress: Egress,
  { sector_identifier_uri, redirect_uris }: Pick<ClientMetadata, 'sector_identifier_uri' | 'redirect_uris'>,
): Promise<void> {
  if (sector_identifier_uri === undefined) return
  const listed = await readList(egress, sector_identifier_uri)
  const missing = redirect_uris.find((uri) => !listed.includes(uri))
  if (missing === undefined) return
  throw refusal('sector_identifier_uri', 'must be the URL of a JSON list that has every one of the redirect_uris')
}

async function readList(egress: Egress, url: string): Promise<readonly unknown[]> {
  try {
    const response = await egress.fetch(url, { purpose: 'client_metadata', headers: { accept: 'application/json' } })
    if (response.status !== 200) {
      await response.body?.cancel()
      return []
    }
    const list: unknown = JSON.parse(await response.text())
    return Array.isArray(list) ? list : []
  } catch (error) {
    if (error instanceof EgressError || error instanceof SyntaxError) return []
    throw error
  }
}
