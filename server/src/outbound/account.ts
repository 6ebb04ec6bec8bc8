import { cleanText } from '../relying/clean_text.ts'
import type { RelyingContext, RelyingParty } from '../relying/context.ts'
import type { IdTokenClaims, Tokens } from '../relying/outcome.ts'
import { type Json, readPath } from '../relying/read_json.ts'
import { fetchUserinfo } from '../relying/userinfo.ts'

/** Whose account a connection reaches: what identifies it at the provider, and what a person calls it. */
export interface Account {
  readonly account: string | null
  readonly account_name: string | null
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
): Promise<Account | null> {
  const { account } = party.provider
  const claims = tokens.id_token_claims
  if (account === null) return claims ? readAccount(claims, 'sub', NAMES) : NOBODY
  if (account.from === 'token_response') return readAccount(tokens.extra, account.id, account.name)
  if (account.from === 'id_token' && claims) {
    const known = readAccount(claims, account.id, account.name)
    if (!known || known.account_name !== null) return known
    const said = await askUserinfo(context, party, tokens.access_token, claims.sub)
    return { ...known, account_name: said ? readName(said, account.name) : null }
  }
  const said = await askUserinfo(context, party, tokens.access_token)
  return said === undefined ? NOBODY : said && readAccount(said, account.id, account.name)
}

const NOBODY: Account = { account: null, account_name: null }
const NAMES = ['email', 'preferred_username', 'name']

/** Claims of the userinfo endpoint; undefined where it is not for us to ask, null where it did not answer as it should. */
async function askUserinfo(
  context: RelyingContext,
  party: RelyingParty,
  access_token: string,
  sub?: string,
): Promise<Claims | null | undefined> {
  const outcome = await fetchUserinfo(context, party, { access_token, ...(sub === undefined ? {} : { sub }) })
  if (outcome.kind === 'unsupported' || outcome.kind === 'refused') return undefined
  return outcome.kind === 'claims' ? outcome.claims : null
}

function readAccount(claims: Claims, id: string, names: readonly string[]): Account | null {
  const value = readPath(claims as Record<string, Json>, id)
  const account = typeof value === 'number' ? String(value) : value
  if (typeof account !== 'string' || account === '' || account.length > LONGEST_ACCOUNT) return null
  return cleanText(account) === account ? { account, account_name: readName(claims, names) } : null
}

function readName(claims: Claims, names: readonly string[]): string | null {
  for (const name of names) {
    const value = cleanText(readPath(claims as Record<string, Json>, name)).slice(0, LONGEST_NAME)
    if (value !== '') return value
  }
  return null
}
