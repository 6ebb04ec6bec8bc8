import type { AccountPlace } from '../../providers/quirks.ts'
import { cleanText } from '../../relying/clean_text.ts'
import type { RelyingContext, RelyingParty } from '../../relying/context.ts'
import { type IntrospectionOutcome, introspectToken } from '../../relying/introspection.ts'
import type { IdTokenClaims, Tokens } from '../../relying/outcome.ts'
import { type JsonObject, readPath } from '../../relying/read_json.ts'
import { fetchUserinfo, type UserinfoOutcome } from '../../relying/userinfo.ts'

/** Whose account a connection reaches: what identifies it at the provider, and what a person calls it. */
export interface Account {
  readonly account: string | null
  readonly account_name: string | null
  /** An account of an organization is the same one for everybody in it. */
  readonly of: AccountPlace['of']
}

/** The same with an address that the provider vouches for. Of any other name its holder may have chosen it (nOAuth). */
export interface FoundAccount extends Account {
  readonly verified_email: string | null
}

type Claims = { readonly [name: string]: unknown }

const LONGEST_ACCOUNT = 255
const LONGEST_NAME = 200

/**
 * Finds out whose tokens these are, where the provider's record says that it can be known. Null when it should be known
 * and the provider did not say: such tokens are not stored.
 */
export async function findAccount(
  context: RelyingContext,
  party: RelyingParty,
  tokens: Tokens & { readonly id_token_claims: IdTokenClaims | null },
  /** An address is to be compared, which may be told at another place than the account. */
  asks_email = false,
): Promise<FoundAccount | null> {
  const { account: place } = party.provider
  const { id_token_claims: claims, extra } = tokens
  if (place === null) return claims ? readAccount(claims, SUBJECT) : NOBODY
  if (place.from === 'extra') return readAccount(extra, place)
  if (place.from === 'id_token' && claims) {
    const known = readAccount(claims, place)
    if (!known || (known.account_name !== null && !(asks_email && known.verified_email === null))) return known
    const said = readClaims(await fetchUserinfo(context, party, { ...tokens, sub: claims.sub }))
    if (!said) return known
    const account_name = known.account_name ?? readName(said, place.name)
    return { ...known, account_name, verified_email: known.verified_email ?? readVerifiedEmail(said, place) }
  }
  const ask = place.from === 'introspection' ? introspectToken : fetchUserinfo
  const said = readClaims(await ask(context, party, tokens))
  return said === undefined ? NOBODY : said && readAccount(said, place)
}

type Place = Pick<AccountPlace, 'id' | 'name' | 'of' | 'email_verified'>

/** Whose account it is was not told. */
export const NOBODY: FoundAccount = { account: null, account_name: null, of: 'person', verified_email: null }
const SUBJECT: Place = { id: ['sub'], name: ['email', 'preferred_username', 'name'], of: 'person' }

/** What was said; undefined where it is not for us to ask, null where it was not answered as it should be. */
function readClaims(outcome: UserinfoOutcome | IntrospectionOutcome): Claims | null | undefined {
  if (outcome.kind === 'unsupported' || outcome.kind === 'refused') return undefined
  return outcome.kind === 'claims' ? outcome.claims : null
}

function readAccount(claims: Claims, place: Place): FoundAccount | null {
  for (const id of place.id) {
    const value = readPath(claims as JsonObject, id)
    if (value === undefined || value === null) continue
    const account = typeof value === 'number' ? String(value) : value
    if (typeof account !== 'string' || account === '' || account.length > LONGEST_ACCOUNT) return null
    if (cleanText(account) !== account) return null
    const verified_email = readVerifiedEmail(claims, place)
    return { account, account_name: readName(claims, place.name), of: place.of, verified_email }
  }
  return null
}

function readName(claims: Claims, names: readonly string[]): string | null {
  for (const name of names) {
    const value = cleanText(readPath(claims as JsonObject, name)).slice(0, LONGEST_NAME)
    if (value !== '') return value
  }
  return null
}

// OpenID Connect Core section 5.1, where the record names no other claim. Some write the boolean as text.
function readVerifiedEmail(claims: Claims, { email_verified = 'email_verified' }: Place): string | null {
  const { email } = claims
  const verified = readPath(claims as JsonObject, email_verified)
  if (typeof email !== 'string' || email === '' || email.length > LONGEST_NAME) return null
  return verified === true || verified === 'true' ? email : null
}
